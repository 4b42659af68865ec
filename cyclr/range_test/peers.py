"""Peers: the rules of other libraries, so that suggestions can be compared.

Faithful to their sources, with the smoothing, the stop and the slice that belong to them: they
read the rows as recorded, know no optimizer, and give no base_lr (max_lr / 4 then). The versions
are those that `benchmarks/peers.py` ran beside them. They compute in double precision, where most
of the sources round to single.

A log of more than `CAPACITY` rows is read in merged points, as by all rules: what a peer counts
in rows, it counts in those.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from cyclr.range_test.points import Points
from cyclr.range_test.rules import Answer, Evidence, rule

__all__ = [
    "ignite",
    "ktrain",
    "lightning",
    "lightning_2_5_2",
    "minimum",
    "pytorch_lr_finder",
    "slide",
    "steepest",
    "valley",
]


def _suggest(evidence: Evidence, lr: float, spread: float) -> Answer:
    """Return a peer's suggestion, with the *spread* measured by benchmarks/range_test_regret.py."""
    return Answer(lr, evidence.turned, spread=spread)


# --- fastai 2.8.12: Learner.lr_find, fastai/callback/schedule.py ------------------------------


@rule("minimum")
def minimum(evidence: Evidence) -> Answer | None:
    """fastai's `minimum`: a tenth of the learning rate at the lowest average loss."""
    lrs, losses = _fastai(evidence.points)
    return _suggest(evidence, lrs[_argmin(losses)] / 10, spread=0.75) if lrs else None


@rule("valley")
def valley(evidence: Evidence) -> Answer | None:
    """fastai's `valley`, its default: half-way down the longest decreasing subsequence."""
    lrs, losses = _fastai(evidence.points)
    if not lrs:
        return None
    lengths = _decreasing_lengths(losses)
    longest = max(lengths)
    end = lengths.index(longest)
    # As in the source: a difference of indices, not where the subsequence starts.
    start = end - longest if longest > 1 else 0
    return _suggest(evidence, lrs[start + longest // 3 + longest // 6], spread=1.0)


@rule("slide")
def slide(evidence: Evidence) -> Answer | None:
    """fastai's `slide`: from the end leftward, until the slopes 15 points apart are alike.

    Alike means that they differ by no more than 0.005, whatever the unit of the loss.
    """
    lrs, losses = _fastai(evidence.points)
    if len(lrs) <= 15:
        return None
    slopes = _gradient(losses)
    left = len(lrs) - 16
    suggested = lrs[left]
    while left >= 0 and abs(slopes[left + 15] - slopes[left]) > 0.005:
        suggested = lrs[left]
        left -= 1
    return _suggest(evidence, suggested, spread=1.2)


@rule("steepest")
def steepest(evidence: Evidence) -> Answer | None:
    """fastai's `steep`: where the average loss falls fastest, by the logarithm of the rate."""
    lrs, losses = _fastai(evidence.points)
    slopes = _slopes(list(map(math.log, lrs)), losses)
    return _suggest(evidence, lrs[_argmin(slopes)], spread=1.05) if slopes else None


def _fastai(points: Points) -> tuple[list[float], list[float]]:
    """Return fastai's curve: without a tenth of the rows and 5 at the ends, up to a NaN."""
    smooth = list(_until_diverged(_average(points.losses, 0.98), times=4))
    kept = slice(len(points.losses) // 10, max(len(smooth) - 5, 0))
    lrs, losses = points.lrs[kept], smooth[kept]
    nan = next((i for i, loss in enumerate(losses) if math.isnan(loss)), len(losses))
    return lrs[:nan], losses[:nan]


# --- Lightning: Tuner.lr_find, lightning/pytorch/tuner/lr_finder.py ---------------------------


@rule("lightning")
def lightning(evidence: Evidence) -> Answer | None:
    """Lightning's suggestion since 2.5.3 (2.6.6): where its average falls fastest, by the rate.

    By the rate itself, not its logarithm, so that the smallest rates have the steepest slopes.
    """
    lrs, losses = _lightning(evidence.points)
    finite = [(lr, loss) for lr, loss in zip(lrs, losses, strict=True) if math.isfinite(loss)]
    if len(finite) < 2:
        return None
    lrs, losses = map(list, zip(*finite, strict=True))
    return _suggest(evidence, lrs[_argmin(_gradient_by(lrs, losses))], spread=3.3)


@rule("lightning-2.5.2")
def lightning_2_5_2(evidence: Evidence) -> Answer | None:
    """Lightning's suggestion up to 2.5.2: where its average falls fastest, by the row.

    As in the source, a loss that is not finite is left out and its learning rate is not.
    """
    lrs, losses = _lightning(evidence.points)
    finite = [loss for loss in losses if math.isfinite(loss)]
    if len(finite) < 2:
        return None
    return _suggest(evidence, lrs[_argmin(_gradient(finite))], spread=0.8)


def _lightning(points: Points) -> tuple[list[float], list[float]]:
    """Return Lightning's curve, without 10 rows and 1 at the ends.

    As in the source, the first average is corrected as if it were the second, and so on: the
    curve starts at half the loss, and so does the best that its stop compares with.
    """
    averages = _average(points.losses, 0.98, corrected_from=2)
    smooth = list(_until_diverged(averages, times=4, with_itself=False))
    return points.lrs[10 : len(smooth) - 1], smooth[10:-1]


# --- davidtvs/pytorch-lr-finder 0.2.2: torch_lr_finder/lr_finder.py ---------------------------


@rule("pytorch-lr-finder")
def pytorch_lr_finder(evidence: Evidence) -> Answer | None:
    """pytorch-lr-finder's suggestion: where its average falls fastest, by the row.

    Not corrected for its start (0.95), up to 5 times its best, without 10 and 5 points at the
    ends. As in the source, a NaN poisons the average, and then the point before it is taken.
    """
    points = evidence.points
    kept = list(_until_diverged(_uncorrected(points.losses, 0.95), times=5))[10:-5]
    if len(kept) < 2:
        return None
    return _suggest(evidence, points.lrs[10 + _argmin(_gradient(kept))], spread=0.85)


# --- pytorch/ignite 0.5.5: FastaiLRFinder, ignite/handlers/lr_finder.py -----------------------


@rule("ignite")
def ignite(evidence: Evidence) -> Answer | None:
    """Ignite's suggestion: where its average falls fastest, by the row, before its lowest value.

    Nothing is left out at the ends.
    """
    points = evidence.points
    smooth = list(_until_diverged(_uncorrected(points.losses, 0.95), times=5))
    falling = smooth[: _argmin(smooth) + 1]
    if len(falling) < 3:
        return None
    return _suggest(evidence, points.lrs[1 + _argmin(_gradient(falling)[1:-1])], spread=0.75)


# --- amaiya/ktrain 0.41.4: ktrain/lroptimize/lrfinder.py --------------------------------------


@rule("ktrain")
def ktrain(evidence: Evidence) -> Answer:
    """ktrain's `lr_estimate`, the second of its three: a tenth of the rate at the lowest average.

    Nothing is left out at the ends. The first estimate forgets to add the 32 rows that it leaves
    out, the third is fastai's `valley`.
    """
    points = evidence.points
    averages = _average(points.losses, 0.98)
    smooth = list(_until_diverged(averages, times=4, with_itself=False))
    return _suggest(evidence, points.lrs[_argmin(smooth)] / 10, spread=0.75)


# --- what they share --------------------------------------------------------------------------


def _average(losses: Iterable[float], keep: float, corrected_from: int = 1) -> Iterator[float]:
    """Yield the exponential averages, from 0, corrected for their start.

    >>> list(_average([2.0, 2.0], 0.5))
    [2.0, 2.0]
    """
    total = 0.0
    for count, loss in enumerate(losses, start=corrected_from):
        total = keep * total + (1 - keep) * loss
        yield total / (1 - keep**count)


def _uncorrected(losses: Sequence[float], keep: float) -> Iterator[float]:
    """Yield the exponential averages, from the first loss.

    >>> list(_uncorrected([2.0, 3.0], 0.5))
    [2.0, 2.5]
    """
    average = losses[0]
    yield average
    for loss in losses[1:]:
        average = (1 - keep) * loss + keep * average
        yield average


def _until_diverged(
    averages: Iterable[float], times: float, with_itself: bool = True
) -> Iterator[float]:
    """Yield *averages* up to the first that is above *times* the best so far.

    *with_itself*: it counts for the best, too, which matters below zero.

    >>> list(_until_diverged([2.0, 1.0, 3.0, 5.0, 2.0], times=4))
    [2.0, 1.0, 3.0, 5.0]
    """
    best = math.inf
    for average in averages:
        yield average
        lowest = min(best, average)
        if average > times * (lowest if with_itself else best):
            return
        best = lowest


def _gradient(values: Sequence[float]) -> list[float]:
    """Return the central differences by index, one-sided at the ends, as numpy.gradient does."""
    inner = [(after - before) / 2 for before, after in zip(values, values[2:], strict=False)]
    return [values[1] - values[0], *inner, values[-1] - values[-2]]


def _gradient_by(places: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the slopes at uneven *places*, as torch.gradient does; NaN where two are the same.

    >>> _gradient_by([0, 1, 3], [0, 1, 9])
    [1.0, 2.0, 4.0]
    """
    slopes = _slopes(places, values)
    widths = [b - a for a, b in pairwise(places)]
    inner = [
        (right * before + left * after) / (left + right) if left + right else math.nan
        for (left, right), (before, after) in zip(pairwise(widths), pairwise(slopes), strict=True)
    ]
    return [slopes[0], *inner, slopes[-1]]


def _slopes(places: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the slopes between neighbours; as in torch, NaN or infinite at the same place."""
    return [
        (b - a) / (right - left) if right != left else (b - a) * math.inf
        for (left, right), (a, b) in zip(pairwise(places), pairwise(values), strict=True)
    ]


def _decreasing_lengths(values: Sequence[float]) -> list[int]:
    """Return the length of the longest decreasing subsequence that ends at each value.

    By patience sorting in O(n log n), where the source compares all pairs.

    >>> _decreasing_lengths([5, 3, 4, 4, 1])
    [1, 2, 2, 2, 3]
    """
    tops: list[float] = []  # of -value, the smallest at which a subsequence of that length ends
    lengths = []
    for value in values:
        length = bisect_left(tops, -value)
        tops[length : length + 1] = [-value]
        lengths.append(length + 1)
    return lengths


def _argmin(values: Sequence[float]) -> int:
    """Return the index of the first lowest value; as in NumPy and torch, a NaN is the lowest."""
    return min(range(len(values)), key=lambda i: (not math.isnan(values[i]), values[i]))
