"""Points: rows as recorded, in order, in bounded memory, in one pass."""

import math
import sys
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr.range_test import InconclusiveRangeTest, analyze
from cyclr.range_test.points import CAPACITY, Points

INF, NAN = math.inf, math.nan


def ramp(rows: int) -> Iterator[tuple[float, float]]:
    return ((1e-6 * 1e7 ** (i / rows), 2 + (i % 7) / 7) for i in range(rows))


@given(st.lists(st.tuples(st.floats(1e-9, 10), st.floats(-10, 10)), max_size=300))
def test_a_short_log_is_kept_as_it_is(rows):
    points = Points.read(rows)
    assert list(zip(points.lrs, points.losses, strict=True)) == rows
    assert (points.size, points.rows) == (1, len(rows))


def test_rows_with_a_learning_rate_of_zero_are_dropped():
    points = Points.read([(0, 9.0), (0.1, 2.0), (0.0, 9.0), (0.2, 1.0)])
    assert (points.lrs, points.losses, points.rows) == ([0.1, 0.2], [2.0, 1.0], 2)
    assert points.falls == 0, "a dropped row is no fall"


def test_tests_are_counted_where_the_rate_is_back_at_its_start():
    up = [(lr, 2.0) for lr in (1e-3, 1e-2, 1e-1, 1.0)]
    assert Points.read(up).runs == 1
    assert Points.read(up + up + up).runs == 3
    assert Points.read(up + up[2:]).runs == 1, "resumed"
    cycle = [(lr, loss) for lr, loss in ramp(100)]
    assert Points.read(cycle + cycle[::-1] + cycle).runs == 1, "up and down, step by step"
    assert Points.read([(0.0, 2.0), *up, (0.0, 2.0), *up]).runs == 2


@pytest.mark.parametrize(
    ("top", "again", "runs"), [(100, 3.9, 2), (100, 4.1, 1), (10, 2.4, 2), (10, 2.6, 1)]
)
def test_a_test_begins_again_a_factor_of_4_below_and_at_most_4_from_its_start(top, again, runs):
    assert Points.read((lr, 2.0) for lr in (1, top, again)).runs == runs


def test_numbers_of_every_kind_are_taken():
    class Scalar:
        def item(self) -> float:
            return 0.5

    points = Points.read([[1, Fraction(1, 2)], (2, Scalar()), (3, 10**400), (4, -(10**400))])
    assert points.lrs == [1.0, 2.0, 3.0, 4.0]
    assert points.losses == [0.5, 0.5, INF, -INF]


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (
            (-0.1, 1.0),
            ValueError,
            r"learning rate of row 3 \(points\[2\]\) must be at least 0: got",
        ),
        ((NAN, 1.0), ValueError, r"learning rate of row 3 \(points\[2\]\) must be finite: got nan"),
        ((INF, 1.0), ValueError, r"learning rate of row 3 \(points\[2\]\) must be finite: got inf"),
        (
            ("1", 1.0),
            TypeError,
            r"learning rate of row 3 \(points\[2\]\) must be a number: got '1'",
        ),
        ((True, 1.0), TypeError, r"learning rate of row 3 \(points\[2\]\) must be a number: got T"),
        ((0.1, None), TypeError, r"loss of row 3 \(points\[2\]\) must be a number: got None"),
        ((0.1, "nan"), TypeError, r"loss of row 3 \(points\[2\]\) must be a number: got 'nan'"),
        ((0.1,), ValueError, r"row 3 \(points\[2\]\) must be a pair \(lr, loss\): got"),
        (0.1, ValueError, r"row 3 \(points\[2\]\) must be a pair \(lr, loss\): got 0.1"),
    ],
)
def test_a_bad_row_is_named(row, error, message):
    with pytest.raises(error, match=message):
        analyze([(0.1, 1.0), (0.2, 1.0), row])


def test_a_bad_row_is_named_after_the_divergence_too():
    with pytest.raises(ValueError, match="row 102 "):
        analyze([*ramp(100), (20.0, NAN), (-1.0, NAN)])


def test_beyond_the_capacity_neighbours_are_merged_in_order():
    points = Points.read(ramp(3 * CAPACITY))
    assert points.size == 4
    assert len(points.lrs) == 3 * CAPACITY // 4
    assert points.lrs == sorted(points.lrs)
    rows = list(ramp(3 * CAPACITY))
    for index in (0, 1, 1000, len(points.lrs) - 1):
        merged = rows[4 * index : 4 * index + 4]
        assert points.lrs[index] == pytest.approx(sum(lr for lr, _ in merged) / 4)
        assert points.losses[index] == pytest.approx(sum(loss for _, loss in merged) / 4)


def test_the_last_point_may_stand_for_fewer_rows():
    points = Points.read([*ramp(CAPACITY), (11.0, 5.0)])
    assert (points.size, len(points.lrs)) == (2, CAPACITY // 2 + 1)
    assert (points.lrs[-1], points.losses[-1]) == (11.0, 5.0)


@pytest.mark.parametrize("rows", [10, CAPACITY - 1, CAPACITY, CAPACITY + 1, 3 * CAPACITY + 1])
@pytest.mark.parametrize("after", [1, 2, 5000])
def test_what_follows_a_loss_that_is_not_finite_merges_nothing(rows, after):
    before = Points.read(ramp(rows))
    points = Points.read([*ramp(rows), *[(20.0, NAN), (20.0, 1.0)] * after])
    n = len(before.lrs)
    assert (points.lrs[:n], points.losses[:n]) == (before.lrs, before.losses)
    assert points.size == before.size
    assert math.isnan(points.losses[n]), "the edge itself is kept"
    assert len(points.lrs) <= CAPACITY + 1


@pytest.mark.parametrize(
    ("lrs", "falls"),
    [([1, 2, 3], 0), ([1, 1, 1], 0), ([1, 2, 1, 2], 1), ([3, 2, 1], 2), ([1, 0.9999999], 0)],
)
def test_falls_of_the_learning_rate_are_counted(lrs, falls):
    assert Points.read((lr, 0.0) for lr in lrs).falls == falls


def test_a_quarter_of_a_million_rows_need_no_more_memory_than_ten_thousand():
    def peak(rows: int) -> int:
        tracemalloc.start()
        Points.read(ramp(rows))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(250_000) < 1.1 * peak(10_000) < 1e6


def test_the_work_is_proportional_to_the_rows():
    def calls(rows: int) -> int:
        count = 0

        def profile(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += 1

        log = list(ramp(rows))
        sys.setprofile(profile)
        try:
            Points.read(log)
        finally:
            sys.setprofile(None)
        return count

    assert calls(80_000) < 8.1 * calls(10_000)


def test_a_log_ten_times_the_capacity_gives_the_same_answer(simulate):
    short, long = (analyze(simulate(n * CAPACITY, noise=0.3)) for n in (1, 10))
    assert long.max_lr == pytest.approx(short.max_lr, rel=0.3)


def test_no_rows_are_too_short():
    with pytest.raises(InconclusiveRangeTest) as caught:
        analyze([])
    assert [reason.code for reason in caught.value.reasons] == ["too_short"]
