"""Which iterations of a schedule to look at, and how few points show them."""

from collections.abc import Iterator
from typing import Any

from cyclr.plotting.picture import Points
from cyclr.schedules import Schedule
from cyclr.schedules.schedule import settings

__all__ = ["extent", "spread", "thinned"]

SAMPLES = 50_000  # of a schedule's values, in a picture


def extent(schedule: Schedule) -> int:
    """Return iterations enough to see what *schedule* does: four cycles, eight steps, ...

    >>> from cyclr import Steps, Triangular
    >>> extent(Triangular(0.1, 1.0, 50)), extent(Steps(0.1, every=30, gamma=0.1))
    (400, 240)
    """
    if schedule.length is not None:
        return max(schedule.length, 1)
    return 8 * max(_whole_numbers(schedule), default=125)


def _whole_numbers(argument: Any) -> Iterator[int]:
    """Yield the whole numbers among a schedule's arguments: the lengths in it are."""
    if type(argument) is int:
        yield argument
    elif isinstance(argument, Schedule):
        for value in settings(argument).values():
            yield from _whole_numbers(value)
    elif isinstance(argument, tuple):
        for value in argument:
            yield from _whole_numbers(value)


def spread(n: int) -> Iterator[int]:
    """Yield 0 to *n*, or SAMPLES of them.

    >>> list(spread(3))
    [0, 1, 2, 3]
    """
    stride = max(n // SAMPLES, 1)
    for start in range(0, n, stride):
        # Jittered: at even distances a cycle of as many iterations would look constant.
        yield min(start + start // stride * 7919 % stride, n - 1)
    yield n


def thinned(points: Points, columns: int) -> Points:
    """Return those of *points* that a picture of so many *columns* can show.

    Of the points of a column the first, the lowest, the highest and the last: what is drawn
    looks the same.

    >>> thinned([(0, 5.0), (1, 7.0), (2, 1.0), (3, 6.0), (4, 3.0), (5, 4.0)], columns=1)
    [(0, 5.0), (1, 7.0), (2, 1.0), (5, 4.0)]
    """
    if len(points) <= 4 * columns:
        return points
    kept = []
    for column in range(columns):
        begin, end = (len(points) * c // columns for c in (column, column + 1))
        places = range(begin, end)
        lowest = min(places, key=lambda i: points[i][1])
        highest = max(places, key=lambda i: points[i][1])
        kept += [points[i] for i in sorted({begin, lowest, highest, end - 1})]
    return kept
