"""Arrays of JAX give what Python numbers give: one by one, in a compiled program, in 64 bits."""

import math
import os
import pathlib
import random
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cyclr
import strategies as any_

SHARP = 2e-7  # relative, in float32: linear shapes
CLOSE = 2e-6  # the others; of gamma^i, while |i ln(gamma)| is at most 10
EXACT = 1e-14  # in float64

TRIANGULAR = cyclr.Triangular(0.001, 0.006, 2000)

LINEAR = [
    cyclr.Constant(0.1),
    cyclr.Linear(0.0, 0.1, 1000),
    cyclr.Linear(0.1, 1e-5, 90_000_000),
    cyclr.Ramp(1e-5, 0.1, 12_345),
    cyclr.Piecewise([10, 1000, 2**33], [1.0, 0.1, 0.01, 0.001]),
    TRIANGULAR,
    cyclr.Triangular(0.0, 0.3, 7),
    cyclr.Triangular(1e-5, 0.1, 9_333_333),
    cyclr.Triangular(0.001, 0.006, 2**40),
    cyclr.Triangular(0.001, 0.006, 2000, step_size_down=500, cycles=2),
    cyclr.Triangular(0.001, 0.006, 300, cycle_mult=2),
    cyclr.Triangular(0.001, 0.006, 300, cycle_mult=1.5, cycles=9),
    cyclr.Triangular2(0.0, 0.006, 20_000_000),
    cyclr.Triangular2(0.001, 0.006, 2000),
    cyclr.Triangular2(0.001, 0.006, 2000, step_size_down=700, cycles=5),
    cyclr.WarmupStableDecay(0.1, 5000, 100, 1000),
    TRIANGULAR.warmup(100),
    TRIANGULAR * 0.1,
    TRIANGULAR.clip(0.002, 0.005),
    cyclr.Linear(0.0, 0.1, 1000).then(TRIANGULAR, after=10_000).then(cyclr.Constant(1e-3), 20_000),
]

SMOOTH = [
    cyclr.Cosine(0.1, 0.0, 50_000),
    cyclr.Cosine(0.0, 0.1, 99_999_999),
    cyclr.Ramp(0.1, 0.001, 5000, shape="1-sqrt"),
    cyclr.Ramp(0.0, 0.1, 5000, shape="parabolic"),
    cyclr.Exponential(1e-6, 10.0, 200),
    cyclr.Exponential(1.0, 1e-8, 80_000_000),
    cyclr.Polynomial(0.1, 0.0, 1000, power=2),
    cyclr.Polynomial(0.0, 0.1, 70_000, power=0.9),
    cyclr.Polynomial(0.1, 1e-4, 70_000, power=1.5),
    cyclr.InverseSqrt(0.1, 4000),
    cyclr.InverseSqrt(0.1, 2**20, start_lr=0.01),
    cyclr.OneCycle(0.1, 5000),
    cyclr.OneCycle(0.1, 50_000_000, phases=3, shape="linear"),
    cyclr.CosineRestarts(0.0, 0.1, 100, cycle_mult=2),
    cyclr.CosineRestarts(0.001, 0.1, 777, peak_decay=0.9, cycles=30),
    cyclr.CosineRestarts(0.0, 0.1, 100, cycle_mult=1.7, cycles=12),
    cyclr.WarmupStableDecay(0.1, 5000, 100, 1000, shape="1-sqrt"),
    cyclr.Cyclical(0.0, 0.006, 2000, shape="cosine"),
    cyclr.Cyclical(0.0, 0.006, 2000, shape="parabolic", step_size_down=333),
    cyclr.Cyclical(0.0, 0.006, 2000, shape="polynomial", power=3),
    cyclr.Cyclical(0.0, 0.006, 2000, shape="1-sqrt", cycle_mult=2, peak_decay=0.9, cycles=4),
    TRIANGULAR.mirror(0.85, 0.95),
    cyclr.OneCycle(0.1, 5000).mirror(0.85, 0.95),
    (cyclr.CosineRestarts(0.01, 0.1, 50) * 0.5).warmup(10).then(TRIANGULAR, 800).clip(0.0, 0.05),
]

DECAYING = [  # each with its logarithm of gamma, per iteration
    (cyclr.Decay(0.1, 0.99994), math.log(0.99994)),
    (cyclr.Decay(0.1, 1 - 1e-7), math.log1p(-1e-7)),
    (cyclr.Steps(0.1, 1000, 0.9), math.log(0.9) / 1000),
    (cyclr.Steps(0.1, 10_000_000, 0.5), math.log(0.5) / 10**7),
    (cyclr.ExpRange(0.001, 0.006, 2000, gamma=0.99994), math.log(0.99994)),
    (cyclr.ExpRange(0.0, 0.006, 2000, gamma=0.9999, decays="bounds"), math.log(0.9999)),
    (cyclr.Cyclical(0.0, 1.0, 500, shape="cosine", gamma=0.999), math.log(0.999)),
    (cyclr.CosineRestarts(0.0, 0.1, 1000, peak_decay=0.7), math.log(0.7) / 1000),
]


SIZE = 640  # of every array, so that JAX compiles an operation once


def iterations(schedule, last=10**8):
    """Return corners, ends and peaks and what is next to them, and iterations drawn."""
    draw = random.Random(0)
    edges = {0, last, *schedule.cycle_ends(min(last, 20_000))[:40]}
    for name in ("iterations", "step_size", "warmup_", "after", "every", "length"):
        edge = getattr(schedule, name, None)
        if isinstance(edge, int):
            edges |= {edge, 2 * edge}
    edges |= {2**24 - 1, 2**24 + 1, 2**26 + 3}
    near = {edge + d for edge in edges for d in (-1, 0, 1)}
    chosen = [i for i in near if 0 <= i <= last]
    while len(chosen) < SIZE:
        chosen.append(draw.randrange(10 ** draw.randint(1, 9)) % (last + 1))
    return sorted(chosen)


def error(values, expected):
    """Return the largest relative error; what is below float32's smallest may be 0."""
    values = np.asarray(values, dtype=np.float64)
    expected = np.asarray(expected)
    return (np.abs(values - expected) / np.maximum(np.abs(expected), 1e-30)).max(initial=0)


SCHEDULES = [
    *((schedule, 10**8, SHARP) for schedule in LINEAR),
    *((schedule, 10**8, CLOSE) for schedule in SMOOTH),
    *((schedule, min(10**8, int(10 / -rate)), CLOSE) for schedule, rate in DECAYING),
]
each_schedule = pytest.mark.parametrize(
    ("schedule", "last", "tolerance"), SCHEDULES, ids=[repr(s)[:60] for s, _, _ in SCHEDULES]
)


def test_no_schedule_is_left_out():
    kinds = {
        kind
        for kind in map(cyclr.__dict__.get, cyclr.__all__)
        if isinstance(kind, type) and issubclass(kind, cyclr.Schedule)
    }

    assert kinds - {type(schedule) for schedule, _, _ in SCHEDULES} == {cyclr.Schedule}


@each_schedule
@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_integers_are_sharp_in_float32(transform, schedule, last, tolerance):
    i = iterations(schedule, last)
    values = transform(schedule)(jnp.array(i))

    assert values.dtype == jnp.float32
    assert values.shape == (len(i),)
    assert error(values, [schedule(n) for n in i]) <= tolerance


@each_schedule
def test_floats_are_as_sharp_while_they_hold_iteration_and_length(schedule, last, tolerance):
    if getattr(schedule, "step_size", 0) > 2**24:
        schedule = cyclr.Triangular(schedule.base_lr, schedule.max_lr, 2**24)
    i = iterations(schedule, min(last, 2**24))
    values = jax.jit(schedule)(jnp.array(i, dtype=jnp.float32))

    assert error(values, [schedule(n) for n in i]) <= tolerance


@pytest.mark.parametrize(
    ("schedule", "i"),
    [
        (cyclr.Triangular(0.000680790985008998, 1.057218245967073, 2_308_733), 579_512),
        # Float32 doesn't hold these lengths, not even where it holds the iteration.
        (cyclr.Triangular(1e-5, 0.1, 33_333_333), 5_337_938),
        (cyclr.Triangular(0.0, 0.006, 20_000_001), 1.0),
    ],
)
def test_a_height_times_a_quotient_would_be_too_coarse(schedule, i):
    # XLA computes a single number in another way, with fewer roundings.
    assert error(schedule(jnp.full(8, i)), schedule(i)) <= SHARP


linear = (
    any_.triangular()
    | any_.triangular(cyclr.Triangular2)
    | st.builds(cyclr.Triangular, any_.rates, st.just(1e3), st.integers(10**4, 2**24))
    | st.builds(cyclr.Linear, any_.rates, any_.rates, st.integers(1, 2**24))
    | any_.piecewise()
    | st.builds(cyclr.Constant, any_.rates)
)


@given(linear, st.lists(st.integers(0, 2**24), min_size=8, max_size=8))
def test_any_linear_schedule_is_sharp_in_float32(schedule, i):
    assert error(schedule(jnp.array(i)), [schedule(n) for n in i]) <= SHARP


@pytest.mark.parametrize("start", [1e-8, 1e-4, 1e-2])
def test_far_from_the_base_the_distance_itself_is_rounded(start):
    """Slope, distance, product and sum: 2^-24 each, if they are not fused, beyond 2^24."""
    schedule = cyclr.Linear(start, 0.0837, 99_999_999)
    i = np.random.default_rng(0).integers(2**24, 10**8, 100_000)
    expected = schedule(i)

    assert error(schedule(jnp.array(i)), expected) <= 4 * 2**-24
    assert error(jax.jit(schedule)(jnp.array(i)), expected) <= SHARP


@each_schedule
@pytest.mark.parametrize("dtype", [jnp.int32, jnp.float32])
def test_bounds_hold_in_float32(schedule, last, tolerance, dtype):
    # At 2^31 - 1 an int32 ends; float32 goes on.
    i = jnp.array([*iterations(schedule)[1:], 2**31 - 1], dtype=dtype)
    values = jax.jit(schedule)(i)

    assert np.float32(schedule.lowest) <= values.min()
    assert values.max() <= np.float32(schedule.highest)


def test_the_largest_int32_is_an_iteration_and_longer_lengths_are_no_trouble():
    largest = 2**31 - 1
    for schedule in (
        cyclr.Triangular(0.001, 0.006, 2**40),
        cyclr.Triangular(0.0, 0.006, 2**31),
        cyclr.Linear(0.0, 1.0, 2**33),
        cyclr.Linear(0.0, 1.0, 2**31 + 10).then(TRIANGULAR),
        cyclr.CosineRestarts(0.0, 0.1, 2**20, cycle_mult=3),
        cyclr.Piecewise([2**31 - 2, 2**31], [1.0, 0.5, 0.25]),
        cyclr.Steps(1.0, 2**40, 0.5),
        TRIANGULAR.warmup(2**31 - 3),
    ):
        i = [0, 1, largest - 2, largest - 1, largest]
        for values in (schedule(jnp.array(i)), jax.jit(schedule)(jnp.array(i))):
            assert error(values, [schedule(n) for n in i]) <= CLOSE


def test_a_warmup_longer_than_int32_is_no_trouble():
    assert cyclr.InverseSqrt(0.1, 2**31)(jnp.array(2**30)) == pytest.approx(0.05)


def test_no_iteration_beyond_2_24_is_lost_in_float32():
    # 2^24 + 1 has no float32 of its own, but the remainder of the integer has.
    schedule = cyclr.Triangular(0.0, 1.0, 8)
    for start in (2**24, 10**8, 2**31 - 40):
        i = jnp.arange(start, start + 33)

        assert jax.jit(schedule)(i).tolist() == [schedule(n) for n in range(start, start + 33)]


@pytest.mark.parametrize("dtype", [jnp.int8, jnp.uint8, jnp.int16, jnp.uint16, jnp.uint32, bool])
def test_every_integer_type_is_an_iteration(dtype):
    schedule = cyclr.Triangular(0.0, 1.0, 2**40).then(TRIANGULAR, after=60).warmup(3)
    i = jnp.arange(120).astype(dtype)

    assert schedule(i).tolist() == schedule(i.astype(jnp.int32)).tolist()


def test_shapes_are_kept():
    assert TRIANGULAR(jnp.arange(6).reshape(2, 3)).shape == (2, 3)
    assert TRIANGULAR(jnp.array(5)).shape == ()
    assert TRIANGULAR(jnp.array([], dtype=int)).shape == (0,)
    assert isinstance(TRIANGULAR(jnp.array(5)), jax.Array)


@each_schedule
def test_vmap_and_scan_give_what_a_whole_array_gives(schedule, last, tolerance):
    i = jnp.array(iterations(schedule, last)[::10])
    whole = jax.jit(schedule)(i)
    one_by_one = jax.jit(lambda i: jax.lax.scan(lambda _, n: (None, schedule(n)), None, i)[1])(i)

    # XLA fuses differently: a last bit may differ.
    assert error(jax.vmap(schedule)(i), whole) <= tolerance
    assert error(one_by_one, whole) <= tolerance


@pytest.mark.parametrize("schedule", [s for s, _, _ in SCHEDULES], ids=lambda s: repr(s)[:60])
def test_gradients_are_finite_and_pass(schedule):
    gradients = jax.vmap(jax.grad(schedule))(jnp.array([0.0, 3.5, 77.25, 4321.5]))

    vertical = isinstance(schedule, cyclr.Ramp) and schedule.shape == "1-sqrt"  # at its start
    assert jnp.isfinite(gradients[int(vertical) :]).all()


def test_the_gradient_is_the_slope():
    slope = jax.grad(TRIANGULAR)

    assert slope(500.0) == pytest.approx(0.005 / 2000)
    assert slope(2500.0) == pytest.approx(-0.005 / 2000)


IN_64_BITS = """
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
from test_jax_arrays import SCHEDULES, error, iterations

for schedule, last, _ in SCHEDULES:
    i = [*iterations(schedule, last)[2:], *((10**15, 2**53) if last == 10**8 else (0, 1))]
    expected = [schedule(n) for n in i]
    for dtype in (jnp.int64, jnp.float64):
        for transform in (jax.jit, lambda schedule: schedule):
            values = transform(schedule)(jnp.array(i, dtype=dtype))
            assert values.dtype == jnp.float64
            print(error(values, expected), schedule)
"""


def test_in_64_bits_to_the_last_bits():
    here, root = pathlib.Path(__file__).parent, pathlib.Path(cyclr.__file__).parents[1]
    path = os.pathsep.join(map(str, (here, here.parent, root)))
    result = subprocess.run(
        [sys.executable, "-c", IN_64_BITS],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    lines = result.stdout.splitlines()

    assert len(lines) == 4 * len(SCHEDULES), result.stderr
    assert [line for line in lines if float(line.partition(" ")[0]) > EXACT] == []


# Whatever the arguments.


@given(any_.policies, st.lists(st.integers(0, 2**24), min_size=8, max_size=8))
def test_any_policy_is_close_in_float32(schedule, i):
    i = [n for n in i if decay(schedule, n) <= 10]
    values = schedule(jnp.array(i + [0] * (8 - len(i))))[: len(i)]

    assert error(values, [schedule(n) for n in i]) <= CLOSE


def decay(schedule, i):
    """Return |i ln(gamma)|, beyond 10 of which float32 holds the exponent too coarsely."""
    return abs(i // getattr(schedule, "every", 1) * math.log(getattr(schedule, "gamma", 1.0)))
