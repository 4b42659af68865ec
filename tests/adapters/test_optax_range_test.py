"""range_test over a pure step: what it measures, and that the caller's state stays as it was."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cyclr_optax import range_test

import cyclr

INPUTS = jnp.array(np.random.default_rng(1).normal(size=(16, 4)))
BATCHES = [(INPUTS[i : i + 4], INPUTS[i : i + 4].sum(axis=1)) for i in range(0, 16, 4)]
OPTIMIZERS = {
    "sgd": functools.partial(optax.sgd, momentum=0.9),
    "adam": optax.adam,
    "adamw": functools.partial(optax.adamw, weight_decay=0.1),
}


def loss_fn(weight, batch):
    inputs, targets = batch
    return jnp.mean((inputs @ weight - targets) ** 2)


def made(optimizer="sgd", **jit):
    """Return a step and its first state."""
    optimizer = optax.inject_hyperparams(OPTIMIZERS[optimizer])(learning_rate=0.0)

    @functools.partial(jax.jit, **jit)
    def step(state, batch, lr):
        weight, optimizer_state = state
        optimizer_state = optax.tree.set(optimizer_state, learning_rate=lr)
        loss, gradient = jax.value_and_grad(loss_fn)(weight, batch)
        move, optimizer_state = optimizer.update(gradient, optimizer_state, weight)
        return (weight + move, optimizer_state), loss

    weight = jnp.arange(4.0)
    return step, (weight, optimizer.init(weight))


def run(step, state, data=BATCHES, **arguments):
    return range_test(
        step, state, data, **{"progress": False, "iterations": 20, "end_lr": 0.1} | arguments
    )


def numbers(state):
    return jax.tree.map(lambda leaf: np.asarray(leaf).tolist(), state)


# What is measured.


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_the_usual_training_at_rising_learning_rates(name):
    test = run(*made(name))

    weight, expected = jnp.arange(4.0), []
    state = OPTIMIZERS[name](0.0).init(weight)
    for i, (lr, _) in enumerate(test.points):
        loss, gradient = jax.value_and_grad(loss_fn)(weight, BATCHES[i % 4])
        move, state = OPTIMIZERS[name](lr).update(gradient, state, weight)
        weight = optax.apply_updates(weight, move)
        expected.append((lr, loss.item()))
    assert len(test.points) == 20
    assert np.array(test.points) == pytest.approx(np.array(expected), rel=1e-5)
    assert [lr for lr, _ in test.points][::19] == [1e-6, 0.1]


def test_it_is_a_range_test_that_knows_what_it_was_told():
    test = run(*made(), optimizer="SGD", momentum=0.9)

    assert isinstance(test, cyclr.RangeTest)
    assert (test.optimizer, test.momentum) == ("SGD", 0.9)
    assert (run(*made()).optimizer, run(*made()).momentum) == (None, None)


@pytest.mark.parametrize("data", [BATCHES, [(INPUTS * jnp.nan, INPUTS[:, 0])]])
def test_it_ends_when_the_loss_diverges_or_is_no_number(data):
    test = run(*made(), data, iterations=200, end_lr=1e4)

    assert test.diverged
    assert len(test.points) < 200


def test_its_bounds_become_a_schedule_that_trains():
    step, state = made("adam")
    whole = (INPUTS, INPUTS.sum(axis=1))
    bounds = run(step, state, [whole], iterations=100, end_lr=10.0, optimizer="adam").bounds()
    schedule = bounds.schedule(cyclr.Triangular2, step_size=10)
    before = loss_fn(state[0], whole)
    for k in range(60):
        state, _ = step(state, whole, schedule(k))

    assert loss_fn(state[0], whole) < before / 10


def test_the_step_is_compiled_once():
    traces = []
    inner, state = made()

    @jax.jit
    def step(state, batch, lr):
        traces.append(None)
        return inner(state, batch, lr)

    run(step, state)

    assert len(traces) == 1


def test_the_step_need_not_be_compiled_and_the_state_may_be_anything():
    def step(state, batch, lr):
        assert type(lr) is float
        return {**state, "calls": state["calls"] + 1, "seen": batch}, 1.0 / (1 + state["calls"])

    test = run(step, {"calls": 0, "note": "any object", "nothing": None, "seen": None}, [1, 2])

    assert [loss for _, loss in test.points] == [1 / (1 + k) for k in range(20)]


# What is left behind: nothing.


def test_the_state_is_the_callers_as_it_was():
    step, state = made("adam")
    key = jax.random.key(0)
    before = numbers(state)
    run(lambda s, batch, lr: ((*step(s[:2], batch, lr)[0], s[2]), 1.0), (*state, key))

    assert numbers(state) == before
    assert jax.random.uniform(key) == jax.random.uniform(jax.random.key(0))


def test_also_when_the_step_donates_its_state():
    step, state = made("adam", donate_argnums=0)
    other, other_state = made("adam")
    before = numbers(state)
    test = run(step, state)

    assert numbers(state) == before
    assert test.points == run(other, other_state).points
    step(state, BATCHES[0], 0.1)
    with pytest.raises(RuntimeError, match="deleted"):  # what would have come of it
        numbers(state)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_error_in_the_step_is_the_callers(error):
    step, state = made()
    before = numbers(state)

    def failing(state, batch, lr):
        if lr > 0.01:
            raise error
        return step(state, batch, lr)

    with pytest.raises(error):
        run(failing, state)
    assert numbers(state) == before


# Data.


def test_data_that_ends_starts_again_and_no_batch_is_read_in_vain():
    class Data:
        starts = read = 0

        def __iter__(self):
            self.starts += 1
            for batch in BATCHES:
                self.read += 1
                yield batch

    data = Data()
    test = run(*made(), data)

    assert (data.starts, data.read) == (5, 20)
    assert test.points == run(*made()).points


@pytest.mark.parametrize(("data", "count"), [(iter(BATCHES), 4), ([], 0)])
def test_an_iterator_that_is_too_short_is_an_error(data, count):
    with pytest.raises(ValueError, match=rf"^data must have 20 batches, .*: got {count}\n\nHint: "):
        run(*made(), data)


# The progress bar.


def test_the_progress_bar_shows_how_far_it_is(capsys):
    run(*made(), progress=True)
    bar = capsys.readouterr().err
    run(*made(), progress=False)

    assert "range test: 100%" in bar
    assert "20/20" in bar
    assert "lr=1.00e-01" in bar
    assert "loss=" in bar
    assert capsys.readouterr().err == ""


# Errors.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 3}, "step must be a function of state, batch and lr: got 3"),
        ({"data": 3}, "data must be an iterable of batches: got 3"),
        ({"step": lambda *_: 3.0}, "step must return (state, loss): got float"),
        ({"step": lambda *_: (1, 2, 3)}, "step must return (state, loss): got tuple of 3"),
        ({"step": lambda state, *_: (state, "low")}, "loss must be a number: got 'low'"),
        ({"step": lambda state, *_: (state, jnp.ones(2))}, "loss must be a number: got"),
        ({"optimizer": 3}, "optimizer must be a string: got 3"),
    ],
)
def test_wrong_kinds_are_refused(change, message):
    step, state = made()

    with pytest.raises(TypeError) as error:
        range_test(**{"step": step, "state": state, "data": BATCHES, "progress": False} | change)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_lr": 0}, "start_lr must be above 0: got 0"),
        ({"start_lr": 1.0, "end_lr": 0.5}, "end_lr must be above 1.0: got 0.5"),
        ({"iterations": 1}, "iterations must be at least 2: got 1"),
        ({"momentum": 1}, "momentum must be below 1: got 1"),
    ],
)
def test_wrong_values_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        run(*made(), **arguments)
