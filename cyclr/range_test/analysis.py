"""Analysis: the one way from (learning rate, loss) pairs to bounds."""

from collections.abc import Iterable
from typing import SupportsFloat

import cyclr.range_test.accuracy
import cyclr.range_test.peers  # noqa: F401  both enter their rules into the table
from cyclr._checks import choice
from cyclr.range_test.bounds import Bounds
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import prior
from cyclr.range_test.points import Points
from cyclr.range_test.reasons import InconclusiveRangeTest, cautions, failure_of, too_short_for
from cyclr.range_test.rules import DEFAULTS, RULES, Evidence

__all__ = ["analyze"]


def analyze(
    points: Iterable[tuple[SupportsFloat, SupportsFloat]],
    *,
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

    - *optimizer*: sgd, nesterov, adam, adamw, nadam, rmsprop or adagrad, whatever the case. It
      makes the answer narrower; another name is analysed as unknown, and `reasons` says so.
    - *momentum*: that of sgd (0 unless given) or nesterov (0.9 unless given).
    - *metric*: "loss", or "accuracy" for pairs of (learning rate, accuracy).
    - *rule*: "family" (ours, the default), "minimum", "valley", "steepest" (fastai's) or
      "pytorch-lr-finder"; for accuracies "smith", the paper's own.

    >>> lrs = [1e-5 * 1.1**i for i in range(140)]
    >>> losses = [2 + lr**2 - 1.5 / (1 + (0.01 / lr) ** 2) for lr in lrs]
    >>> bounds = analyze(zip(lrs, losses), optimizer="sgd")
    >>> print(bounds)
    max_lr   0.033   (80 % sure: the best one is between 0.013 and 0.19)
    base_lr  0.0083
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

    recorded = Points.read(points)
    curve = Curve.of(recorded, metric)
    if reason := failure_of(recorded, curve):
        raise InconclusiveRangeTest([reason])
    evidence = Evidence(recorded, curve, Landmarks.of(curve), known)
    answer = chosen.ask(evidence)
    if answer is None:
        raise InconclusiveRangeTest([too_short_for(chosen.name)])
    return Bounds.of(
        answer,
        rule=chosen.name,
        wobble=evidence.wobble,
        landmarks=evidence.landmarks,
        reasons=cautions(evidence, answer),
        curve=curve,
    )
