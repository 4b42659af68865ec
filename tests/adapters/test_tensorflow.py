"""What is TensorFlow's own: its loops, its graphs, its datasets; and other backends.

The adapter's other tests ask nothing but Keras of a backend, so that some of them run again on JAX.
"""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from cyclr_tensorflow import HyperparameterScheduler, Scheduler, range_test

import cyclr

LR = cyclr.Triangular2(0.001, 0.006, step_size=4)
MOMENTUM = LR.mirror(0.5, 0.9)
OPT = keras.optimizers

INPUTS = np.random.default_rng(1).normal(size=(16, 4)).astype("float32")
TARGETS = 3 * INPUTS.sum(1, keepdims=True)
BATCHES = [(INPUTS[i : i + 4], TARGETS[i : i + 4]) for i in range(0, 16, 4)]


def used(step, weights, n=20):
    """Return the learning rates of n steps with gradient 1: how far each moves a weight from 0."""
    values = []
    for _ in range(n):
        weights.assign(tf.zeros_like(weights))
        step()
        values.append(-float(weights[0]))
    return values


EXPECTED = np.array([LR(k) for k in range(20)], dtype="float32").tolist()


# Loops of one's own.


@pytest.mark.parametrize(
    "compiled", [None, tf.function, tf.function(jit_compile=True)], ids=["eager", "graph", "xla"]
)
def test_a_loop_of_ones_own(compiled):
    weights = keras.Variable([0.0])
    optimizer = OPT.SGD(Scheduler(LR))
    optimizer.build([weights])

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weights)
        optimizer.apply_gradients(zip(tape.gradient(loss, [weights]), [weights], strict=True))

    assert used(compiled(step) if compiled else step, weights) == EXPECTED


def test_a_loop_within_a_graph():
    weights = keras.Variable(tf.zeros(20))
    optimizer = OPT.SGD(Scheduler(LR))
    optimizer.build([weights])

    @tf.function
    def train():
        for k in tf.range(20):
            optimizer.apply([tf.one_hot(k, 20)], [weights])

    train()
    assert (-weights.numpy()).tolist() == EXPECTED


def test_weights_of_tensorflow_itself():
    weights = tf.Variable([0.0])
    optimizer = OPT.SGD(Scheduler(LR))
    optimizer.build([weights])

    assert used(lambda: optimizer.apply([tf.ones(1)], [weights]), weights) == EXPECTED


def test_momentum_in_a_loop_of_ones_own():
    weights = keras.Variable([1.0])
    optimizer = OPT.SGD(0.1, momentum=0.5)
    optimizer.build([weights])
    HyperparameterScheduler(momentum=MOMENTUM).attach(optimizer)
    step = tf.function(lambda gradient: optimizer.apply([gradient], [weights]))
    velocity = []
    for k in range(12):
        step(tf.constant([1.0 if k == 0 else 0.0]))
        velocity.append(float(optimizer.momentums[0][0]))

    used = np.divide(velocity[1:], velocity[:-1])
    assert used == pytest.approx([MOMENTUM(k) for k in range(1, 12)], rel=1e-6)


def test_a_graph_is_traced_once():
    traces = []
    schedule = Scheduler(lambda i: traces.append(i) or LR(i))
    graph = tf.function(schedule)
    values = [float(graph(tf.constant(k, tf.int64))) for k in range(20)]

    assert values == EXPECTED
    assert len(traces) == 1


@pytest.mark.parametrize("i", [10**10 + 3, 2**53 - 4001])
def test_counts_beyond_32_bits_keep_their_place(i):
    schedule = cyclr.Triangular(0.0, 1.0, step_size=5)

    assert float(Scheduler(schedule)(tf.constant(i, tf.int64))) == np.float32(schedule(i))


# Data and models.


def linear(optimizer, **compiled):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer, loss="mse", **compiled)
    return model


def numbers(model):
    return [v[...].numpy() for v in [*model.variables, *model.optimizer.variables]]


def run(model, data, **arguments):
    arguments = {"progress": False, "iterations": 12, "end_lr": 0.1} | arguments
    return range_test(model, data, **arguments)


def test_a_dataset_of_tensorflow_is_batches():
    data = tf.data.Dataset.from_tensor_slices((INPUTS, TARGETS)).batch(4)
    tests = [run(linear(OPT.SGD(0.1)), d) for d in (data, data.repeat(), BATCHES)]

    assert tests[0].points == tests[1].points == tests[2].points


def test_tensors_are_arrays():
    tensors = tf.constant(INPUTS), tf.constant(TARGETS)

    assert run(linear(OPT.SGD(0.1)), tensors).points == (
        run(linear(OPT.SGD(0.1)), (INPUTS, TARGETS)).points
    )


def test_several_steps_an_execution_are_one_in_the_test():
    model = linear(OPT.SGD(0.1), steps_per_execution=4)

    assert run(model, BATCHES).points == run(linear(OPT.SGD(0.1)), BATCHES).points


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
def test_other_float_types_are_put_back_too(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = linear(OPT.Adam(Scheduler(LR)))
        model.fit(INPUTS, TARGETS, verbose=0)
        before = numbers(model)
        test = run(model, BATCHES)
        after = numbers(model)
    finally:
        keras.config.set_dtype_policy("float32")

    assert len(test.points) == 12
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_updates_that_a_loss_scale_skips_are_no_points():
    """Sixteen bits overflow at this scale, which is halved until they don't."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = linear(OPT.LossScaleOptimizer(OPT.SGD(Scheduler(LR)), initial_scale=2.0**24))
        seen = []
        test = run(model, (seen.append(batch) or batch for batch in BATCHES * 20), end_lr=1e-5)
    finally:
        keras.config.set_dtype_policy("float32")

    assert len(test.points) == 12
    assert len(seen) > 14


def test_tensorflows_global_generator_is_put_back():
    class Noise(keras.layers.Layer):
        def call(self, x, training=False):
            return x + tf.random.get_global_generator().normal([4]) if training else x

    drawn = []
    for tested in (False, True):
        tf.random.get_global_generator().reset_from_seed(3)
        model = keras.Sequential([keras.Input((4,)), Noise(), keras.layers.Dense(1)])
        model.compile(OPT.SGD(0.01), loss="mse")
        if tested:
            run(model, BATCHES)
        drawn.append(float(tf.random.get_global_generator().normal([])))

    assert drawn[0] == drawn[1]


class Codes(keras.Model):
    """A model of models: it has no call, and is trained on inputs alone."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        self.decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
        self.unused = keras.layers.ReLU()

    def train_step(self, inputs):
        weights = self.trainable_weights
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.decoder(self.encoder(inputs)) - inputs) ** 2)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def test_a_model_of_models_needs_no_call():
    model = Codes()
    model.compile(OPT.SGD(0.01))
    before = [v[...].numpy() for v in model.variables]
    test = run(model, (INPUTS,), batch_size=4)

    assert len({loss for _, loss in test.points}) == 12
    after = [v[...].numpy() for v in model.variables]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert run(model, INPUTS, batch_size=4).points == test.points


def test_but_its_parts_must_be_built():
    model = Codes()
    model.decoder = keras.Sequential([keras.layers.Dense(4)], name="decoder")
    model.compile(OPT.SGD(0.01))
    with pytest.raises(ValueError, match=r"(?s)its decoder isn't.*Hint: decoder\.build\("):
        run(model, INPUTS, batch_size=4)
    assert not model.optimizer.built


def test_an_optimizer_that_makes_no_update_is_an_error():
    model = Codes()
    model.compile(OPT.SGD(0.01))
    model.train_step = lambda inputs: {"loss": tf.reduce_mean(inputs)}
    step = model.train_step
    with pytest.raises(RuntimeError, match=r"(?s)must make an update: none in 201 batches.*Hint"):
        run(model, INPUTS, batch_size=4)
    assert model.train_step is step


# Another backend.

ON_JAX = (
    "update_k or accumulated or any_schedule or large_counts or middle_of_a_cycle or of_ones_own"
    " or read_back or momentum or weight_decay or set_by_hand"
    " or (usual_training and False-schedule) or (however_it_ends and schedule-nan)"
)


def test_it_is_the_same_on_jax():
    here = pathlib.Path(__file__).parent
    modules = ["scheduler", "hyperparameters", "range_test"]
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-k", ON_JAX, "-p", "no:cacheprovider"),
            *("-o", "pythonpath=tests"),
            *(str(here / f"test_tensorflow_{module}.py") for module in modules),
        ],
        cwd=here.parents[1],
        env=os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "passed" in ran.stdout
    assert "skipped" not in ran.stdout
