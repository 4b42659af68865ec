"""Optimizers: what is known of the best max_lr before a log is read.

Where the numbers come from: `benchmarks/range_test_scales.py`, 44 tasks (eight networks on
scikit-learn's digits, breast-cancer and diabetes data; seven optimizers), each trained for 400
iterations of Triangular2, base_lr = max_lr / 4, on a grid of max_lr, beside range tests of 100,
200 and 400 iterations. The mean over tasks of log10(best max_lr / middle of the landmarks), the
middle at 30 iterations a decade:

    sgd +0.03 (8 tasks)   momentum 0.9 -0.26 (8)   nesterov 0.9 -0.18 (5)   adam -0.26 (8)
    nadam -0.24 (5)   rmsprop -0.24 (5)   adagrad -0.11 (5)   all -0.18   sd between tasks 0.47

The scales are those means, drawn toward the mean of all and rounded down: a rate too high costs
far more than one too low. AdamW has Adam's. (1 - momentum)^0.2 passes through plain SGD and
momentum 0.9. The spreads are the sd between tasks, wider where the optimizer is not named, as
these tasks are small and alike. With them the 80 % interval held 80 % of the best max_lr (86 %
not named), on the tasks that the scales were fitted to.
"""

from dataclasses import dataclass

from cyclr._checks import number, refuse

__all__ = ["SCALES", "Prior", "prior"]

SCALES = {
    "sgd": 0.9,
    "nesterov": 0.9,
    "adam": 0.5,
    "adamw": 0.5,
    "nadam": 0.5,
    "rmsprop": 0.6,
    "adagrad": 0.75,
}
POOLED = 0.6
SPREAD, SPREAD_UNNAMED = 0.45, 0.55  # sigma between tasks, in decades
MOMENTUM = {"sgd": 0.0, "nesterov": 0.9}  # those whose scale depends on it, and its default
MOMENTUM_POWER = 0.2


@dataclass(frozen=True)
class Prior:
    """The best max_lr as a multiple of the middle of the landmarks, and its spread in decades.

    *unknown* is the name of an optimizer that has no scale here, or `None`.
    """

    scale: float
    spread: float
    unknown: str | None = None


def prior(optimizer: str | None = None, momentum: float | None = None) -> Prior:
    """Return what is known of *optimizer*, whatever the case of its name, with *momentum*.

    >>> prior("SGD")
    Prior(scale=0.9, spread=0.45, unknown=None)
    >>> prior("lion").unknown, prior("lion").scale == prior().scale
    ('lion', True)

    *momentum* is in [0, 1) and counts for "sgd" (0 unless given) and "nesterov" (0.9 unless given).
    """
    if momentum is not None:
        momentum = number("momentum", momentum, at_least=0, below=1)
    if optimizer is None:
        return Prior(POOLED, SPREAD_UNNAMED)
    if not isinstance(optimizer, str):
        refuse("optimizer", "be a string", optimizer, TypeError)
    name = optimizer.strip().lower()
    if name not in SCALES:
        return Prior(POOLED, SPREAD_UNNAMED, unknown=optimizer)
    scale = SCALES[name]
    if name in MOMENTUM:
        momentum = MOMENTUM[name] if momentum is None else momentum
        scale *= (1 - momentum) ** MOMENTUM_POWER
    return Prior(scale, SPREAD)
