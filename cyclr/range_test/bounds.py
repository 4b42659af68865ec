"""Bounds: the result of a range test, and the way from there to a schedule."""

import inspect
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from cyclr._checks import refuse
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.reasons import Reason
from cyclr.range_test.rules import Answer
from cyclr.range_test.runs import Reading, together

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Bounds", "combine"]

RATIO = 4.0  # max_lr / base_lr: the paper's 3 or 4 (section 3.3)
QUANTILE = 1.2816  # of the normal distribution: 80 % lie within that many sigma
WIDEST = 2.0  # decades: more than that only says that nothing is known

Result = TypeVar("Result")


def interval_around(best: float, sigma: float) -> tuple[float, float]:
    """Return what holds 80 % of a normal distribution of *sigma* decades around *best*."""
    half = QUANTILE * min(sigma, WIDEST)
    # JSON has no infinity.
    return best * 10**-half, min(best * 10**half, sys.float_info.max)


@dataclass(frozen=True)
class Bounds:
    """The learning rates between which to cycle, how sure they are, and why.

    - *base_lr*, *max_lr*: the bounds.
    - *interval*: (low, high), which holds the best max_lr of the task with 80 % probability. It
      counts how tasks differ, which a single log does not show, and the noise of the log.
    - *rule*: the name of the rule that read the log.
    - *landmarks*: the learning rates at which something happened; see `Landmarks`.
    - *reasons*: why to take the bounds with care; empty if nothing speaks against them.
    - *curve*: what they were read from, to be drawn; no part of the value, nor of `to_dict`.
    - *wobble*: how far another run of the same test would be from this one, a sigma in decades;
      no part of the value either. The interval has it in it.

    Use `schedule` to train with them, `print` to read them, `to_dict` to keep them.
    """

    base_lr: float
    max_lr: float
    interval: tuple[float, float]
    rule: str
    landmarks: Landmarks
    reasons: tuple[Reason, ...] = ()
    curve: Curve | None = field(default=None, repr=False, compare=False)
    wobble: float = field(default=0.0, repr=False, compare=False)

    @classmethod
    def of(cls, reading: Reading, *, rule: str) -> "Bounds":
        """Return the bounds that a *reading* by the rule of that name stands for."""
        answer = reading.answer
        best = answer.max_lr if answer.best is None else answer.best
        return cls(
            base_lr=answer.max_lr / RATIO if answer.base_lr is None else answer.base_lr,
            max_lr=answer.max_lr,
            interval=interval_around(best, math.hypot(answer.spread, reading.wobble)),
            rule=rule,
            landmarks=reading.landmarks,
            reasons=reading.reasons,
            curve=reading.curve,
            wobble=reading.wobble,
        )

    def schedule(self, policy: Callable[..., Result], **lengths: Any) -> Result:
        """Return *policy* with these bounds: whichever of base_lr and max_lr it names.

        What *lengths* gives comes first, so that a bound may be set by hand.

        >>> from cyclr.schedules import OneCycle, Triangular2
        >>> bounds = Bounds(0.01, 0.04, (0.02, 0.1), "family", Landmarks(1e-3, 0.1, 0.2, None))
        >>> bounds.schedule(Triangular2, step_size=2000)
        Triangular2(base_lr=0.01, max_lr=0.04, step_size=2000)
        >>> bounds.schedule(OneCycle, iterations=5000).highest
        0.04

        *policy* is a class such as `Triangular2`, or a function such as `Triangular2.fit`; one
        that names neither is a `TypeError`. Use it to go from the range test to training.
        """
        if not callable(policy):
            refuse("policy", "be a class such as Triangular2, or a function", policy, TypeError)
        named = inspect.signature(policy).parameters
        bounds = {"base_lr": self.base_lr, "max_lr": self.max_lr}
        filled = {name: lr for name, lr in bounds.items() if name in named}
        if not filled:
            refuse("policy", "take a base_lr or a max_lr", policy, TypeError)
        return policy(**{**filled, **lengths})

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the range test, with these bounds, and return matplotlib's Axes.

        Shown are the loss as recorded and smoothed over the learning rate, the bounds, the
        interval as a band, the landmarks, and the reasons in words. It is drawn on *ax*, or on a
        figure of its own, as `cyclr.plot` does it; needs matplotlib, which ``cyclr[plot]`` brings.
        Bounds that no curve came with raise a `ValueError`. Use it to see whether to believe them.
        """
        from cyclr.plotting.axes import paint
        from cyclr.plotting.range_tests import picture_of_bounds

        return paint(picture_of_bounds(self), ax)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a picture, if there is a curve, and what `print` prints."""
        from cyclr.plotting.range_tests import picture_of_bounds
        from cyclr.plotting.svg import captioned

        return captioned(picture_of_bounds(self) if self.curve else None, str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as dictionaries, lists, strings and numbers, ready for JSON.

        >>> bounds = Bounds(0.01, 0.04, (0.02, 0.1), "family", Landmarks(1e-3, 0.1, 0.2, None))
        >>> bounds.to_dict()["interval"]
        [0.02, 0.1]
        """
        plain = asdict(replace(self, curve=None))
        del plain["curve"], plain["wobble"]
        return plain | {"interval": list(self.interval), "reasons": list(plain["reasons"])}

    def __str__(self) -> str:
        low, high = self.interval
        marks = self.landmarks
        metric = self.curve.metric if self.curve else "loss"
        move = "rise" if metric == "accuracy" else "fall"
        end = "it never diverged" if marks.edge is None else f"it diverged at {marks.edge:.2g}"
        return "\n".join(
            [
                f"max_lr   {self.max_lr:.2g}   "
                f"(80 % sure: the best one is between {low:.2g} and {high:.2g})",
                f"base_lr  {self.base_lr:.2g}",
                f"The {metric} began to {move} at {marks.onset:.2g}, most of its {move} was over "
                f"at {marks.drop_90:.2g}, and {end}.",
                *(f"- {reason}" for reason in self.reasons),
            ]
        )


def combine(bounds: Sequence[Bounds]) -> Bounds:
    """Return what several runs of one range test say together, each with its *bounds*.

    The median of each learning rate; the interval narrows by what the runs' noise was in it, and
    no further. It is what `analyze` does with the logs of several runs.

    >>> marks = Landmarks(1e-3, 0.1, 0.2, None)
    >>> runs = [Bounds(lr / 4, lr, (lr / 2, lr * 4), "family", marks) for lr in (0.03, 0.04, 0.07)]
    >>> combine(runs).max_lr
    0.04

    Raises `ValueError` where there are none, or where different rules read them. Use it for runs
    that were analysed where they were made: in other processes, say.
    """
    if not bounds:
        raise ValueError("bounds must be those of one run at least: got none")
    rules = {each.rule for each in bounds}
    if len(rules) > 1:
        refuse("bounds", "be read by one rule", sorted(rules))
    return Bounds.of(together([_reading(each) for each in bounds]), rule=bounds[0].rule)


def _reading(bounds: Bounds) -> Reading:
    """Return what was read when *bounds* were made."""
    low, high = bounds.interval
    sigma = math.log10(high / low) / (2 * QUANTILE)
    answer = Answer(
        bounds.max_lr,
        turned="no_edge" not in [reason.code for reason in bounds.reasons],
        base_lr=bounds.base_lr,
        best=math.sqrt(low) * math.sqrt(high),
        spread=math.sqrt(max(sigma**2 - bounds.wobble**2, 0.0)),
    )
    return Reading(answer, bounds.wobble, bounds.landmarks, bounds.reasons, bounds.curve)
