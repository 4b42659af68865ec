"""What a million values cost: through NumPy, and without it."""

import math

import pytest

from benchmarks.cost.bulk import BULK, MANY
from benchmarks.cost.work import repeated

OF_ONES_OWN = 1.2
"""What a million values may cost, beside what one would write by hand."""


@pytest.mark.parametrize("name", BULK)
def test_through_numpy(name, beside):
    numpy = pytest.importorskip("numpy")
    schedule, _, expression = BULK[name]
    i = numpy.arange(MANY)
    numpy.testing.assert_allclose(schedule(i), expression(i), rtol=1e-9)

    beside(
        repeated("f(i)", 1, f=schedule, i=i),
        repeated("f(i)", 1, f=expression, i=i),
        table="A million values, through NumPy",
        what=f"`{name}`",
        peer="NumPy by hand",
        asked=OF_ONES_OWN,
    )


@pytest.mark.parametrize("name", BULK)
def test_without_numpy(name, beside):
    schedule, closure, _ = BULK[name]
    for i in range(0, MANY, 997):
        assert math.isclose(schedule(i), closure(i), rel_tol=1e-9)

    assert schedule.tabulate(MANY) == [schedule(i) for i in range(MANY)]
    beside(
        repeated("f(n)", 1, f=schedule.tabulate, n=MANY),
        repeated("[f(i) for i in range(n)]", 1, f=closure, n=MANY),
        table="A million values, without NumPy",
        what=f"`{name}`, `tabulate`",
        peer="closure",
        asked=OF_ONES_OWN,
    )
