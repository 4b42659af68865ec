"""Floats of any library of the array API standard will do; this one has nothing beyond that."""

import array_api_strict as xp
import pytest

import cyclr


@pytest.mark.parametrize("dtype", [xp.float64, xp.float32], ids=str)
@pytest.mark.parametrize(
    "schedule",
    [
        cyclr.Triangular(0.001, 0.006, 7),
        cyclr.ExpRange(0.001, 0.006, 7, gamma=0.99),
        cyclr.CosineRestarts(0.001, 0.006, 7, cycle_mult=2),
        cyclr.OneCycle(0.1, 50),
        cyclr.Polynomial(0.001, 0.006, 20, power=2),
        cyclr.Piecewise([10, 20], [1.0, 0.5, 0.25]),
        cyclr.InverseSqrt(0.1, 10),
        cyclr.Triangular2(0.001, 0.006, 7).clip(0.002, 0.005).mirror(0.85, 0.95),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_arrays_of_the_standard_give_the_values_of_the_scalars(schedule, dtype):
    values = schedule(xp.arange(60, dtype=dtype))

    assert values.dtype == dtype
    close = 1e-14 if dtype == xp.float64 else 2e-6
    assert [float(value) for value in values] == pytest.approx(
        [schedule(i) for i in range(60)], rel=close
    )
