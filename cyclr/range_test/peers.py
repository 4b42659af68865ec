"""Peers: the rules of other libraries, so that suggestions can be compared.

Faithful to their sources, with the smoothing, the stop and the slice that belong to them: they
read the rows as recorded, know no optimizer, and give no base_lr (max_lr / 4 then).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from cyclr.range_test.points import Points
from cyclr.range_test.rules import Answer, Evidence, rule

__all__ = ["minimum", "pytorch_lr_finder", "steepest", "valley"]

# --- fastai: Learner.lr_find, fastai/callback/schedule.py -------------------------------------


@rule("minimum")
def minimum(evidence: Evidence) -> Answer | None:
    """fastai's `minimum`: a tenth of the learning rate at the lowest average loss."""
    lrs, losses = _fastai(evidence.points)
    return _suggest(evidence, lrs[_argmin(losses)] / 10, spread=0.75) if lrs else None


@rule("valley")
def valley(evidence: Evidence) -> Answer | None:
    """fastai's `valley`: half-way down the longest valley, a decreasing subsequence."""
    lrs, losses = _fastai(evidence.points)
    if not lrs:
        return None
    lengths = _decreasing_lengths(losses)
    longest = max(lengths)
    end = lengths.index(longest)
    # As in the source: a difference of indices, not where the subsequence starts.
    start = end - longest if longest > 1 else 0
    third = longest / 3 if longest > 1 else 0.0
    return _suggest(evidence, lrs[start + int(third) + int(third / 2)], spread=1.0)


@rule("steepest")
def steepest(evidence: Evidence) -> Answer | None:
    """fastai's `steep`: where the average loss falls fastest, by the logarithm of the rate."""
    lrs, losses = _fastai(evidence.points)
    widths = [b - a for a, b in pairwise(map(math.log, lrs))]
    slopes = [
        (after - before) / width if width else math.inf
        for width, (before, after) in zip(widths, pairwise(losses), strict=True)
    ]
    return _suggest(evidence, lrs[_argmin(slopes)], spread=1.05) if slopes else None


def _fastai(points: Points) -> tuple[list[float], list[float]]:
    """Return fastai's curve: corrected average (0.98), to 4 times its best, sliced, up to a NaN."""
    smooth = []
    total, best = 0.0, math.inf
    for count, loss in enumerate(points.losses, start=1):
        total = 0.98 * total + 0.02 * loss
        smooth.append(total / (1 - 0.98**count))
        best = min(best, smooth[-1])
        if smooth[-1] > 4 * best:
            break
    kept = slice(len(points.losses) // 10, max(len(smooth) - 5, 0))
    lrs, losses = points.lrs[kept], smooth[kept]
    nan = next((i for i, loss in enumerate(losses) if math.isnan(loss)), len(losses))
    return lrs[:nan], losses[:nan]


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


# --- davidtvs/pytorch-lr-finder: torch_lr_finder/lr_finder.py ---------------------------------


@rule("pytorch-lr-finder")
def pytorch_lr_finder(evidence: Evidence) -> Answer | None:
    """pytorch-lr-finder's suggestion: where its average falls fastest, by the row.

    Not corrected for its start (0.95), up to 5 times its best, without 10 and 5 points at the
    ends. As in the source, a NaN poisons the average, and then the point before it is taken.
    """
    losses = evidence.points.losses
    smooth = losses[:1]
    best = smooth[0]
    for loss in losses[1:]:
        smooth.append(0.05 * loss + 0.95 * smooth[-1])
        best = min(best, smooth[-1])
        if smooth[-1] > 5 * best:
            break
    kept = smooth[10:-5]
    if len(kept) < 2:
        return None
    lr = evidence.points.lrs[10 + _argmin(_gradient(kept))]
    return _suggest(evidence, lr, spread=0.85)


def _gradient(values: Sequence[float]) -> list[float]:
    """Return the central differences by index, one-sided at the ends, as numpy.gradient does."""
    inner = [(after - before) / 2 for before, after in zip(values, values[2:], strict=False)]
    return [values[1] - values[0], *inner, values[-1] - values[-2]]


def _argmin(values: Sequence[float]) -> int:
    """Return the index of the first lowest value; as in NumPy and torch, a NaN is the lowest."""
    return min(range(len(values)), key=lambda i: (not math.isnan(values[i]), values[i]))


def _suggest(evidence: Evidence, lr: float, spread: float) -> Answer:
    """Return a peer's suggestion, with the *spread* measured by benchmarks/range_test_regret.py."""
    return Answer(lr, evidence.turned, spread=spread)
