"""Scheduler: the learning rates that a Keras optimizer really used, read back from the weights."""

import json

import keras
import numpy as np
import pytest
from cyclr_tensorflow import Scheduler
from hypothesis import given, settings
from hypothesis import strategies as st

import cyclr
import strategies as any_

LR = cyclr.Triangular2(0.001, 0.006, step_size=4)

# Keras's own, of its variables under NumPy 2, when it saves them.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@keras.saving.register_keras_serializable("tests")
def output(targets, outputs):
    """A loss whose gradient is the input."""
    return keras.ops.sum(outputs)


def recorder(optimizer, n=20, **compiled):
    """Return a model with n weights, each of which one batch alone will move."""
    model = keras.Sequential(
        [keras.Input((n,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )
    model.compile(optimizer, loss=output, **compiled)
    return model


def train(model, first=0, last=None):
    """Fit the model to batches first to last; batch k moves weight k, with gradient 1."""
    n = model.input_shape[1]
    rows = np.eye(n, dtype="float32")[first:last]
    model.fit(rows, np.zeros((len(rows), 1)), batch_size=1, shuffle=False, verbose=0)
    return model


def moved(model):
    """Return how far each weight has moved: with plain SGD, the learning rate of its batch."""
    return (-model.get_weights()[0]).ravel().tolist()


def rounded(values):
    return np.array(values, dtype="float32").tolist()


def used(schedule, n=20, **arguments):
    return moved(train(recorder(keras.optimizers.SGD(Scheduler(schedule)), n, **arguments)))


# What is used.


@pytest.mark.parametrize(
    "compiled",
    [
        {"jit_compile": False},
        {"jit_compile": True},
        {"run_eagerly": True},
        {"steps_per_execution": 4},
    ],
    ids=lambda compiled: next(iter(compiled)),
)
@pytest.mark.parametrize(
    "schedule",
    [
        LR,
        cyclr.OneCycle(0.1, 20, shape="linear").clip(0.01, 1),
        cyclr.Triangular(0.001, 0.006, 3).warmup(5) * 0.5,
        cyclr.Piecewise([3, 7], [0.1, 0.01, 0.001]),
        cyclr.Constant(0.1),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_update_k_is_made_with_the_schedules_value_at_k(schedule, compiled):
    expected = [schedule(k) for k in range(20)]

    if keras.backend.backend() == "tensorflow":
        assert used(schedule, **compiled) == rounded(expected)
    else:  # which computes it in float32
        assert used(schedule, **compiled) == pytest.approx(expected, rel=2e-7)


@settings(max_examples=15)
@given(any_.policies)
def test_any_schedule_is_used(schedule):
    expected = [schedule(k) for k in range(8)]

    assert used(schedule, n=8, run_eagerly=True) == pytest.approx(expected, rel=2e-6, abs=1e-30)


@pytest.mark.parametrize("steps", [2, 4])
@pytest.mark.parametrize("jit", [False, True])
def test_accumulated_gradients_are_one_update(steps, jit):
    optimizer = keras.optimizers.SGD(Scheduler(LR, steps), gradient_accumulation_steps=steps)
    model = train(recorder(optimizer, 10 * steps, jit_compile=jit))

    expected = [LR(k) / steps for k in range(10) for _ in range(steps)]
    assert moved(model) == pytest.approx(expected, rel=2e-7)


def test_two_fits_are_one_training():
    model = recorder(keras.optimizers.SGD(Scheduler(LR)))
    train(model, 0, 7)
    train(model, 7)

    assert moved(model) == used(LR)


@pytest.mark.parametrize("interrupted", [5, 11, 16])
def test_a_saved_model_goes_on_in_the_middle_of_a_cycle(tmp_path, interrupted):
    model = recorder(keras.optimizers.SGD(Scheduler(LR)))
    train(model, 0, interrupted).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    train(loaded, interrupted)

    assert loaded.optimizer._learning_rate.schedule == LR
    assert moved(loaded) == used(LR)


def test_a_checkpoint_of_the_weights_goes_on_with_the_schedule_in_the_code(tmp_path):
    model = recorder(keras.optimizers.SGD(Scheduler(LR)))
    train(model, 0, 5).save(tmp_path / "model.keras")
    other = recorder(keras.optimizers.SGD(Scheduler(cyclr.Constant(0.5))))
    train(other, 0, 1)
    other.load_weights(tmp_path / "model.keras")
    train(other, 5)

    assert moved(other) == used(LR)[:5] + [0.5] * 15


def test_momentum_optimizers_use_it_too():
    """With a gradient that is always the same, Adam moves by the learning rate."""
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )
    model.compile(keras.optimizers.Adam(Scheduler(LR), epsilon=1e-12), loss=output)
    weights = [0.0]
    for _ in range(12):
        model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
        weights.append(model.get_weights()[0].item())

    assert -np.diff(weights) == pytest.approx([LR(k) for k in range(12)], rel=2e-4)


# What it returns.


@settings(max_examples=30)
@given(any_.policies, st.integers(0, 10**6))
def test_called_it_gives_a_number_of_the_backends_float_type(schedule, i):
    value = Scheduler(schedule)(i)

    assert value.shape == ()
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    smallest = 1.2e-38  # of float32's normal numbers
    expected = pytest.approx(schedule(i), rel=2e-6, abs=max(1e-7 * schedule.highest, smallest))
    assert float(value) == expected


def test_the_float_type_may_be_another():
    keras.config.set_floatx("float16")
    try:
        assert keras.backend.standardize_dtype(Scheduler(LR)(3).dtype) == "float16"
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.parametrize("i", [2**24 + 1, 10**9 + 1, 2**31 - 1])
def test_large_counts_keep_their_place_in_the_cycle(i):
    schedule = cyclr.Triangular(0.0, 1.0, step_size=5)

    assert float(Scheduler(schedule)(i)) == np.float32(schedule(i))


def test_the_optimizer_shows_the_current_learning_rate():
    model = recorder(keras.optimizers.SGD(Scheduler(LR)))
    train(model, 0, 3)

    assert float(model.optimizer.learning_rate) == np.float32(LR(3))


@pytest.mark.parametrize("steps", [1, 4])
def test_the_optimizers_iterations_are_a_step_too(steps):
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([])
    optimizer.iterations.assign(13)

    assert float(Scheduler(LR, steps)(optimizer.iterations)) == np.float32(LR(13 // steps))


@pytest.mark.parametrize(
    "function",
    [
        lambda i: 0.1 / (1 + i),
        lambda i: 0.5 * 0.9**i,
        lambda i: 0.1,
        lambda i: keras.ops.where(i < 3, 0.2, 0.1),
    ],
)
def test_a_function_of_ones_own_is_a_schedule(function):
    expected = [float(function(k)) for k in range(20)]

    assert used(function) == pytest.approx(expected, rel=1e-6)


def test_a_function_of_ones_own_may_be_a_part():
    schedule = cyclr.Linear(0.0, 1.0, 5).then(lambda i: 0.5 * 0.9**i)

    assert used(schedule) == pytest.approx([schedule(k) for k in range(20)], rel=1e-6)


# Beside Keras's own schedules.

THEIRS = keras.optimizers.schedules


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (THEIRS.CosineDecay(0.1, 50), cyclr.Cosine(0.1, 0.0, 50)),
        (THEIRS.CosineDecay(0.1, 50, alpha=0.1), cyclr.Cosine(0.1, 0.01, 50)),
        (
            THEIRS.CosineDecay(0.0, 50, warmup_target=0.1, warmup_steps=10),
            cyclr.Cosine(0.1, 0.0, 50).warmup(10),
        ),
        (THEIRS.CosineDecayRestarts(0.1, 10, t_mul=1.0), cyclr.CosineRestarts(0.0, 0.1, 10)),
        (
            THEIRS.CosineDecayRestarts(0.1, 10, t_mul=2.0, m_mul=0.5, alpha=0.1),
            cyclr.CosineRestarts(0.01, 0.1, 10, cycle_mult=2, peak_decay=0.5),
        ),
        (THEIRS.PolynomialDecay(0.1, 50, 0.01, power=2.0), cyclr.Polynomial(0.1, 0.01, 50, 2)),
        (THEIRS.PolynomialDecay(0.1, 50, 0.01), cyclr.Linear(0.1, 0.01, 50)),
        (THEIRS.ExponentialDecay(0.1, 1, 0.9), cyclr.Decay(0.1, 0.9)),
        (THEIRS.ExponentialDecay(0.1, 10, 0.5, staircase=True), cyclr.Steps(0.1, 10, 0.5)),
        (
            THEIRS.PiecewiseConstantDecay([10, 20], [0.3, 0.2, 0.1]),  # each includes its boundary
            cyclr.Piecewise([11, 21], [0.3, 0.2, 0.1]),
        ),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_keras_own_schedules_have_the_same_values(theirs, ours):
    ours = Scheduler(ours)
    for i in range(70):  # theirs computes in float32, down to 0
        assert float(ours(i)) == pytest.approx(float(theirs(i)), rel=1e-5, abs=1e-8)


# How it is written out.


@given(any_.schedules, st.integers(1, 8))
def test_its_config_is_data_that_gives_it_back(schedule, steps):
    scheduler = Scheduler(schedule, gradient_accumulation_steps=steps)
    config = json.loads(json.dumps(scheduler.get_config()))
    again = Scheduler.from_config(config)

    assert (again.schedule, again.gradient_accumulation_steps) == (schedule, steps)


def test_keras_finds_it_by_its_registered_name():
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(Scheduler(LR, 2))))
    again = keras.saving.deserialize_keras_object(written)

    assert written["registered_name"] == "cyclr>Scheduler"
    assert repr(again) == repr(Scheduler(LR, 2))


def test_a_function_of_ones_own_is_not_written_out(tmp_path):
    model = train(recorder(keras.optimizers.SGD(Scheduler(lambda i: 0.1))))

    with pytest.raises(ValueError, match=r"(?s)only cyclr's own .*Hint: model\.save_weights"):
        model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")


def test_its_repr_is_its_code():
    assert repr(Scheduler(LR)) == f"Scheduler({LR!r})"
    assert repr(Scheduler(LR, 4)) == f"Scheduler({LR!r}, gradient_accumulation_steps=4)"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0.1,), TypeError, "schedule must be a schedule or a function of the iteration: got 0.1"),
        ((LR, 0), ValueError, "gradient_accumulation_steps must be at least 1: got 0"),
        ((LR, 1.5), ValueError, "gradient_accumulation_steps must be a whole number: got 1.5"),
        ((LR, True), TypeError, "gradient_accumulation_steps must be a whole number: got True"),
    ],
)
def test_wrong_arguments_are_errors_at_once(arguments, error, message):
    with pytest.raises(error) as raised:
        Scheduler(*arguments)
    assert str(raised.value) == message
