"""Optimizers: what is known of the best max_lr before a log is read.

Where the numbers come from: `python -m benchmarks.suggestion.fit` prints them, from the 94 tasks
that were measured there (23 problems, nine optimizers, each trained with Triangular2 and with
one-cycle on a grid of max_lr, beside range tests; the results are committed, docs/range_test.md
says how). Both are multiples of the place that the rule `family` finds in a log: *scale* is the
one that cost least, *middle* the median of the best max_lr; those of a family are drawn toward
those of all, by as much as six tasks weigh. AdamW and NAdam have Adam's. The spreads are the
sigmas of the best max_lr around *middle*.
"""

import math
from dataclasses import dataclass, replace

from cyclr._checks import number, refuse

__all__ = ["KNOWN", "Prior", "prior"]

SPREAD, SPREAD_UNNAMED = 0.39, 0.46  # decades


@dataclass(frozen=True)
class Prior:
    """The max_lr to take, and the middle of the best ones, as multiples of what a rule found.

    *spread* is the sigma, in decades, of tasks around *middle*; *unknown* the name of an optimizer
    of which nothing is known here, or `None`.
    """

    scale: float
    middle: float
    spread: float = SPREAD
    unknown: str | None = None


SGD, MOMENTUM = Prior(0.32, 0.38), Prior(0.10, 0.19)  # without momentum, and with 0.9
ADAM = Prior(0.16, 0.20)
KNOWN = {
    "sgd": SGD,
    "nesterov": SGD,
    "adam": ADAM,
    "adamw": ADAM,
    "nadam": ADAM,
    "rmsprop": Prior(0.32, 0.30),
    "adagrad": Prior(0.25, 0.35),
}
UNNAMED = Prior(0.22, 0.24, SPREAD_UNNAMED)
DEFAULT_MOMENTUM = {"sgd": 0.0, "nesterov": 0.9}  # of those for which it counts


def prior(optimizer: str | None = None, momentum: float | None = None) -> Prior:
    """Return what is known of *optimizer*, whatever the case of its name, with *momentum*.

    >>> prior("SGD") == KNOWN["sgd"]
    True
    >>> prior("lion").unknown, prior("lion").scale == prior().scale
    ('lion', True)

    *momentum* is in [0, 1) and counts for "sgd" (0 unless given) and "nesterov" (0.9 unless given):
    as a power of 1 - momentum, through what was measured at 0 and at 0.9.
    """
    if momentum is not None:
        momentum = number("momentum", momentum, at_least=0, below=1)
    if optimizer is None:
        return UNNAMED
    if not isinstance(optimizer, str):
        refuse("optimizer", "be a string", optimizer, TypeError)
    name = optimizer.strip().lower()
    if name not in KNOWN:
        return replace(UNNAMED, unknown=optimizer)
    if name not in DEFAULT_MOMENTUM:
        return KNOWN[name]
    return _with_momentum(DEFAULT_MOMENTUM[name] if momentum is None else momentum)


def _with_momentum(momentum: float) -> Prior:
    """Return what is known of SGD with *momentum*.

    >>> _with_momentum(0.0) == SGD, round(_with_momentum(0.9).scale, 3) == MOMENTUM.scale
    (True, True)
    """
    tenfold = -math.log10(1 - momentum)  # 1 with momentum 0.9
    return Prior(
        SGD.scale * (MOMENTUM.scale / SGD.scale) ** tenfold,
        SGD.middle * (MOMENTUM.middle / SGD.middle) ** tenfold,
    )
