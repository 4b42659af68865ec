"""Arrays of NumPy give what Python numbers give."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cyclr
import strategies as any_
from cyclr import _arrays

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


@given(any_.schedules, iterations)
def test_a_long_array_gives_what_its_parts_give(schedule, i):
    whole = schedule(np.array(i))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_arrays, "BLOCK", 3)
        in_parts = schedule(np.array(i))

    assert in_parts.dtype == whole.dtype
    # NumPy's own powers and sines differ in the last bit by where in an array they stand.
    assert in_parts == pytest.approx(whole, rel=1e-14, abs=1e-300)


LONG = np.arange(3 * _arrays.BLOCK // 2 * 2)


@pytest.mark.parametrize(
    "i",
    [
        LONG,
        LONG[: _arrays.BLOCK + 1],
        LONG[::-1],
        LONG[::2],
        LONG.reshape(2, -1),
        LONG.reshape(-1, 3).T,
        LONG.astype(np.float32),
        LONG.astype(np.uint16),
        np.broadcast_to(np.int64(7), (LONG.size, 2)),
        np.ma.masked_less(LONG, 100),
    ],
    ids=lambda i: f"{type(i).__name__}-{i.dtype}-{i.shape}-{i.strides}",
)
def test_a_long_array_keeps_its_kind_and_its_place(i):
    before = i.copy()
    values = TRIANGULAR(i)

    assert type(values) is type(i)
    assert values.shape == i.shape
    assert values.dtype == (np.float32 if i.dtype == np.float32 else np.float64)
    few = [TRIANGULAR(i.reshape(-1)[n : n + 100]) for n in range(0, i.size, 100)]
    assert (values.reshape(-1) == np.ma.concatenate(few)).all()
    assert (i == before).all()


@pytest.mark.parametrize("schedule", [TRIANGULAR, cyclr.OneCycle(0.1, 10**6).clip(0.01, 0.05)])
def test_a_long_array_needs_little_more_memory_than_its_values(schedule):
    i = np.arange(10**6)
    tracemalloc.start()
    values = schedule(i)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < values.nbytes * 1.2


def test_a_function_of_ones_own_may_give_a_number_for_a_long_array():
    schedule = cyclr.Constant(0.5).then(lambda i: 0.25, after=10) * 2

    assert schedule(LONG).tolist() == [1.0] * 10 + [0.5] * (len(LONG) - 10)


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


@dataclass(frozen=True, repr=False)
class Waning(cyclr.Schedule):
    """A policy of a user's own, with NumPy's function."""

    lr: float

    def __post_init__(self):
        self._set(lowest=0.0, highest=self.lr)

    def at(self, i):
        return self.lr * np.exp(-i) + 0.1


def test_a_policy_of_ones_own_gets_the_array_alone_and_as_a_part():
    policy, i = Waning(0.5), np.arange(6)
    alone = 0.5 * np.exp(-i) + 0.1

    assert policy(i).tolist() == alone.tolist()
    assert (policy * 2)(i).tolist() == (2 * alone).tolist()
    assert policy.clip(0.2, 0.3)(i).tolist() == alone.clip(0.2, 0.3).tolist()
    assert policy.then(policy, after=2)(i).tolist() == [*alone[:2], *alone[:4]]
    assert policy.mirror(0.0, 0.5)(i) == pytest.approx((0.5 - alone).clip(0))


@pytest.mark.parametrize("i", [-1, -0.5, np.nan, np.inf])
def test_a_policy_of_ones_own_is_not_asked_for_what_is_no_iteration(i):
    with pytest.raises(ValueError, match="iteration must be finite and at least 0: got"):
        Waning(0.5)(i)


def test_a_policy_of_ones_own_may_be_asked_for_any_kind_of_number():
    policy = Waning(0.5)

    assert policy(2) == policy(2.0) == policy(np.int64(2)) == policy(np.float64(2))
    assert policy.then(policy, after=9)(2.0) == policy(2)
