"""from_schedule: optax's schedules beside the cyclr schedules that have their arguments."""

import jax
import jax.numpy as jnp
import optax
import pytest
from cyclr_optax import from_schedule
from hypothesis import given, settings
from hypothesis import strategies as st

import cyclr
from cyclr import Constant, Cosine, Decay, Linear, Piecewise, Polynomial, Steps

rates = st.floats(1e-4, 1)
steps = st.integers(1, 30)
factors = st.just(0.0) | st.floats(0.01, 2)
scales = st.dictionaries(st.integers(0, 50), factors, min_size=3, max_size=3)  # one compilation

ARGUMENTS = {
    "constant_schedule": {"value": rates},
    "linear_schedule": {
        "init_value": rates,
        "end_value": rates,
        "transition_steps": st.integers(-1, 30),
        "transition_begin": st.integers(-3, 20),
    },
    "polynomial_schedule": {
        "init_value": rates,
        "end_value": rates,
        "power": st.sampled_from([0.5, 1, 2, 3.0]),
        "transition_steps": st.integers(-1, 30),
        "transition_begin": st.integers(-3, 20),
    },
    "exponential_decay": {
        "init_value": rates,
        "transition_steps": st.integers(-1, 30),
        "decay_rate": st.floats(0.1, 1) | st.sampled_from([0, 1]),
        "transition_begin": st.integers(-3, 20),
        "staircase": st.booleans(),
        "end_value": st.none() | rates,
    },
    "cosine_decay_schedule": {
        "init_value": rates,
        "decay_steps": steps,
        "alpha": st.floats(0, 1.5),
    },
    "piecewise_constant_schedule": {
        "init_value": rates,
        "boundaries_and_scales": st.none()
        | st.dictionaries(st.integers(-5, 50), factors, max_size=4),
    },
    "piecewise_interpolate_schedule": {
        "interpolate_type": st.sampled_from(["linear", "cosine"]),
        "init_value": rates,
        "boundaries_and_scales": scales,
    },
    "linear_onecycle_schedule": {
        "transition_steps": steps,
        "peak_value": rates,
        "pct_start": st.floats(0, 0.5),
        "pct_final": st.floats(0.5, 1),
        "div_factor": st.floats(1, 50),
        "final_div_factor": st.floats(1, 1e4),
    },
    "cosine_onecycle_schedule": {
        "transition_steps": steps,
        "peak_value": rates,
        "pct_start": st.floats(0, 1),
        "div_factor": st.floats(1, 50),
        "final_div_factor": st.floats(1, 1e4),
    },
    "warmup_constant_schedule": {
        "init_value": rates,
        "peak_value": rates,
        "warmup_steps": st.integers(0, 20),
    },
    "warmup_cosine_decay_schedule": {
        "init_value": rates,
        "peak_value": st.just(0.0) | rates,
        "warmup_steps": st.integers(0, 20),
        "decay_steps": st.integers(21, 60),
        "end_value": rates,
    },
    "warmup_exponential_decay_schedule": {
        "init_value": rates,
        "peak_value": rates,
        "warmup_steps": st.integers(0, 20),
        "transition_steps": steps,
        "decay_rate": st.floats(0.1, 1),
        "transition_begin": st.integers(0, 9),
        "staircase": st.booleans(),
        "end_value": st.none() | rates,
    },
    "sgdr_schedule": {
        "cosine_kwargs": st.lists(
            st.fixed_dictionaries(
                {
                    "init_value": rates,
                    "peak_value": rates,
                    "warmup_steps": st.integers(0, 5),
                    "decay_steps": st.integers(6, 30),
                },
                optional={"end_value": rates},
            ),
            min_size=1,
            max_size=4,
        )
    },
}
"""For each constructor, strategies for its arguments."""


def agrees(theirs, ours, iterations=70):
    """Tell whether a schedule has optax's values, to the float32 in which it computes them."""
    values = jax.vmap(theirs)(jnp.arange(iterations)).tolist()
    return not cyclr.diff(values.__getitem__, ours, iterations, tolerance=2e-6)


@pytest.mark.parametrize("name", ARGUMENTS)
@settings(max_examples=12)
@given(st.data())
def test_it_has_the_values_of_the_schedule_that_the_arguments_make(name, data):
    constructor = getattr(optax, name)
    arguments = data.draw(st.fixed_dictionaries(ARGUMENTS[name]))

    assert agrees(constructor(**arguments), from_schedule(constructor, **arguments))


def test_joined_schedules():
    parts = [optax.linear_schedule(0.1, 0.2, 7), Cosine(0.3, 0.1, 20), lambda i: 0.5 / (1 + i)]
    theirs = optax.join_schedules(parts, [10, 25])

    assert agrees(theirs, from_schedule(optax.join_schedules, parts, [10, 25]))
    assert from_schedule(optax.join_schedules, parts[1:2], []) == parts[1]


@pytest.mark.parametrize(
    ("ours", "name", "arguments"),
    [
        (Constant(0.1), "constant_schedule", (0.1,)),
        (Linear(0.1, 0.0, 50), "linear_schedule", (0.1, 0.0, 50)),
        (Polynomial(0.1, 0.0, 50, 2), "polynomial_schedule", (0.1, 0.0, 2, 50)),
        (Decay(0.1, 0.5), "exponential_decay", (0.1, 1, 0.5)),
        (Steps(0.1, 20, 0.5), "exponential_decay", (0.1, 20, 0.5, 0, True)),
        (Cosine(0.1, 0.05, 50), "cosine_decay_schedule", (0.1, 50, 0.5)),
        (Piecewise((20,), (0.1, 0.05)), "piecewise_constant_schedule", (0.1, {20: 0.5})),
        (
            Linear(0.1, 0.05, 20).then(Linear(0.05, 0.025, 10)),
            "piecewise_interpolate_schedule",
            ("linear", 0.1, {20: 0.5, 30: 0.5}),
        ),
        (
            Cosine(0.1, 0.0, 40).warmup(10),
            "warmup_cosine_decay_schedule",
            (0.0, 0.1, 10, 50),
        ),
        (Cosine(0.1, 0.0, 50), "warmup_cosine_decay_schedule", (0.0, 0.1, 0, 50)),
    ],
)
def test_it_is_the_schedule_that_one_would_write(ours, name, arguments):
    assert from_schedule(getattr(optax, name), *arguments) == ours


@pytest.mark.parametrize("end_value", [0.05, 0.2])
def test_the_end_of_a_decay_that_does_not_decay_is_an_upper_bound(end_value):
    arguments = {"transition_steps": 9, "decay_rate": 1.0, "end_value": end_value}
    theirs = optax.exponential_decay(0.1, **arguments)

    assert agrees(theirs, from_schedule(optax.exponential_decay, 0.1, **arguments))


def test_every_schedule_of_optax_is_known():
    others = {"inject_hyperparams", "inject_stateful_hyperparams"}
    functions = {name for name in dir(optax.schedules) if name.islower() and name[0] != "_"}

    assert functions - others == {*ARGUMENTS, "join_schedules"}
    for name in functions - others:
        with pytest.raises(TypeError) as raised:  # an argument is missing, which it knows
            from_schedule(getattr(optax, name))
        assert "missing a required argument" in str(raised.value), name


@pytest.mark.parametrize(
    ("constructor", "arguments", "message"),
    [
        (optax.exponential_decay, (0.1, 50, 1.5), "gamma must be at most 1"),
        (optax.cosine_decay_schedule, (0.1, 50, 0.0, 2.0), "exponent must be 1: got 2.0"),
        (optax.linear_schedule, (0.1, 0.0, 2.5), "iterations must be a whole number"),
        (
            optax.piecewise_interpolate_schedule,
            ("linear", 0.1, {-3: 0.5}),
            "boundaries_and_scales must begin at 0 or later",
        ),
    ],
)
def test_what_no_schedule_has_is_an_error_that_names_it(constructor, arguments, message):
    name = constructor.__name__
    with pytest.raises(ValueError, match=f"^{name} has no equal among the schedules: {message}"):
        from_schedule(constructor, *arguments)


@pytest.mark.parametrize(
    "constructor", [optax.linear_schedule(0.1, 0.0, 9), optax.sgd, 0.1, Constant(0.1)]
)
def test_anything_else_is_an_error_that_shows_how(constructor):
    message = r"(?s)constructor must be one of optax's constant_schedule, .*Hint: from_schedule\("
    with pytest.raises(TypeError, match=message):
        from_schedule(constructor)


def test_arguments_that_the_constructor_does_not_have_are_an_error():
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'steps'"):
        from_schedule(optax.linear_schedule, 0.1, 0.0, 50, steps=9)
