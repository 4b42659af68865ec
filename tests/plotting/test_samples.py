"""How few points show what a schedule does."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cyclr import Constant, Piecewise, Triangular
from cyclr.plotting.samples import SAMPLES, extent, spread, thinned

heights = st.lists(st.floats(-1e9, 1e9), max_size=3) | st.lists(st.integers(-9, 9), min_size=30)


@given(heights, st.integers(1, 6))
def test_what_is_thinned_keeps_its_ends_its_extremes_and_its_order(ys, columns):
    points = list(enumerate(ys))
    few = thinned(points, columns)

    assert len(few) <= 4 * columns
    assert set(few) <= set(points)
    assert few == sorted(few)
    if points:
        assert (few[0], few[-1]) == (points[0], points[-1])
        assert min(y for _, y in few) == min(ys)
        assert max(y for _, y in few) == max(ys)


@given(st.integers(1, 50) | st.integers(SAMPLES, 4 * SAMPLES))
def test_spread_is_from_the_first_iteration_to_the_last(n):
    iterations = list(spread(n))

    assert (iterations[0], iterations[-1]) == (0, n)
    assert all(a < b for a, b in pairwise(iterations))
    assert len(iterations) <= 2 * SAMPLES + 1
    assert n > 2 * SAMPLES or iterations == list(range(n + 1))


def test_an_extent_is_found_within_what_is_composed():
    assert extent(Constant(0.1)) == 1000
    assert extent(Piecewise([30, 70], [1.0, 0.1, 0.01])) == 8 * 70
    assert extent((Triangular(0.1, 1.0, 50) * 2).clip(0, 1)) == 400
    assert extent(Constant(0.1).then(lambda i: 0.1 / (1 + i), after=50)) == 400
