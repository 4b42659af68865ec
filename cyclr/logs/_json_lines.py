"""JSON Lines: on each line an object, ``{"lr": 0.001, "loss": 2.3}``, or an array."""

import json
import re
from collections.abc import Sequence
from typing import Any

from cyclr.logs._columns import Columns, index_names
from cyclr.logs._errors import MalformedRow, UnusableLog
from cyclr.logs._fields import learning_rate, number, number_or_none, show

__all__ = ["JsonLines"]


class JsonLines:
    """Lines that are a JSON value each; the *head*, the first of them, tells the columns."""

    name = "JSON Lines"

    @staticmethod
    def recognises(head: Sequence[str]) -> bool:
        """Return whether the first lines of a file look like JSON."""
        document = re.match(r"\s*(\{|\[\s*(\{|$))", head[0])
        return document is not None or any(_row(line) for line in head)

    def __init__(self, head: Sequence[str], columns: Columns) -> None:
        rows = [row for line in head if (row := _row(line))]
        names = list(dict.fromkeys(name for row in rows for name in row))
        if not rows:
            raise UnusableLog(
                f"none of its first {len(head)} lines is a JSON object by itself; "
                'expected lines such as {"lr": 0.001, "loss": 2.3}'
            )
        if names == index_names(len(names)):
            lr, loss = columns.unnamed([list(map(number_or_none, row.values())) for row in rows])
        else:
            lr, loss = columns.named(names)
        self.lr, self.loss = names[lr], names[loss]

    def pair(self, line: str) -> tuple[float, float]:
        """Return the learning rate and the loss of one line."""
        row = _row(line)
        if row is None:
            raise MalformedRow(f"not a JSON object: {show(line)}")
        for name in self.lr, self.loss:
            if name not in row:
                raise MalformedRow(f"no {show(name)}")
        return learning_rate(self.lr, row[self.lr]), number(self.loss, row[self.loss])


def _row(line: str) -> dict[str, Any] | None:
    """Return the JSON object, or an array as one with its `index_names`; `None`: no such thing."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        return dict(zip(index_names(len(value)), value, strict=True))
    return value if isinstance(value, dict) else None
