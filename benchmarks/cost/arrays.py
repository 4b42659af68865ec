"""The expressions that one would write by hand in NumPy, for a whole array of iterations."""

import math
from collections.abc import Callable
from typing import Any

from benchmarks.cost.policies import HIGH, LOW, RUN, STEP

__all__ = ["EXPRESSIONS"]

PEAK = round(0.3 * RUN)
INITIAL = 0.1 / 25


def _height(i: Any) -> Any:
    import numpy

    r = i % (2 * STEP)
    return numpy.minimum(r, 2 * STEP - r) / STEP


def triangular(i: Any) -> Any:
    return LOW + (HIGH - LOW) * _height(i)


def triangular2(i: Any) -> Any:
    return LOW + (HIGH - LOW) * _height(i) * 0.5 ** (i // (2 * STEP))


def exp_range(i: Any) -> Any:
    return LOW + (HIGH - LOW) * _height(i) * 0.9999**i


def _cosine(start: float, end: float, t: Any) -> Any:
    import numpy

    return end + (start - end) * numpy.sin(math.pi / 2 * (1 - t)) ** 2


def cosine(i: Any) -> Any:
    import numpy

    return _cosine(0.1, 0.001, numpy.minimum(i, RUN) / RUN)


def one_cycle(i: Any) -> Any:
    import numpy

    rise = _cosine(INITIAL, 0.1, i / PEAK)
    fall = _cosine(0.1, INITIAL / 1e4, (numpy.minimum(i, RUN) - PEAK) / (RUN - PEAK))
    return numpy.where(i < PEAK, rise, fall)


def linear(i: Any) -> Any:
    import numpy

    return 0.1 + (0.001 - 0.1) * numpy.minimum(i, RUN) / RUN


def decay(i: Any) -> Any:
    return 0.1 * 0.9999**i


EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "Triangular": triangular,
    "Triangular2": triangular2,
    "ExpRange": exp_range,
    "OneCycle": one_cycle,
    "Linear": linear,
    "Cosine": cosine,
    "Decay": decay,
}
