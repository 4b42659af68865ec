"""Schedules made of schedules."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cyclr
import strategies as any_


@given(any_.policies, any_.policies, any_.lengths, st.integers(0, 10**5))
def test_then_gives_each_its_own_clock(a, b, after, i):
    schedule = a.then(b, after=after)

    assert schedule(i) == (a(i) if i < after else b(i - after))


@given(any_.policies, any_.policies, any_.policies, any_.lengths, any_.lengths, any_.iterations)
def test_then_is_associative(a, b, c, m, n, i):
    left = a.then(b, after=m).then(c, after=m + n)
    right = a.then(b.then(c, after=n), after=m)

    assert left(i) == right(i)
    assert left.cycle_ends(10_000) == right.cycle_ends(10_000)


def test_a_chain_is_one_list_of_parts():
    schedule = cyclr.Constant(0.0).then(cyclr.Constant(1.0), after=1)
    for k in range(2, 300):
        schedule = schedule.then(cyclr.Constant(float(k)), after=k)

    assert [schedule(i) for i in (0, 1, 150, 299, 10**9)] == [0, 1, 150, 299, 299]
    assert len(schedule._parts) == 300


@pytest.mark.parametrize("after", [5, 10])
def test_what_is_cut_off_is_not_there(after):
    chain = cyclr.Constant(1.0).then(cyclr.Constant(9.0), after=10)
    schedule = chain.then(cyclr.Constant(2.0), after=after)

    assert [schedule(i) for i in (after - 1, after, 10)] == [1, 2, 2]
    assert schedule.highest == 2


def test_nor_is_what_lasts_for_no_iteration():
    schedule = cyclr.Constant(9.0).then(cyclr.Constant(2.0), after=0)

    assert (schedule(0), schedule.highest) == (2, 2)


@given(any_.policies, any_.lengths)
def test_warmup_is_a_ramp_to_the_first_value(a, n):
    assert a.warmup(n, start=0.5) == cyclr.Linear(0.5, a(0), n).then(a)


@given(any_.schedules, st.floats(0, 10), any_.iterations)
def test_scaling_multiplies_the_values(a, factor, i):
    assert (a * factor)(i) == (factor * a)(i) == a(i) * factor


@given(any_.schedules, any_.bounds, any_.iterations)
def test_clip_keeps_between(a, bounds, i):
    low, high = bounds

    assert a.clip(low, high)(i) == min(max(a(i), low), high)


@given(any_.triangular() | any_.one_cycle(), any_.bounds, any_.iterations)
def test_mirror_inverts(a, bounds, i):
    if a.lowest == a.highest:
        return
    low, high = bounds
    expected = high - (high - low) * (a(i) - a.lowest) / (a.highest - a.lowest)

    assert a.mirror(low, high)(i) == pytest.approx(expected, rel=1e-12, abs=1e-12 * high)


def test_mirror_is_high_where_the_schedule_is_lowest():
    momentum = cyclr.OneCycle(1, 100).mirror(0.85, 0.95)

    assert momentum(30) == 0.85
    assert momentum(100) == 0.95


@pytest.mark.parametrize(
    ("schedule", "length"),
    [
        (cyclr.Triangular(0.1, 1, 10), None),
        (cyclr.Triangular(0.1, 1, 10, step_size_down=5, cycles=3), 45),
        (cyclr.Triangular(0.1, 1, 10, cycles=3, cycle_mult=2), 140),
        (cyclr.CosineRestarts(0.1, 1, 10, cycles=3), 30),
        (cyclr.Linear(0, 1, 10), 10),
        (cyclr.Linear(0, 1, 10).then(cyclr.Linear(1, 0, 5)), 15),
        (cyclr.Linear(0, 1, 10).then(cyclr.Constant(1)), None),
        (cyclr.Linear(0, 1, 10) * 2, 10),
        (cyclr.OneCycle(1, 100).mirror(0.85, 0.95), 100),
        (cyclr.WarmupStableDecay(1, 100, 10, 10).clip(0.1, 0.5), 100),
    ],
)
def test_lengths(schedule, length):
    assert schedule.length == length


@pytest.mark.parametrize(
    "around", [lambda a: a * 2, lambda a: a.clip(0, 0.5), lambda a: a.mirror(0.85, 0.95)]
)
def test_what_is_made_of_a_cycle_ends_where_it_does(around):
    cycle = cyclr.Triangular(0.1, 1, 10, cycles=3)

    assert around(cycle).cycle_ends(50) == [20, 40]


def test_after_is_needed_when_the_first_is_endless():
    with pytest.raises(ValueError, match=r"Hint: \.then\(schedule, after=10_000\)") as error:
        cyclr.Constant(0.1).then(cyclr.Constant(0.2))

    assert str(error.value).startswith(
        "after must be given, because the schedule before is endless"
    )


def test_a_function_of_ones_own_is_a_schedule_where_one_is_called():
    schedule = cyclr.Linear(0, 1, 10).then(lambda i: 1 / (1 + i))

    assert [schedule(i) for i in (5, 10, 11)] == [0.5, 1, 0.5]
    assert schedule.clip(0.2, 1)(100) == 0.2
    assert (schedule.lowest, schedule.highest) == (-math.inf, math.inf)


def test_but_it_cannot_be_written_out():
    schedule = cyclr.Linear(0, 1, 10).then(lambda i: 1 / (1 + i))

    with pytest.raises(ValueError, match="only cyclr's own schedules can be written out"):
        schedule.to_dict()
    with pytest.raises(ValueError):
        cyclr.parse(repr(schedule))


def test_nor_mirrored_before_its_bounds_are_known():
    schedule = cyclr.Linear(0, 1, 10).then(lambda i: 1 / (1 + i))

    with pytest.raises(ValueError, match="known bounds"):
        schedule.mirror(0, 1)
    assert schedule.clip(0, 1).mirror(0, 1)(10) == 0


@pytest.mark.parametrize(
    ("compose", "error", "message"),
    [
        (
            lambda a: a.then(3),
            TypeError,
            "second must be a schedule or a function of the iteration",
        ),
        (lambda a: a.then(a, after=-1), ValueError, "after must be at least 0: got -1"),
        (lambda a: a.warmup(0), ValueError, "iterations must be at least 1: got 0"),
        (lambda a: a * -1, ValueError, "factor must be at least 0: got -1"),
        (lambda a: a * a, TypeError, "factor must be a number"),
        (lambda a: a.clip(1, 0), ValueError, "low must be at most high, 0: got 1"),
        (lambda a: a.mirror(0.9, 0.8), ValueError, "low must be at most high, 0.8: got 0.9"),
        (lambda _: cyclr.Constant(1).mirror(0, 1), ValueError, "schedule must change"),
    ],
)
def test_wrong_compositions_are_refused(compose, error, message):
    with pytest.raises(error) as raised:
        compose(cyclr.Linear(0, 1, 10))

    assert str(raised.value).startswith(message)


def test_the_method_warmup_is_there_where_an_argument_has_its_name():
    for schedule in (
        cyclr.OneCycle(1, 100),
        cyclr.WarmupStableDecay(1, 100, 10, 10),
        cyclr.InverseSqrt(1, 10),
    ):
        assert schedule.warmup(5)(5) == schedule(0)
