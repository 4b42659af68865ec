"""Divergence: when a range test is over, in units of its own noise; the same live and in a log."""

import math
import statistics
from bisect import insort

from cyclr.range_test.points import CAPACITY, is_finite

__all__ = ["STEP_TO_SIGMA", "Divergence", "ceiling"]

# The median of |x - y| for independent standard normal x and y is 0.954.
STEP_TO_SIGMA = 1 / 0.954
SIGMAS = 6  # of noise, above which a loss is no accident
PATIENCE = 5  # losses in a row that must be above: a spike comes back
FIRST = 5  # losses whose median is the level that the test started from


def ceiling(start: float, best: float, sigma: float) -> float:
    """Return the loss above which a test that stays there has diverged.

    start + (start - best) + 6 sigma: it has lost all it had won, as much again, and the noise
    does not explain it. No ratio of losses, so they may be negative or tiny.

    >>> ceiling(start=2.25, best=0.25, sigma=0.125)
    5.0
    """
    return start + max(start - best, 0.0) + SIGMAS * sigma


class Divergence:
    """Tell, loss by loss, whether a range test has diverged.

    It has when the median of the last three losses is above the `ceiling` five times in a row,
    or when a loss is not finite. A spike that comes back is no divergence. The start is the median
    of the first five losses, best the lowest median of three so far (or *best*, for who has the
    whole log and knows how far it came down), sigma follows from the median difference of
    neighbours. O(1) amortised per loss, in bounded memory: of more than `CAPACITY` differences,
    every other one is kept, and so on.

    >>> divergence = Divergence()
    >>> [divergence.add(loss) for loss in (-2.0, -2.1, -1.9, -2.2, math.nan)]
    [False, False, False, False, True]

    Use it to stop a range test that one runs without `RangeTest`.
    """

    def __init__(self, best: float = math.inf) -> None:
        self.diverged = False
        self._count = 0
        self._above = 0  # medians above the ceiling in a row
        self._first: list[float] = []
        self._start = math.nan  # their median
        self._best = best
        self._harmless = math.nan  # the ceiling if there were no noise
        self._recent = math.nan, math.nan
        self._steps: list[float] = []  # sorted: their median is the middle one
        self._every = 1  # losses for one step that is kept

    def add(self, loss: float) -> bool:
        """Take the next *loss* and return `diverged`; once it has, more losses change nothing."""
        if self.diverged:
            return True
        self._count += 1
        if is_finite(loss):
            self._above = self._above + 1 if self._is_above(loss) else 0
            self.diverged = self._above >= PATIENCE
        else:
            self._above += bool(self._above)  # a streak that ends so was the divergence
            self.diverged = True
        return self.diverged

    def _is_above(self, loss: float) -> bool:
        before, last = self._recent
        self._recent = last, loss
        if self._count > 1 and self._count % self._every == 0:
            insort(self._steps, abs(loss - last))
            if len(self._steps) > CAPACITY:
                self._steps = self._steps[::2]
                self._every *= 2
        if self._count <= FIRST:
            self._first.append(loss)
            self._start = statistics.median(self._first)
        if self._count < FIRST:
            return False
        low, high = (before, last) if before < last else (last, before)
        level = low if loss < low else min(loss, high)
        if level < self._best or self._count == FIRST:
            self._best = min(self._best, level)
            self._harmless = ceiling(self._start, self._best, 0.0)
        if level <= self._harmless:
            return False  # so are most, and the noise need not be known
        sigma = self._steps[len(self._steps) // 2] * STEP_TO_SIGMA
        return level > ceiling(self._start, self._best, sigma)

    @property
    def sound(self) -> int:
        """How many losses came before the divergence, or before a streak that may become one."""
        if self._above:
            return self._count - self._above - 1  # the median of three lags by one
        return self._count - self.diverged
