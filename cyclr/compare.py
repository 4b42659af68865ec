"""Where two schedules disagree, by how much, and from which iteration on."""

import math
from dataclasses import dataclass
from typing import Any

from cyclr._checks import number, refuse, whole
from cyclr.schedules.schedule import ScheduleLike

__all__ = ["Difference", "diff"]


@dataclass(frozen=True)
class Difference:
    """What `diff` found. It is true where the schedules differ, and prints as a sentence."""

    iterations: int
    """The iterations that were compared: 0 to iterations - 1."""
    first: int | None
    """The first iteration at which the schedules disagree; None if they agree."""
    at: int
    """The iteration of the largest difference, the first of them; 0 if there is none."""
    values: tuple[float, float]
    """Both values there."""
    largest: float
    """The largest difference, as a learning rate."""
    relative: float
    """The largest difference as a part of the highest absolute value of either."""

    def __bool__(self) -> bool:
        return self.first is not None

    def __str__(self) -> str:
        a, b = (f"{value:.6g}" for value in self.values)
        if a == b:
            a, b = map(repr, self.values)
        size = f"{self.largest:.3g}, {100 * self.relative:.3g} % of the highest value"
        if self.first is None:
            within = f", within {size}" if self.largest else ""
            return f"They agree at iterations 0 to {self.iterations - 1}{within}."
        where = f"from iteration {self.first} on, most at {self.at}"
        return f"They differ {where}: {a} and {b}, by {size}."


def diff(
    a: ScheduleLike, b: ScheduleLike, iterations: int, *, tolerance: float = 0.0
) -> Difference:
    """Compare two schedules over a run of so many *iterations*.

    With m the highest absolute value of either in the run, they disagree at i where

        |a(i) - b(i)| > tolerance m                             i = 0 to iterations - 1

    *a* and *b* are schedules, or any functions of the iteration whose values `float` takes:
    an optax schedule, the ``lr_lambda`` of a torch scheduler. A run of n updates uses the
    iterations 0 to n - 1; with n + 1 the value at which a schedule ends is compared, too.
    *iterations* is at least 1, and *tolerance* at least 0 (exact), values are finite;
    otherwise a `ValueError` says so, and a `TypeError` where *a* or *b* can't be called.

        >>> from cyclr import Triangular, Triangular2
        >>> found = diff(Triangular(1, 5, 4), Triangular2(1, 5, 4), 16)
        >>> bool(found), found.first, found.at, found.largest, found.relative
        (True, 9, 12, 2.0, 0.4)
        >>> print(found)
        They differ from iteration 9 on, most at 12: 5 and 3, by 2, 40 % of the highest value.
        >>> print(diff(Triangular(1, 5, 4), lambda i: 1 + min(i % 8, 8 - i % 8), 1000))
        They agree at iterations 0 to 999.

    Use it before a schedule is replaced by another: 1e-6 is a good tolerance for values that
    a framework computes in float32.
    """
    for name, schedule in (("a", a), ("b", b)):
        if not callable(schedule):
            refuse(name, "be a schedule or a function of the iteration", schedule, TypeError)
    iterations = whole("iterations", iterations, at_least=1)
    tolerance = number("tolerance", tolerance, at_least=0)

    # What is a disagreement is known at the end, but its first iteration is among those at
    # which the difference was larger than ever before.
    records: list[tuple[int, tuple[float, float], float]] = []
    largest, highest = -1.0, 0.0
    for i in range(iterations):
        x, y = _value("a", a(i), i), _value("b", b(i), i)
        difference = abs(x - y)
        if difference > largest:
            records.append((i, (x, y), difference))
            largest = difference
        highest = max(highest, abs(x), abs(y))

    at, values, _ = records[-1]
    limit = tolerance * highest
    return Difference(
        iterations=iterations,
        first=next((i for i, _, difference in records if difference > limit), None),
        at=at,
        values=values,
        largest=largest,
        relative=largest / highest if highest else 0.0,
    )


def _value(name: str, value: Any, i: int) -> float:
    try:
        result = float(value)
    except (TypeError, ValueError):
        refuse(f"{name}({i})", "be a number", value, TypeError)
    if not math.isfinite(result):
        refuse(f"{name}({i})", "be finite", result)
    return result
