"""JSON Lines: on each line an object, ``{"lr": 0.001, "loss": 2.3}``, or an array."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cyclr.logs._columns import index_names
from cyclr.logs._errors import MalformedRow
from cyclr.logs._fields import flat, show
from cyclr.logs._formats import LineFormat

__all__ = ["JsonLines", "fields"]


class JsonLines(LineFormat):
    """Lines that are a JSON value each."""

    name = "JSON Lines"

    @staticmethod
    def recognises(head: Sequence[str]) -> bool:
        """Return whether some lines are JSON by themselves, and do not belong to a larger value."""
        return head[0].strip() not in ("[", "{") and any(fields(_value(line)) for line in head)

    def row(self, record: str) -> Mapping[str, Any] | None:
        """Return the fields of one line."""
        row = fields(_value(record))
        if row is None:
            raise MalformedRow(f"not a JSON object: {show(record)}")
        return row


def fields(value: Any) -> dict[str, Any] | None:
    """Return the fields of an object, or of an array by its `index_names`; `None`: no such thing.

    >>> fields([0.001, 2.5])
    {'column 0': 0.001, 'column 1': 2.5}
    """
    if isinstance(value, list):
        value = dict(zip(index_names(len(value)), value, strict=True))
    return flat(value) if isinstance(value, dict) else None


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
