"""Rules: from what a range test showed to a learning rate, each a small function in one table.

The default is `family`, ours. The others are faithful to their sources, with the smoothing, the
stop and the slice that belong to them, so that suggestions can be compared: they read the rows
as recorded, know no optimizer, and give no base_lr (max_lr / 4 then).

A new rule is one function under `@rule(...)`.
"""

import math
import statistics
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from cyclr.range_test.curve import Curve, median_of_3
from cyclr.range_test.landmarks import Landmarks, wobble
from cyclr.range_test.optimizers import SPREAD_UNNAMED, Prior
from cyclr.range_test.points import Points

__all__ = ["DEFAULTS", "RULES", "Answer", "Evidence", "Rule"]

SHADE = 0.4  # of the spread: too high costs more than too low, so the rule stays below the middle
PACE = 30.0  # iterations a decade, for which the priors hold
SLOWEST, FASTEST = 57.0, 14.0  # iterations a decade: the ramps that were measured


@dataclass(frozen=True)
class Evidence:
    """All that a rule may look at."""

    points: Points
    curve: Curve
    landmarks: Landmarks
    prior: Prior

    @cached_property
    def turned(self) -> bool:
        """Whether the test went on until the loss got worse: until an edge was seen."""
        lagged = self.curve.lagged
        return self.curve.edge is not None or min(lagged) < lagged[-1]

    @cached_property
    def wobble(self) -> float:
        """How uncertain this run leaves the landmarks: a sigma in decades."""
        return wobble(self.curve)


@dataclass(frozen=True)
class Answer:
    """What a rule says.

    *best* is where it takes the best max_lr of the task to be (max_lr if not given), *spread* the
    sigma, in decades, of tasks around that; without *turned*, max_lr is a lower bound.
    """

    max_lr: float
    turned: bool
    base_lr: float | None = None
    best: float | None = None
    spread: float = SPREAD_UNNAMED


# What a rule is: None where too few points are left to it.
Ask = Callable[[Evidence], Answer | None]


@dataclass(frozen=True)
class Rule:
    """A rule by name, and the metric that it reads."""

    name: str
    metric: str
    ask: Ask


RULES: dict[str, Rule] = {}
DEFAULTS = {"loss": "family", "accuracy": "smith"}


def rule(name: str, metric: str = "loss") -> Callable[[Ask], Ask]:
    """Enter a function into the table as the rule *name*."""

    def enter(ask: Ask) -> Ask:
        RULES[name] = Rule(name, metric, ask)
        return ask

    return enter


@rule("family")
def family(evidence: Evidence) -> Answer:
    """Scale the middle of the landmarks by what is known of the optimizer, and stay below.

    best = scale * middle * sqrt(pace / 30): a slower ramp has trained for longer when it comes to
    a learning rate, and reaches its landmarks earlier.
    """
    curve, landmarks, known = evidence.curve, evidence.landmarks, evidence.prior
    pace = min(max(_iterations_in_decade_below(curve, landmarks.drop_90), FASTEST), SLOWEST)
    best = known.scale * landmarks.middle * math.sqrt(pace / PACE)
    return Answer(
        best * 10 ** (-SHADE * known.spread), evidence.turned, best=best, spread=known.spread
    )


def _iterations_in_decade_below(curve: Curve, lr: float) -> float:
    top = math.log10(lr)
    return curve.rows * sum(top - 1 < decade <= top for decade in curve.decades)


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
    """Return a peer's suggestion, with the *spread* measured by benchmarks/range_test_scales.py."""
    return Answer(lr, evidence.turned, spread=spread)


# --- L. N. Smith: "Cyclical Learning Rates for Training Neural Networks", section 3.3 ---------


@rule("smith", metric="accuracy")
def smith(evidence: Evidence) -> Answer:
    """The paper's own rule: from where the accuracy starts to rise to where it gets worse.

    base_lr is the first learning rate at which a tenth of the whole rise is won. max_lr is the
    first one after the peak at which a tenth of it (or 3 sigma) is lost, or, once nine tenths are
    won, at which the accuracy gets ragged: differs from row to row more than twice as much as
    before. Each of them for three rows, on medians of three.
    """
    curve = evidence.curve
    changes = median_of_3(curve.changes)  # turned over: lower is better
    rise = -min(changes)
    peak = changes.index(-rise)
    high = next(i for i, change in enumerate(changes) if change <= -0.9 * rise or i == peak)
    lost = max(3 * curve.noise, 0.1 * rise) - rise
    roughness = [0.0, *median_of_3([abs(b - a) for a, b in pairwise(curve.losses)])]
    ragged = 2 * statistics.median(roughness[: high + 1])

    base = _sustained([change < -0.1 * rise for change in changes])
    worse = _sustained(
        [
            (i > peak and change > lost) or (i > high and rough > ragged)
            for i, (change, rough) in enumerate(zip(changes, roughness, strict=True))
        ]
    )
    max_lr = curve.lrs[-1 if worse is None else worse]
    base_lr = curve.lrs[peak if base is None else base]
    return Answer(max_lr, worse is not None, base_lr if base_lr < max_lr else None)


def _sustained(flags: Sequence[bool], rows: int = 3) -> int | None:
    """Return where the first run of *rows* true flags starts, or None."""
    return next((i for i in range(len(flags) - rows + 1) if all(flags[i : i + rows])), None)
