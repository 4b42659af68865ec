"""Rows as pairs (lr, loss): columns are chosen, and what lies in two rows is joined."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from cyclr.logs._columns import Columns, index_names
from cyclr.logs._errors import MalformedRow, UnusableLog
from cyclr.logs._fields import is_missing, learning_rate, number, number_or_none, show
from cyclr.logs._formats import Format, Row

__all__ = ["Pairs"]

WAITING = 10_000  # steps with one half of a pair that are remembered, the latest


class Pairs:
    """Turn the rows of a log into pairs; *rows*, the first of them, tell the columns.

    ``lr`` and ``loss`` name the columns chosen, if they are ``named`` at all. Where most rows have
    only one of the two, those of the same step belong together: ``step`` names the column that
    says so. Where rows are whole, ``others`` counts those with neither: of a validation, say.
    """

    def __init__(self, form: Format, rows: Sequence[Row], columns: Columns) -> None:
        self._decimal = form.decimal
        names = list(form.names or dict.fromkeys(name for row in rows for name in row))
        keys: Sequence[Any] = range(len(names)) if form.names else names
        if not names:
            raise UnusableLog(f"no fields in its {form.name}")
        self.named = names != index_names(len(names))
        if rows and not self.named:
            table = [[number_or_none(_get(row, k), self._decimal) for k in keys] for row in rows]
            lr, loss = columns.unnamed(table)
        else:
            lr, loss = columns.named(names)
        self.lr, self.loss = names[lr], names[loss]
        self._lr: Any = keys[lr]  # a name or an index, as the rows have it
        self._loss: Any = keys[loss]
        self._width = len(form.names)
        self.step: str | None = None
        self._step: Any = None
        step = columns.step(names)
        if step is not None and self._halved(rows):
            self.step, self._step = names[step], keys[step]
        self.others = 0
        self._lrs: OrderedDict[float, float] = OrderedDict()
        self._losses: OrderedDict[float, float] = OrderedDict()

    def pair(self, row: Row) -> tuple[float, float] | None:
        """Return the pair that *row* holds, or completes; `None`: it is about something else."""
        lr, loss = self._fields(row)
        try:
            return (
                learning_rate(self.lr, lr, self._decimal),
                number(self.loss, loss, self._decimal),
            )
        except MalformedRow:
            if is_missing(lr) and is_missing(loss):
                self.others += self.step is None
                return None
            if self.step is None or not (is_missing(lr) or is_missing(loss)):
                raise
        step = number(self.step, _get(row, self._step), self._decimal)
        if is_missing(loss):
            rate = learning_rate(self.lr, lr, self._decimal)
            value = _met(step, rate, self._lrs, self._losses)
            return None if value is None else (rate, value)
        value = number(self.loss, loss, self._decimal)
        known = _met(step, value, self._losses, self._lrs)
        return None if known is None else (known, value)

    def _fields(self, row: Row) -> tuple[Any, Any]:
        if isinstance(row, Mapping):
            return row.get(self._lr), row.get(self._loss)
        try:
            return row[self._lr], row[self._loss]
        except IndexError:
            line = show(" ".join(row))
            raise MalformedRow(f"only {len(row)} of {self._width} fields: {line}") from None

    def _halved(self, rows: Sequence[Row]) -> bool:
        """Return whether more of *rows* have one of the two than have both."""
        missing = []
        for row in rows:
            with suppress(MalformedRow):
                missing.append(sum(map(is_missing, self._fields(row))))
        return missing.count(1) > missing.count(0)


def _get(row: Row, key: Any) -> Any:
    if isinstance(row, Mapping):
        return row.get(key)
    return row[key] if key < len(row) else None


def _met(
    step: float,
    half: float,
    mine: OrderedDict[float, float],
    others: OrderedDict[float, float],
) -> float | None:
    """Return the other half of the same *step*; where there is none yet, this *half* waits."""
    if step in others:
        return others.pop(step)
    mine[step] = half
    if len(mine) > WAITING:
        mine.popitem(last=False)
    return None
