"""Policies for a whole run, each a sequence of ramps."""

from dataclasses import dataclass
from typing import Any

from cyclr._checks import number, refuse, whole
from cyclr.schedules.ramps import Constant, Ramp
from cyclr.schedules.schedule import Schedule
from cyclr.schedules.sequence import Sequence

__all__ = ["OneCycle", "WarmupStableDecay"]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class OneCycle(Sequence):
    """Rise to *max_lr*, then fall far below where it began: a whole run in one cycle.

    With initial = max_lr / initial_divisor, final = initial / final_divisor and
    peak = max(1, round(warmup iterations)), the learning rate goes along the *shape* ("linear",
    "cosine", "parabolic" or "1-sqrt", as in `Cyclical`)

        phases=2    initial to max_lr, until peak; max_lr to final, until iterations
        phases=3    initial to max_lr, until peak; max_lr to initial, until 2 peak;
                    initial to final, until iterations

    and holds final after. It is exactly max_lr at the peak and never negative. *warmup* is a
    part of the run, in (0, 1), the divisors are at least 1, *phases* is 2 or 3, each
    has an iteration, and the peak, with 3 phases twice the peak, lies before the end; otherwise a
    `ValueError` names the argument.

        >>> schedule = OneCycle(1.0, 10, shape="linear")
        >>> [round(schedule(i), 3) for i in range(12)]
        [0.04, 0.36, 0.68, 1.0, 0.857, 0.714, 0.571, 0.429, 0.286, 0.143, 0.0, 0.0]

    The defaults are fastai's and torch's, whose last value, however, falls on iterations - 1.
    Smith's original (arXiv 1708.07120; 1803.09820, section 4.1) returns to where it began
    and spends the rest of the run far below: ``Triangular(max_lr / 10, max_lr, step_size,
    cycles=1).then(Linear(max_lr / 10, max_lr / 1000, rest))``. Use it with a max_lr from a
    range test when the length of the run is known: the shortest way to a good result.
    """

    max_lr: float
    iterations: int
    warmup_: float = (
        0.3  # the argument is `warmup`, which as an attribute is every schedule's method
    )
    initial_divisor: float = 25.0
    final_divisor: float = 1e4
    phases: int = 2
    shape: str = "cosine"

    def __init__(
        self,
        max_lr: float,
        iterations: int,
        *,
        warmup: float = 0.3,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e4,
        phases: int = 2,
        shape: str = "cosine",
    ) -> None:
        self._set(
            max_lr=number("max_lr", max_lr, at_least=0),
            iterations=whole("iterations", iterations, at_least=3 if phases == 3 else 2),
            warmup_=number("warmup", warmup, above=0, below=1),
            initial_divisor=number("initial_divisor", initial_divisor, at_least=1),
            final_divisor=number("final_divisor", final_divisor, at_least=1),
            phases=whole("phases", phases),
            shape=shape,
        )
        if self.phases not in (2, 3):
            refuse("phases", "be 2 or 3", phases)
        initial = self.max_lr / self.initial_divisor
        final = initial / self.final_divisor
        peak = max(1, round(self.warmup_ * self.iterations))
        turn = peak * (self.phases - 1)  # where the last phase begins
        if turn >= self.iterations:
            raise ValueError(
                f"warmup must leave an end to the {self.iterations} iterations, of which"
                f" {turn} precede it: got {warmup!r}"
                f"\n\nHint: warmup={0.3 if self.phases == 3 else 0.5}"
            )
        parts: list[tuple[Schedule, int]] = [(Ramp(initial, self.max_lr, peak, shape=shape), peak)]
        if self.phases == 3:
            parts.append((Ramp(self.max_lr, initial, peak, shape=shape), turn))
        top = initial if self.phases == 3 else self.max_lr
        last = Ramp(top, final, self.iterations - turn, shape=shape)
        self._prepare(*parts, (last, self.iterations))

    @property
    def length(self) -> int:
        """The iterations of the whole cycle."""
        return self.iterations

    def cycle_ends(self, iterations: int) -> list[int]:
        """Return where the only cycle ends, if that is not after *iterations*."""
        return [self.iterations] if self.iterations <= whole("iterations", iterations) else []


@dataclass(frozen=True, eq=False, repr=False, init=False)
class WarmupStableDecay(Sequence):
    """Rise linearly to *max_lr*, stay there, and fall at the end: WSD, the trapezoid.

        lr(i) = start_lr + (max_lr - start_lr) i / warmup       for i < warmup
        lr(i) = max_lr                                          for i < iterations - decay
        lr(i) = end_lr + (max_lr - end_lr) rise(1 - u)          u = (i - iterations + decay) / decay

    and end_lr from *iterations* on. The cooldown's *shape* is "linear" (1 - u), "cosine",
    "1-sqrt" (1 - sqrt(u)) or "parabolic", as in `Cyclical`. *warmup*, at least 0, and *decay*,
    at least 1, are iterations and fit into the run together; rates are at least 0, start_lr
    and end_lr at most max_lr; otherwise a `ValueError` names the argument.

        >>> schedule = WarmupStableDecay(1.0, 10, warmup=2, decay=4)
        >>> [schedule(i) for i in range(12)]
        [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]

    MiniCPM, arXiv 2404.06395, section 4; the cooldown "1-sqrt" is from arXiv 2405.18392,
    section 3. Use it where a run may go on: the stable part has no end of its own, and a
    cooldown of a tenth to a fifth of the run can branch off anywhere.
    """

    max_lr: float
    iterations: int
    warmup_: int  # the argument is `warmup`, which as an attribute is a method
    decay: int
    start_lr: float = 0.0
    end_lr: float = 0.0
    shape: str = "linear"

    def __init__(
        self,
        max_lr: float,
        iterations: int,
        warmup: int,
        decay: int,
        *,
        start_lr: float = 0.0,
        end_lr: float = 0.0,
        shape: str = "linear",
    ) -> None:
        self._set(
            max_lr=number("max_lr", max_lr, at_least=0),
            iterations=whole("iterations", iterations, at_least=1),
            warmup_=whole("warmup", warmup),
            decay=whole("decay", decay, at_least=1),
            start_lr=_at_most("start_lr", start_lr, max_lr),
            end_lr=_at_most("end_lr", end_lr, max_lr),
            shape=shape,
        )
        fall = self.iterations - self.decay
        if fall < self.warmup_:
            raise ValueError(
                f"warmup + decay must be at most iterations, {self.iterations}:"
                f" got {self.warmup_} + {self.decay}"
            )
        parts: list[tuple[Schedule, int]] = []
        if self.warmup_ > 0:
            parts.append((Ramp(self.start_lr, self.max_lr, self.warmup_), self.warmup_))
        if fall > self.warmup_:
            parts.append((Constant(self.max_lr), fall))
        parts.append((Ramp(self.max_lr, self.end_lr, self.decay, shape=shape), self.iterations))
        self._prepare(*parts)

    @property
    def length(self) -> int:
        """The iterations of the whole run."""
        return self.iterations


def _at_most(name: str, value: Any, max_lr: Any) -> Any:
    """Return a learning rate that is at most *max_lr*."""
    checked = number(name, value, at_least=0)
    if checked > max_lr:
        refuse(name, f"be at most max_lr, {max_lr!r}", value)
    return checked
