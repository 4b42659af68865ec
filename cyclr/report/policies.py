"""Unit curves: the course of each policy, once, between 0 and 1, for the page to scale.

Every policy here depends on its lengths through the part of a step or of the run that has passed,
and on its bounds through low + (max_lr - low) u. So that one curve u is enough for all of them,
and the page needs no formula.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from cyclr.schedules import (
    CosineRestarts,
    Cyclical,
    ExpRange,
    OneCycle,
    Schedule,
    Triangular,
    Triangular2,
    WarmupStableDecay,
)

__all__ = ["POLICIES", "Argument", "Policy"]

STEP, RUN = 256, 2560  # lengths at which the curves are taken: the parts below are whole in them
DIGITS = 12
CYCLES = 24  # of a cycle whose height halves: what is left, 2^-24, can't be seen


class Argument(NamedTuple):
    """Where the page takes an argument from.

    It is *times* the setting *of* which it is made, in whole iterations where that is a length;
    with *root*, that root of it: a factor which over so many iterations comes to *root*.
    """

    of: str
    times: float = 1
    root: float | None = None

    def value(self, settings: Mapping[str, Any]) -> Any:
        """Return the argument for *settings*.

        >>> settings = {"max_lr": 0.1, "step_size": 50, "iterations": 1010}
        >>> Argument("max_lr").value(settings), Argument("iterations", 0.05).value(settings)
        (0.1, 50)
        >>> Argument("step_size", 2, root=0.5).value(settings) == 0.5 ** (1 / 100)
        True
        """
        value = settings[self.of] * self.times
        if self.root is not None:
            return self.root ** (1 / value)
        return value if self.of in ("base_lr", "max_lr") else round(value)


@dataclass(frozen=True)
class Policy:
    """A policy as the page offers it.

    - *schedule*: the class, and *arguments* what it is given.
    - *unit*: the length, step_size or iterations, that stretches it in time.
    - *ends*: where its legs end, in units, at whole iterations.
    - *samples*: steps from one value of a leg to the next; 1 for a straight one.
    - *cycles*: how many the curve covers, if there are cycles; then it *repeats*, or holds its end.
    """

    schedule: Callable[..., Schedule]
    about: str
    arguments: Mapping[str, Argument]
    unit: str
    ends: Sequence[float]
    samples: int = 1
    cycles: int | None = None
    repeats: bool = False

    @property
    def name(self) -> str:
        """The name of the schedule's class."""
        return self.schedule.__name__

    def of(self, **settings: Any) -> Schedule:
        """Return the schedule for *settings*: base_lr, max_lr, step_size and iterations."""
        return self.schedule(**{k: v.value(settings) for k, v in self.arguments.items()})

    def legs(self) -> list[dict[str, Any]]:
        """Return the unit curve: legs, each with its end and evenly spaced values up to there."""
        lengths = {"step_size": STEP, "iterations": RUN}
        unit = self.of(base_lr=0.0, max_lr=1.0, **lengths)
        if isinstance(unit, (Cyclical, CosineRestarts)):
            unit = replace(unit, cycles=self.cycles)  # so that the last leg falls to its end
        legs, start = [], 0
        for end in self.ends:
            stop = round(end * lengths[self.unit])
            places = [start + (stop - start) * k // self.samples for k in range(self.samples + 1)]
            legs.append({"end": end, "values": [round(unit(i), DIGITS) for i in places]})
            start = stop
        return legs

    def to_dict(self) -> dict[str, Any]:
        """Return what the page needs to know of the policy."""
        return {
            "name": self.name,
            "about": self.about,
            "arguments": {name: value._asdict() for name, value in self.arguments.items()},
            "unit": self.unit,
            "repeats": self.repeats,
            "legs": self.legs(),
        }


BOUNDS = {"base_lr": Argument("base_lr"), "max_lr": Argument("max_lr")}
CYCLE = {**BOUNDS, "step_size": Argument("step_size")}

POLICIES = (
    Policy(
        Triangular,
        "Up and down between the bounds, again and again.",
        CYCLE,
        unit="step_size",
        ends=(1, 2),
        cycles=1,
        repeats=True,
    ),
    Policy(
        Triangular2,
        "Cycles whose height halves each time: it explores first and settles later.",
        CYCLE,
        unit="step_size",
        ends=range(1, 2 * CYCLES + 1),
        cycles=CYCLES,
    ),
    Policy(
        ExpRange,
        "Cycles whose height shrinks steadily; here gamma halves it from cycle to cycle.",
        {**CYCLE, "gamma": Argument("step_size", 2, root=0.5)},
        unit="step_size",
        ends=range(1, 2 * CYCLES + 1),
        samples=128,
        cycles=CYCLES,
    ),
    Policy(
        CosineRestarts,
        "Falls along a cosine and restarts at max_lr (SGDR); a cycle is two steps long.",
        {**BOUNDS, "first_cycle": Argument("step_size", 2)},
        unit="step_size",
        ends=(2,),
        samples=256,
        cycles=1,
        repeats=True,
    ),
    Policy(
        OneCycle,
        "One rise and one fall over the whole training; starts at max_lr / 25.",
        {"max_lr": Argument("max_lr"), "iterations": Argument("iterations")},
        unit="iterations",
        ends=(0.3, 1),
        samples=256,
    ),
    Policy(
        WarmupStableDecay,
        "Warms up for 5 % of the training, stays at max_lr, and falls to 0 in the last 20 %.",
        {
            "max_lr": Argument("max_lr"),
            "iterations": Argument("iterations"),
            "warmup": Argument("iterations", 0.05),
            "decay": Argument("iterations", 0.2),
        },
        unit="iterations",
        ends=(0.05, 0.8, 1),
    ),
)
