"""Arrays of NumPy give what Python numbers give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cyclr
import strategies as any_

TRIANGULAR = cyclr.Triangular(0.001, 0.006, 2000)

iterations = st.lists(st.integers(0, 10**5) | st.integers(0, 2**62), min_size=1, max_size=20)


@given(any_.schedules, iterations)
def test_integers_give_the_values_of_the_scalars(schedule, i):
    array = schedule(np.array(i, dtype=np.int64))
    expected = [schedule(n) for n in i]

    assert array.dtype == np.float64
    # Powers and sines may differ in the last bits; a power of i ln(gamma) = 700, in more.
    assert array == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert (array >= schedule.lowest).all()
    assert (array <= schedule.highest).all()


linear = (
    any_.triangular()
    | any_.triangular(cyclr.Triangular2)
    | any_.cyclical(shapes=["linear", "parabolic"]).map(
        lambda s: cyclr.Cyclical(s.base_lr, s.max_lr, s.step_size, shape=s.shape, cycles=s.cycles)
    )
    | st.builds(cyclr.Linear, any_.rates, any_.rates, any_.lengths)
    | any_.piecewise()
)


@given(linear | st.builds(lambda a, b: a.then(b, after=50), linear, linear), iterations)
def test_without_transcendental_functions_to_the_bit(schedule, i):
    assert schedule(np.array(i)).tolist() == [schedule(n) for n in i]


@given(any_.schedules, st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_floats_give_the_values_of_the_integers(schedule, i):
    array = schedule(np.array(i, dtype=np.float64))

    assert array == pytest.approx(schedule(np.array(i)), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.uint64]
)
def test_every_integer_type_holds_every_length(dtype):
    i = np.arange(120).astype(dtype)
    schedule = cyclr.Triangular(0.0, 1.0, 2**40).then(TRIANGULAR, after=60).warmup(3)

    assert schedule(i).tolist() == [schedule(n) for n in range(120)]


@pytest.mark.parametrize(
    "schedule",
    [
        cyclr.Triangular(0.0, 1.0, 2**31),
        cyclr.Triangular2(0.0, 1.0, 2**31),
        cyclr.Linear(0.0, 1.0, 2**33),
        cyclr.Linear(1.0, 0.0, 2**33),
        cyclr.Linear(0.0, 1.0, 2**31 + 10).then(TRIANGULAR),
        cyclr.CosineRestarts(0.0, 0.1, 2**20, cycle_mult=3),
        cyclr.Piecewise([2**31 - 2, 2**31], [1.0, 0.5, 0.25]),
        cyclr.Steps(1.0, 2**40, 0.5),
        cyclr.InverseSqrt(0.1, 2**40),
        cyclr.Constant(1.0).then(cyclr.Constant(2.0), after=2**31 - 1),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_an_int32_meets_lengths_that_it_cannot_hold(schedule):
    i = [0, 1, 2**30, 2**31 - 2, 2**31 - 1]

    expected = [schedule(n) for n in i]
    assert schedule(np.array(i, np.int32)) == pytest.approx(expected, rel=1e-14)


def test_the_shortest_cycle_has_a_peak():
    assert cyclr.Triangular(0.0, 1.0, 1)(np.arange(5)).tolist() == [0, 1, 0, 1, 0]


def test_a_restart_takes_no_time_and_divides_by_none():
    schedule = cyclr.CosineRestarts(0, 1, 4)

    assert schedule(np.arange(9)) == pytest.approx([schedule(i) for i in range(9)])


@pytest.mark.parametrize(("first_cycle", "cycle_mult"), [(10, 3), (10, 2), (2**61, 2)])
def test_cycles_that_stretch_do_so_up_to_the_last_int64(first_cycle, cycle_mult):
    schedule = cyclr.CosineRestarts(0, 1, first_cycle, cycle_mult=cycle_mult)
    i = [2**61, 2**62, 2**63 - 2, 2**63 - 1]

    assert schedule(np.array(i)) == pytest.approx([schedule(n) for n in i], rel=1e-12)


def test_shapes_are_kept():
    assert TRIANGULAR(np.arange(6).reshape(2, 3)).shape == (2, 3)
    assert TRIANGULAR(np.array(5)).shape == ()
    assert TRIANGULAR(np.array([], dtype=int)).shape == (0,)
    assert TRIANGULAR(np.int64(5)) == TRIANGULAR(5)


def test_a_float64_number_gives_a_float():
    assert type(TRIANGULAR(np.float64(5))) is float


@pytest.mark.parametrize(
    "schedule",
    [
        TRIANGULAR,
        cyclr.Triangular(0.001, 0.006, 1000, step_size_down=3000),
        cyclr.Triangular(0.001, 0.006, 1000, cycle_mult=2),
        cyclr.Triangular(1.0, 3.0, 7),
        cyclr.Linear(0.006, 0.001, 2**24),
        cyclr.Linear(0.001, 0.006, 2**24),
        cyclr.Linear(1.0, 3.0, 7),
        cyclr.Linear(0.001, 0.001, 7),
        cyclr.Triangular(0.001, 0.001, 7),
    ],
    ids=repr,
)
def test_float32_stays_float32_and_sharp(schedule):
    i = np.array([*range(32), *range(0, 2**24, 997)], dtype=np.float32)
    expected = np.array([schedule(int(n)) for n in i])

    assert schedule(i).dtype == np.float32
    assert np.abs(schedule(i) / expected - 1).max() < 2e-7


@pytest.mark.parametrize(
    "schedule",
    [
        *(cyclr.Cyclical(0.001, 0.006, 2000, shape=shape) for shape in ("cosine", "parabolic")),
        *(cyclr.Ramp(0.001, 0.006, 2**20, shape=shape) for shape in ("cosine", "1-sqrt")),
        cyclr.Cyclical(0.001, 0.006, 2000, shape="polynomial", power=2),
        cyclr.Polynomial(0.001, 0.006, 2**20, power=2),
        cyclr.Exponential(0.001, 0.006, 2**20),
        cyclr.Triangular2(0.001, 0.006, 2000),
        cyclr.Decay(0.001, 0.99999),
    ],
    ids=repr,
)
def test_shapes_and_powers_are_sharp_in_float32_too(schedule):
    i = np.arange(0, 2**20, 97, dtype=np.float32)
    expected = np.array([schedule(int(n)) for n in i])

    assert schedule(i).dtype == np.float32
    assert np.abs(schedule(i) / expected - 1).max() < 2e-6


@pytest.mark.parametrize("policy", [cyclr.Linear, cyclr.Triangular])
def test_a_line_is_off_by_no_more_than_a_last_bit_in_float32(policy):
    """The height is folded into the length: multiplied by it, some values are off by more."""
    i = np.arange(700, dtype=np.float32)
    schedule = policy(0.1, 0.7, 700)
    expected = np.array([schedule(int(n)) for n in i])

    assert np.abs(schedule(i) / expected - 1).max() < 2**-23


@pytest.mark.parametrize("step_size", [2**24, 2**25, 2**26])
def test_a_slow_rise_moves_from_the_first_iteration_in_float32(step_size):
    schedule = cyclr.Triangular(0.0, 1.0, step_size)
    i = np.arange(1, 9, dtype=np.float32)

    assert schedule(i) == pytest.approx([schedule(int(n)) for n in i], rel=2e-7)


def test_numpy_numbers_are_arguments():
    schedule = cyclr.Triangular(np.float64(0.001), np.float64(0.006), np.int64(2000))
    decaying = cyclr.ExpRange(np.float32(0.25), 1, 10, gamma=np.float32(0.5), cycles=np.int8(3))

    assert schedule == TRIANGULAR
    assert type(schedule.base_lr) is float
    assert decaying == cyclr.ExpRange(0.25, 1, 10, gamma=0.5, cycles=3)
    assert {type(x) for x in decaying.to_dict().values()} == {int, float, str}
    assert cyclr.from_dict(schedule.to_dict()) == TRIANGULAR
    assert np.float64(0.5) * TRIANGULAR == TRIANGULAR * 0.5


def test_a_function_of_ones_own_gets_the_array():
    schedule = cyclr.Linear(0, 1, 10).then(lambda i: 1 / (1 + i))

    assert schedule(np.arange(9, 12)).tolist() == [0.9, 1, 0.5]
