"""The same policies in other libraries, each used as its documentation shows.

What has a function of the iteration is called; what has a state is stepped. torch's schedulers
can also be asked for the value of an iteration, by what they have inside: the least that they
can cost. fvcore takes the part of the run that is over, which is computed from the iteration.
optax is called with the iteration as it is, and compiled; in a compiled training step its
schedules cost next to nothing, and neither do ours (`benchmarks/README.md`).
"""

import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.cost.policies import HIGH, ITERATIONS, LOW, RUN, SCALE, STEP
from benchmarks.cost.work import Work, at_each, repeated

__all__ = ["MODULES", "NAMES", "Peer", "make"]

HALF = 10_000  # what a stepped scheduler is checked up to


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


def _called(label: str, f: Any, statement: str = "f(i)", **settings: Any) -> Peer:
    names = {"f": f, "n": RUN}
    code = compile(statement, label, "eval")
    return Peer(
        label,
        lambda i: float(eval(code, {**names, "i": i})),
        lambda times: at_each(statement, times, **names),
        **settings,
    )


# torch


def _optimizer(lr: float) -> Any:
    import torch

    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)


def _of_torch() -> dict[str, Callable[[], Any]]:
    from torch.optim import lr_scheduler as lrs

    def clr(**mode: Any) -> Callable[[], Any]:
        return lambda: lrs.CyclicLR(
            _optimizer(LOW), LOW, HIGH, step_size_up=STEP, cycle_momentum=False, **mode
        )

    def one_cycle(**kind: Any) -> Callable[[], Any]:
        # Its last value falls on the last step, and its peak one step early.
        length, peak = RUN + 1, round(0.3 * RUN) + 1
        return lambda: lrs.OneCycleLR(
            _optimizer(0.1),
            0.1,
            total_steps=length,
            pct_start=peak / length,
            cycle_momentum=False,
            **kind,
        )

    def wsd() -> Any:
        optimizer = _optimizer(0.1)
        # It multiplies what is there: it can neither begin nor end at 0.
        parts = [
            lrs.LinearLR(optimizer, 1e-6, 1.0, total_iters=1000),
            lrs.ConstantLR(optimizer, 1.0),
            lrs.LinearLR(optimizer, 1.0, 0.0, total_iters=4000),
        ]
        return lrs.SequentialLR(optimizer, parts, milestones=[1000, RUN - 4000])

    return {
        "Triangular": clr(),
        "Triangular, unequal halves": clr(step_size_down=3000),
        "Triangular2": clr(mode="triangular2"),
        "ExpRange": clr(mode="exp_range", gamma=0.9999),
        "OneCycle": one_cycle(),
        "OneCycle, three phases, linear": one_cycle(three_phase=True, anneal_strategy="linear"),
        "CosineRestarts": lambda: lrs.CosineAnnealingWarmRestarts(
            _optimizer(0.1), 2000, eta_min=0.001
        ),
        "CosineRestarts, stretching": lambda: lrs.CosineAnnealingWarmRestarts(
            _optimizer(0.1), 1000, T_mult=2, eta_min=0.001
        ),
        "WarmupStableDecay": wsd,
        "Constant": lambda: lrs.ConstantLR(_optimizer(0.1), factor=1.0),
        "Linear": lambda: lrs.LinearLR(_optimizer(0.1), 1.0, 0.01, total_iters=RUN),
        "Cosine": lambda: lrs.CosineAnnealingLR(_optimizer(0.1), RUN, eta_min=0.001),
        "Polynomial": lambda: lrs.PolynomialLR(_optimizer(0.1), RUN, power=2),
        "Decay": lambda: lrs.ExponentialLR(_optimizer(0.1), 0.9999),
        "Steps": lambda: lrs.StepLR(_optimizer(0.1), 5000, gamma=0.5),
        "Piecewise": lambda: lrs.MultiStepLR(_optimizer(0.1), [8000, 16_000], gamma=0.5),
    }


def _torch_step(name: str) -> Peer:
    """Return torch's scheduler, stepped; it goes on from the middle of the run at each turn."""
    new = _of_torch()[name]

    def values() -> list[float]:
        scheduler, found = new(), []
        scheduler.optimizer.step()
        for _ in range(HALF):
            found.append(scheduler.optimizer.param_groups[0]["lr"])
            scheduler.step()
        return found

    known = values()
    scheduler = new()
    scheduler.optimizer.step()  # torch warns without it
    return Peer(
        f"torch `{type(scheduler).__name__}.step`",
        known.__getitem__,
        lambda times: repeated(
            "s.step()", times * len(ITERATIONS), f"s.last_epoch = {RUN // 8}", s=scheduler
        ),
        within=1e-4,  # it multiplies the last value, again and again
        slow=20,
        checked=[i for i in ITERATIONS if i < HALF and (i > 0 or name != "WarmupStableDecay")],
    )


CLOSED = ("CosineAnnealingLR", "ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR")
CLOSED += ("PolynomialLR", "StepLR")


def _torch_inside(name: str) -> Peer:
    """Return torch's formula, without the rest of a step."""
    scheduler = _of_torch()[name]()
    kind = type(scheduler).__name__
    scheduler._get_lr_called_within_step = True  # it warns otherwise
    method = "_get_closed_form_lr" if kind in CLOSED else "get_lr"

    def value(i: int) -> float:
        scheduler.last_epoch = i
        return float(getattr(scheduler, method)()[0])

    statement = "s.last_epoch = i; f()"
    return Peer(
        f"torch `{kind}.{method}`",
        value,
        lambda times: at_each(statement, times, s=scheduler, f=getattr(scheduler, method)),
        slow=5,
    )


# The others


def _optax(name: str) -> Any:
    import optax

    return {
        "OneCycle": lambda: optax.cosine_onecycle_schedule(RUN, 0.1),
        "CosineRestarts": lambda: optax.sgdr_schedule([_warm(2000) for _ in range(10)]),
        "CosineRestarts, stretching": lambda: optax.sgdr_schedule(
            [_warm(1000 * 2**k) for k in range(5)]
        ),
        "WarmupStableDecay": lambda: optax.join_schedules(
            [
                optax.linear_schedule(0.0, 0.1, 1000),
                optax.constant_schedule(0.1),
                optax.linear_schedule(0.1, 0.0, 4000),
            ],
            [1000, RUN - 4000],
        ),
        "Constant": lambda: optax.constant_schedule(0.1),
        "Linear": lambda: optax.linear_schedule(0.1, 0.001, RUN),
        "Cosine": lambda: optax.cosine_decay_schedule(0.1, RUN, alpha=0.01),
        "Exponential": lambda: optax.exponential_decay(0.1, RUN, 0.01),
        "Polynomial": lambda: optax.polynomial_schedule(0.1, 0.0, 2, RUN),
        "Decay": lambda: optax.exponential_decay(0.1, 1, 0.9999),
        "Steps": lambda: optax.exponential_decay(0.1, 5000, 0.5, staircase=True),
        "Piecewise": lambda: optax.piecewise_constant_schedule(0.1, {8000: 0.5, 16_000: 0.5}),
    }[name]()


def _warm(length: int) -> dict[str, float]:
    return {
        "init_value": 0.1,
        "peak_value": 0.1,
        "warmup_steps": 0,
        "decay_steps": length,
        "end_value": 0.001,
    }


def _optax_eager(name: str) -> Peer:
    return _called("optax", _optax(name), within=1e-3, slow=1000)


def _optax_jit(name: str) -> Peer:
    import jax

    return _called("optax, jit", jax.jit(_optax(name)), within=1e-3, slow=100)


def _keras(name: str) -> Peer:
    from keras.optimizers import schedules

    schedule = {
        "CosineRestarts": lambda: schedules.CosineDecayRestarts(
            0.1, 2000, t_mul=1.0, m_mul=1.0, alpha=0.01
        ),
        "CosineRestarts, stretching": lambda: schedules.CosineDecayRestarts(
            0.1, 1000, t_mul=2.0, m_mul=1.0, alpha=0.01
        ),
        "Linear": lambda: schedules.PolynomialDecay(0.1, RUN, 0.001),
        "Cosine": lambda: schedules.CosineDecay(0.1, RUN, alpha=0.01),
        "Exponential": lambda: schedules.ExponentialDecay(0.1, RUN, 0.01),
        "Polynomial": lambda: schedules.PolynomialDecay(0.1, RUN, 0.0, power=2.0),
        "Decay": lambda: schedules.ExponentialDecay(0.1, 1, 0.9999),
        "Steps": lambda: schedules.ExponentialDecay(0.1, 5000, 0.5, staircase=True),
        "Piecewise": lambda: schedules.PiecewiseConstantDecay([7999, 15_999], SCALE),
    }[name]()
    kind = type(schedule).__name__
    return _called(f"Keras `{kind}`", schedule, within=1e-3, slow=1000)


def _schedulers_of_timm() -> Any:
    """Return timm's schedulers alone: its models, which come before, need torchvision."""
    if "timm" not in sys.modules:
        spec = importlib.util.find_spec("timm")
        sys.modules["timm"] = importlib.util.module_from_spec(spec)
    return importlib.import_module("timm.scheduler")


def _timm(name: str) -> Peer:
    timm = _schedulers_of_timm()
    updates = {"t_in_epochs": False}
    optimizer = _optimizer(0.1)
    scheduler = {
        "CosineRestarts": lambda: timm.CosineLRScheduler(
            optimizer, 2000, 0.001, cycle_limit=10, **updates
        ),
        "CosineRestarts, stretching": lambda: timm.CosineLRScheduler(
            optimizer, 1000, 0.001, cycle_mul=2.0, cycle_limit=5, **updates
        ),
        "WarmupStableDecay": lambda: timm.WSDLRScheduler(
            optimizer, RUN - 1000, 4000, decay_fn="linear", warmup_t=1000, **updates
        ),
        "Linear": lambda: timm.PolyLRScheduler(optimizer, RUN, 1.0, 0.001, **updates),
        "Cosine": lambda: timm.CosineLRScheduler(optimizer, RUN, 0.001, **updates),
        "Polynomial": lambda: timm.PolyLRScheduler(optimizer, RUN, 2.0, 0.0, **updates),
        "Steps": lambda: timm.StepLRScheduler(optimizer, 5000, 0.5, **updates),
        "Piecewise": lambda: timm.MultiStepLRScheduler(optimizer, [8001, 16_001], 0.5, **updates),
    }[name]()

    def value(i: int) -> float:
        scheduler.step_update(i)
        return float(optimizer.param_groups[0]["lr"])

    return Peer(
        f"timm `{type(scheduler).__name__}.step_update`",
        value,
        lambda times: at_each("f(i)", times, f=scheduler.step_update),
        slow=10,
    )


def _fvcore(name: str) -> Peer:
    from fvcore.common import param_scheduler as fvcore

    linear, rest = fvcore.LinearParamScheduler, fvcore.ConstantParamScheduler
    schedule = {
        "WarmupStableDecay": lambda: fvcore.CompositeParamScheduler(
            [linear(0.0, 0.1), rest(0.1), linear(0.1, 0.0)],
            lengths=[0.05, 0.75, 0.2],
            interval_scaling=["rescaled", "rescaled", "rescaled"],
        ),
        "Constant": lambda: rest(0.1),
        "Linear": lambda: linear(0.1, 0.001),
        "Cosine": lambda: fvcore.CosineParamScheduler(0.1, 0.001),
        "Exponential": lambda: fvcore.ExponentialParamScheduler(0.1, 0.01),
        "Polynomial": lambda: fvcore.PolynomialDecayParamScheduler(0.1, 2),
        "Steps": lambda: fvcore.StepWithFixedGammaParamScheduler(0.1, 3, 0.5, RUN),
        "Piecewise": lambda: fvcore.MultiStepParamScheduler(SCALE, RUN, [8000, 16_000]),
    }[name]()
    return _called(f"fvcore `{type(schedule).__name__}`", schedule, "f(i / n)", slow=2)


def _thinc(name: str) -> Peer:
    from thinc import api as thinc

    schedule = {
        "Triangular": lambda: thinc.cyclic_triangular(LOW, HIGH, STEP),
        "Constant": lambda: thinc.constant(0.1),
        "Decay": lambda: thinc.compounding(0.1, 0.0, 0.9999),
    }[name]()
    peer = _called(f"thinc `{schedule.name}`", schedule, slow=5)
    if name == "Triangular":  # which is one iteration ahead
        value = peer.value
        peer.value = lambda i: value(i - 1)
        peer.checked = ITERATIONS[1:]
    return peer


_MAKERS: dict[str, tuple[str, Callable[[str], Peer], str]] = {
    # by library: its module, what makes a peer, and the policies, between bars
    "torch": (
        "torch",
        _torch_step,
        "Triangular|Triangular, unequal halves|Triangular2|ExpRange|OneCycle"
        "|OneCycle, three phases, linear|CosineRestarts|CosineRestarts, stretching"
        "|WarmupStableDecay|Constant|Linear|Cosine|Polynomial|Decay|Steps|Piecewise",
    ),
    "torch's formula": (
        "torch",
        _torch_inside,
        "Triangular|Triangular, unequal halves|Triangular2|ExpRange|OneCycle"
        "|OneCycle, three phases, linear|Constant|Linear|Cosine|Polynomial|Decay|Steps|Piecewise",
    ),
    "optax": (
        "optax",
        _optax_eager,
        "OneCycle|CosineRestarts|CosineRestarts, stretching|WarmupStableDecay|Constant|Linear"
        "|Cosine|Exponential|Polynomial|Decay|Steps|Piecewise",
    ),
    "optax, jit": (
        "optax",
        _optax_jit,
        "OneCycle|CosineRestarts|CosineRestarts, stretching|WarmupStableDecay|Constant|Linear"
        "|Cosine|Exponential|Polynomial|Decay|Steps|Piecewise",
    ),
    "Keras": (
        "keras",
        _keras,
        "CosineRestarts|CosineRestarts, stretching|Linear|Cosine|Exponential|Polynomial|Decay"
        "|Steps|Piecewise",
    ),
    "timm": (
        "timm",
        _timm,
        "CosineRestarts|CosineRestarts, stretching|WarmupStableDecay|Linear|Cosine|Polynomial"
        "|Steps|Piecewise",
    ),
    "fvcore": (
        "fvcore",
        _fvcore,
        "WarmupStableDecay|Constant|Linear|Cosine|Exponential|Polynomial|Steps|Piecewise",
    ),
    "thinc": ("thinc", _thinc, "Triangular|Constant|Decay"),
}

MODULES = {library: module for library, (module, _, _) in _MAKERS.items()}
NAMES = [(library, name) for library, (_, _, names) in _MAKERS.items() for name in names.split("|")]


def make(library: str, name: str) -> Peer:
    """Return a library's scheduler for one of our policies, by its name in `POLICIES`."""
    return _MAKERS[library][1](name)
