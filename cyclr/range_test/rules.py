"""Rules: from what a range test showed to a learning rate, each a small function in one table.

The default is `family`, ours, and here. `peers` has those of other libraries, `accuracy` the
paper's own. A new rule is one function under `@rule(...)`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks, wobble
from cyclr.range_test.optimizers import SPREAD_UNNAMED, Prior
from cyclr.range_test.points import Points

__all__ = ["DEFAULTS", "RULES", "Answer", "Evidence", "Rule", "rule"]

SHARE = 0.25  # of where it all ends, beside the middle of the landmarks, in what is scaled
PACE, PACE_POWER = 30.0, 0.3  # iterations a decade, for which the scales hold
SLOWEST, FASTEST = 57.0, 14.0  # iterations a decade: the ramps that were measured


@dataclass(frozen=True)
class Evidence:
    """All that a rule may look at."""

    points: Points
    curve: Curve
    landmarks: Landmarks
    prior: Prior

    @cached_property
    def turned(self) -> bool:
        """Whether the test went on until the loss got worse: until an edge was seen."""
        lagged = self.curve.lagged
        return self.curve.edge is not None or min(lagged) < lagged[-1]

    @cached_property
    def wobble(self) -> float:
        """How uncertain this run leaves the landmarks: a sigma in decades."""
        return wobble(self.curve)


@dataclass(frozen=True)
class Answer:
    """What a rule says.

    *best* is where it takes the best max_lr of the task to be (max_lr if not given), *spread* the
    sigma, in decades, of tasks around that; without *turned*, max_lr is a lower bound.
    """

    max_lr: float
    turned: bool
    base_lr: float | None = None
    best: float | None = None
    spread: float = SPREAD_UNNAMED


# What a rule is: None where too few points are left to it.
Ask = Callable[[Evidence], Answer | None]


@dataclass(frozen=True)
class Rule:
    """A rule by name, and the metric that it reads."""

    name: str
    metric: str
    ask: Ask


RULES: dict[str, Rule] = {}
DEFAULTS = {"loss": "family", "accuracy": "smith"}


def rule(name: str, metric: str = "loss") -> Callable[[Ask], Ask]:
    """Enter a function into the table as the rule *name*."""

    def enter(ask: Ask) -> Ask:
        RULES[name] = Rule(name, metric, ask)
        return ask

    return enter


@rule("family")
def family(evidence: Evidence) -> Answer:
    """Scale a place between where the fall of the loss is over and where the test diverged.

        max_lr = scale * middle^0.75 * last^0.25 * (pace / 30)^0.3

    where *middle* lies between drop_90 and minimum (`Landmarks.middle`), and *last* is the last
    learning rate before the test diverged, or ended. A slower ramp has trained for longer when it
    comes to a learning rate, and its loss has fallen earlier: its pace is counted in iterations a
    decade, below drop_90. *scale* depends on the optimizer: see `optimizers`. As too high costs
    more than too low, it stays below the middle of the best ones.
    """
    curve, landmarks, known = evidence.curve, evidence.landmarks, evidence.prior
    pace = min(max(_iterations_in_decade_below(curve, landmarks.drop_90), FASTEST), SLOWEST)
    place = math.pow(landmarks.middle, 1 - SHARE) * math.pow(curve.lrs[-1], SHARE)
    place *= math.pow(pace / PACE, PACE_POWER)
    return Answer(
        known.scale * place, evidence.turned, best=known.middle * place, spread=known.spread
    )


def _iterations_in_decade_below(curve: Curve, lr: float) -> float:
    top = math.log10(lr)
    return curve.rows * sum(top - 1 < decade <= top for decade in curve.decades)
