"""from_schedule: Keras's own schedules beside the cyclr schedules that are made from them."""

import warnings

import keras
import pytest
from cyclr_tensorflow import Scheduler, from_schedule
from hypothesis import given, settings
from hypothesis import strategies as st

import cyclr

KERAS = keras.optimizers.schedules

rates = st.floats(1e-4, 1)
steps = st.integers(1, 30)


def agrees(theirs, iterations=70):
    """Tell whether the schedule has Keras's values, to the float32 in which it computes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cyclr.ConversionWarning)
        ours = from_schedule(theirs)
    return not cyclr.diff(theirs, ours, iterations, tolerance=2e-6)


each = settings(max_examples=12)


@each
@given(rates, steps, st.floats(0.1, 1), st.booleans())
def test_exponential_decay(lr, n, rate, staircase):
    assert agrees(KERAS.ExponentialDecay(lr, n, rate, staircase=staircase))


@each
@given(rates, steps, rates, st.floats(0.5, 3) | st.just(1.0))
def test_polynomial_decay(lr, n, end, power):
    assert agrees(KERAS.PolynomialDecay(lr, n, end, power=power))


@each
@given(st.sets(st.integers(0, 60) | st.floats(0, 60), min_size=1, max_size=4), st.data())
def test_piecewise_constant_decay(boundaries, data):
    boundaries = sorted({int(boundary): boundary for boundary in boundaries}.values())
    n = len(boundaries) + 1
    values = data.draw(st.lists(rates, min_size=n, max_size=n))

    assert agrees(KERAS.PiecewiseConstantDecay(boundaries, values))


@each
@given(rates, steps, st.floats(0, 1))
def test_cosine_decay(lr, n, alpha):
    assert agrees(KERAS.CosineDecay(lr, n, alpha=alpha))


@each
@given(rates, steps, st.floats(0, 1), rates, st.integers(0, 20))
def test_cosine_decay_after_a_warmup(lr, n, alpha, target, warmup):
    theirs = KERAS.CosineDecay(lr, n, alpha=alpha, warmup_target=target, warmup_steps=warmup)

    assert agrees(theirs)


@each
@given(rates, st.integers(2, 30), st.integers(1, 4), st.floats(0.5, 1), st.floats(0, 1))
def test_cosine_decay_restarts(lr, n, t_mul, m_mul, alpha):
    assert agrees(
        KERAS.CosineDecayRestarts(lr, n, t_mul=float(t_mul), m_mul=m_mul, alpha=alpha), 60
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (KERAS.ExponentialDecay(0.1, 10, 0.5, staircase=True), cyclr.Steps(0.1, 10, 0.5)),
        (KERAS.ExponentialDecay(0.1, 1, 0.5), cyclr.Decay(0.1, 0.5)),
        (KERAS.PolynomialDecay(0.1, 50, 0.01), cyclr.Linear(0.1, 0.01, 50)),
        (KERAS.PolynomialDecay(0.1, 50, 0.01, power=2.0), cyclr.Polynomial(0.1, 0.01, 50, 2)),
        (
            KERAS.PiecewiseConstantDecay([20, 40], [0.1, 0.05, 0.01]),
            cyclr.Piecewise((21, 41), (0.1, 0.05, 0.01)),
        ),
        (
            KERAS.CosineDecay(0.01, 50, warmup_target=0.1, warmup_steps=10),
            cyclr.Cosine(0.1, 0.0, 50).warmup(10, start=0.01),
        ),
        (
            KERAS.CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.5),
            cyclr.CosineRestarts(0.0, 0.1, 10, peak_decay=0.5),
        ),
    ],
)
def test_it_is_the_schedule_that_one_would_write(theirs, ours):
    assert from_schedule(theirs) == ours


def test_restarts_that_keras_misses_are_said_and_kept_where_they_belong():
    theirs = KERAS.CosineDecayRestarts(0.1, 10)  # whose t_mul is 2
    with pytest.warns(cyclr.ConversionWarning, match="logarithm in float32") as warned:
        ours = from_schedule(theirs)

    assert warned[0].filename == __file__
    assert ours == cyclr.CosineRestarts(0.0, 0.1, 10, cycle_mult=2)
    restart = 10 * (2**13 - 1)
    assert float(theirs(restart)) < 0.001 < ours(restart) == 0.1


def test_restarts_at_equal_distances_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_schedule(KERAS.CosineDecayRestarts(0.1, 10, t_mul=1.0))


@pytest.mark.parametrize("staircase", [False, True])
def test_the_function_that_replaces_an_inverse_time_decay_has_its_values(staircase):
    theirs = KERAS.InverseTimeDecay(0.1, 20, 0.5, staircase=staircase)
    with pytest.raises(ValueError, match="InverseTimeDecay has no equal") as raised:
        from_schedule(theirs)

    hint = str(raised.value).partition("Hint: ")[2]
    ours = eval(hint, {"Scheduler": Scheduler})
    assert not cyclr.diff(theirs, ours, 70, tolerance=1e-6)


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        (KERAS.PolynomialDecay(0.1, 50, cycle=True), "its length grows as it goes"),
        (KERAS.ExponentialDecay(0.1, 50, 1.5), "gamma must be at most 1"),
        (KERAS.CosineDecayRestarts(0.1, 10, t_mul=1.5), "cycle_mult must be a whole number"),
        (KERAS.CosineDecayRestarts(0.1, 10, m_mul=1.5), "peak_decay must be at most 1"),
        (KERAS.CosineDecay(0.1, 10.5), "iterations must be a whole number"),
        (KERAS.PiecewiseConstantDecay([9, 9], [1.0, 0.5, 0.1]), "milestones must increase"),
    ],
)
def test_what_no_schedule_has_is_an_error_that_names_it(theirs, message):
    kind = type(theirs).__name__
    with pytest.raises(ValueError, match=f"^{kind} has no equal among the schedules: {message}"):
        from_schedule(theirs)


class Steeper(KERAS.CosineDecay):
    def __call__(self, step):
        return super().__call__(2 * step)


@pytest.mark.parametrize("schedule", [0.1, lambda i: 0.1, Steeper(0.1, 10), Scheduler(lambda i: i)])
def test_anything_else_is_an_error_that_lists_what_can_be(schedule):
    with pytest.raises(TypeError, match="schedule must be one of Keras's CosineDecay, "):
        from_schedule(schedule)


def test_every_schedule_of_keras_is_known():
    kinds = {kind for kind in vars(KERAS).values() if isinstance(kind, type)}
    for kind in kinds - {KERAS.LearningRateSchedule}:
        message = ""
        try:
            from_schedule(kind.__new__(kind))
        except TypeError as error:
            message = str(error)
        except AttributeError:  # it was known, and its arguments were asked for
            pass
        assert "must be one of" not in message
