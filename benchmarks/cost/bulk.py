"""A run of a million iterations: schedules, and what one would write by hand for all of it.

The closures are those of `closures`; the expressions are for NumPy, of an array of iterations.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import cyclr
from benchmarks.cost import closures
from benchmarks.cost.closures import Closure

__all__ = ["BULK", "MANY"]

MANY = 1_000_000
LOW, HIGH, STEP = 0.001, 0.006, 50_000
PERIOD, AMPLITUDE = 2 * STEP, HIGH - LOW
GAMMA = 0.999997
PEAK, INITIAL = round(0.3 * MANY), 0.1 / 25


class Bulk(NamedTuple):
    """A schedule, its closure, and its expression."""

    schedule: cyclr.Schedule
    closure: Closure
    expression: Callable[[Any], Any]


def _height(i: Any) -> Any:
    import numpy

    r = i % PERIOD
    return numpy.minimum(r, PERIOD - r) / STEP


def _linear(start: float, end: float, iterations: int, i: Any) -> Any:
    import numpy

    return start + (end - start) * numpy.minimum(i, iterations) / iterations


def _cosine(start: float, end: float, iterations: int, i: Any) -> Any:
    import numpy

    t = (iterations - numpy.minimum(i, iterations)) / iterations
    return end + (start - end) * numpy.sin(math.pi / 2 * t) ** 2


def _one_cycle(i: Any) -> Any:
    import numpy

    rise = _cosine(INITIAL, 0.1, PEAK, i)
    fall = _cosine(0.1, INITIAL / 1e4, MANY - PEAK, i - PEAK)
    return numpy.where(i < PEAK, rise, fall)


BULK: dict[str, Bulk] = {
    "Triangular": Bulk(
        cyclr.Triangular(LOW, HIGH, STEP),
        closures.triangular(LOW, HIGH, STEP),
        lambda i: LOW + AMPLITUDE * _height(i),
    ),
    "Triangular2": Bulk(
        cyclr.Triangular2(LOW, HIGH, STEP),
        closures.triangular2(LOW, HIGH, STEP),
        lambda i: LOW + AMPLITUDE * _height(i) * 0.5 ** (i // PERIOD),
    ),
    "ExpRange": Bulk(
        cyclr.ExpRange(LOW, HIGH, STEP, GAMMA),
        closures.exp_range(LOW, HIGH, STEP, GAMMA),
        lambda i: LOW + AMPLITUDE * _height(i) * GAMMA**i,
    ),
    "OneCycle": Bulk(cyclr.OneCycle(0.1, MANY), closures.one_cycle(0.1, MANY), _one_cycle),
    "Linear": Bulk(
        cyclr.Linear(0.1, 0.001, MANY),
        closures.linear(0.1, 0.001, MANY),
        lambda i: _linear(0.1, 0.001, MANY, i),
    ),
    "Cosine": Bulk(
        cyclr.Cosine(0.1, 0.001, MANY),
        closures.cosine(0.1, 0.001, MANY),
        lambda i: _cosine(0.1, 0.001, MANY, i),
    ),
    "Decay": Bulk(
        cyclr.Decay(0.1, GAMMA),
        closures.decay(0.1, GAMMA),
        lambda i: 0.1 * GAMMA**i,
    ),
}
