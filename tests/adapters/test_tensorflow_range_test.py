"""range_test: what it measures, and that nothing of it is left behind."""

import random

import keras
import numpy as np
import pytest
from cyclr_tensorflow import HyperparameterScheduler, Scheduler, range_test

import cyclr

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

INPUTS = np.random.default_rng(1).normal(size=(16, 4)).astype("float32")
TARGETS = INPUTS.sum(1, keepdims=True)
BATCHES = [(INPUTS[i : i + 4], TARGETS[i : i + 4]) for i in range(0, 16, 4)]
LR = cyclr.Triangular(0.001, 0.005, 4)
OPT = keras.optimizers

OPTIMIZERS = {
    "sgd": lambda: OPT.SGD(0.01),
    "momentum": lambda: OPT.SGD(0.01, momentum=0.9),
    "adam": lambda: OPT.Adam(0.01, amsgrad=True),
    "schedule": lambda: OPT.Adam(Scheduler(LR)),
    "function": lambda: OPT.SGD(lambda: 0.01, momentum=0.9),
    "average": lambda: OPT.SGD(0.01, use_ema=True),
    "accumulation": lambda: OPT.Adam(Scheduler(LR, 2), gradient_accumulation_steps=2),
    "loss scale": lambda: OPT.LossScaleOptimizer(OPT.Adam(0.01)),
    "scaled schedule": lambda: OPT.LossScaleOptimizer(OPT.Adam(Scheduler(LR))),
}


class Calls(keras.layers.Layer):
    """Counts its calls in training."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.calls.assign_add(1.0)
        return x


def made(optimizer="momentum", trained=False, **compiled):
    """Return a model with everything that training changes, as new or after some training."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            Calls(),
            keras.layers.Dense(1, kernel_regularizer="l2"),
        ]
    )
    make = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    model.compile(make(), loss="mse", metrics=["mae"], **{"jit_compile": False} | compiled)
    if trained:
        train(model)
    return model


def train(model, batches=BATCHES):
    return [float(model.train_on_batch(*batch)[0]) for batch in batches]


def numbers(variables):
    return [np.array(keras.ops.convert_to_numpy(variable[...])) for variable in variables]


def everything(model):
    """Return a copy of all that may change."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    return {
        "model": numbers(model.variables),
        "metrics": {v.path: numbers([v])[0] for v in model.metrics_variables},
        "optimizer": numbers(model.optimizer.variables),
        "names": [v.path for v in model.optimizer.variables],
        "random": (random.getstate(), np.random.get_state()),
        "identities": [
            optimizer._learning_rate,
            model.train_function,
            model.train_step,
            *model.variables,
            *model.optimizer.variables,
        ],
        "patched": "train_step" in vars(model),
    }


def same(a, b):
    """Compare to the bit, through any structure."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a is b or (isinstance(a, (str, int, float)) and a == b) or same_method(a, b)


def same_method(a, b):
    return hasattr(a, "__func__") and a.__func__ is b.__func__ and a.__self__ is b.__self__


def unchanged(model, before):
    """Compare with what was before; metrics that the first batch has made are at their start."""
    after = everything(model)
    new = after["metrics"].keys() - before["metrics"].keys()
    assert all((after["metrics"].pop(path) == 0).all() for path in new)
    return same(after, before)


def built(model):
    """Have the optimizer built, as a test does, so that the variables before are comparable."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return model


def run(model, data=BATCHES, **arguments):
    arguments = {"progress": False, "iterations": 20, "end_lr": 0.1} | arguments
    return range_test(model, data, **arguments)


# What is measured.


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "schedule", "function"])
@pytest.mark.parametrize("trained", [False, True])
def test_it_is_the_usual_training_at_rising_learning_rates(optimizer, trained):
    arguments = {"sgd": {}, "adam": {"amsgrad": True}, "schedule": {}}.get(
        optimizer, {"momentum": 0.9}
    )
    kind = OPT.Adam if optimizer in ("adam", "schedule") else OPT.SGD
    lrs = [lr for lr, _ in run(made(optimizer)).points]
    test = run(made(optimizer, trained))

    other = made(lambda: kind(0.01, **arguments))
    if trained:
        rates = LR if optimizer == "schedule" else cyclr.Constant(0.01)
        for k, batch in enumerate(BATCHES):
            other.optimizer.learning_rate = rates(k)
            other.train_on_batch(*batch)
    expected = []
    for k, lr in enumerate(lrs):
        other.optimizer.learning_rate = lr
        expected.append(float(other.train_on_batch(*BATCHES[k % 4])[0]))
    losses = [loss for _, loss in test.points]
    assert losses == pytest.approx(expected, rel=2e-4)
    assert {type(loss) for loss in losses} == {float}


def test_the_loss_is_the_batchs_own_and_from_before_its_update():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(OPT.SGD(0.1), loss="mse")
    expected = [float(model.test_on_batch(inputs, 3 * targets)) for inputs, targets in BATCHES]
    batches = [(inputs, 3 * targets) for inputs, targets in BATCHES]
    test = run(model, batches, start_lr=1e-9, end_lr=1e-8, iterations=4)

    assert [loss for _, loss in test.points] == pytest.approx(expected, rel=1e-5)
    assert len({f"{loss:.2f}" for loss in expected}) == 4  # whose means would differ


def test_it_returns_the_cores_test():
    test = run(made(), start_lr=1e-5, iterations=30)

    assert isinstance(test, cyclr.RangeTest)
    assert test.points[0][0] == 1e-5
    assert test.points[-1][0] == 0.1
    assert len(test.points) == 30


@pytest.mark.parametrize(
    ("optimizer", "name", "momentum"),
    [
        (lambda: OPT.SGD(0.1), "sgd", 0.0),
        (lambda: OPT.SGD(0.1, momentum=0.8), "sgd", 0.8),
        (lambda: OPT.SGD(0.1, momentum=0.8, nesterov=True), "nesterov", 0.8),
        (lambda: OPT.Adam(), "adam", 0.9),
        (lambda: OPT.AdamW(beta_1=0.8), "adamw", 0.8),
        (lambda: OPT.Nadam(), "nadam", 0.9),
        (lambda: OPT.RMSprop(), "rmsprop", 0.0),
        (lambda: OPT.Adagrad(), "adagrad", None),
        (lambda: OPT.LossScaleOptimizer(OPT.Adam(beta_1=0.7)), "adam", 0.7),
    ],
)
def test_it_knows_its_optimizer(optimizer, name, momentum):
    test = run(made(optimizer), iterations=2)

    assert (test.optimizer, test.momentum) == (name, momentum)


@pytest.mark.parametrize("optimizer", ["sgd", "schedule"])
def test_its_bounds_are_to_be_had_at_once(optimizer):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(OPTIMIZERS[optimizer](), loss="mse")
    test = run(model, (INPUTS, TARGETS), iterations=150, end_lr=100)
    bounds = test.bounds()

    assert test.diverged
    assert bounds == cyclr.analyze(test.points, optimizer=test.optimizer, momentum=test.momentum)
    assert 0.0005 < bounds.base_lr < bounds.max_lr < 5


@pytest.mark.parametrize("accumulation", [2, 3])
@pytest.mark.parametrize("schedule", [False, True])
def test_one_point_is_one_update_however_many_batches_it_takes(accumulation, schedule):
    lr = Scheduler(LR, accumulation) if schedule else 0.01
    model = made(lambda: OPT.SGD(lr, gradient_accumulation_steps=accumulation))
    seen = []

    def batches():
        for batch in BATCHES:
            seen.append(batch)
            yield batch

    class Again:
        __iter__ = staticmethod(batches)

    test = run(model, Again(), start_lr=1e-9, end_lr=1e-8, iterations=4)

    assert len(test.points) == 4
    assert len(seen) == 4 * accumulation
    model = made(lambda: OPT.SGD(1e-9))
    losses = train(model, seen)
    expected = [np.mean(losses[i : i + accumulation]) for i in range(0, len(seen), accumulation)]
    assert [loss for _, loss in test.points] == pytest.approx(expected, rel=1e-4)


def test_a_loss_that_is_not_finite_ends_it():
    model = built(made())
    before = everything(model)
    inputs, targets = BATCHES[0]
    test = run(model, [*BATCHES, *BATCHES[:3], (inputs * np.nan, targets)])

    assert test.diverged
    assert len(test.points) == 8
    assert unchanged(model, before)


@pytest.mark.parametrize("optimizer", ["momentum", "schedule", "scaled schedule"])
def test_a_test_that_is_repeated_gives_the_same(optimizer):
    model = made(optimizer)

    assert run(model).points == run(model).points


def test_momentum_that_follows_a_schedule_follows_it_in_the_test():
    model = made("momentum")
    HyperparameterScheduler(momentum=LR.mirror(0.5, 0.95)).attach(model.optimizer)
    test = run(model)

    assert test.momentum == pytest.approx(0.95)
    assert test.points != run(made("momentum")).points


# Data.


def test_arrays_are_drawn_in_batches():
    model = made()
    rows = []
    original = model.train_on_batch

    def train_on_batch(x, y, sample_weight, **arguments):
        rows.append((x, y, sample_weight))
        return original(x, y, sample_weight, **arguments)

    model.train_on_batch = train_on_batch
    weights = np.arange(16.0, dtype="float32")
    run(model, (INPUTS, TARGETS, weights), batch_size=5, iterations=6)

    assert {len(x) for x, _, _ in rows} == {5}
    assert all((x.sum(1, keepdims=True) == y).all() for x, y, _ in rows)
    assert all((INPUTS[w.astype(int)] == x).all() for x, _, w in rows)
    first_pass = np.concatenate([w for _, _, w in rows[:3]])
    assert len(set(first_pass)) == 15  # each row once
    assert sorted(first_pass) != list(first_pass)  # in an order of its own


def test_batches_of_arrays_have_32_rows_unless_there_are_fewer():
    model = made()
    many = np.tile(INPUTS, (4, 1)), np.tile(TARGETS, (4, 1))

    assert run(model, (INPUTS, TARGETS)).points == (
        run(model, (INPUTS, TARGETS), batch_size=16).points
    )
    assert run(model, many).points == run(model, many, batch_size=32).points
    assert run(model, many).points != run(model, many, batch_size=31).points


def test_inputs_may_be_of_any_structure():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(a + b))
    model.compile(OPT.SGD(0.1), loss="mse")
    test = run(model, ({"a": INPUTS, "b": INPUTS}, TARGETS), batch_size=4)

    assert len(test.points) == 20


def test_a_dataset_of_keras_is_batches():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(BATCHES)

        def __getitem__(self, index):
            return BATCHES[index]

    assert run(made(), Batches()).points == run(made(), BATCHES).points


def test_batches_with_weights_count_by_them():
    heavy = [(x, y, np.full(4, 2.0, "float32")) for x, y in BATCHES]
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(OPT.SGD(0.1), loss="mse")
    one, two = (
        run(model, [(x, 3 * y, *w) for x, y, *w in data], start_lr=1e-9, end_lr=1e-8).points[0][1]
        for data in (BATCHES, heavy)
    )

    assert two == pytest.approx(2 * one)


def test_data_that_ends_starts_again():
    assert run(made(), BATCHES * 5).points == run(made(), BATCHES).points


@pytest.mark.parametrize("count", [0, 1, 7])
def test_an_iterator_that_ends_is_an_error_that_says_so(count):
    model = built(made())
    before = everything(model)

    with pytest.raises(ValueError, match=rf"data must have 20 batches, or .*: got {count}\n\nHint"):
        run(model, iter((BATCHES * 2)[:count]))
    assert unchanged(model, before)


def test_an_iterator_is_read_as_far_as_needed():
    batches = iter(BATCHES * 6)
    run(made(), batches, end_lr=0.01)

    assert len(list(batches)) == 4


# Models of one's own.


class Regressor(keras.Model):
    """A training step as Keras's guide has it: it takes what fit gives it."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.data = []

    def call(self, x):
        return self.dense(x)

    def train_step(self, *arguments):
        *_, (inputs, targets) = arguments
        assert inputs.shape[1:] == (4,)
        assert targets.shape[1:] == (1,)
        return super().train_step(*arguments)


def test_a_training_step_of_ones_own_gets_what_fit_gives_it():
    model = Regressor()
    model.compile(OPT.SGD(0.01), loss="mse")

    assert len(run(model).points) == 20


def test_a_model_that_is_not_built_is_built_by_the_first_batch():
    model = keras.Sequential([keras.layers.Dense(8), keras.layers.Dense(1)])
    model.compile(OPT.Adam(0.01), loss="mse")
    test = run(model)
    weights = model.get_weights()

    assert run(model).points == test.points
    assert same(model.get_weights(), weights)
    assert (weights[1] == 0).all()  # the biases are as they were made


def test_a_step_without_a_loss_is_an_error_that_names_what_it_has():
    class Lossless(Regressor):
        def train_step(self, *arguments):
            logs = super().train_step(*arguments)
            if isinstance(logs, dict):
                return {"error": logs["loss"]}
            return {"error": logs[0]["loss"]}, logs[1]

    model = Lossless()
    model.compile(OPT.SGD(0.01), loss="mse")
    with pytest.raises(ValueError, match="training step must return its loss: got error"):
        run(model)


# What is put back: everything, however it ends.


class Stop(Exception):
    pass


@pytest.mark.parametrize(
    ("optimizer", "end"),
    [
        *((optimizer, end) for optimizer in OPTIMIZERS for end in ("ramp", "nan")),
        *(
            (optimizer, end)
            for optimizer in ("momentum", "schedule")
            for end in ("interrupt", "data")
        ),
    ],
)
def test_everything_is_as_it_was_however_it_ends(optimizer, end):
    model = built(made(optimizer, trained=end != "ramp"))
    before = everything(model)

    def batches():
        np.random.random()
        yield from BATCHES
        random.random()
        np.random.random()
        if end == "nan":
            yield INPUTS[:4] * np.nan, TARGETS[:4]
        if end == "interrupt":
            raise KeyboardInterrupt
        if end == "data":
            raise Stop
        yield from BATCHES * 2

    if end in ("ramp", "nan"):
        test = run(model, batches(), iterations=4 if "accumulation" in optimizer else 10)
        assert test.diverged == (end == "nan")
    else:
        with pytest.raises((Stop, KeyboardInterrupt)):
            run(model, batches())
    assert unchanged(model, before)


@pytest.mark.parametrize(
    ("optimizer", "trained"),
    [*((optimizer, True) for optimizer in OPTIMIZERS), ("adam", False), ("schedule", False)],
)
def test_training_goes_on_as_if_there_had_been_no_test(optimizer, trained):
    model, other = made(optimizer, trained), None
    run(model)
    losses = train(model)
    weights = numbers(model.variables)
    other = made(optimizer, trained)

    assert losses == train(other)
    assert same(weights, numbers(other.variables))
    assert [type(v) for v in model.optimizer.variables] == [
        type(v) for v in other.optimizer.variables
    ]
    assert same(numbers(model.optimizer.variables), numbers(other.optimizer.variables))


def test_so_does_fit_with_its_random_state():
    histories = []
    for tested in (False, True):
        # On JAX, fit draws an order more for metrics that aren't built yet.
        model = made("schedule", trained=True)
        if tested:
            run(model)
        history = model.fit(INPUTS, TARGETS, batch_size=4, epochs=2, verbose=0)
        histories.append(history.history["loss"])

    assert histories[0] == histories[1]


def test_keras_own_random_state_is_put_back():
    class Noisy(keras.layers.Layer):
        def call(self, x, training=False):
            return x + keras.random.normal((4,)) if training else x

    drawn = []
    for tested in (False, True):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((4,)), Noisy(), keras.layers.Dense(1)])
        keras.random.normal(())
        model.compile(OPT.SGD(0.01), loss="mse", run_eagerly=True)
        if tested:
            run(model, iterations=3)
        drawn.append(float(keras.random.normal(())))

    assert drawn[0] == drawn[1]


def test_a_schedule_does_not_count_the_tests_updates():
    model = made("schedule")
    train(model, BATCHES[:3])
    run(model)

    assert float(model.optimizer.learning_rate) == np.float32(LR(3))


# The bar, and errors.


def test_progress_is_a_bar_that_says_where_it_is(capsys):
    run(made(), progress=True)
    shown = capsys.readouterr().err

    assert "range test" in shown
    assert "20/20" in shown
    assert "lr=1.00e-01" in shown


def test_without_progress_nothing_is_shown(capsys):
    run(made(), progress=False)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": keras.layers.Dense}, TypeError, "model must be a keras.Model: got <class"),
        ({"model": keras.Sequential()}, ValueError, "model must be compiled with an optimizer\n"),
        ({"data": 3}, TypeError, "data must be a tuple of arrays, or an iterable of .*: got 3"),
        (
            {"batch_size": 4},
            ValueError,
            "batch_size must be left out for data that comes in batches: got 4",
        ),
        ({"data": (INPUTS, TARGETS), "batch_size": 0}, ValueError, "batch_size must be at least 1"),
        (
            {"data": (INPUTS, TARGETS[:5])},
            ValueError,
            "the arrays of data must have the same number of rows: got 16, 5",
        ),
        ({"data": (INPUTS[:0], TARGETS[:0])}, ValueError, "number of rows: got 0, 0"),
        ({"data": (INPUTS, 3)}, ValueError, "number of rows: got 16, 0"),
        ({"start_lr": 0}, ValueError, "start_lr must be above 0: got 0"),
        ({"iterations": 1}, ValueError, "iterations must be at least 2: got 1"),
    ],
)
def test_wrong_arguments_are_errors_before_the_test(arguments, error, message):
    arguments = {"model": made(), "data": BATCHES} | arguments
    with pytest.raises(error, match=f"^{message}|{message}"):
        run(arguments.pop("model"), arguments.pop("data"), **arguments)
