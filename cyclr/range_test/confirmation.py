"""Confirmation: short trainings at learning rates around the estimate, judged by held-out loss."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import SupportsFloat

from cyclr._checks import whole
from cyclr.range_test.bounds import Bounds, interval_around
from cyclr.range_test.points import is_finite, number_of
from cyclr.range_test.reasons import InconclusiveRangeTest, Reason
from cyclr.schedules import Schedule, Triangular

__all__ = ["Probe", "confirm", "confirmation_cost"]

STEP = 10**0.5  # from one candidate to the next: half a decade
RATIO = 4  # of a probe's triangle: from a quarter of the candidate to the candidate and back
WORSE = 10.0  # times as far from the best loss as the worst finite one: what diverged
# Measured by benchmarks/suggestion: a training is longer than a probe, and wants a lower rate.
SHADE, MIDDLE = 0.8, 0.76  # of where the probes are lowest: max_lr, and the middle of the interval
SPREAD = 0.23  # sigma, in decades, of the best max_lr around what is confirmed

ADVICE = "Check that the probe restores the model first, and that its held-out data is sound."

Probe = Callable[[Schedule], SupportsFloat]


def confirm(
    bounds: Bounds,
    probe: Probe,
    candidates: int = 5,
    iterations: int = 120,
    *,
    progress: Callable[[int, int], object] | None = None,
) -> Bounds:
    """Train briefly with learning rates around *bounds*, and return the bounds that did best.

    A candidate c is given to *probe* as a schedule of *iterations*: one triangle, from c/4 to c
    and back. *probe* trains with it, each time from the same state, and returns the loss on
    held-out data:

        loss(c) = probe(Triangular(c / 4, c, iterations // 2))

    The first three candidates are ``bounds.max_lr`` and half a decade to either side; as long as
    the best is an outermost one, there is one more beyond it, up to *candidates* in all. The new
    max_lr is 0.8 times where the parabola through the best candidate and its neighbours is lowest,
    so that it may lie between two: a training is longer than a probe, and wants a lower rate. The
    new interval is what that leaves open; base_lr moves with max_lr.

    The cost is `confirmation_cost` iterations of training at most, and reading the held-out data
    once a candidate; *progress* is called with (iterations done, iterations at most) before the
    first probe and after each, so that the cost can be told before it arises.

    >>> import math
    >>> from cyclr import analyze
    >>> lrs = [1e-5 * 1.1**i for i in range(140)]
    >>> bounds = analyze((lr, 2 + lr**2 - 1.5 / (1 + (0.01 / lr) ** 2)) for lr in lrs)
    >>> def probe(schedule):  # of a task that is trained best with 0.02
    ...     return math.log(schedule(60) / 0.02) ** 2
    >>> print(f"{confirm(bounds, probe).max_lr:.3f}")
    0.016

    *candidates* is at least 3 and *iterations* at least 2, otherwise a `ValueError` says so. If no
    probe returns a finite loss, `InconclusiveRangeTest` is raised. Use it where some hundred
    iterations more are worth a better learning rate: the log of a range test does not show how a
    task generalises, a probe does. Probes of 60 iterations or fewer do harm.
    """
    candidates = whole("candidates", candidates, at_least=3)
    iterations = whole("iterations", iterations, at_least=2)
    cost = confirmation_cost(candidates, iterations)
    tried: dict[float, float] = {}

    def tell() -> None:
        if progress:
            progress(len(tried) * iterations, cost)

    def take(lr: float) -> None:
        loss = number_of("what probe returns", probe(Triangular(lr / RATIO, lr, iterations // 2)))
        tried[lr] = loss if is_finite(loss) else math.inf
        tell()

    tell()
    for lr in bounds.max_lr / STEP, bounds.max_lr, bounds.max_lr * STEP:
        take(lr)
    while len(tried) < candidates and (outside := _outside(tried)):
        take(outside[1])
    return _confirmed(bounds, tried)


def confirmation_cost(candidates: int = 5, iterations: int = 120) -> int:
    """Return how many iterations of training `confirm` takes at most.

    >>> confirmation_cost()
    600
    """
    return candidates * iterations


def _outside(tried: Mapping[float, float]) -> tuple[str, float] | None:
    """Return on which side the best candidate is outermost, if it is, and what lies beyond it."""
    lrs = sorted(tried)
    best = min(lrs, key=tried.__getitem__)
    if best == lrs[0]:
        return "lowest", best / STEP
    return ("highest", best * STEP) if best == lrs[-1] else None


def _confirmed(bounds: Bounds, tried: Mapping[float, float]) -> Bounds:
    """Return *bounds* moved to where the candidates' losses say."""
    outside = _outside(tried)
    lrs = sorted(tried)
    if tried[min(lrs, key=tried.__getitem__)] == math.inf:
        message = f"No probe from {lrs[0]:.2g} to {lrs[-1]:.2g} has a finite loss."
        raise InconclusiveRangeTest([Reason("all_nonfinite", message, ADVICE)])
    max_lr = SHADE * _lowest(lrs, [tried[lr] for lr in lrs])
    return replace(
        bounds,
        base_lr=max_lr * bounds.base_lr / bounds.max_lr,
        max_lr=max_lr,
        interval=interval_around(max_lr / SHADE * MIDDLE, SPREAD),
        rule=f"{bounds.rule}, confirmed",
        reasons=(_ended(outside[0], len(lrs)),) if outside else (),
    )


def _lowest(lrs: Sequence[float], losses: Sequence[float]) -> float:
    """Return where the parabola through the best candidate and its neighbours is lowest."""
    best = losses.index(min(losses))
    if not 0 < best < len(lrs) - 1:
        return lrs[best]
    finite = [loss for loss in losses if loss < math.inf]
    diverged = losses[best] + WORSE * (max(finite) - losses[best])
    before, at, after = (min(loss, diverged) for loss in losses[best - 1 : best + 2])
    bend = before - 2 * at + after  # above 0: the best is the first of the lowest
    return float(lrs[best] * STEP ** ((before - after) / (2 * bend)))


def _ended(side: str, count: int) -> Reason:
    """Return the reason that the best of *count* candidates was the outermost on a *side*."""
    return Reason(
        "no_edge",
        f"The {side} of the {count} learning rates that were tried did best.",
        "Confirm again with these bounds: the best may lie beyond.",
    )
