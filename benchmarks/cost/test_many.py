"""What a million values cost: through NumPy, and without it."""

import math

import pytest

from benchmarks.cost import arrays
from benchmarks.cost.policies import ITERATIONS, POLICIES
from benchmarks.cost.work import Work, repeated

MANY = 1_000_000
OF_ONES_OWN = 1.2
LISTED = ("Triangular", "Triangular2", "ExpRange", "OneCycle", "Cosine", "Decay")


@pytest.mark.parametrize("name", arrays.EXPRESSIONS)
def test_through_numpy(name, beside):
    numpy = pytest.importorskip("numpy")
    schedule, _ = POLICIES[name]
    expression = arrays.EXPRESSIONS[name]
    iterations = numpy.arange(MANY)
    numpy.testing.assert_allclose(schedule(iterations), expression(iterations), rtol=1e-9)

    beside(
        repeated("f(i)", 1, f=schedule, i=iterations),
        repeated("f(i)", 1, f=expression, i=iterations),
        table="A million values, through NumPy",
        what=f"`{name}`",
        peer="NumPy by hand",
        asked=OF_ONES_OWN,
    )


@pytest.mark.parametrize("name", LISTED)
def test_without_numpy(name, beside):
    schedule, closure = POLICIES[name]
    for i in ITERATIONS:
        assert math.isclose(schedule(i), closure(i), rel_tol=1e-9)

    beside(
        _listed(schedule),
        _listed(closure),
        table="A million values, without NumPy",
        what=f"`{name}`",
        peer="closure",
        asked=OF_ONES_OWN,
    )


def _listed(schedule) -> Work:
    return repeated("[f(i) for i in iterations]", 1, f=schedule, iterations=range(MANY))
