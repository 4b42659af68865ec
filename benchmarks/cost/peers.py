"""The same policies in other libraries, each used as its documentation shows.

What is a function of the iteration is called; what has a state is stepped. torch's schedulers can
also be asked for the value at an iteration, by what they have inside: the least that they can
cost. fvcore takes the part of the run that is over, which is computed from the iteration. optax
is called with Python's numbers, as it is and compiled; in a compiled training step neither its
schedules nor ours cost anything to speak of.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from benchmarks.cost.policies import HIGH, ITERATIONS, LOW, RUN, SCALE, STEP
from benchmarks.cost.work import Work, at_each, repeated

__all__ = ["LIBRARIES", "Peer", "make"]

HALF = RUN // 2
"""How far what is stepped is checked."""


@dataclass
class Peer:
    """A policy of another library: how it is timed, and what its values are."""

    label: str
    value: Callable[[int], float]
    work: Callable[[int], Work]
    """From how many times a run is gone through, to what does that."""
    within: float = 1e-6
    slow: float = 1.0
    """About how many times as slow as a closure, so that no turn lasts long."""
    checked: Iterable[int] = ITERATIONS


Made: TypeAlias = Callable[[Any], Any]
"""From a library's module, to what it has for the policy."""


class Library(NamedTuple):
    """A library: its module, what it has for each policy, and how that is used."""

    module: str
    policies: dict[str, Made]
    used: Callable[[str, Any], Peer]


def make(library: str, name: str) -> Peer:
    """Return what a library has for one of our policies, by its name in `POLICIES`."""
    module, policies, used = LIBRARIES[library]
    return used(name, policies[name](_imported(module)))


def _imported(module: str) -> Any:
    if module == "timm.scheduler" and "timm" not in sys.modules:
        # Its schedulers alone: its models, which are imported before, need torchvision.
        spec = importlib.util.find_spec("timm")
        sys.modules["timm"] = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    return import_module(module)


def _called(
    label: str,
    name: str,  # noqa: ARG001
    f: Any,
    statement: str = "f(i)",
    **settings: Any,
) -> Peer:
    """Return what is called with the iteration i, of a run of n."""
    kind = type(f).__name__
    names = {"f": f, "n": RUN}
    return Peer(
        label if kind in ("function", "Schedule", "PjitFunction") else f"{label} `{kind}`",
        lambda i: float(eval(statement, {**names, "i": i})),
        lambda times: at_each(statement, times, **names),
        **settings,
    )


# torch


def _optimizer(lr: float) -> Any:
    import torch

    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)


def _cyclic(lrs: Any, **mode: Any) -> Any:
    return lrs.CyclicLR(_optimizer(LOW), LOW, HIGH, step_size_up=STEP, cycle_momentum=False, **mode)


def _one_cycle(lrs: Any, **kind: Any) -> Any:
    # Its last value falls on the last step, and its peak one step early.
    length, peak = RUN + 1, round(0.3 * RUN) + 1
    return lrs.OneCycleLR(
        _optimizer(0.1),
        0.1,
        total_steps=length,
        pct_start=peak / length,
        cycle_momentum=False,
        **kind,
    )


def _three_in_turn(lrs: Any) -> Any:
    optimizer = _optimizer(0.1)
    parts = [
        lrs.LinearLR(optimizer, 1e-6, 1.0, total_iters=1000),  # it can't begin at 0
        lrs.ConstantLR(optimizer, 1.0),
        lrs.LinearLR(optimizer, 1.0, 0.0, total_iters=4000),
    ]
    return lrs.SequentialLR(optimizer, parts, milestones=[1000, RUN - 4000])


FORMULAS_OF_TORCH: dict[str, Made] = {
    "Triangular": _cyclic,
    "Triangular, unequal halves": partial(_cyclic, step_size_down=3000),
    "Triangular2": partial(_cyclic, mode="triangular2"),
    "ExpRange": partial(_cyclic, mode="exp_range", gamma=0.9999),
    "OneCycle": _one_cycle,
    "OneCycle, three phases, linear": partial(
        _one_cycle, three_phase=True, anneal_strategy="linear"
    ),
    "Constant": lambda lrs: lrs.ConstantLR(_optimizer(0.1), factor=1.0),
    "Linear": lambda lrs: lrs.LinearLR(_optimizer(0.1), 1.0, 0.01, total_iters=RUN),
    "Cosine": lambda lrs: lrs.CosineAnnealingLR(_optimizer(0.1), RUN, eta_min=0.001),
    "Polynomial": lambda lrs: lrs.PolynomialLR(_optimizer(0.1), RUN, power=2),
    "Decay": lambda lrs: lrs.ExponentialLR(_optimizer(0.1), 0.9999),
    "Steps": lambda lrs: lrs.StepLR(_optimizer(0.1), 5000, gamma=0.5),
    "Piecewise": lambda lrs: lrs.MultiStepLR(_optimizer(0.1), [8000, 16_000], gamma=0.5),
}
TORCH: dict[str, Made] = {
    **FORMULAS_OF_TORCH,
    "CosineRestarts": lambda lrs: lrs.CosineAnnealingWarmRestarts(
        _optimizer(0.1), 2000, eta_min=0.001
    ),
    "CosineRestarts, stretching": lambda lrs: lrs.CosineAnnealingWarmRestarts(
        _optimizer(0.1), 1000, T_mult=2, eta_min=0.001
    ),
    "WarmupStableDecay": _three_in_turn,
}


def _stepped(name: str, scheduler: Any) -> Peer:
    """Return a scheduler of torch, stepped; each turn goes on from the same iteration."""
    scheduler.optimizer.step()  # torch warns without it
    known = []
    for _ in range(HALF):
        known.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.step()
    first = 1 if name == "WarmupStableDecay" else 0  # where it is not 0
    return Peer(
        f"torch `{type(scheduler).__name__}.step`",
        known.__getitem__,
        lambda times: repeated(
            "s.step()", times * len(ITERATIONS), f"s.last_epoch = {HALF}", s=scheduler
        ),
        within=1e-4,  # most multiply the last value, again and again
        slow=20,
        checked=[i for i in ITERATIONS if first <= i < HALF],
    )


def _formula(name: str, scheduler: Any) -> Peer:  # noqa: ARG001
    """Return torch's formula, without the rest of a step."""
    kind = type(scheduler).__name__
    method = "get_lr" if kind in ("CyclicLR", "OneCycleLR") else "_get_closed_form_lr"
    f = getattr(scheduler, method)
    scheduler._get_lr_called_within_step = True  # it warns otherwise

    def value(i: int) -> float:
        scheduler.last_epoch = i
        return float(f()[0])

    return Peer(
        f"torch `{kind}.{method}`",
        value,
        lambda times: at_each("s.last_epoch = i; f()", times, s=scheduler, f=f),
        slow=5,
    )


# JAX


def _warm(length: int) -> dict[str, float]:
    return {
        "init_value": 0.1,
        "peak_value": 0.1,
        "warmup_steps": 0,
        "decay_steps": length,
        "end_value": 0.001,
    }


OPTAX: dict[str, Made] = {
    "OneCycle": lambda optax: optax.cosine_onecycle_schedule(RUN, 0.1),
    "CosineRestarts": lambda optax: optax.sgdr_schedule([_warm(2000) for _ in range(10)]),
    "CosineRestarts, stretching": lambda optax: optax.sgdr_schedule(
        [_warm(1000 * 2**k) for k in range(5)]
    ),
    "WarmupStableDecay": lambda optax: optax.join_schedules(
        [
            optax.linear_schedule(0.0, 0.1, 1000),
            optax.constant_schedule(0.1),
            optax.linear_schedule(0.1, 0.0, 4000),
        ],
        [1000, RUN - 4000],
    ),
    "Constant": lambda optax: optax.constant_schedule(0.1),
    "Linear": lambda optax: optax.linear_schedule(0.1, 0.001, RUN),
    "Cosine": lambda optax: optax.cosine_decay_schedule(0.1, RUN, alpha=0.01),
    "Exponential": lambda optax: optax.exponential_decay(0.1, RUN, 0.01),
    "Polynomial": lambda optax: optax.polynomial_schedule(0.1, 0.0, 2, RUN),
    "Decay": lambda optax: optax.exponential_decay(0.1, 1, 0.9999),
    "Steps": lambda optax: optax.exponential_decay(0.1, 5000, 0.5, staircase=True),
    "Piecewise": lambda optax: optax.piecewise_constant_schedule(0.1, {8000: 0.5, 16_000: 0.5}),
}


def _jitted(name: str, schedule: Any) -> Peer:
    import jax

    return _called("optax, jit", name, jax.jit(schedule), within=1e-3, slow=100)


# The others


KERAS: dict[str, Made] = {
    "CosineRestarts": lambda keras: keras.CosineDecayRestarts(0.1, 2000, t_mul=1.0, alpha=0.01),
    "CosineRestarts, stretching": lambda keras: keras.CosineDecayRestarts(0.1, 1000, alpha=0.01),
    "Linear": lambda keras: keras.PolynomialDecay(0.1, RUN, 0.001),
    "Cosine": lambda keras: keras.CosineDecay(0.1, RUN, alpha=0.01),
    "Exponential": lambda keras: keras.ExponentialDecay(0.1, RUN, 0.01),
    "Polynomial": lambda keras: keras.PolynomialDecay(0.1, RUN, 0.0, power=2.0),
    "Decay": lambda keras: keras.ExponentialDecay(0.1, 1, 0.9999),
    "Steps": lambda keras: keras.ExponentialDecay(0.1, 5000, 0.5, staircase=True),
    "Piecewise": lambda keras: keras.PiecewiseConstantDecay([7999, 15_999], SCALE),
}

UPDATES = {"t_in_epochs": False}
TIMM: dict[str, Made] = {
    "CosineRestarts": lambda timm: timm.CosineLRScheduler(
        _optimizer(0.1), 2000, 0.001, cycle_limit=10, **UPDATES
    ),
    "CosineRestarts, stretching": lambda timm: timm.CosineLRScheduler(
        _optimizer(0.1), 1000, 0.001, cycle_mul=2.0, cycle_limit=5, **UPDATES
    ),
    "WarmupStableDecay": lambda timm: timm.WSDLRScheduler(
        _optimizer(0.1), RUN - 1000, 4000, decay_fn="linear", warmup_t=1000, **UPDATES
    ),
    "Linear": lambda timm: timm.PolyLRScheduler(_optimizer(0.1), RUN, 1.0, 0.001, **UPDATES),
    "Cosine": lambda timm: timm.CosineLRScheduler(_optimizer(0.1), RUN, 0.001, **UPDATES),
    "Polynomial": lambda timm: timm.PolyLRScheduler(_optimizer(0.1), RUN, 2.0, **UPDATES),
    "Steps": lambda timm: timm.StepLRScheduler(_optimizer(0.1), 5000, 0.5, **UPDATES),
    # Its milestones are an iteration early.
    "Piecewise": lambda timm: timm.MultiStepLRScheduler(
        _optimizer(0.1), [8001, 16_001], 0.5, **UPDATES
    ),
}


def _updated(name: str, scheduler: Any) -> Peer:  # noqa: ARG001
    def value(i: int) -> float:
        scheduler.step_update(i)
        return float(scheduler.optimizer.param_groups[0]["lr"])

    return Peer(
        f"timm `{type(scheduler).__name__}.step_update`",
        value,
        lambda times: at_each("f(i)", times, f=scheduler.step_update),
        slow=10,
    )


FVCORE: dict[str, Made] = {
    "WarmupStableDecay": lambda fvcore: fvcore.CompositeParamScheduler(
        [
            fvcore.LinearParamScheduler(0.0, 0.1),
            fvcore.ConstantParamScheduler(0.1),
            fvcore.LinearParamScheduler(0.1, 0.0),
        ],
        lengths=[0.05, 0.75, 0.2],
        interval_scaling=["rescaled", "rescaled", "rescaled"],
    ),
    "Constant": lambda fvcore: fvcore.ConstantParamScheduler(0.1),
    "Linear": lambda fvcore: fvcore.LinearParamScheduler(0.1, 0.001),
    "Cosine": lambda fvcore: fvcore.CosineParamScheduler(0.1, 0.001),
    "Exponential": lambda fvcore: fvcore.ExponentialParamScheduler(0.1, 0.01),
    "Polynomial": lambda fvcore: fvcore.PolynomialDecayParamScheduler(0.1, 2),
    "Steps": lambda fvcore: fvcore.StepWithFixedGammaParamScheduler(0.1, 3, 0.5, RUN),
    "Piecewise": lambda fvcore: fvcore.MultiStepParamScheduler(SCALE, RUN, [8000, 16_000]),
}

THINC: dict[str, Made] = {
    "Triangular": lambda thinc: thinc.cyclic_triangular(LOW, HIGH, STEP),
    "Constant": lambda thinc: thinc.constant(0.1),
    "Decay": lambda thinc: thinc.compounding(0.1, 0.0, 0.9999),
}


def _thinc(name: str, schedule: Any) -> Peer:
    peer = _called(f"thinc `{schedule.name}`", name, schedule, slow=5)
    if name == "Triangular":  # which is an iteration ahead
        value = peer.value
        peer.value = lambda i: value(i - 1)
        peer.checked = ITERATIONS[1:]
    return peer


LIBRARIES: dict[str, Library] = {
    "torch": Library("torch.optim.lr_scheduler", TORCH, _stepped),
    "torch's formula": Library("torch.optim.lr_scheduler", FORMULAS_OF_TORCH, _formula),
    "optax": Library("optax", OPTAX, partial(_called, "optax", within=1e-3, slow=1000)),
    "optax, jit": Library("optax", OPTAX, _jitted),
    "Keras": Library(
        "keras.optimizers.schedules", KERAS, partial(_called, "Keras", within=1e-3, slow=1000)
    ),
    "timm": Library("timm.scheduler", TIMM, _updated),
    "fvcore": Library(
        "fvcore.common.param_scheduler", FVCORE, partial(_called, "fvcore", statement="f(i / n)")
    ),
    "thinc": Library("thinc.schedules", THINC, _thinc),
}
