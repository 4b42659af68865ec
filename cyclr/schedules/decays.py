"""Decays: learning rates that fall, or change at given iterations, without an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cyclr._arrays import evaluate, numbers
from cyclr._checks import number, refuse, whole
from cyclr.schedules.schedule import Schedule, amplitude

__all__ = ["Decay", "InverseSqrt", "Piecewise", "Steps"]


@dataclass(frozen=True, eq=False, repr=False)
class Decay(Schedule):
    """Decay exponentially: the paper's ``exp``.

    lr(i) = base_lr gamma^i. Endless. *base_lr* is at least 0 and *gamma* in (0, 1], otherwise
    a `ValueError` names the argument.

        >>> schedule = Decay(1.0, 0.5)
        >>> [schedule(i) for i in range(4)]
        [1.0, 0.5, 0.25, 0.125]

    Caffe's ``exp``; arXiv 1506.01186, section 4.1, sets gamma to 0.99994. Use it where a recipe
    gives the factor, and `Exponential` where the last value is known.
    """

    base_lr: float
    gamma: float

    def __post_init__(self) -> None:
        base_lr = number("base_lr", self.base_lr, at_least=0)
        gamma = number("gamma", self.gamma, above=0, at_most=1)
        self._set(
            base_lr=base_lr,
            gamma=gamma,
            highest=base_lr,
            lowest=base_lr if gamma == 1 else 0.0,
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        return self.base_lr * xp.power(self.gamma, i)


@dataclass(frozen=True, eq=False, repr=False)
class Steps(Schedule):
    """Multiply by *gamma* after *every* so many iterations.

    lr(i) = base_lr gamma^floor(i / every). Endless. *base_lr* is at least 0, *every* whole and
    at least 1, *gamma* in (0, 1], otherwise a `ValueError` names the argument.

        >>> schedule = Steps(1.0, every=2, gamma=0.5)
        >>> [schedule(i) for i in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]

    Caffe's ``step``. Use it where a published recipe does; `Piecewise` has uneven steps.
    """

    base_lr: float
    every: int
    gamma: float

    def __post_init__(self) -> None:
        base_lr = number("base_lr", self.base_lr, at_least=0)
        gamma = number("gamma", self.gamma, above=0, at_most=1)
        self._set(
            base_lr=base_lr,
            every=whole("every", self.every, at_least=1),
            gamma=gamma,
            highest=base_lr,
            lowest=base_lr if gamma == 1 else 0.0,
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        return self.base_lr * xp.power(self.gamma, i // self.every)


@dataclass(frozen=True, eq=False, repr=False)
class Piecewise(Schedule):
    """Be constant between milestones.

    lr(i) = values[k], where k of the *milestones* are at most i: one value more than
    milestones. Milestones, in iterations, are whole, at least 1 and increasing; values are
    finite. Otherwise a `ValueError` names the argument. Endless: the last value stays.

        >>> schedule = Piecewise(milestones=[2, 4], values=[1.0, 0.1, 0.01])
        >>> [schedule(i) for i in range(6)]
        [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]

    Caffe's ``multistep``, with the values instead of a factor. Use it for steps by hand.
    """

    milestones: Sequence[int]
    values: Sequence[float]

    def __post_init__(self) -> None:
        for name in ("milestones", "values"):
            if not isinstance(getattr(self, name), (list, tuple)):
                refuse(name, "be a list or a tuple", getattr(self, name), TypeError)
        milestones = tuple(whole("milestones", m, at_least=1) for m in self.milestones)
        values = tuple(number("values", value) for value in self.values)
        if any(later <= earlier for earlier, later in pairwise(milestones)):
            refuse("milestones", "increase", list(self.milestones))
        if len(values) != len(milestones) + 1:
            refuse(
                "values", f"be {len(milestones) + 1}, one more than milestones", list(self.values)
            )
        self._set(milestones=milestones, values=values, lowest=min(values), highest=max(values))

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        return xp.pick(i, self.milestones, self.values)


@dataclass(frozen=True, eq=False, repr=False, init=False)
class InverseSqrt(Schedule):
    """Rise linearly to *max_lr* in *warmup* iterations, then fall as one over the square root.

        lr(i) = start_lr + (max_lr - start_lr) i / warmup      for i < warmup
        lr(i) = max_lr sqrt(warmup / i)                        after

    Endless. Rates are at least 0 and start_lr at most max_lr, *warmup* whole and at least 1,
    otherwise a `ValueError` names the argument.

        >>> schedule = InverseSqrt(1.0, warmup=4)
        >>> [schedule(i) for i in (0, 2, 4, 16, 64)]
        [0.0, 0.5, 1.0, 0.5, 0.25]

    "Attention Is All You Need", arXiv 1706.03762, section 5.3, with max_lr = (d_model
    warmup)^-0.5; ``start_lr=max_lr`` is T5's, arXiv 1910.10683, section 3.1.2. Use it where
    the length of the run is not known.
    """

    max_lr: float
    warmup_: int  # the argument is `warmup`, which as an attribute is a method
    start_lr: float = 0.0

    def __init__(self, max_lr: float, warmup: int, start_lr: float = 0.0) -> None:
        peak = number("max_lr", max_lr, at_least=0)
        start = number("start_lr", start_lr, at_least=0)
        if start > peak:
            refuse("start_lr", f"be at most max_lr, {max_lr!r}", start_lr)
        self._set(
            max_lr=peak,
            warmup_=whole("warmup", warmup, at_least=1),
            start_lr=start,
            lowest=0.0,
            highest=peak,
            _amplitude=amplitude(start, peak),
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        # Each factor keeps to its own part of time, and is exact at the peak between them.
        early = late = warmup = self.warmup_
        if xp is not numbers:
            early, late = xp.minimum(i, warmup), xp.maximum(i, warmup)
        elif i < warmup:
            early = i
        else:
            late = i
        rise = self.start_lr + self._amplitude * (early / warmup)
        value = rise * xp.sqrt(warmup / late)
        if xp is numbers and value < self.max_lr:
            return value
        return xp.minimum(value, self.max_lr)
