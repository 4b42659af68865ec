"""from_schedule: Keras's own learning-rate schedules, as cyclr schedules of the same values."""

import math
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from keras.optimizers import schedules as kerass

from cyclr import (
    ConversionWarning,
    Cosine,
    CosineRestarts,
    Decay,
    Linear,
    Piecewise,
    Polynomial,
    Schedule,
    Steps,
)
from cyclr._checks import refuse
from cyclr.conversion import conversion_of

__all__ = ["from_schedule"]


def from_schedule(schedule: Any) -> Schedule:
    """Return the cyclr schedule that has the values of one of Keras's own.

        >>> from keras.optimizers.schedules import CosineDecay
        >>> old = CosineDecay(0.01, decay_steps=900, warmup_target=0.1, warmup_steps=100)
        >>> from_schedule(old)
        Linear(start=0.01, end=0.1, iterations=100).then(Cosine(start=0.1, end=0.0, iterations=900))
        >>> from cyclr_tensorflow import Scheduler
        >>> learning_rate = Scheduler(from_schedule(old))

    Step k is iteration k, and the values are Keras's, to the float32 in which it computes them.
    A CosineDecayRestarts that stretches finds its restarts by a logarithm, and some of them an
    iteration early or late; a `ConversionWarning` says so, and the schedule has them where they
    belong.

    Converted are CosineDecay, CosineDecayRestarts, ExponentialDecay, PiecewiseConstantDecay and
    PolynomialDecay; anything else is a `TypeError`. What no schedule has is a `ValueError`: an
    InverseTimeDecay, a PolynomialDecay that cycles, a rate that grows, a *t_mul* that is not a
    whole number.

    Use it to move a training script, or a saved model, to cyclr; `cyclr.diff` shows that it is
    the same.
    """
    if type(schedule) not in CONVERSIONS:  # a subclass may change anything
        names = ", ".join(sorted(kind.__name__ for kind in CONVERSIONS))
        refuse("schedule", f"be one of Keras's {names}", schedule, TypeError)
    arguments = schedule.get_config()
    del arguments["name"]
    with conversion_of(type(schedule).__name__):
        return CONVERSIONS[type(schedule)](**arguments)


def _exponential(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool
) -> Schedule:
    if staircase:
        return Steps(initial_learning_rate, decay_steps, decay_rate)
    return Decay(initial_learning_rate, decay_rate ** (1 / decay_steps))


def _inverse_time(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool
) -> NoReturn:
    steps = f"(i // {decay_steps})" if staircase else f"i / {decay_steps}"
    raise ValueError(
        "1 / (1 + t) is a function"
        f"\n\nHint: Scheduler(lambda i: {initial_learning_rate} / (1 + {decay_rate} * {steps}))"
    )


def _piecewise(boundaries: list[float], values: list[float]) -> Schedule:
    # A boundary is the last iteration of the value before it.
    milestones = [math.floor(boundary) + 1 for boundary in boundaries]
    return Piecewise(milestones, list(values))


def _polynomial(
    initial_learning_rate: float,
    decay_steps: int,
    end_learning_rate: float,
    power: float,
    cycle: bool,
) -> Schedule:
    if cycle:
        raise ValueError("its length grows as it goes: got cycle=True")
    if power == 1:
        return Linear(initial_learning_rate, end_learning_rate, decay_steps)
    return Polynomial(initial_learning_rate, end_learning_rate, decay_steps, power)


def _cosine(
    initial_learning_rate: float,
    decay_steps: int,
    alpha: float,
    warmup_target: float | None,
    warmup_steps: int,
) -> Schedule:
    peak = initial_learning_rate if warmup_target is None else warmup_target
    fall = Cosine(peak, alpha * peak, decay_steps)
    if warmup_target is None or warmup_steps == 0:
        return fall
    return Linear(initial_learning_rate, warmup_target, warmup_steps).then(fall)


def _cosine_restarts(
    initial_learning_rate: float, first_decay_steps: int, t_mul: float, m_mul: float, alpha: float
) -> Schedule:
    schedule = CosineRestarts(
        alpha * initial_learning_rate,
        initial_learning_rate,
        first_decay_steps,
        cycle_mult=t_mul,
        peak_decay=m_mul,
    )
    if t_mul != 1:
        warnings.warn(
            "CosineDecayRestarts finds a restart by a logarithm in float32, and some of them an"
            " iteration early or late; the schedule has them at whole multiples",
            ConversionWarning,
            stacklevel=3,
        )
    return schedule


CONVERSIONS: dict[type, Callable[..., Schedule]] = {
    kerass.CosineDecay: _cosine,
    kerass.CosineDecayRestarts: _cosine_restarts,
    kerass.ExponentialDecay: _exponential,
    kerass.InverseTimeDecay: _inverse_time,
    kerass.PiecewiseConstantDecay: _piecewise,
    kerass.PolynomialDecay: _polynomial,
}
