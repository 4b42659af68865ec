"""Runs: what several runs of one range test say together."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.reasons import Reason
from cyclr.range_test.rules import Answer

__all__ = ["Reading", "together"]


@dataclass(frozen=True)
class Reading:
    """What was read from one run: the rule's *answer*, and all that bounds say beside it.

    *wobble* is how far another run of the same test would be from this one: a sigma in decades.
    """

    answer: Answer
    wobble: float
    landmarks: Landmarks
    reasons: tuple[Reason, ...]
    curve: Curve | None


def together(readings: Sequence[Reading], failures: Sequence[Reason] = ()) -> Reading:
    """Return the reading of all runs: of each learning rate the median, on a logarithmic scale.

    n runs narrow the noise of a run, not the difference between tasks:

        wobble^2 = ((n - 1) s^2 + w^2) / n^2

    where s^2 is the variance of log10(max_lr) between the runs and w^2 the mean of their own
    wobbles, which counts as one run more. *failures* are those of runs that could not be read;
    they become reasons, and each reason says in how many runs it was found.
    """
    n, runs = len(readings), len(readings) + len(failures)
    if runs == 1:
        return readings[0]
    answers = [reading.answer for reading in readings]
    decades = [math.log10(answer.max_lr) for answer in answers]
    max_lr = _middle([answer.max_lr for answer in answers])
    typical = min(range(n), key=lambda i: abs(decades[i] - math.log10(max_lr)))
    between = statistics.variance(decades) if n > 1 else 0.0
    within = statistics.fmean(reading.wobble**2 for reading in readings)
    marks = [reading.landmarks for reading in readings]
    edges = [mark.edge for mark in marks if mark.edge is not None]
    return Reading(
        replace(
            answers[typical],
            max_lr=max_lr,
            turned=any(answer.turned for answer in answers),
            base_lr=_middle_of_some([answer.base_lr for answer in answers]),
            best=_middle_of_some([answer.best for answer in answers]),
        ),
        math.sqrt(((n - 1) * between + within) / n**2),
        Landmarks(
            **{
                name: _middle([getattr(mark, name) for mark in marks])
                for name in ("onset", "drop_90", "minimum")
            },
            edge=_middle(edges) if 2 * len(edges) > n else None,
        ),
        _counted([reading.reasons for reading in readings], failures, runs),
        readings[typical].curve,
    )


def _middle(lrs: Sequence[float]) -> float:
    low, high = statistics.median_low(lrs), statistics.median_high(lrs)
    return low if low == high else math.sqrt(low) * math.sqrt(high)


def _middle_of_some(lrs: Sequence[float | None]) -> float | None:
    known = [lr for lr in lrs if lr is not None]
    return _middle(known) if known else None


def _counted(
    found: Sequence[tuple[Reason, ...]], failures: Sequence[Reason], runs: int
) -> tuple[Reason, ...]:
    """Return each reason once, saying in how many of the *runs* it was found."""
    every = [reason for reasons in (*found, failures) for reason in reasons]
    codes = dict.fromkeys(reason.code for reason in every)
    counted = []
    for code in codes:
        same = [reason for reason in every if reason.code == code]
        where = "" if len(same) == runs else f"{len(same)} of {runs} runs: "
        counted.append(replace(same[0], message=where + same[0].message))
    return tuple(counted)
