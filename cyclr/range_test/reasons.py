"""Reasons: why a range test can't be read, or is to be read with care, and what to do about it.

A new reason is one function under `@failure(...)` or `@caution(...)`, which returns its message
where it holds and None where it does not; in it and in the advice, {metric} is what was recorded,
loss or accuracy. Failures are tried in order, and the first ends the analysis with
`InconclusiveRangeTest`; cautions come with the bounds.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from operator import mul

from cyclr.range_test.curve import Curve, boxed, median_of_3, tenth
from cyclr.range_test.divergence import STEP_TO_SIGMA
from cyclr.range_test.points import Points, is_finite
from cyclr.range_test.rules import Answer, Evidence
from cyclr.range_test.smoothing import RAW, Smoothing, smoothing_of, sound_losses

__all__ = [
    "CAUTIONS",
    "FAILURES",
    "InconclusiveRangeTest",
    "Reason",
    "cautions",
    "failure_of",
    "too_short_for",
]

FEWEST = 15  # learning rates whose effect is known
SIGNIFICANT = 4.5  # sigma: a flat loss falls as far in one test of 300


@dataclass(frozen=True)
class Reason:
    """Why a range test can't be read, or is to be read with care; *advice* says what to do.

    >>> print(Reason("no_edge", "The loss never got worse.", "Raise end_lr."))
    no_edge: The loss never got worse. Raise end_lr.
    """

    code: str
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.advice}"


class InconclusiveRangeTest(ValueError):
    """Say that a range test does not tell any bounds, and why: see `reasons`."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(tuple(reasons))
        self.reasons = tuple(reasons)

    def __str__(self) -> str:
        return "\n".join(map(str, self.reasons))


@dataclass(frozen=True)
class Log:
    """What is known when a failure is looked for."""

    points: Points
    curve: Curve

    @cached_property
    def smoothing(self) -> Smoothing:
        """How the losses were smoothed before they were recorded."""
        return smoothing_of(self.points, self.curve)


@dataclass(frozen=True)
class Verdict:
    """What is known when a caution is looked for."""

    evidence: Evidence
    answer: Answer

    @cached_property
    def smoothing(self) -> Smoothing:
        """How the losses were smoothed before they were recorded."""
        return smoothing_of(self.evidence.points, self.evidence.curve)


FailureCheck = Callable[[Log], str | None]
CautionCheck = Callable[[Verdict], str | None]
FAILURES: dict[str, tuple[FailureCheck, str]] = {}
CAUTIONS: dict[str, tuple[CautionCheck, str]] = {}


def failure(code: str, advice: str) -> Callable[[FailureCheck], FailureCheck]:
    """Enter a function into the table of failures as *code*."""

    def enter(check: FailureCheck) -> FailureCheck:
        FAILURES[code] = check, advice
        return check

    return enter


def caution(code: str, advice: str) -> Callable[[CautionCheck], CautionCheck]:
    """Enter a function into the table of cautions as *code*."""

    def enter(check: CautionCheck) -> CautionCheck:
        CAUTIONS[code] = check, advice
        return check

    return enter


def failure_of(points: Points, curve: Curve) -> Reason | None:
    """Return the first reason for which *points* can't be read, or None."""
    for code, (check, advice) in FAILURES.items():
        if message := check(Log(points, curve)):
            return _reason(code, message, advice, curve.metric)
    return None


def too_short_for(rule: str) -> Reason:
    """Return why a *rule* that drops points at the ends had too few left."""
    advice = FAILURES["too_short"][1]
    return Reason("too_short", f"The rule {rule!r} is left with too few points.", advice)


def cautions(evidence: Evidence, answer: Answer) -> tuple[Reason, ...]:
    """Return all reasons for which *answer* is to be taken with care."""
    verdict = Verdict(evidence, answer)
    found = [(code, check(verdict), advice) for code, (check, advice) in CAUTIONS.items()]
    metric = evidence.curve.metric
    return tuple(
        _reason(code, message, advice, metric) for code, message, advice in found if message
    )


def _reason(code: str, message: str, advice: str, metric: str) -> Reason:
    """Return a reason in the words of the *metric*."""
    return Reason(code, message.replace("{metric}", metric), advice.replace("{metric}", metric))


# --- Failures: the first that holds ends the analysis -----------------------------------------


@failure(
    "all_nonfinite",
    "Look for a division by zero, a logarithm of zero or broken inputs: the model gives no "
    "usable {metric} even before its weights are changed.",
)
def _all_nonfinite(log: Log) -> str | None:
    if not log.points.rows or any(map(is_finite, log.points.losses)):
        return None
    return "No {metric} is a finite number."


@failure(
    "lr_constant",
    "Check that the learning rate reaches the optimizer, that nothing else sets it "
    "(another scheduler), and that the rate written down is the one that was used.",
)
def _lr_constant(log: Log) -> str | None:
    if len(log.points.lrs) < FEWEST or max(log.points.lrs) > 1.1 * min(log.points.lrs):
        return None
    return f"The learning rate stays at {log.points.lrs[0]:.3g}."


@failure("started_diverged", "Start lower: divide start_lr by 1000.")
def _started_diverged(log: Log) -> str | None:
    if log.curve.edge is None or len(log.curve.losses) >= FEWEST or _fell(log.curve.losses):
        return None
    return (
        "The {metric} broke down at the very first learning rates, before it had improved at all."
    )


@failure(
    "too_short",
    "Record more iterations (200 is a good number), or, if the test diverged early, start lower.",
)
def _too_short(log: Log) -> str | None:
    n = len(log.curve.losses)
    if n >= FEWEST:
        return None
    return f"Only {n} learning rates can be judged ({log.points.rows} rows): {FEWEST} are needed."


@failure(
    "no_descent",
    "Raise end_lr if the test ended before anything happened. Otherwise check that the model can "
    "learn at all: loss, labels, frozen parameters, an optimizer that holds other parameters. A "
    "trained model has little left to learn. If the {metric} is merely noisy, record more "
    "iterations or use larger batches.",
)
def _no_descent(log: Log) -> str | None:
    # An average of noise wanders further than its neighbours differ.
    if log.smoothing is RAW:
        losses, noise = log.curve.changes, log.curve.noise
    else:
        losses = log.smoothing.undo(sound_losses(log.points, log.curve))
        noise = statistics.median(abs(b - a) for a, b in pairwise(losses)) * STEP_TO_SIGMA
    if _descends(losses, noise):
        return None
    return "The {metric} never improved by more than its noise explains."


def _descends(losses: Sequence[float], noise: float) -> bool:
    """Tell whether the mean of some losses in a row is clearly below that of the first ones."""
    n = len(losses)
    sums = [0.0, *accumulate(losses)]
    start = statistics.median(losses[: tenth(losses)])
    for width in {max(5, n // parts) for parts in (20, 10, 5)}:
        means = [
            (after - before) / width for before, after in zip(sums, sums[width:], strict=False)
        ]
        first = 3
        while first + width <= n:
            level = sums[first] / first
            if first >= tenth(losses):
                level = min(level, start)  # what rises first has not fallen when it is back
            error = noise * math.sqrt(1 / first + 1 / width)
            if level - min(means[first:]) > SIGNIFICANT * error:
                return True
            first = first * 3 // 2
    return False


def _fell(losses: Sequence[float]) -> bool:
    """Tell whether a handful of *losses* fell."""
    steps = [abs(b - a) for a, b in pairwise(losses)]
    return bool(steps) and min(median_of_3(losses)) < losses[0] - 3 * statistics.median(steps)


# --- Cautions: they come with the bounds ------------------------------------------------------


@caution(
    "no_edge", "Take max_lr for a lower bound, and repeat the test with an end_lr 10 times higher."
)
def _no_edge(verdict: Verdict) -> str | None:
    if verdict.answer.turned:
        return None
    return "The test ended before the learning rate was too high for the model."


@caution(
    "too_noisy",
    "Use more iterations or larger batches, or repeat the test with other seeds and take the "
    "middle of the answers.",
)
def _too_noisy(verdict: Verdict) -> str | None:
    evidence = verdict.evidence
    fall = -min(evidence.curve.centred)
    if evidence.wobble <= 0.8 and fall >= 2 * evidence.curve.noise:
        return None
    return "The {metric} is so noisy that the answer rests on few of its values."


@caution(
    "lr_not_monotone",
    "Give one test at a time, its rows in the order of the iterations; and check that no other "
    "scheduler sets the learning rate.",
)
def _lr_not_monotone(verdict: Verdict) -> str | None:
    points = verdict.evidence.points
    if not points.falls:
        return None
    if points.runs > 1:
        return f"It looks like {points.runs} tests, one after the other."
    return f"The learning rate goes down instead of up in {points.falls} of {points.rows} rows."


@caution(
    "running_mean_loss",
    "Log the {metric} of the batch itself: the mean of the epoch so far (what Keras gives to its "
    "callbacks) reacts late, and the answer is too high.",
)
def _running_mean_loss(verdict: Verdict) -> str | None:
    if verdict.smoothing.kind != "mean":
        return None
    return "The {metric} looks like the mean of all batches so far: it changes less and less."


@caution(
    "pre_smoothed",
    "Log the {metric} of each batch as it is: a smoothed {metric} reacts late, and the answer is "
    "too high. The smoothing is done here.",
)
def _pre_smoothed(verdict: Verdict) -> str | None:
    if verdict.smoothing.kind != "average":
        return None
    return "The {metric} looks smoothed before it was recorded."


@caution(
    "periodic_loss",
    "Shuffle the data in every epoch: batches that come back in the same order make the {metric} "
    "of some learning rates look better than it is.",
)
def _periodic_loss(verdict: Verdict) -> str | None:
    period = _period(verdict.evidence.curve)
    return f"The {{metric}} repeats itself every {period} points." if period else None


@caution(
    "already_descending",
    "Start lower (divide start_lr by 100), so that the level before learning can be seen.",
)
def _already_descending(verdict: Verdict) -> str | None:
    curve, onset = verdict.evidence.curve, verdict.evidence.landmarks.onset
    size = tenth(curve.changes)
    fall = statistics.fmean(curve.changes[:size]) - statistics.fmean(curve.changes[size : 2 * size])
    explained = 4 * curve.noise * math.sqrt(2 / size)
    if onset > 3 * curve.lrs[0] or fall <= max(explained, -0.1 * min(curve.centred)):
        return None
    return "The {metric} improves from the first learning rates on."


@caution(
    "optimizer_unknown",
    "If it behaves like one of sgd, nesterov, adam, adamw, nadam, rmsprop, adagrad, name that one: "
    "the answer becomes narrower.",
)
def _optimizer_unknown(verdict: Verdict) -> str | None:
    name = verdict.evidence.prior.unknown
    return f"Nothing is known of the optimizer {name!r}." if name is not None else None


def _period(curve: Curve) -> int | None:
    """Return the lag, in points, at which the noise repeats itself, if it does."""
    noise = _evened([a - b for a, b in zip(curve.changes, curve.centred, strict=True)][:1024])
    n, power = len(noise), sum(map(mul, noise, noise)) / len(noise)
    if not power:
        return None
    strength = [sum(map(mul, noise, noise[lag:])) / (n - lag) / power for lag in range(n // 3 + 1)]
    # What repeats itself does so at each multiple of the period.
    strong = 0.8 * max(strength[2:])
    # By chance there are sigmas of 1 / sqrt(n), and a maximum over many lags.
    if strong <= max(4 / math.sqrt(n), 0.25):
        return None
    period = next(lag for lag in range(2, len(strength)) if strength[lag] >= strong)
    # What is merely smooth is like its neighbours at every lag in between, too.
    return period if strong > 2 * min(strength[:period]) else None


def _evened(noise: Sequence[float]) -> list[float]:
    """Return *noise* in units of what is usual around it, at most three times their median."""
    # It differs from place to place, and where it is largest must not decide.
    sizes = boxed(list(map(abs, noise)), tenth(noise) // 2)
    even = [x / size if size else 0.0 for x, size in zip(noise, sizes, strict=True)]
    cap = 3 * statistics.median(map(abs, even))
    return [max(-cap, min(x, cap)) for x in even]
