"""from_scheduler: torch's own learning-rate schedulers, as cyclr schedules of the same values."""

import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

from torch.optim import lr_scheduler as torchs

from cyclr import (
    Constant,
    ConversionWarning,
    Cosine,
    CosineRestarts,
    Decay,
    ExpRange,
    Linear,
    OneCycle,
    Piecewise,
    Polynomial,
    Schedule,
    Steps,
    Triangular,
    Triangular2,
)
from cyclr._checks import refuse, whole
from cyclr.conversion import conversion_of
from cyclr.schedules.compose import scheduled

__all__ = ["from_scheduler"]


def from_scheduler(scheduler: torchs.LRScheduler) -> dict[str, Any]:
    """Return the schedules that a scheduler of torch's own follows, ready for `Scheduler`.

    A dict with "lr" and, where the scheduler cycles it, "momentum": each a cyclr schedule, or a
    list with one for each parameter group if the groups differ. Iteration k is the update that
    torch makes with ``last_epoch == k``, and the schedules are those of the whole run, however
    far the scheduler has come.

        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        >>> old = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.5)
        >>> from_scheduler(old)
        {'lr': Steps(base_lr=0.1, every=30, gamma=0.5)}
        >>> from cyclr_torch import Scheduler
        >>> scheduler = Scheduler(optimizer, **from_scheduler(old))
        >>> scheduler.iteration = old.last_epoch

    The values are torch's, to rounding, over the length that the scheduler is given. Where
    they are defective, a `ConversionWarning` says so, and which are kept: OneCycleLR, whose
    peak may fall between two iterations, and that has a wrong value after its last;
    CosineAnnealingLR, which climbs again after T_max; CyclicLR, whose "triangular2" overflows;
    SequentialLR, with OneCycleLR or another SequentialLR in it.

    Converted are ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR,
    ExponentialLR, LambdaLR, LinearLR, MultiStepLR, OneCycleLR, PolynomialLR, SequentialLR and
    StepLR; anything else is a `TypeError`. Values that no schedule has, such as a gamma above
    1 or a *scale_fn*, are a `ValueError`.

    Use it to move a training script, or a run, to cyclr; `cyclr.diff` shows that it is the same.
    """
    groups = range(len(_checked(scheduler).optimizer.param_groups))
    with conversion_of(type(scheduler).__name__):
        lrs = [_lr(scheduler, group) for group in groups]
        momenta = [_momentum(scheduler, group) for group in groups]
    for defect in _defects(scheduler, math.inf):
        warnings.warn(defect, ConversionWarning, stacklevel=2)
    schedules = {"lr": _one_or_each(lrs)}
    if momenta[0] is not None:
        schedules["momentum"] = _one_or_each(momenta)
    return schedules


def _one_or_each(schedules: list[Any]) -> Any:
    """Return the schedule that all groups have, or the list of each group's."""
    return schedules[0] if all(each == schedules[0] for each in schedules) else schedules


def _checked(scheduler: Any) -> Any:
    """Return the scheduler, whose class must itself be known: a subclass may change anything."""
    if type(scheduler) not in LRS:
        names = ", ".join(sorted(kind.__name__ for kind in LRS))
        refuse("scheduler", f"be one of torch's {names}", scheduler, TypeError)
    return scheduler


def _base_lr(scheduler: Any, group: int) -> float:
    """Return the learning rate that a scheduler multiplies."""
    if isinstance(scheduler, torchs.SequentialLR):
        return float(scheduler.optimizer.param_groups[group]["initial_lr"])
    return float(scheduler.base_lrs[group])


# --- The learning rate ------------------------------------------------------------------------


def _lr(scheduler: Any, group: int, base_lr: float | None = None) -> Schedule:
    """Return a group's schedule; *base_lr* is what it multiplies, if not its own."""
    convert = LRS[type(_checked(scheduler))]
    return convert(scheduler, group, _base_lr(scheduler, group) if base_lr is None else base_lr)


def _constant(scheduler: Any, _: int, base_lr: float) -> Schedule:
    return Piecewise((scheduler.total_iters,), (base_lr * scheduler.factor, base_lr))


def _linear(scheduler: Any, _: int, base_lr: float) -> Schedule:
    start, end = base_lr * scheduler.start_factor, base_lr * scheduler.end_factor
    return Linear(start, end, scheduler.total_iters)


def _multi_step(scheduler: Any, _: int, base_lr: float) -> Schedule:
    drops = sorted(scheduler.milestones.elements())  # a milestone that is named twice counts twice
    milestones = tuple(sorted({milestone for milestone in drops if milestone != 0}))
    factors = (scheduler.gamma ** bisect_right(drops, m) for m in (0, *milestones))
    return Piecewise(milestones, tuple(base_lr * factor for factor in factors))


def _cosine_restarts(scheduler: Any, group: int, _: float) -> Schedule:
    max_lr = float(scheduler.base_lrs[group])
    return CosineRestarts(scheduler.eta_min, max_lr, scheduler.T_0, cycle_mult=scheduler.T_mult)


def _lambda(scheduler: Any, group: int, _: float) -> Schedule:
    function = scheduler.lr_lambdas[group]
    return scheduled("lr_lambda", function) * float(scheduler.base_lrs[group])


def _cyclic(scheduler: Any, group: int, _: float) -> Schedule:
    return _cycle(scheduler, float(scheduler.base_lrs[group]), float(scheduler.max_lrs[group]))


def _cycle(scheduler: Any, base_lr: float, max_lr: float) -> Schedule:
    if scheduler._scale_fn_custom is not None:
        raise ValueError(
            "a scale_fn is a function"
            "\n\nHint: cyclr.Cyclical(..., peak_decay=...) scales by cycle, gamma=... by iteration"
        )
    up = scheduler.step_ratio * scheduler.total_size  # torch keeps their quotient
    down = scheduler.total_size - up
    up, down = (
        whole(name, round(size) if math.isclose(size, round(size)) else size, at_least=1)
        for name, size in (("step_size_up", up), ("step_size_down", down))
    )
    if scheduler.mode == "exp_range":
        return ExpRange(base_lr, max_lr, up, scheduler.gamma, step_size_down=down)
    policy = {"triangular": Triangular, "triangular2": Triangular2}[scheduler.mode]
    return policy(base_lr, max_lr, up, step_size_down=down)


def _one_cycle(scheduler: Any, group: int, _: float) -> Schedule:
    values = scheduler.optimizer.param_groups[group]
    initial, max_lr, final = (float(values[name]) for name in ("initial_lr", "max_lr", "min_lr"))
    peak, phases = _peak(scheduler), len(scheduler._schedule_phases)
    last = scheduler.total_steps - 1
    if not (0 < final <= initial <= max_lr and peak * (phases - 1) < last):
        return _phases(scheduler, initial, max_lr, initial, final)
    return OneCycle(
        max_lr,
        last,
        warmup=peak / last,
        initial_divisor=max_lr / initial,
        final_divisor=initial / final,
        phases=phases,
        shape={"cos": "cosine", "linear": "linear"}[scheduler._anneal_func_type],
    )


def _phases(scheduler: Any, initial: float, at_peak: float, again: float, final: float) -> Schedule:
    """Return the ramps of a OneCycleLR through these values; two phases know no third value."""
    ramp = {"cos": Cosine, "linear": Linear}[scheduler._anneal_func_type]
    peak, last = _peak(scheduler), scheduler.total_steps - 1
    schedule: Schedule = ramp(initial, at_peak, peak)
    if len(scheduler._schedule_phases) == 3:
        schedule = schedule.then(ramp(at_peak, again, peak))
        rest, turn = last - 2 * peak, again
    else:
        rest, turn = last - peak, at_peak
    return schedule.then(ramp(turn, final, rest)) if rest > 0 else schedule


def _peak(scheduler: Any) -> int:
    """Return the iteration nearest to the peak that leaves a rise, and a fall if there is one."""
    last = whole("total_steps", scheduler.total_steps, at_least=3) - 1
    peak: float = scheduler._schedule_phases[0]["end_step"]
    return min(max(round(peak), 1), last if peak >= last else last - 1)


def _sequential(scheduler: Any, group: int, base_lr: float) -> Schedule:
    """Return the schedulers' schedules, one after another.

    torch sets the group's learning rate back before the first, which multiplies that; each
    later one begins with its own.
    """
    first = bisect_right(scheduler._milestones, 0)
    schedule, *later = (
        _lr(part, group, base_lr if k == first else None)
        for k, part in enumerate(scheduler._schedulers)
    )
    for milestone, part in zip(scheduler._milestones, later, strict=True):
        schedule = schedule.then(part, after=milestone)
    return schedule


MULTIPLY: dict[type, Callable[[Any, int, float], Schedule]] = {
    torchs.ConstantLR: _constant,
    torchs.CosineAnnealingLR: lambda s, _, base_lr: Cosine(base_lr, s.eta_min, s.T_max),
    torchs.ExponentialLR: lambda s, _, base_lr: Decay(base_lr, s.gamma),
    torchs.LinearLR: _linear,
    torchs.MultiStepLR: _multi_step,
    torchs.PolynomialLR: lambda s, _, base_lr: Polynomial(base_lr, 0.0, s.total_iters, s.power),
    torchs.StepLR: lambda s, _, base_lr: Steps(base_lr, s.step_size, s.gamma),
}
"""Schedulers that multiply the learning rate they find."""

LRS: dict[type, Callable[[Any, int, float], Schedule]] = MULTIPLY | {
    torchs.CosineAnnealingWarmRestarts: _cosine_restarts,
    torchs.CyclicLR: _cyclic,
    torchs.LambdaLR: _lambda,
    torchs.OneCycleLR: _one_cycle,
    torchs.SequentialLR: _sequential,
}


# --- Momentum ---------------------------------------------------------------------------------


def _momentum(scheduler: Any, group: int) -> Schedule | None:
    """Return a group's momentum; None if the scheduler leaves it alone."""
    if isinstance(scheduler, torchs.SequentialLR):
        return _sequential_momentum(scheduler, group)
    if not getattr(scheduler, "cycle_momentum", False):
        return None
    if isinstance(scheduler, torchs.CyclicLR):
        low = float(scheduler.base_momentums[group])
        high = float(scheduler.max_momentums[group])
        return _cycle(scheduler, 0.0, 1.0).mirror(low, high)
    values = scheduler.optimizer.param_groups[group]
    low, high = values["base_momentum"], values["max_momentum"]
    return _phases(scheduler, high, low, high, high)


def _sequential_momentum(scheduler: Any, group: int) -> Schedule | None:
    """Return the momentum of schedulers one after another; it stays where none cycles it."""
    parts = [_momentum(part, group) for part in scheduler._schedulers]
    cycled = [part for part in parts if part]
    if not cycled:
        return None
    schedule: Schedule | None = None
    value = cycled[-1](0)  # which the constructor that ran last has set
    starts = (0, *scheduler._milestones)
    for start, end, part in zip(starts, (*scheduler._milestones, math.inf), parts, strict=True):
        momentum = part or Constant(value)
        schedule = schedule.then(momentum, after=start) if schedule else momentum
        if start < end < math.inf:
            value = momentum(int(end) - start - 1)
    return schedule


# --- What is wrong with torch's ---------------------------------------------------------------


def _defects(scheduler: Any, iterations: float) -> Iterator[str]:
    """Yield what is defective about a scheduler in so many iterations, and what is kept."""
    if isinstance(scheduler, torchs.CosineAnnealingLR) and iterations > scheduler.T_max + 1:
        yield (
            f"CosineAnnealingLR climbs again after T_max, {scheduler.T_max}; the schedule holds"
            f" eta_min (.then(cyclr.Cyclical(eta_min, lr, {scheduler.T_max}, shape='cosine'))"
            " climbs)"
        )
    elif isinstance(scheduler, torchs.CyclicLR):
        overflow = int(1024 * scheduler.total_size)
        if scheduler.mode == "triangular2" and iterations > overflow:
            yield (
                f"CyclicLR's triangular2 raises OverflowError at iteration {overflow};"
                " the schedule goes on"
            )
    elif isinstance(scheduler, torchs.OneCycleLR):
        yield from _defects_of_one_cycle(scheduler, iterations)
    elif isinstance(scheduler, torchs.SequentialLR):
        yield from _defects_of_sequential(scheduler, iterations)


def _defects_of_one_cycle(scheduler: Any, iterations: float) -> Iterator[str]:
    total = scheduler.total_steps
    ends = [phase["end_step"] for phase in scheduler._schedule_phases]
    peak = _peak(scheduler)
    if not math.isclose(ends[0], peak):
        yield (
            f"OneCycleLR's peak falls on {ends[0]:.6g}, which is no iteration, so that it never"
            f" uses max_lr; the schedule has it at {peak}, and other values on both sides of it"
        )
    if ends[-2] > total - 1:
        yield (
            "OneCycleLR with three phases and a pct_start above 0.5 has no time for the last;"
            " the schedule keeps torch's values"
        )
    if iterations > total:
        yield (
            f"OneCycleLR has a wrong value or an error after its last iteration, {total - 1};"
            " the schedule holds the last value"
        )


def _defects_of_sequential(scheduler: Any, iterations: float) -> Iterator[str]:
    parts, milestones = scheduler._schedulers, scheduler._milestones
    for part, start, end in zip(parts, (0, *milestones), (*milestones, iterations), strict=True):
        yield from _defects(part, end - start)
    first = parts[bisect_right(milestones, 0)]
    groups = range(len(scheduler.optimizer.param_groups))
    found = [_base_lr(scheduler, group) for group in groups]
    if type(first) in MULTIPLY and found != [_base_lr(first, group) for group in groups]:
        yield (
            f"SequentialLR starts its {type(first).__name__} from {found[0]:.6g}, to which a"
            f" later scheduler has set initial_lr, not from {_base_lr(first, 0):.6g}; the schedule"
            " keeps torch's values"
        )
    if any(isinstance(part, torchs.SequentialLR) for part in parts):
        yield (
            "a SequentialLR within another changes over one iteration early in torch, and can't"
            " start unless it is the first; the schedule keeps to the milestones"
        )
