"""HyperparameterScheduler: what the optimizer really used, read back from how the weights moved."""

import keras
import numpy as np
import pytest
from cyclr_tensorflow import HyperparameterScheduler, Scheduler

import cyclr

SCHEDULE = cyclr.Triangular(0.1, 0.9, step_size=4)
OPT = keras.optimizers
N = 12

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@keras.saving.register_keras_serializable("tests")
def curved(targets, outputs):
    """A loss whose gradient depends on where the weights are."""
    return keras.ops.mean(outputs * outputs) + keras.ops.mean(outputs)


@keras.saving.register_keras_serializable("tests")
def linear(targets, outputs):
    """A loss whose gradient is the input."""
    return keras.ops.sum(outputs)


class Weights(keras.callbacks.Callback):
    """Record the weights before the first update and after each."""

    def __init__(self):
        super().__init__()
        self.values = []

    def on_train_begin(self, logs=None):
        self.on_train_batch_end(0)

    def on_train_batch_end(self, batch, logs=None):
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        self.values.append(self.model.get_weights()[0].ravel())


def made(optimizer, loss=curved, **compiled):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    )
    model.compile(optimizer, loss=loss, **compiled)
    return model


ROWS = np.random.default_rng(0).normal(size=(N, 2)).astype("float32")


def fit(model, *callbacks, rows=ROWS):
    """Train on each row once; return the weights before and after each update."""
    weights = Weights()
    model.fit(
        rows,
        np.zeros((len(rows), 1)),
        batch_size=1,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, weights],
    )
    return np.array(weights.values)


def set_by_hand(make, name, schedule=SCHEDULE):
    """Return the weights of a training that sets the number for each update, without a graph."""
    optimizer = make(**{name: schedule(0)})
    model = made(optimizer, run_eagerly=True)
    values = [model.get_weights()[0].ravel()]
    for k, row in enumerate(ROWS):
        setattr(optimizer, name, schedule(k))
        model.train_on_batch(row[None], np.zeros((1, 1)))
        values.append(model.get_weights()[0].ravel())
    return np.array(values)


# What is used, read back from the weights.


@pytest.mark.parametrize("jit", [False, True])
def test_momentum_of_sgd(jit):
    """After one gradient, each update moves the weight by momentum times the one before."""
    optimizer = OPT.SGD(0.1, momentum=0.5)
    only_first = np.eye(N, 2, dtype="float32")[:, :2] * [[1, 0]]
    weights = fit(
        made(optimizer, linear, jit_compile=jit),
        HyperparameterScheduler(momentum=SCHEDULE),
        rows=only_first,
    )[:, 0]
    moved = np.diff(weights)

    expected = [SCHEDULE(k) for k in range(1, 8)]
    assert moved[1:8] / moved[:7] == pytest.approx(expected, rel=2e-3)  # of weights near 1


@pytest.mark.parametrize("jit", [False, True])
def test_weight_decay_of_adamw(jit):
    """Without a gradient, each update shrinks the weight by decay times learning rate."""
    decay = cyclr.Triangular(0.1, 0.5, step_size=4)
    weights = fit(
        made(OPT.AdamW(0.5), linear, jit_compile=jit),
        HyperparameterScheduler(weight_decay=decay),
        rows=np.zeros((N, 2), dtype="float32"),
    )[:, 0]

    used = (1 - weights[1:] / weights[:-1]) / 0.5
    assert used == pytest.approx([decay(k) for k in range(N)], rel=2e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_beta_1_of_adam(jit):
    """After one gradient, Adam's mean of gradients is beta_1 times what it was."""
    optimizer = OPT.Adam(0.1, epsilon=1.0)
    model = made(optimizer, linear, jit_compile=jit)
    mean = []

    class Mean(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if hasattr(self.model, "jax_state_sync"):
                self.model.jax_state_sync()
            mean.append(float(optimizer._momentums[0][0, 0]))

    only_first = np.zeros((N, 2), dtype="float32")
    only_first[0] = 1
    fit(model, HyperparameterScheduler(beta_1=SCHEDULE), Mean(), rows=only_first)

    assert mean[0] == pytest.approx(1 - SCHEDULE(0), rel=1e-6)
    assert np.divide(mean[1:], mean[:-1]) == pytest.approx(
        [SCHEDULE(k) for k in range(1, N)], rel=1e-6
    )


FOLLOWERS = {
    "SGD momentum": (lambda **k: OPT.SGD(0.1, **{"momentum": 0.5} | k), "momentum"),
    "Nesterov momentum": (
        lambda **k: OPT.SGD(0.1, nesterov=True, **{"momentum": 0.5} | k),
        "momentum",
    ),
    "RMSprop momentum": (lambda **k: OPT.RMSprop(0.1, **{"momentum": 0.5} | k), "momentum"),
    "RMSprop rho": (lambda **k: OPT.RMSprop(0.1, **k), "rho"),
    "Adam beta_1": (lambda **k: OPT.Adam(0.1, **k), "beta_1"),
    "Adam beta_2": (lambda **k: OPT.Adam(0.1, **k), "beta_2"),
    "Adam epsilon": (lambda **k: OPT.Adam(0.1, **k), "epsilon"),
    "Adamax beta_1": (lambda **k: OPT.Adamax(0.1, **k), "beta_1"),
    "Nadam beta_1": (lambda **k: OPT.Nadam(0.1, **k), "beta_1"),
    "Lion beta_1": (lambda **k: OPT.Lion(0.1, **k), "beta_1"),
    "Lamb beta_1": (lambda **k: OPT.Lamb(0.1, **k), "beta_1"),
    "AdamW weight_decay": (lambda **k: OPT.AdamW(0.1, **k), "weight_decay"),
    "SGD weight_decay": (lambda **k: OPT.SGD(0.1, **{"weight_decay": 0.0} | k), "weight_decay"),
    "SGD clipnorm": (lambda **k: OPT.SGD(0.1, **{"clipnorm": 1.0} | k), "clipnorm"),
}


@pytest.mark.parametrize(("make", "name"), FOLLOWERS.values(), ids=FOLLOWERS)
def test_a_graph_moves_the_weights_as_numbers_set_by_hand_would(make, name):
    followed = fit(made(make()), HyperparameterScheduler(**{name: SCHEDULE}))

    assert followed == pytest.approx(set_by_hand(make, name), abs=2e-6)
    assert np.abs(followed - fit(made(make()))).max() > 0.01  # the schedule matters


def test_several_follow_beside_the_learning_rate():
    lr = cyclr.Triangular(0.01, 0.1, step_size=4)
    momentum, decay = lr.mirror(0.85, 0.95), cyclr.Linear(0.1, 0.0, N)
    optimizer = OPT.SGD(Scheduler(lr), momentum=0.9, weight_decay=0.1)
    followed = fit(made(optimizer), HyperparameterScheduler(momentum=momentum, weight_decay=decay))

    w, v = np.ones(2), np.zeros(2)
    for k, x in enumerate(ROWS.astype(float)):
        gradient = (2 * (x @ w) + 1) * x
        w = w - w * decay(k) * lr(k)
        v = momentum(k) * v - lr(k) * gradient
        w = w + v
    assert followed[-1] == pytest.approx(w, rel=1e-5)


@pytest.mark.parametrize(
    "compiled", [{"steps_per_execution": 4}, {"run_eagerly": True}, {"jit_compile": True}]
)
def test_it_does_not_matter_how_the_steps_are_run(compiled):
    make, name = FOLLOWERS["SGD momentum"]
    model = made(make(), **compiled)
    fit(model, HyperparameterScheduler(momentum=SCHEDULE))

    assert model.get_weights()[0].ravel() == pytest.approx(set_by_hand(make, name)[-1], abs=2e-6)


def test_accumulated_gradients_are_one_update():
    optimizer = OPT.AdamW(0.5, gradient_accumulation_steps=3)
    decay = cyclr.Triangular(0.1, 0.5, step_size=2)
    weights = fit(
        made(optimizer, linear),
        HyperparameterScheduler(weight_decay=decay),
        rows=np.zeros((N, 2), dtype="float32"),
    )[::3, 0]

    used = (1 - weights[1:] / weights[:-1]) / 0.5
    assert used == pytest.approx([decay(k) for k in range(4)], rel=2e-5)


def test_momentum_asked_of_adam_is_its_beta_1():
    a, b = (
        fit(made(OPT.Adam(0.1)), HyperparameterScheduler(**{name: SCHEDULE}))
        for name in ("momentum", "beta_1")
    )

    assert (a == b).all()


def test_the_optimizer_within_a_loss_scale_follows():
    make, name = FOLLOWERS["SGD momentum"]
    model = made(OPT.LossScaleOptimizer(make(), initial_scale=1.0))

    followed = fit(model, HyperparameterScheduler(momentum=SCHEDULE))
    assert followed == pytest.approx(set_by_hand(make, name), abs=2e-6)


def test_a_function_of_ones_own_is_a_schedule():
    make, name = FOLLOWERS["SGD momentum"]

    def function(i):
        return 0.9 * 0.8**i

    followed = fit(made(make()), HyperparameterScheduler(momentum=function))
    assert followed == pytest.approx(set_by_hand(make, name, function), abs=2e-6)


# From one fit to the next.


def test_two_fits_are_one_training():
    make, name = FOLLOWERS["SGD momentum"]
    model = made(make())
    callback = HyperparameterScheduler(momentum=SCHEDULE)
    fit(model, callback, rows=ROWS[:5])
    weights = fit(model, callback, rows=ROWS[5:])

    assert weights == pytest.approx(set_by_hand(make, name)[5:], abs=2e-6)


def test_the_step_is_traced_once_for_all_fits():
    model = made(OPT.SGD(0.1, momentum=0.5))
    traced = []
    callback = HyperparameterScheduler(momentum=lambda i: traced.append(i) or 0.5)
    fit(model, callback)
    before = len(traced)
    fit(model, callback)

    assert 0 < before == len(traced)


def test_a_fit_before_without_it_does_not_bake_the_number_in():
    make, _ = FOLLOWERS["SGD momentum"]
    model = made(make())
    fit(model, rows=ROWS[:1])
    weights = fit(model, HyperparameterScheduler(momentum=lambda i: i * 0.0), rows=ROWS[1:])

    x, w = ROWS[1].astype(float), weights[0]
    gradient = (2 * (x @ w) + 1) * x
    assert weights[1] == pytest.approx(w - 0.1 * gradient, abs=1e-6)  # momentum 0


def test_the_optimizer_goes_on_following_without_the_callback():
    make, name = FOLLOWERS["SGD momentum"]
    model = made(make())
    fit(model, HyperparameterScheduler(momentum=SCHEDULE), rows=ROWS[:5])
    weights = fit(model, rows=ROWS[5:])

    assert weights == pytest.approx(set_by_hand(make, name)[5:], abs=2e-6)


def test_a_later_one_takes_over():
    optimizer = OPT.SGD(0.1, momentum=0.5)
    model = made(optimizer)
    fit(model, HyperparameterScheduler(momentum=SCHEDULE), rows=ROWS[:3])
    fit(model, HyperparameterScheduler(momentum=cyclr.Constant(0.25)), rows=ROWS[3:6])

    assert float(optimizer.momentum) == 0.25
    assert optimizer.get_config()["momentum"] == 0.5


def test_a_saved_model_goes_on_in_the_middle_of_a_cycle(tmp_path):
    make, name = FOLLOWERS["SGD momentum"]
    model = made(make())
    fit(model, HyperparameterScheduler(momentum=SCHEDULE), rows=ROWS[:5])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert loaded.optimizer.momentum == 0.5  # its own number
    weights = fit(loaded, HyperparameterScheduler(momentum=SCHEDULE), rows=ROWS[5:])
    assert weights == pytest.approx(set_by_hand(make, name)[5:], abs=2e-6)


def test_a_model_can_be_saved_while_it_trains(tmp_path):
    model = made(OPT.SGD(0.1, momentum=0.5))
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    fit(model, HyperparameterScheduler(momentum=SCHEDULE), checkpoint)

    loaded = keras.saving.load_model(tmp_path / "1.keras")
    assert loaded.optimizer.momentum == 0.5
    assert int(loaded.optimizer.iterations) == N


def test_the_optimizer_has_no_more_variables_for_it():
    optimizer = OPT.AdamW(0.1)
    model = made(optimizer)
    fit(model, HyperparameterScheduler(momentum=SCHEDULE, weight_decay=SCHEDULE))

    assert len(optimizer.variables) == 2 + 2


def test_what_it_follows_can_be_seen():
    optimizer = OPT.SGD(0.1, momentum=0.5)
    HyperparameterScheduler(momentum=SCHEDULE).attach(optimizer)

    assert repr(optimizer.momentum) == f"<0.5, following {SCHEDULE!r}>"
    assert float(optimizer.momentum) == np.float32(0.1)


# What can't follow.


def test_a_number_that_the_step_does_not_read_is_an_error():
    class Idle(keras.optimizers.SGD):
        idle = 1.0

        def get_config(self):
            return super().get_config() | {"idle": self.idle}

    with pytest.raises(RuntimeError, match=r"^idle must be read by each step: Idle's doesn't$"):
        fit(made(Idle(0.1)), HyperparameterScheduler(idle=SCHEDULE))


@pytest.mark.parametrize(
    ("optimizer", "schedules", "message"),
    [
        (
            lambda: OPT.SGD(0.1),
            {"momentum": SCHEDULE},
            "momentum must be above 0 in SGD, which otherwise keeps no velocity: got 0.0\n\n"
            "Hint: keras.optimizers.SGD(..., momentum=0.9)",
        ),
        (
            lambda: OPT.Adam(0.1),
            {"weight_decay": SCHEDULE},
            "weight_decay must be a number in the optimizer, Adam: got None",
        ),
        (
            lambda: OPT.SGD(0.1, momentum=0.9),
            {"momentum": SCHEDULE, "beta_1": SCHEDULE},
            "beta_1 must be a number of the optimizer: SGD has ema_momentum, momentum",
        ),
        (
            lambda: OPT.SGD(0.1, nesterov=True),
            {"nesterov": SCHEDULE},
            "nesterov must be a number in the optimizer, SGD: got True",
        ),
    ],
)
def test_what_can_not_follow_is_an_error_before_the_training(optimizer, schedules, message):
    optimizer = optimizer()
    model = made(optimizer)
    config = optimizer.get_config()
    with pytest.raises(ValueError) as raised:
        fit(model, HyperparameterScheduler(**schedules))

    assert str(raised.value) == message
    assert optimizer.get_config() == config
    assert (model.get_weights()[0] == 1).all()


def test_wrong_arguments_are_errors_at_once():
    with pytest.raises(TypeError, match=r"momentum must be a schedule or a function .*: got 0.9"):
        HyperparameterScheduler(momentum=0.9)
    with pytest.raises(TypeError, match="one hyper-parameter must be given at least"):
        HyperparameterScheduler()
    with pytest.raises(TypeError, match=r"(?s)learning_rate must be given to.*Scheduler\("):
        HyperparameterScheduler(learning_rate=SCHEDULE)


def test_another_backend_is_an_error_at_once(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match=r"backend of Keras must be one of .*: got 'torch'"):
        HyperparameterScheduler(momentum=SCHEDULE)
