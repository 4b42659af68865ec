"""Tensors give what Python numbers give, also within a compiled function."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import cyclr
import strategies as any_

TRIANGULAR = cyclr.Triangular(0.001, 0.006, 2000)
SHARP = 2e-7  # relative, in float32: linear shapes
CLOSE = 2e-6  # the others

linear = (
    any_.triangular()
    | any_.triangular(cyclr.Triangular2)
    | st.builds(cyclr.Linear, any_.rates, any_.rates, any_.lengths)
    | any_.piecewise()
    | st.builds(cyclr.Constant, any_.rates)
)
iterations = st.lists(st.integers(0, 2**24), min_size=1, max_size=8)
anywhere = st.lists(st.integers(0, 10**5) | st.integers(0, 2**62), min_size=1, max_size=8)
integers = st.sampled_from([torch.int64, torch.int32])


def decay(schedule, i):
    """Return |i ln(gamma)|, beyond 10 of which float32 holds the exponent too coarsely."""
    gamma = getattr(schedule, "gamma", 1.0)
    return abs(i // getattr(schedule, "every", 1) * math.log(gamma))


def error(schedule, i, dtype):
    """Return the largest relative error of a tensor's values."""
    values = schedule(torch.tensor(i, dtype=dtype)).tolist()
    expected = [schedule(n) for n in i]
    return max(abs(a - b) / max(b, 1e-30) for a, b in zip(values, expected, strict=True))


@given(any_.policies, anywhere)
def test_in_float64_to_the_last_bits(schedule, i):
    assume(max(decay(schedule, n) for n in i) <= 10)
    i = [n % 2**53 for n in i]  # what a float64 holds

    assert schedule(torch.tensor(i, dtype=torch.float64)).dtype == torch.float64
    assert error(schedule, i, torch.float64) <= 2e-15


@given(linear, anywhere)
def test_linear_shapes_to_the_bit(schedule, i):
    i = [n % 2**53 for n in i]

    assert error(schedule, i, torch.float64) == 0


@given(linear, iterations)
def test_linear_shapes_are_sharp_in_float32(schedule, i):
    assert schedule(torch.tensor(i, dtype=torch.float32)).dtype == torch.float32
    assert error(schedule, i, torch.float32) <= SHARP


@given(linear, anywhere, integers)
def test_integers_give_float32_as_sharp_at_any_iteration(schedule, i, dtype):
    i = [n % torch.iinfo(dtype).max for n in i]

    assert schedule(torch.tensor(i, dtype=dtype)).dtype == torch.float32
    assert error(schedule, i, dtype) <= SHARP


@given(any_.policies, iterations, integers | st.just(torch.float32))
def test_the_others_are_close_in_float32(schedule, i, dtype):
    assume(max(decay(schedule, n) for n in i) <= 10)

    assert error(schedule, i, dtype) <= CLOSE


@pytest.mark.parametrize("shape", any_.SHAPES)
@pytest.mark.parametrize("base_lr", [0.0, 1e-6])
def test_no_shape_loses_digits_near_its_base(shape, base_lr):
    power = {"power": 2} if shape == "polynomial" else {}
    schedule = cyclr.Cyclical(base_lr, 1.0, 1000, step_size_down=3000, shape=shape, **power)

    assert error(schedule, list(range(8000)), torch.float32) <= CLOSE


@given(any_.policies, any_.policies, iterations, st.floats(0.1, 10), any_.lengths)
def test_what_is_composed_is_close_in_float32(a, b, i, factor, n):
    assume(max(decay(a, k) + decay(b, k) for k in i) <= 10)

    assert error((a * factor).warmup(n).then(b, after=2 * n), i, torch.int64) <= CLOSE


@given(linear, iterations)
def test_a_mirror_is_as_sharp_as_its_highest_value(schedule, i):
    assume(schedule.lowest <= schedule.highest / 2)
    assume(schedule.highest > 1e-30)
    mirrored = schedule.mirror(0.85, 0.95)
    values = mirrored(torch.tensor(i)).tolist()

    assert values == pytest.approx([mirrored(n) for n in i], rel=CLOSE)


@given(linear, anywhere, integers)
def test_a_tensor_never_leaves_the_bounds(schedule, i, dtype):
    largest = torch.iinfo(dtype).max
    values = schedule(torch.tensor([n % largest for n in i], dtype=dtype))
    low, high = (torch.tensor(x, dtype=values.dtype) for x in (schedule.lowest, schedule.highest))

    assert low <= values.min()
    assert values.max() <= high


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.bool])
def test_small_integers_are_widened(dtype):
    i = torch.arange(120).to(dtype)

    assert torch.equal(TRIANGULAR(i), TRIANGULAR(i.long()))


def test_shape_and_device_are_kept():
    i = torch.arange(6, device="meta").reshape(2, 3)

    assert TRIANGULAR(i).shape == (2, 3)
    assert TRIANGULAR(i).device.type == "meta"
    assert TRIANGULAR(torch.tensor(5)).shape == ()


def test_gradients_pass():
    i = torch.tensor([500.0, 2500.0], dtype=torch.float64, requires_grad=True)
    TRIANGULAR(i).sum().backward()

    assert i.grad.tolist() == pytest.approx([0.005 / 2000, -0.005 / 2000])


COMPILED = [
    cyclr.Triangular(0.001, 0.006, 2000),
    cyclr.Triangular(0.001, 0.006, 2000, step_size_down=500, cycles=2),
    cyclr.Triangular2(0.001, 0.006, 200),
    cyclr.ExpRange(0.001, 0.006, 2000, gamma=0.999),
    cyclr.Cyclical(0.001, 0.006, 20, shape="1-sqrt", cycle_mult=2, peak_decay=0.9, cycles=4),
    cyclr.OneCycle(0.1, 5000),
    cyclr.CosineRestarts(0.0, 0.1, 100, cycle_mult=2),
    cyclr.WarmupStableDecay(0.1, 5000, 100, 1000),
    cyclr.InverseSqrt(0.1, 100),
    cyclr.Exponential(1e-6, 10.0, 200),
    cyclr.Polynomial(0.1, 0.0, 1000, power=2),
    cyclr.Decay(0.1, 0.999),
    cyclr.Steps(0.1, 100, 0.5),
    cyclr.Piecewise([10, 20], [1.0, 0.1, 0.01]),
    cyclr.Triangular(0.001, 0.006, 200).mirror(0.85, 0.95),
    (cyclr.Triangular(0.001, 0.006, 20, cycles=2) * 0.5).warmup(10).then(TRIANGULAR).clip(0, 0.05),
]


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64], ids=str)
@pytest.mark.parametrize("schedule", COMPILED, ids=lambda s: type(s).__name__)
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_a_compiled_function_is_one_graph_with_the_same_values(schedule, dtype):
    i = torch.arange(0, 9000, 37).to(dtype)
    torch._dynamo.reset()
    compiled = torch.compile(lambda i: schedule(i), fullgraph=True, backend="aot_eager")

    rel = 1e-15 if dtype is torch.float64 else CLOSE
    assert compiled(i).tolist() == pytest.approx(schedule(i).tolist(), rel=rel)
