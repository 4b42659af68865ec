"""Points: the (learning rate, loss) rows of a range test, as recorded, in bounded memory."""

import math
from collections.abc import Iterable
from typing import Any

from cyclr._checks import refuse

__all__ = ["CAPACITY", "Points", "is_finite", "number_of"]

CAPACITY = 4096
# A recorded rate may be rounded, to float32 say: only a real fall is a fall.
ROUNDING = 1e-5
# How far a rate falls, and how near to the first one it comes, where another test begins.
AGAIN = 4
# Squares must not overflow; a loss that far out has diverged, whatever its type can hold.
HUGE = 1e100


def number_of(what: str, value: Any) -> float:
    """Return *value* as a `float`: a number, or the one number in a framework's array.

    >>> number_of("loss", 2)
    2.0
    >>> number_of("loss", "2")
    Traceback (most recent call last):
    TypeError: loss must be a number: got '2'
    """
    if isinstance(value, (str, bytes, bytearray, bool)):
        refuse(what, "be a number", value, TypeError)
    try:
        # float() of a torch tensor that wants its gradient warns; item() does not.
        return float(value.item() if hasattr(value, "item") else value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError, RuntimeError):
        refuse(what, "be a number", value, TypeError)


def is_finite(loss: float) -> bool:
    """Tell whether *loss* is a number that training can come back from.

    >>> is_finite(1e9), is_finite(1e100), is_finite(float("nan"))
    (True, False, False)
    """
    return abs(loss) < HUGE


class Points:
    """Keep the rows of a range test, in order, in at most `CAPACITY` points and one for the edge.

    Whenever the points run out, neighbours are merged in pairs (their means are kept), and every
    point stands for twice as many rows from there on: one pass, O(1) amortised per row.

    >>> points = Points.read([(0.0, 2.3), (0.1, 2.2), (0.2, 1.9)])  # at lr = 0 nothing can happen
    >>> points.lrs, points.losses
    ([0.1, 0.2], [2.2, 1.9])

    Use it to read any stream of (lr, loss), however long.
    """

    def __init__(self) -> None:
        self.lrs: list[float] = []
        self.losses: list[float] = []
        self.size = 1  # rows in a point (the last may have fewer)
        self.rows = 0  # rows kept: those with lr = 0 are not
        self.falls = 0  # rows with a lower lr than the row before
        self.runs = 1  # tests: falls back to where the lr began, and one
        self._filled = 1  # rows in the last point
        self._first = self._previous = 0.0  # lr
        self._finite = True  # so far

    @classmethod
    def read(cls, rows: Iterable[tuple[Any, Any]]) -> "Points":
        """Return the points of *rows*; raise `ValueError` or `TypeError` naming a bad row."""
        points = cls()
        for index, row in enumerate(rows):
            try:
                lr, loss = row
            except (TypeError, ValueError):
                refuse(_place(index), "be a pair (lr, loss)", row)
            # Naming the row costs more than adding it, so it waits until there is an error.
            if type(lr) is not float:
                lr = number_of(f"the learning rate of {_place(index)}", lr)
            if type(loss) is not float:
                loss = number_of(f"the loss of {_place(index)}", loss)
            if not math.isfinite(lr):
                refuse(f"the learning rate of {_place(index)}", "be finite", lr)
            if lr < 0:
                refuse(f"the learning rate of {_place(index)}", "be at least 0", lr)
            points.add(lr, loss)
        return points

    def add(self, lr: float, loss: float) -> None:
        """Add one row; a row with *lr* = 0 changes nothing."""
        if lr == 0:
            return
        self.rows += 1
        if lr < self._previous * (1 - ROUNDING):
            self.falls += 1
            self.runs += AGAIN * lr < self._previous and lr < AGAIN * self._first
        self._first = self._first or lr
        self._previous = lr
        finite = is_finite(loss)
        if self._filled < self.size and finite and self._finite:
            self._filled += 1
            self.lrs[-1] += (lr - self.lrs[-1]) / self._filled
            self.losses[-1] += (loss - self.losses[-1]) / self._filled
            return
        # A loss that is not finite, and what follows it, must not change what came before.
        if len(self.lrs) >= CAPACITY:
            if not self._finite:
                return
            if finite:
                self._merge()
        self._finite &= finite
        self._filled = 1
        self.lrs.append(lr)
        self.losses.append(loss)

    def _merge(self) -> None:
        """Merge neighbours in pairs."""
        self.lrs = _means(self.lrs)
        self.losses = _means(self.losses)
        self.size *= 2


def _means(values: list[float]) -> list[float]:
    return [a + (b - a) / 2 for a, b in zip(values[::2], values[1::2], strict=True)]


def _place(index: int) -> str:
    return f"row {index + 1} (points[{index}])"
