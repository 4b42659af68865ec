"""Several replicas of one model, by tf.distribute: what fit would do, and nothing left behind."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cyclr_tensorflow import HyperparameterScheduler, Scheduler, range_test

import cyclr
from hosts.replicas_of_tensorflow import two_replicas

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LR = cyclr.Triangular2(0.001, 0.006, step_size=4)
MOMENTUM = LR.mirror(0.5, 0.9)
OPT = keras.optimizers

INPUTS = np.random.default_rng(1).normal(size=(23, 4)).astype("float32")
TARGETS = 3 * INPUTS.sum(1, keepdims=True)
ROWS = [slice(i, i + 4) for i in range(0, 23, 4)]  # the last one has 3, for two replicas
BATCHES = [(INPUTS[rows], TARGETS[rows]) for rows in ROWS]

OPTIMIZERS = {
    "momentum": lambda: OPT.SGD(0.01, momentum=0.9),
    "adam": lambda: OPT.Adam(0.01),
    "schedule": lambda: OPT.Adam(Scheduler(LR)),
}


@pytest.fixture(scope="module")
def replicas():
    return two_replicas()


def made(strategy, optimizer="momentum", **compiled):
    """Return a model whose statistics are each replica's own, and which draws at random."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.2, seed=1),
                keras.layers.Dense(1),
            ]
        )
        model.compile(OPTIMIZERS[optimizer](), loss="mse", metrics=["mae"], **compiled)
    return model


def linear(strategy, optimizer):
    with strategy.scope():
        ones = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        model = keras.Sequential([keras.Input((4,)), ones])
        model.compile(optimizer, loss="mse")
    return model


def fit(model, *callbacks, epochs=1):
    data = tf.data.Dataset.from_tensor_slices((INPUTS, TARGETS)).batch(4)
    model.fit(data, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))


def run(model, data=BATCHES, **arguments):
    arguments = {"progress": False, "iterations": 12, "end_lr": 0.1} | arguments
    return range_test(model, data, **arguments)


def everything(strategy, model):
    """Return what each replica has of every variable."""
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return {
        v.path: [part.numpy().copy() for part in strategy.experimental_local_results(v.value)]
        for v in variables
    }


def same(a, b):
    return a.keys() == b.keys() and all(
        len(a[path]) == len(b[path]) and all(map(np.array_equal, a[path], b[path])) for path in a
    )


# Updates.


def test_an_update_of_several_replicas_is_one(replicas):
    with replicas.scope():
        model = keras.Sequential(
            [keras.Input((20,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
        )
        model.compile(OPT.SGD(Scheduler(LR)), loss=lambda targets, outputs: outputs[:, 0])
    rows = np.repeat(np.eye(20, dtype="float32"), 2, axis=0)  # one for each replica
    data = tf.data.Dataset.from_tensor_slices((rows, np.zeros((40, 1)))).batch(2)
    model.fit(data, shuffle=False, verbose=0)

    falls = (-model.layers[0].kernel[...].numpy()).ravel().tolist()
    assert falls == [np.float32(LR(k)) for k in range(20)]


def test_momentum_and_weight_decay_on_several_replicas(replicas):
    trained = []
    for strategy in (replicas, tf.distribute.get_strategy()):
        with strategy.scope():
            optimizer = OPT.SGD(Scheduler(LR), momentum=0.5, weight_decay=0.1)
        model = linear(strategy, optimizer)
        callback = HyperparameterScheduler(momentum=MOMENTUM, weight_decay=LR)
        data = tf.data.Dataset.from_tensor_slices((INPUTS[:20], TARGETS[:20])).batch(4)
        model.fit(data, epochs=3, shuffle=False, verbose=0, callbacks=[callback])
        trained.append(model.layers[0].kernel[...].numpy())

    assert trained[0] == pytest.approx(trained[1], rel=1e-5)


# What a range test measures.


class Measured(keras.callbacks.Callback):
    """Trains at the learning rates, and keeps each batch's own loss."""

    def __init__(self, lrs):
        super().__init__()
        self.lrs = iter(lrs)
        self.losses = []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()
        self.model.optimizer.learning_rate = next(self.lrs)

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


@pytest.mark.parametrize(
    ("optimizer", "eagerly"),
    [("momentum", False), ("adam", True), ("schedule", False), ("schedule", True)],
)
def test_it_is_what_fit_does_at_rising_learning_rates(replicas, optimizer, eagerly):
    test = run(made(replicas, optimizer, run_eagerly=eagerly))
    measured = Measured([lr for lr, _ in test.points])
    fit(made(replicas, "adam" if optimizer == "schedule" else optimizer), measured, epochs=2)

    assert len(test.points) == 2 * len(BATCHES)
    assert [loss for _, loss in test.points] == pytest.approx(measured.losses, rel=1e-4)


def test_losses_are_averaged_over_the_replicas(replicas):
    test = run(linear(replicas, OPT.SGD(0.01)), BATCHES[-1:], iterations=2)
    squares = (2 * INPUTS[ROWS[-1]].sum(1)) ** 2

    assert test.points[0][1] == pytest.approx((squares[:2].mean() + squares[2]) / 2, rel=1e-5)


def test_the_weights_of_rows_and_nested_inputs_are_shared_too(replicas):
    with replicas.scope():
        a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
        outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(a + b)
        model = keras.Model({"a": a, "b": b}, outputs)
        model.compile(OPT.SGD(0.01), loss="mse")
    weights = np.array([1, 2, 3, 4], "float32")
    batch = ({"a": INPUTS[:4], "b": 0 * INPUTS[:4]}, TARGETS[:4], weights)
    test = run(model, [batch], iterations=2)
    squares = weights * (2 * INPUTS[:4].sum(1)) ** 2

    assert test.points[0][1] == pytest.approx(squares.mean(), rel=1e-5)


def test_it_is_one_test(replicas):
    model = made(replicas, "schedule")
    inputs, targets = BATCHES[0]
    broken = inputs.copy()
    broken[3] = np.nan  # of the second replica's
    test = run(model, [*BATCHES[:3], (broken, targets), *BATCHES])

    assert test.diverged
    assert len(test.points) == 4
    assert test.optimizer == "adam"


# What is left behind: nothing.


class Stop(Exception):
    pass


@pytest.mark.parametrize(
    ("optimizer", "end"),
    [
        *((optimizer, "nan") for optimizer in OPTIMIZERS),
        ("momentum", "ramp"),
        ("adam", "interrupt"),
        ("schedule", "data"),
    ],
)
def test_every_replica_has_everything_as_it_was_however_it_ends(replicas, optimizer, end):
    model = made(replicas, optimizer)
    fit(model)
    before = everything(replicas, model)

    def batches():
        yield from BATCHES
        if end == "nan":
            yield INPUTS[:4] * np.nan, TARGETS[:4]
        if end == "interrupt":
            raise KeyboardInterrupt
        if end == "data":
            raise Stop
        yield from BATCHES * 4

    if end in ("ramp", "nan"):
        assert run(model, batches()).diverged == (end == "nan")
    else:
        with pytest.raises((Stop, KeyboardInterrupt)):
            run(model, batches())

    assert same(everything(replicas, model), before)
    mean, other = before[model.layers[0].moving_mean.path]
    assert not np.array_equal(mean, other)  # each replica's own: they must not become one


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_as_if_there_had_been_no_test(replicas, optimizer):
    states = []
    for tested in (False, True):
        model = made(replicas, optimizer)
        fit(model)
        if tested:
            run(model)
        fit(model)
        states.append([*everything(replicas, model).values()])
        if optimizer == "schedule":
            assert float(model.optimizer.learning_rate[...]) == np.float32(LR(2 * len(BATCHES)))

    for parts, others in zip(*states, strict=True):
        assert all(map(np.array_equal, parts, others))


def test_what_is_shared_already_is_refused(replicas):
    data = tf.data.Dataset.from_tensor_slices((INPUTS, TARGETS)).batch(4)
    message = "for all replicas together: got one that is shared already\n\nHint: give the tf.data"

    with pytest.raises(TypeError, match=message):
        run(made(replicas), replicas.experimental_distribute_dataset(data))
    assert len(run(made(replicas), data).points) == 12
