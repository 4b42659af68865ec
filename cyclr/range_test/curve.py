"""Curve: what each learning rate did to the loss, up to where the test diverged."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby, pairwise, takewhile
from operator import itemgetter

from cyclr.range_test.divergence import STEP_TO_SIGMA, Divergence, ceiling
from cyclr.range_test.points import Points, is_finite

__all__ = ["Curve", "boxed", "median_of_3", "tenth"]

SPAN = 2.0  # decades: of the lagged average
WIDTH = 0.02  # of the points: each of the two means that make the centred average


@dataclass(frozen=True)
class Curve:
    """The learning rates of a test and the losses they caused, up to the divergence.

    *edge* is the first learning rate that the test did not come back from, *rows* the recorded
    rows in a point. By the *metric* "accuracy" the losses are accuracies turned over: lower is
    better. What is derived here moves with the scale of the losses and not with their zero: that
    is why a multiple of the loss, or another zero, changes no learning rate.
    """

    lrs: Sequence[float]
    losses: Sequence[float]
    edge: float | None = None
    rows: float = 1.0
    metric: str = "loss"

    @classmethod
    def of(cls, points: Points, metric: str = "loss") -> "Curve":
        """Return the curve of *points*.

        A loss is recorded before its learning rate acts, so that each learning rate belongs to
        the *next* loss. An accuracy is recorded after, and turned over.
        """
        losses = [_sign(metric) * loss for loss in points.losses]
        sound = _sound(losses)
        lrs, losses = points.lrs[:sound], losses[:sound]
        bad = sound
        if metric == "loss":
            lrs, losses = _causes(lrs, points.size), losses[1:]
            bad = max(sound - 1, 0)
        edge = points.lrs[bad] if sound < len(points.lrs) else None
        # A staircase's step is one point: its rows share a learning rate.
        steps = [list(step) for _, step in groupby(zip(lrs, losses, strict=True), itemgetter(0))]
        return cls(
            [step[0][0] for step in steps],
            [statistics.fmean(loss for _, loss in step) for step in steps],
            edge,
            points.size * len(lrs) / max(len(steps), 1),
            metric,
        )

    def without(self, every: int, offset: int) -> "Curve":
        """Return the curve without each *every*-th point, from *offset* on."""
        kept = [i for i in range(len(self.lrs)) if i % every != offset]
        return Curve(
            [self.lrs[i] for i in kept],
            [self.losses[i] for i in kept],
            self.edge,
            self.rows * every / (every - 1),
            self.metric,
        )

    @property
    def sign(self) -> float:
        """What a recorded value is multiplied by to be a loss, and a loss to be that again."""
        return _sign(self.metric)

    @cached_property
    def decades(self) -> list[float]:
        """The learning rates' base-10 logarithms."""
        return [math.log10(lr) for lr in self.lrs]

    @cached_property
    def noise(self) -> float:
        """Sigma of the losses around their trend, from the differences of neighbours."""
        steps = [abs(b - a) for a, b in pairwise(self.losses)]
        return statistics.median(steps) * STEP_TO_SIGMA if steps else 0.0

    @cached_property
    def start(self) -> float:
        """The level that the losses started from: the median of the first tenth."""
        return statistics.median(self.losses[: tenth(self.losses)])

    @cached_property
    def changes(self) -> list[float]:
        """The losses less their start; none counts for more than the ceiling of a divergence."""
        best = min(median_of_3(self.losses))
        highest = ceiling(self.start, best, self.noise)
        return [min(loss, highest) - self.start for loss in self.losses]

    @cached_property
    def centred(self) -> list[float]:
        """The changes smoothed without a lag: a median of three, then a triangle of 4 %."""
        half = round(WIDTH * len(self.changes) / 2) or 1
        return boxed(boxed(median_of_3(self.changes), half), half)

    @cached_property
    def lagged(self) -> list[float]:
        """The mean of the changes so far, the weights falling as exp(-decades / span).

        Distances are in decades of the learning rate, so that the average does not depend on how
        many iterations the ramp took; before the first, the loss is taken to have been at its
        start. It lags on purpose: what a rate past the best one destroys is charged for.
        """
        average, previous = 0.0, self.decades[0]
        averages = []
        for decade, change in zip(self.decades, self.changes, strict=True):
            average += (1 - math.exp(-abs(decade - previous) / SPAN)) * (change - average)
            averages.append(average)
            previous = decade
        return averages


def _sign(metric: str) -> float:
    return -1.0 if metric == "accuracy" else 1.0


def _sound(losses: Sequence[float]) -> int:
    """Return how many of *losses* came before the divergence."""
    finite = list(takewhile(is_finite, losses))
    divergence = Divergence(best=min(median_of_3(finite), default=math.inf))
    for loss in losses:
        if divergence.add(loss):
            break
    return divergence.sound


def tenth(values: Sequence[float]) -> int:
    """Return a tenth of the number of *values*, but at least five.

    >>> tenth(range(200)), tenth(range(30))
    (20, 5)
    """
    return max(5, len(values) // 10)


def median_of_3(values: Sequence[float]) -> list[float]:
    """Return each value's median with its neighbours.

    >>> median_of_3([1, 9, 2, 3])
    [1, 2, 3, 3]
    """
    padded = [*values[:1], *values, *values[-1:]]
    return [sorted(three)[1] for three in zip(padded, padded[1:], padded[2:], strict=False)]


def boxed(values: Sequence[float], half: int) -> list[float]:
    """Return each value's mean with the *half* values on either side, as far as there are any.

    >>> boxed([3, 6, 0, 3], 1)
    [4.5, 3.0, 3.0, 1.5]
    """
    sums = [0.0, *accumulate(values)]
    n = len(values)
    ends = ((max(i - half, 0), min(i + half + 1, n)) for i in range(n))
    return [(sums[end] - sums[begin]) / (end - begin) for begin, end in ends]


def _causes(lrs: Sequence[float], size: int) -> list[float]:
    """Return the learning rate one row before each of *lrs* but the first.

    Where a point stands for *size* rows, one row is that part of the way to the next point.
    """
    return [before ** (1 / size) * lr ** (1 - 1 / size) for before, lr in pairwise(lrs)]
