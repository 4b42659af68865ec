"""What holds for every schedule, or for every one of a family, whatever its arguments."""

import copy
import json
import math
import pickle
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import cyclr
import strategies as any_
from cyclr.schedules.schedule import settings


@given(any_.schedules, any_.iterations)
def test_a_schedule_never_leaves_its_bounds(schedule, i):
    assert schedule.lowest <= schedule(i) <= schedule.highest


@given(any_.schedules, st.floats(0, 1e300))
def test_nor_between_iterations(schedule, i):
    assert schedule.lowest <= schedule(i) <= schedule.highest


@given(any_.schedules, any_.iterations)
def test_a_number_gives_a_float_and_always_the_same(schedule, i):
    value = schedule(i)

    assert type(value) is float
    assert schedule(i) == value


@given(any_.schedules)
def test_it_can_be_written_and_read_back(schedule):
    assert cyclr.parse(repr(schedule)) == schedule
    assert cyclr.from_dict(json.loads(json.dumps(schedule.to_dict()))) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert copy.deepcopy(schedule) == copy.copy(schedule) == schedule
    assert hash(copy.deepcopy(schedule)) == hash(schedule)


@given(any_.schedules, any_.iterations)
def test_what_is_read_back_has_the_same_values(schedule, i):
    for other in (
        cyclr.parse(repr(schedule)),
        cyclr.from_dict(schedule.to_dict()),
        pickle.loads(pickle.dumps(schedule)),
    ):
        assert other(i) == schedule(i)


@given(any_.schedules, any_.schedules)
def test_schedules_are_equal_where_their_code_is(a, b):
    assert (a == b) == (repr(a) == repr(b))


@given(any_.policies)
def test_a_schedule_with_a_length_holds_its_last_value_after_it(schedule):
    assume(schedule.length is not None)
    last = schedule(schedule.length)

    assert [schedule(schedule.length + n) for n in (1, 2, 1000, 10**15)] == [last] * 4


# Cycles.

periodic = any_.triangular() | st.builds(
    cyclr.CosineRestarts, st.just(0.001), any_.positive_rates.map(lambda r: r + 0.001), any_.lengths
)


def period(schedule):
    return schedule.cycle_ends(10**6)[0]


@given(periodic, st.integers(0, 10**5), st.integers(0, 10**40))
def test_the_period_is_exact_to_the_bit_at_any_iteration(schedule, i, cycles):
    assert schedule(i) == schedule(i + cycles * period(schedule))


@given(any_.triangular(cyclr.Triangular2), st.integers(0, 10**5), st.integers(0, 1000))
def test_each_cycle_of_triangular2_has_half_the_amplitude_of_the_one_before(schedule, i, cycles):
    # Exact where the base is 0: then nothing is rounded.
    schedule = cyclr.Triangular2(
        0, schedule.max_lr, schedule.step_size, step_size_down=schedule.step_size_down
    )
    later = schedule(i + cycles * period(schedule))

    assert later == math.ldexp(schedule(i), -cycles) or later < 1e-300


@given(any_.bounds, any_.lengths, st.data(), any_.shapes)
def test_equal_halves_are_symmetric_to_the_bit(bounds, step_size, data, shape):
    schedule = cyclr.Cyclical(*bounds, step_size, **shape)
    d = data.draw(st.integers(0, step_size))
    cycle = data.draw(st.integers(0, 10**12)) * 2 * step_size

    assert schedule(cycle + step_size - d) == schedule(cycle + step_size + d)


@given(any_.bounds, any_.lengths, any_.lengths, st.integers(0, 10**12), any_.shapes)
def test_corners_are_exact(bounds, up, down, cycle, shape):
    base_lr, max_lr = bounds
    schedule = cyclr.Cyclical(base_lr, max_lr, up, step_size_down=down, **shape)
    start = cycle * (up + down)

    assert schedule(start) == base_lr
    assert schedule(start + up) == max_lr
    assert schedule(start + up + down) == base_lr


@given(any_.positive_rates, any_.positive_rates, any_.lengths)
@example(0.001, 1.0, 100)  # without a correction, only the one end is exact
@example(0.01, 0.1, 100)  # only the other
def test_an_exponential_ramp_is_exact_at_both_ends(start, end, iterations):
    for ramp in (
        cyclr.Exponential(start, end, iterations),
        cyclr.Exponential(end, start, iterations),
    ):
        assert ramp(0) == ramp.start
        assert ramp(iterations) == ramp(iterations + 1) == ramp.end


@given(any_.bounds, any_.lengths, st.data(), any_.shapes)
def test_it_rises_to_the_peak_and_falls_after(bounds, step_size, data, shape):
    schedule = cyclr.Cyclical(*bounds, step_size, **shape)
    i, j = sorted(data.draw(st.tuples(*[st.integers(0, step_size)] * 2)))

    # The transcendental functions are not correctly rounded, hence the last bits.
    tolerance = 0 if shape["shape"] in ("linear", "parabolic") else 4 * math.ulp(schedule.max_lr)
    assert schedule(i) <= schedule(j) + tolerance
    assert schedule(step_size + i) >= schedule(step_size + j) - tolerance


@given(any_.cyclical(), st.integers(1, 10**6))
def test_every_cycle_ends_at_the_base(schedule, iterations):
    for end in schedule.cycle_ends(iterations)[:50]:
        assert end <= iterations
        if schedule.decays == "amplitude":
            assert schedule(end) == schedule.base_lr
        else:
            assert schedule(end) == schedule.base_lr * schedule.gamma**end


@given(any_.bounds, st.integers(1, 8), st.integers(16, 10**6), st.integers(0, 2))
def test_a_fitted_schedule_ends_its_last_cycle_with_the_training(bounds, cycles, iterations, which):
    policy = (cyclr.Triangular, cyclr.Triangular2, cyclr.CosineRestarts)[which]
    schedule = policy.fit(*bounds, iterations, cycles)
    rest = iterations % cycles

    ends = schedule.cycle_ends(iterations)
    assert len(ends) == cycles
    assert ends[-1] == iterations == schedule.length
    assert schedule(iterations) == bounds[0]
    assert all(schedule(i) == bounds[0] for i in range(rest))


# Exactness.


@given(
    any_.triangular(bounds=any_.fraction_bounds)
    | any_.triangular(cyclr.Triangular2, bounds=any_.fraction_bounds)
    | any_.triangular(bounds=any_.fraction_bounds, cycle_mult=3)
    | st.builds(
        lambda bounds, n, shape: cyclr.Cyclical(*bounds, n, **shape),
        any_.fraction_bounds,
        any_.lengths,
        st.sampled_from([{"shape": "parabolic"}, {"shape": "polynomial", "power": 3}]),
    )
    | st.builds(lambda bounds, n: cyclr.Linear(*bounds, n), any_.fraction_bounds, any_.lengths),
    st.integers(0, 10**6) | st.integers(10**15, 10**15 + 10**6),
)
def test_floats_agree_with_the_same_formula_in_fractions(exact, i):
    arguments = {
        name: float(value) if isinstance(value, Fraction) else value
        for name, value in settings(exact).items()
    }
    rounded = type(exact)(**arguments)

    assert rounded(i) == pytest.approx(float(exact(i)), rel=1e-15, abs=0)


def test_a_whole_power_of_a_fraction_is_one():
    for power in (2, 2.0):
        falling = cyclr.Polynomial(Fraction(1), Fraction(0), 3, power=power)
        rising = cyclr.Polynomial(Fraction(0), Fraction(1), 3, power=power)
        cycle = cyclr.Cyclical(Fraction(0), Fraction(1), 3, shape="polynomial", power=power)

        assert falling(1) == rising(1) - Fraction(1, 9) == cycle(2) == Fraction(4, 9)
        assert {type(schedule(1)) for schedule in (falling, rising, cycle)} == {Fraction}


@given(st.integers(0, 10**18))
def test_a_fraction_gives_a_fraction(i):
    schedule = cyclr.Triangular(Fraction(1, 1000), Fraction(6, 1000), 2000)
    d = min(i % 4000, 4000 - i % 4000)

    assert schedule(i) == Fraction(1, 1000) + Fraction(5, 1000) * Fraction(d, 2000)
    assert type(schedule(i)) is Fraction
