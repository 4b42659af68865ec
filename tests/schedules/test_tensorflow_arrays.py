"""Tensors of TensorFlow give what Python numbers give: one by one, in a graph, compiled by XLA."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, example, given
from hypothesis import strategies as st

import cyclr
import strategies as any_

TRIANGULAR = cyclr.Triangular(0.001, 0.006, 2000)
EXACT = 1e-14  # relative, in float64, which integers give too
SHARP = 2e-7  # in float32: linear shapes
CLOSE = 2e-6  # the others; of gamma^i, while |i ln(gamma)| is at most 10

linear = (
    any_.triangular()
    | any_.triangular(cyclr.Triangular2)
    | st.builds(cyclr.Linear, any_.rates, any_.rates, any_.lengths)
    | any_.piecewise()
    | st.builds(cyclr.Constant, any_.rates)
)
iterations = st.lists(st.integers(0, 2**24), min_size=1, max_size=8)
anywhere = st.lists(st.integers(0, 10**5) | st.integers(0, 2**53), min_size=1, max_size=8)
doubles = st.sampled_from([tf.int64, tf.float64])


def decay(schedule, i):
    """Return |i ln(gamma)|, with which the error of a power grows."""
    gamma = getattr(schedule, "gamma", 1.0)
    return abs(i // getattr(schedule, "every", 1) * math.log(gamma))


def error(values, schedule, i):
    """Return the largest relative error; float32 below its normal numbers, 1e-38, may be 0."""
    expected = np.array([schedule(n) for n in i])
    return (np.abs(values.numpy() - expected) / np.maximum(expected, 1e-30)).max()


# One by one.


@given(any_.policies, anywhere, doubles)
def test_in_float64_to_the_last_bits(schedule, i, dtype):
    i = [n for n in i if decay(schedule, n) <= 10] or [0]
    values = schedule(tf.constant(i, dtype))

    assert values.dtype == tf.float64
    assert error(values, schedule, i) <= EXACT


@given(linear, anywhere, doubles)
def test_linear_shapes_to_the_bit(schedule, i, dtype):
    assert schedule(tf.constant(i, dtype)).numpy().tolist() == [schedule(n) for n in i]


@given(any_.policies, anywhere)
def test_floats_give_the_values_of_the_integers_to_the_bit(schedule, i):
    """So that the adapter may hand over floats, which a function of one's own can use."""
    integers, floats = (schedule(tf.constant(i, dtype)) for dtype in (tf.int64, tf.float64))

    assert integers.numpy().tolist() == floats.numpy().tolist()


@given(any_.policies, any_.policies, iterations, st.floats(0.1, 10), any_.lengths, doubles)
def test_what_is_composed_is_exact_too(a, b, i, factor, n, dtype):
    i = [k for k in i if decay(a, k) + decay(b, k) <= 10] or [0]
    schedule = (a * factor).warmup(n).then(b, after=2 * n)

    assert error(schedule(tf.constant(i, dtype)), schedule, i) <= EXACT


@given(linear, iterations)
def test_linear_shapes_are_sharp_in_float32(schedule, i):
    values = schedule(tf.constant(i, tf.float32))

    assert values.dtype == tf.float32
    assert error(values, schedule, i) <= SHARP


@given(any_.policies, iterations)
def test_the_others_are_close_in_float32(schedule, i):
    i = [n for n in i if decay(schedule, n) <= 10] or [0]

    assert error(schedule(tf.constant(i, tf.float32)), schedule, i) <= CLOSE


@given(any_.policies, anywhere, st.sampled_from([tf.int64, tf.float64, tf.float32]))
@example(cyclr.Piecewise([], [2.2e-313]), [0], tf.int64)
def test_a_tensor_never_leaves_the_bounds(schedule, i, dtype):
    values = schedule(tf.constant(i, dtype)).numpy()
    low, high = (np.array(x, values.dtype) for x in (schedule.lowest, schedule.highest))

    tiny = np.finfo(values.dtype).tiny  # TensorFlow takes what is smaller for 0
    assert low - tiny <= values.min()
    assert values.max() <= high


@given(any_.schedules, st.integers(0, 10**6))
def test_a_single_number_keeps_its_shape(schedule, i):
    value = schedule(tf.constant(i, tf.int64))
    assume(schedule.highest > 1e-30)

    assert value.shape == ()
    assert float(value) == pytest.approx(schedule(i), rel=1e-9, abs=1e-12 * schedule.highest)


# In a graph, with XLA and without.

TRACED = [
    cyclr.Constant(0.1),
    cyclr.Linear(0.0, 0.1, 1000),
    cyclr.Linear(0.1, 1e-5, 90_000_000),
    TRIANGULAR,
    cyclr.Triangular(0.001, 0.006, 2**40),
    cyclr.Triangular(0.001, 0.006, 2000, step_size_down=500, cycles=2),
    cyclr.Triangular(0.001, 0.006, 300, cycle_mult=2),
    cyclr.Triangular2(0.001, 0.006, 2000),
    cyclr.Piecewise([10, 1000, 2**33], [1.0, 0.1, 0.01, 0.001]),
    cyclr.WarmupStableDecay(0.1, 5000, 100, 1000),
    cyclr.Cosine(0.1, 0.0, 50_000),
    cyclr.Exponential(1e-6, 10.0, 200),
    cyclr.Polynomial(0.1, 0.0, 1000, power=2),
    cyclr.Ramp(0.1, 0.001, 5000, shape="1-sqrt"),
    cyclr.OneCycle(0.1, 5000),
    cyclr.CosineRestarts(0.0, 0.1, 100, cycle_mult=2),
    cyclr.Cyclical(0.0, 0.006, 2000, shape="parabolic", step_size_down=333),
    cyclr.Cyclical(0.001, 0.006, 20, shape="1-sqrt", cycle_mult=2, peak_decay=0.9, cycles=4),
    cyclr.InverseSqrt(0.1, 4000),
    cyclr.ExpRange(0.001, 0.006, 2000, gamma=1 - 1e-7),
    cyclr.ExpRange(0.0, 0.006, 2000, gamma=1 - 1e-7, decays="bounds"),
    cyclr.Decay(0.1, 1 - 1e-7),
    cyclr.Steps(0.1, 10_000_000, 0.5),
    TRIANGULAR.mirror(0.85, 0.95),
    (cyclr.Triangular(0.001, 0.006, 20, cycles=2) * 0.5).warmup(10).then(TRIANGULAR).clip(0, 0.05),
]
CORNERS = [0, 1, 9, 10, 11, 40, 199, 200, 1000, 2000, 2001, 4000, 5000, 7777, 2**24 + 1, 10**8]


def test_no_schedule_is_left_out():
    kinds = {
        kind
        for kind in map(cyclr.__dict__.get, cyclr.__all__)
        if isinstance(kind, type) and issubclass(kind, cyclr.Schedule)
    }

    assert kinds - {type(schedule) for schedule in TRACED} == {cyclr.Schedule}


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("dtype", [tf.int64, tf.int32, tf.float64], ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("schedule", TRACED, ids=lambda schedule: repr(schedule)[:50])
def test_a_graph_is_exact_in_float64(schedule, dtype, xla):
    values = tf.function(schedule, jit_compile=xla)(tf.constant(CORNERS, dtype))

    assert values.dtype == tf.float64
    assert error(values, schedule, CORNERS) <= EXACT


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("schedule", TRACED, ids=lambda schedule: repr(schedule)[:50])
def test_a_graph_is_close_in_float32(schedule, xla):
    i = [n for n in CORNERS if n <= 2**24]
    values = tf.function(schedule, jit_compile=xla)(tf.constant(i, tf.float32))

    assert values.dtype == tf.float32
    assert error(values, schedule, i) <= (SHARP if TRACED.index(schedule) < 10 else CLOSE)


def test_a_graph_of_any_length():
    graph = tf.function(TRIANGULAR, input_signature=[tf.TensorSpec([None], tf.int64)])
    for n in (1, 7):
        assert graph(tf.range(n, dtype=tf.int64)).numpy().tolist() == [
            TRIANGULAR(i) for i in range(n)
        ]


def test_a_variable_is_an_array():
    assert TRIANGULAR(tf.Variable([0, 1000, 2000])).numpy().tolist() == [0.001, 0.0035, 0.006]


@pytest.mark.parametrize("dtype", [tf.int8, tf.uint8, tf.int16, tf.uint16, tf.uint32, tf.bool])
def test_small_integers_are_widened(dtype):
    i = tf.cast(tf.range(120), dtype)
    schedule = cyclr.Triangular(0.0, 1.0, 2**40).then(TRIANGULAR, after=60).warmup(3)

    assert schedule(i).numpy().tolist() == schedule(tf.cast(i, tf.int64)).numpy().tolist()


def test_shapes_are_kept():
    assert TRIANGULAR(tf.reshape(tf.range(6), (2, 3))).shape == (2, 3)
    assert TRIANGULAR(tf.constant([], tf.int64)).shape == (0,)


def test_gradients_pass():
    i = tf.constant([500.0, 2500.0], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(i)
        total = tf.reduce_sum(TRIANGULAR(i))

    assert tape.gradient(total, i).numpy() == pytest.approx([0.005 / 2000, -0.005 / 2000])
