"""Accuracy: the rule of the paper, which reads a range test of accuracies.

L. N. Smith: "Cyclical Learning Rates for Training Neural Networks", section 3.3.
"""

from collections.abc import Sequence
from statistics import fmean

from cyclr.range_test.curve import boxed, median_of_3, tenth
from cyclr.range_test.rules import Answer, Evidence, rule

__all__ = ["smith"]


@rule("smith", metric="accuracy")
def smith(evidence: Evidence) -> Answer:
    """The paper's own rule: from where the accuracy starts to rise to where it gets worse.

    base_lr is the first learning rate at which a tenth of the whole rise (or 3 sigma) is won.
    max_lr is the first one after the peak at which as much is lost, or, once nine tenths are won,
    at which the accuracy gets ragged: a row is off the middle of its neighbours, on an average of
    a tenth of the rows (10 at least), by more than twice as much as before and a hundredth of the
    rise. Each of them for three rows, on medians of three. In percent it is the same as in
    fractions.
    """
    curve = evidence.curve
    levels = median_of_3(curve.losses)  # turned over: lower is better
    start = max(levels[: tenth(levels)])  # of a linear ramp, the first tenth may be all of the rise
    best = min(levels)
    rise = start - best
    peak = levels.index(best)
    high = next(i for i, level in enumerate(levels) if level <= start - 0.9 * rise or i == peak)
    share = max(3 * curve.noise, 0.1 * rise)
    width = max(10, tenth(levels))
    bends = [abs(a - 2 * b + c) for a, b, c in zip(levels, levels[1:], levels[2:], strict=False)]
    roughness = [0.0, *boxed(bends, width // 2), 0.0]
    ragged = max(2 * fmean(bends[: max(high, width)]), 0.01 * rise)  # one kink is not ragged

    base = _sustained([level < start - share for level in levels])
    worse = _sustained(
        [
            (i > peak and level > best + share) or (i > high and rough > ragged)
            for i, (level, rough) in enumerate(zip(levels, roughness, strict=True))
        ]
    )
    max_lr = curve.lrs[-1 if worse is None else worse]
    base_lr = curve.lrs[peak if base is None else base]
    return Answer(max_lr, worse is not None, base_lr if base_lr < max_lr else None)


def _sustained(flags: Sequence[bool], rows: int = 3) -> int | None:
    """Return where the first run of *rows* true flags starts, or None."""
    return next((i for i in range(len(flags) - rows + 1) if all(flags[i : i + rows])), None)
