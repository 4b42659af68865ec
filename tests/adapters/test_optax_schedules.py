"""A schedule is an optax schedule: in its optimizers, beside its schedules, against its own."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cyclr
import strategies as any_

# Sums of binary fractions: weights that move by these are exact, and so are their differences.
SCHEDULE = cyclr.Triangular2(0.25, 2.25, 4)
EXPECTED = [SCHEDULE(k) for k in range(20)]


def updates(optimizer, n, state=None):
    """Return how far a gradient of 1 moves the weight in each of n updates, and the last state."""
    weight = jnp.zeros(())

    @jax.jit
    def update(state):
        return optimizer.update(jnp.ones(()), state, weight)

    state = optimizer.init(weight) if state is None else state
    moves = []
    for _ in range(n):
        move, state = update(state)
        moves.append(-move.item())
    return moves, state


# In optax's optimizers: what they really used.


def test_update_k_uses_the_schedule_at_k():
    assert updates(optax.sgd(SCHEDULE), 20)[0] == EXPECTED


def test_a_resumed_state_goes_on_in_the_middle_of_a_cycle():
    through, _ = updates(optax.sgd(SCHEDULE, momentum=0.5), 16)
    _, state = updates(optax.sgd(SCHEDULE, momentum=0.5), 7)
    state = pickle.loads(pickle.dumps(jax.device_get(state)))

    assert updates(optax.sgd(SCHEDULE, momentum=0.5), 9, state)[0] == through[7:]


def test_a_whole_run_within_lax_scan():
    optimizer = optax.sgd(SCHEDULE)

    def update(carry, _):
        weight, state = carry
        move, state = optimizer.update(jnp.ones(()), state)
        return (weight + move, state), -move

    start = jnp.zeros(()), optimizer.init(jnp.zeros(()))
    (weight, _), moves = jax.jit(lambda c: jax.lax.scan(update, c, length=20))(start)

    assert moves.tolist() == EXPECTED
    assert weight == -sum(EXPECTED)


def test_a_whole_run_for_each_of_several_weights_by_vmap():
    def run(gradient):
        optimizer = optax.sgd(SCHEDULE)
        state = optimizer.init(gradient)
        moves = []
        for _ in range(6):
            move, state = optimizer.update(gradient, state)
            moves.append(-move)
        return jnp.stack(moves)

    moves = jax.vmap(run)(jnp.array([1.0, 2.0]))

    assert moves.tolist() == [EXPECTED[:6], [2 * lr for lr in EXPECTED[:6]]]


def test_gradients_pass_through_a_run():
    def last(scale):
        optimizer = optax.sgd(lambda k: scale * SCHEDULE(k))
        state, weight = optimizer.init(jnp.zeros(())), jnp.zeros(())
        for _ in range(6):
            move, state = optimizer.update(jnp.ones(()), state)
            weight = weight + move
        return weight

    assert jax.grad(last)(2.0) == -sum(EXPECTED[:6])


def test_gradient_accumulation_counts_updates():
    optimizer = optax.MultiSteps(optax.sgd(SCHEDULE), every_k_schedule=3)
    moves, _ = updates(optimizer, 30)

    assert moves[2::3] == EXPECTED[:10]
    assert set(moves) == {0.0, *EXPECTED[:10]}


def test_several_hyper_parameters_at_once():
    lr = cyclr.Triangular(0.001, 0.006, 5)
    schedules = {
        "learning_rate": lr,
        "b1": lr.mirror(0.85, 0.95),
        "weight_decay": cyclr.Linear(0.1, 0.0, 12),
    }
    optimizer = optax.inject_hyperparams(optax.adamw)(**schedules)
    by_hand = optax.inject_hyperparams(optax.adamw)(**dict.fromkeys(schedules, 0.5))
    weight = other = jnp.ones(3)
    gradient = jnp.array([1.0, -0.5, 0.25])
    state, other_state = optimizer.init(weight), by_hand.init(weight)
    update, update_by_hand = jax.jit(optimizer.update), jax.jit(by_hand.update)
    for k in range(15):
        move, state = update(gradient * (k - 3), state, weight)
        values = {name: schedule(k) for name, schedule in schedules.items()}
        other_state = optax.tree.set(other_state, **values)
        other_move, other_state = update_by_hand(gradient * (k - 3), other_state, other)
        weight, other = optax.apply_updates(weight, move), optax.apply_updates(other, other_move)

        used = {name: state.hyperparams[name].item() for name in schedules}
        assert used == pytest.approx(values, rel=2e-6)
        assert weight.tolist() == pytest.approx(other.tolist(), rel=2e-6)
    assert not jnp.allclose(weight, 1.0)


def test_at_the_end_of_int32_optax_stops_counting_and_the_schedule_holds():
    largest = 2**31 - 1
    optimizer = optax.sgd(SCHEDULE)
    _, state = updates(optimizer, 1)
    state = optax.tree.set(state, count=jnp.array(largest - 2))

    expected = [SCHEDULE(largest - 2), SCHEDULE(largest - 1), *[SCHEDULE(largest)] * 3]
    assert updates(optimizer, 5, state)[0] == pytest.approx(expected, rel=2e-7)


# Beside optax's schedules.


@given(any_.policies, any_.policies, st.integers(1, 500))
def test_join_schedules_is_then(a, b, after):
    joined = optax.join_schedules([a, b], [after])
    then = a.then(b, after=after)

    for i in (0, 1, after - 1, after, after + 1, 10_000):
        assert joined(jnp.array(i)) == pytest.approx(then(i), rel=2e-5, abs=1e-30)


def test_joined_with_one_of_optax():
    joined = optax.join_schedules([optax.linear_schedule(0.0, 0.25, 4), SCHEDULE], [4])
    moves, _ = updates(optax.sgd(joined), 12)

    assert moves == [0.0, 0.0625, 0.125, 0.1875, *EXPECTED[:8]]
    mixed = SCHEDULE.then(optax.constant_schedule(0.5), after=3)
    assert updates(optax.sgd(mixed), 5)[0] == [*EXPECTED[:3], 0.5, 0.5]


# Against optax's own: the same arguments in our words are the same values.

N = 1000
PEERS = {
    "linear": (optax.linear_schedule(0.1, 0.001, N), cyclr.Linear(0.1, 0.001, N)),
    "cosine": (optax.cosine_decay_schedule(0.1, N, alpha=0.01), cyclr.Cosine(0.1, 0.001, N)),
    "polynomial": (
        optax.polynomial_schedule(0.1, 0.001, power=2, transition_steps=N),
        cyclr.Polynomial(0.1, 0.001, N, power=2),
    ),
    "exponential": (optax.exponential_decay(0.1, N, 0.01), cyclr.Decay(0.1, 0.01 ** (1 / N))),
    "exponential, to an end": (
        optax.exponential_decay(0.1, N, 0.01, end_value=0.001),
        cyclr.Exponential(0.1, 0.001, N),
    ),
    "steps": (
        optax.exponential_decay(0.1, 100, 0.5, staircase=True),
        cyclr.Steps(0.1, 100, 0.5),
    ),
    "piecewise": (
        optax.piecewise_constant_schedule(0.1, {100: 0.5, 200: 0.1}),
        cyclr.Piecewise([100, 200], [0.1, 0.05, 0.005]),
    ),
    # The decay's length has the warm-up in it.
    "warm-up, cosine": (
        optax.warmup_cosine_decay_schedule(0.01, 0.1, 100, N, 0.001),
        cyclr.Cosine(0.1, 0.001, N - 100).warmup(100, start=0.01),
    ),
    "one cycle": (optax.cosine_onecycle_schedule(N, 0.1), cyclr.OneCycle(0.1, N)),
    "one cycle, linear": (
        optax.linear_onecycle_schedule(N, 0.1, pct_start=0.3, pct_final=0.6),
        cyclr.OneCycle(0.1, N, phases=3, shape="linear"),
    ),
    "restarts": (
        optax.sgdr_schedule(
            [
                {
                    "init_value": 0.001,
                    "peak_value": 0.1 * 0.5**cycle,
                    "end_value": 0.001,
                    "warmup_steps": 0,
                    "decay_steps": 100 * 2**cycle,
                }
                for cycle in range(4)
            ]
        ),
        cyclr.Cosine(0.1, 0.001, 100)
        .then(cyclr.Cosine(0.05, 0.001, 200))
        .then(cyclr.Cosine(0.025, 0.001, 400))
        .then(cyclr.Cosine(0.0125, 0.001, 800)),
    ),
    "restarts, equal": (
        optax.sgdr_schedule(
            [
                {
                    "init_value": 0.1,
                    "peak_value": 0.1,
                    "end_value": 0.001,
                    "warmup_steps": 0,
                    "decay_steps": 100 * 2**cycle,
                }
                for cycle in range(4)
            ]
        ),
        cyclr.CosineRestarts(0.001, 0.1, 100, cycle_mult=2, cycles=4),
    ),
}


@pytest.mark.parametrize("name", PEERS)
def test_optax_has_the_same_values(name):
    peer, ours = PEERS[name]
    for i in [*range(0, 1500, 7), 99, 100, 101, 199, 200, 201, 299, 300, 301, 999, 1000, 1001]:
        assert ours(i) == pytest.approx(float(peer(i)), rel=2e-5, abs=2e-8)


# Where optax's are defective, ours are not.


@pytest.mark.parametrize(
    "schedule",
    [
        cyclr.OneCycle(1.0, 10, warmup=0.05),
        cyclr.OneCycle(1.0, 3, phases=3, shape="linear"),
    ],
)
def test_a_short_one_cycle_begins_low_and_reaches_its_peak(schedule):
    # optax's begin at the peak where int(pct_start * steps) is 0.
    assert schedule(jnp.array(0)) == pytest.approx(1 / 25)
    assert schedule(jnp.array(1)) == 1


@pytest.mark.parametrize(
    "schedule",
    [
        cyclr.OneCycle(0.1, 1000),
        cyclr.OneCycle(0.1, 1000, phases=3, shape="linear"),
        cyclr.Piecewise([100, 200], [1.0, 0.1, 0.01]),
        cyclr.CosineRestarts(0.001, 0.1, 100, cycle_mult=2),
    ],
)
def test_counts_may_be_arrays_and_a_schedule_can_be_read_and_pickled(schedule):
    # optax's raise a TypeError for arrays, are closures and have no repr.
    values = jax.jit(schedule)(jnp.arange(300))

    assert values == pytest.approx(np.array([schedule(i) for i in range(300)]), rel=2e-6, abs=1e-9)
    assert pickle.loads(pickle.dumps(schedule)) == schedule == cyclr.parse(repr(schedule))
