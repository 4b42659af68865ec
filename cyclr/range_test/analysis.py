"""Analysis: the one way from (learning rate, loss) pairs to bounds."""

from collections.abc import Iterable
from typing import SupportsFloat

import cyclr.range_test.accuracy
import cyclr.range_test.peers  # noqa: F401  both enter their rules into the table
from cyclr._checks import choice
from cyclr.range_test.bounds import Bounds
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import Prior, prior
from cyclr.range_test.points import Points
from cyclr.range_test.reasons import (
    InconclusiveRangeTest,
    Reason,
    cautions,
    failure_of,
    too_short_for,
)
from cyclr.range_test.rules import DEFAULTS, RULES, Evidence, Rule
from cyclr.range_test.runs import Reading, together

__all__ = ["analyze"]


Log = Iterable[tuple[SupportsFloat, SupportsFloat]]


def analyze(
    points: Log,
    *repeats: Log,
    optimizer: str | None = None,
    momentum: float | None = None,
    metric: str = "loss",
    rule: str | None = None,
) -> Bounds:
    """Read a range test's (learning rate, loss) *points* and return the `Bounds` they speak for.

        points -> curve -> landmarks -> rule -> bounds

    The points come in the order of the iterations, as one logs them: the loss of a batch, and the
    learning rate with which that batch then changed the weights. Any iterable will do, of any
    length: it is read once, in O(n), and kept in bounded memory. Rows with a learning rate of 0
    are dropped. A loss that is not finite is where the test diverged; what follows
    changes nothing. Another unit or another zero of the loss changes no learning rate.

    *repeats* are logs of the same test run again, with other seeds say: the answer is the median
    of all runs, and the interval narrows by what the runs' noise was in it, no further. A run that
    can't be read becomes a reason; `analyze(*logs)` takes a list of them.

    - *optimizer*: sgd, nesterov, adam, adamw, nadam, rmsprop or adagrad, whatever the case. It
      makes the answer narrower; another name is analysed as unknown, and `reasons` says so.
    - *momentum*: that of sgd (0 unless given) or nesterov (0.9 unless given).
    - *metric*: "loss", or "accuracy" for pairs of (learning rate, accuracy).
    - *rule*: "family" (ours, the default) or a peer's: "minimum", "valley", "slide", "steepest"
      (fastai's), "lightning", "lightning-2.5.2", "pytorch-lr-finder", "ignite", "ktrain"; for
      accuracies "smith", the paper's own.

    >>> lrs = [1e-5 * 1.1**i for i in range(140)]
    >>> losses = [2 + lr**2 - 1.5 / (1 + (0.01 / lr) ** 2) for lr in lrs]
    >>> bounds = analyze(zip(lrs, losses), optimizer="sgd")
    >>> print(bounds)
    max_lr   0.051   (80 % sure: the best one is between 0.019 and 0.19)
    base_lr  0.013
    The loss began to fall at 0.003, most of its fall was over at 0.027, and it diverged at 1.6.

    Raises `InconclusiveRangeTest`, a `ValueError` that carries `reasons`, where the points tell
    no bounds; `ValueError` for a negative or infinite learning rate and `TypeError` for what is
    not a number, both naming the row. Use it on any log of a range test, one's own or another
    library's. Source of the test: L. N. Smith, "Cyclical Learning Rates for Training Neural
    Networks" (arXiv 1506.01186), section 3.3.
    """
    metric = choice("metric", metric, DEFAULTS)
    fitting = [name for name, entry in RULES.items() if entry.metric == metric]
    chosen = RULES[DEFAULTS[metric] if rule is None else choice("rule", rule, fitting)]
    known = prior(optimizer, momentum)

    runs = [_read(log, chosen, known) for log in (points, *repeats)]
    readings = [run for run in runs if isinstance(run, Reading)]
    failures = [run for run in runs if isinstance(run, Reason)]
    if not readings:
        raise InconclusiveRangeTest(list(dict.fromkeys(failures)))
    return Bounds.of(together(readings, failures), rule=chosen.name)


def _read(log: Log, chosen: Rule, known: Prior) -> Reading | Reason:
    """Return what the rule *chosen* reads in one run, or why it can't be read."""
    points = Points.read(log)
    curve = Curve.of(points, chosen.metric)
    if reason := failure_of(points, curve):
        return reason
    evidence = Evidence(points, curve, Landmarks.of(curve), known)
    answer = chosen.ask(evidence)
    if answer is None:
        return too_short_for(chosen.name)
    return Reading(answer, evidence.wobble, evidence.landmarks, cautions(evidence, answer), curve)
