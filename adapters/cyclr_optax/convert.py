"""from_schedule: what optax's schedules are called with, as cyclr schedules of the same values."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from itertools import accumulate
from typing import Any

import optax

from cyclr import Constant, Cosine, Decay, Linear, Piecewise, Polynomial, Schedule, Steps
from cyclr._checks import choice, refuse
from cyclr.conversion import conversion_of
from cyclr.schedules.compose import scheduled

__all__ = ["from_schedule"]


def from_schedule(constructor: Callable[..., Any], /, *arguments: Any, **named: Any) -> Schedule:
    """Return the cyclr schedule that has the values of ``constructor(*arguments, **named)``.

    A schedule of optax's is a closure, which can't be read; but what it is made with can be.
    The *constructor* is one of optax's functions, and the arguments are its own:

        >>> import optax
        >>> from_schedule(optax.cosine_decay_schedule, 0.1, decay_steps=1000)
        Cosine(start=0.1, end=0.0, iterations=1000)
        >>> from_schedule(optax.warmup_constant_schedule, 0.0, 0.1, warmup_steps=100)
        Linear(start=0.0, end=0.1, iterations=100)

    Step k is iteration k, and the values are optax's, to the float32 in which it computes them.
    The schedules that ``optax.join_schedules`` is given may be cyclr's, or functions.

    Converted are constant_schedule, cosine_decay_schedule, cosine_onecycle_schedule,
    exponential_decay, join_schedules, linear_onecycle_schedule, linear_schedule,
    piecewise_constant_schedule, piecewise_interpolate_schedule, polynomial_schedule,
    sgdr_schedule, warmup_constant_schedule, warmup_cosine_decay_schedule and
    warmup_exponential_decay_schedule; anything else is a `TypeError`, as are arguments that the
    constructor doesn't have. Values that no schedule has, such as a rate that grows or an
    *exponent* of the cosine, are a `ValueError`.

    Use it to move a training script to cyclr; `cyclr.diff` shows that it is the same.
    """
    name = getattr(constructor, "__name__", "")
    if name not in CONVERSIONS or getattr(optax, name, None) is not constructor:
        names = ", ".join(sorted(CONVERSIONS))
        raise TypeError(
            f"constructor must be one of optax's {names}: got {constructor!r}"
            "\n\nHint: from_schedule(optax.linear_schedule, 0.1, 0.0, 1000)"
        )
    given = inspect.signature(constructor).bind(*arguments, **named)
    given.apply_defaults()
    with conversion_of(name):
        return CONVERSIONS[name](**given.arguments)


def _polynomial(
    init_value: float, end_value: float, power: float, transition_steps: int, transition_begin: int
) -> Schedule:
    if transition_steps <= 0:
        return Constant(init_value)
    way: Schedule
    if power == 1:
        way = Linear(init_value, end_value, transition_steps)
    else:
        way = Polynomial(init_value, end_value, transition_steps, power)
    return _begun(init_value, transition_begin, way)


def _linear(
    init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0
) -> Schedule:
    return _polynomial(init_value, end_value, 1, transition_steps, transition_begin)


def _exponential(
    init_value: float,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int,
    staircase: bool,
    end_value: float | None,
) -> Schedule:
    if transition_steps <= 0 or decay_rate == 0:
        return Constant(init_value)
    schedule: Schedule
    if staircase:
        schedule = Steps(init_value, transition_steps, decay_rate)
    else:
        schedule = Decay(init_value, decay_rate ** (1 / transition_steps))
    schedule = _begun(init_value, transition_begin, schedule)
    if end_value is None:
        return schedule
    if decay_rate == 1:  # then it is an upper bound
        return Constant(min(init_value, end_value))
    return schedule.clip(end_value, max(init_value, end_value))


def _begun(init_value: float, transition_begin: int, schedule: Schedule) -> Schedule:
    """Return the schedule after a time at its first value."""
    if transition_begin <= 0:
        return schedule
    return Linear(init_value, init_value, transition_begin).then(schedule)


def _cosine(init_value: float, decay_steps: int, alpha: float, exponent: float) -> Schedule:
    if exponent != 1:
        raise ValueError(f"exponent must be 1: got {exponent!r}")
    return Cosine(init_value, alpha * init_value, decay_steps)


def _piecewise(init_value: float, boundaries_and_scales: Mapping[int, float] | None) -> Schedule:
    milestones, values = [], [init_value]
    for boundary, scale in sorted((boundaries_and_scales or {}).items()):
        value = values[-1] * scale
        if boundary > 0:
            milestones.append(boundary)
            values.append(value)
        else:
            values = [value]
    return Piecewise(milestones, values)


def _interpolated(
    interpolate_type: str, init_value: float, boundaries_and_scales: Mapping[int, float] | None
) -> Schedule:
    choice("interpolate_type", interpolate_type, ("linear", "cosine"))
    ramp = {"linear": Linear, "cosine": Cosine}[interpolate_type]
    ramps: list[Schedule] = []
    start, value = 0, init_value
    for boundary, scale in sorted((boundaries_and_scales or {}).items()):
        if boundary < 0:
            refuse("boundaries_and_scales", "begin at 0 or later", boundaries_and_scales)
        if boundary > start:
            ramps.append(ramp(value, value * scale, boundary - start))
        start, value = boundary, value * scale
    return reduce(Schedule.then, ramps) if ramps else Constant(value)


def _linear_onecycle(
    transition_steps: int,
    peak_value: float,
    pct_start: float,
    pct_final: float,
    div_factor: float,
    final_div_factor: float,
) -> Schedule:
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(pct_final * transition_steps): 1 / div_factor,
        transition_steps: 1 / final_div_factor,
    }
    return _interpolated("linear", peak_value / div_factor, scales)


def _cosine_onecycle(
    transition_steps: int,
    peak_value: float,
    pct_start: float,
    div_factor: float,
    final_div_factor: float,
) -> Schedule:
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(transition_steps): 1 / (div_factor * final_div_factor),
    }
    return _interpolated("cosine", peak_value / div_factor, scales)


def _warmup_constant(init_value: float, peak_value: float, warmup_steps: int) -> Schedule:
    return _linear(init_value, peak_value, warmup_steps)


def _warmup_cosine(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Schedule:
    alpha = 0.0 if peak_value == 0 else end_value / peak_value
    fall = _cosine(peak_value, decay_steps - warmup_steps, alpha, exponent)
    return _warmed_up(init_value, peak_value, warmup_steps, fall)


def _warmup_exponential(
    init_value: float, peak_value: float, warmup_steps: int, **arguments: Any
) -> Schedule:
    decay = _exponential(peak_value, **arguments)
    return _warmed_up(init_value, peak_value, warmup_steps, decay)


def _warmed_up(
    init_value: float, peak_value: float, warmup_steps: int, schedule: Schedule
) -> Schedule:
    if warmup_steps == 0:
        return schedule
    return Linear(init_value, peak_value, warmup_steps).then(schedule)


def _sgdr(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    cycles = list(cosine_kwargs)
    ends = list(accumulate(cycle["decay_steps"] for cycle in cycles))
    return _joined([_warmup_cosine(**cycle) for cycle in cycles], ends[:-1])


def _joined(schedules: Sequence[Any], boundaries: Sequence[int]) -> Schedule:
    schedule = scheduled("schedules", schedules[0])
    for boundary, later in zip(boundaries, schedules[1:], strict=False):
        schedule = schedule.then(later, after=boundary)
    return schedule


CONVERSIONS: dict[str, Callable[..., Schedule]] = {
    "constant_schedule": lambda value: Constant(value),
    "cosine_decay_schedule": _cosine,
    "cosine_onecycle_schedule": _cosine_onecycle,
    "exponential_decay": _exponential,
    "join_schedules": _joined,
    "linear_onecycle_schedule": _linear_onecycle,
    "linear_schedule": _linear,
    "piecewise_constant_schedule": _piecewise,
    "piecewise_interpolate_schedule": _interpolated,
    "polynomial_schedule": _polynomial,
    "sgdr_schedule": _sgdr,
    "warmup_constant_schedule": _warmup_constant,
    "warmup_cosine_decay_schedule": _warmup_cosine,
    "warmup_exponential_decay_schedule": _warmup_exponential,
}
