"""Bad arguments are refused at construction, by name, rule and value."""

import math
from fractions import Fraction

import pytest

import cyclr

TRIANGULAR = {"base_lr": 0.001, "max_lr": 0.006, "step_size": 2000}
ONE_CYCLE = {"max_lr": 0.1, "iterations": 100}
WSD = {"max_lr": 0.1, "iterations": 100, "warmup": 10, "decay": 20}
RESTARTS = {"base_lr": 0.0, "max_lr": 0.1, "first_cycle": 10}


@pytest.mark.parametrize(
    ("policy", "arguments", "wrong", "message"),
    [
        (cyclr.Triangular, TRIANGULAR, {"step_size": 0}, "step_size must be at least 1: got 0"),
        (cyclr.Triangular, TRIANGULAR, {"step_size": -4}, "step_size must be at least 1: got -4"),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"step_size": 2.5},
            "step_size must be a whole number: got 2.5",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"step_size": math.nan},
            "step_size must be a whole number: got nan",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"step_size_down": 0},
            "step_size_down must be at least 1: got 0",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"base_lr": 0.01},
            "base_lr must be at most max_lr, 0.006: got 0.01",
        ),
        (cyclr.Triangular, TRIANGULAR, {"base_lr": -1}, "base_lr must be at least 0: got -1"),
        (cyclr.Triangular, TRIANGULAR, {"max_lr": math.nan}, "max_lr must be finite: got nan"),
        (cyclr.Triangular, TRIANGULAR, {"max_lr": math.inf}, "max_lr must be finite: got inf"),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"shape": "round"},
            "shape must be one of 'linear', 'cosine', 'parabolic', 'polynomial', '1-sqrt':"
            " got 'round'",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"power": 2},
            "shape must be 'polynomial' where power is given, 2.0: got 'linear'",
        ),
        (cyclr.Triangular, TRIANGULAR, {"cycles": 0}, "cycles must be at least 1: got 0"),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"cycle_mult": 1.5},
            "cycle_mult must be a whole number unless cycles is given: got 1.5",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"cycle_mult": 0.1, "cycles": 5},
            "cycle_mult must leave every half cycle at least 1 iteration: got 0.2 in cycle 5",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"step_size": 1, "cycle_mult": 0.1, "cycles": 2},
            "cycle_mult must leave every half cycle at least 1 iteration: got 0.1 in cycle 2",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"cycle_mult": 10**100, "cycles": 5},
            "cycle_mult must leave every half cycle at most 1.8e+308 iterations:"
            " got more in cycle 5",
        ),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"step_size": 2, "cycle_mult": 10**308, "cycles": 2},
            "cycle_mult must leave every half cycle at most 1.8e+308 iterations:"
            " got more in cycle 2",
        ),
        (
            cyclr.CosineRestarts,
            RESTARTS,
            {"cycle_mult": 1e15 + 0.5, "cycles": 50},
            "cycle_mult must leave every half cycle at most 1.8e+308 iterations:"
            " got more in cycle 22",
        ),
        (
            cyclr.ExpRange,
            TRIANGULAR,
            {"gamma": 1.1},
            "gamma must be at most 1: got 1.1",
        ),
        (cyclr.ExpRange, TRIANGULAR, {"gamma": 0}, "gamma must be above 0: got 0"),
        (
            cyclr.ExpRange,
            {**TRIANGULAR, "gamma": 0.9},
            {"decays": "both"},
            "decays must be one of 'amplitude', 'bounds': got 'both'",
        ),
        (
            cyclr.CosineRestarts,
            RESTARTS,
            {"peak_decay": 0},
            "peak_decay must be above 0: got 0",
        ),
        (
            cyclr.CosineRestarts,
            RESTARTS,
            {"first_cycle": 0},
            "first_cycle must be at least 1: got 0",
        ),
        (cyclr.OneCycle, ONE_CYCLE, {"iterations": 1}, "iterations must be at least 2: got 1"),
        (
            cyclr.OneCycle,
            ONE_CYCLE,
            {"iterations": 2, "phases": 3},
            "iterations must be at least 3: got 2",
        ),
        (cyclr.OneCycle, ONE_CYCLE, {"warmup": 0}, "warmup must be above 0: got 0"),
        (cyclr.OneCycle, ONE_CYCLE, {"warmup": 1}, "warmup must be below 1: got 1"),
        (cyclr.OneCycle, ONE_CYCLE, {"phases": 4}, "phases must be 2 or 3: got 4"),
        (
            cyclr.OneCycle,
            ONE_CYCLE,
            {"phases": 3, "warmup": 0.6},
            "warmup must leave an end to the 100 iterations, of which 120 precede it: got 0.6",
        ),
        (
            cyclr.OneCycle,
            ONE_CYCLE,
            {"initial_divisor": 0},
            "initial_divisor must be at least 1: got 0",
        ),
        (
            cyclr.WarmupStableDecay,
            WSD,
            {"warmup": 90},
            "warmup + decay must be at most iterations, 100: got 90 + 20",
        ),
        (cyclr.WarmupStableDecay, WSD, {"decay": 0}, "decay must be at least 1: got 0"),
        (
            cyclr.WarmupStableDecay,
            WSD,
            {"end_lr": 1},
            "end_lr must be at most max_lr, 0.1: got 1",
        ),
        (
            cyclr.Linear,
            {"start": 0, "end": 1},
            {"iterations": 0},
            "iterations must be at least 1: got 0",
        ),
        (
            cyclr.Exponential,
            {"end": 1, "iterations": 10},
            {"start": 0},
            "start must be above 0: got 0",
        ),
        (
            cyclr.Exponential,
            {"start": 1, "iterations": 10},
            {"end": 0},
            "end must be above 0: got 0",
        ),
        (
            cyclr.Polynomial,
            {"start": 0, "end": 1, "iterations": 10},
            {"power": 0},
            "power must be above 0: got 0",
        ),
        (
            cyclr.Polynomial,
            {"start": 0, "end": 1},
            {"iterations": 0},
            "iterations must be at least 1: got 0",
        ),
        (
            cyclr.Exponential,
            {"start": 0.1, "end": 1},
            {"iterations": 0},
            "iterations must be at least 1: got 0",
        ),
        (
            cyclr.Ramp,
            {"start": 0, "end": 1, "iterations": 10},
            {"shape": "polynomial"},
            "shape must be one of 'linear', 'cosine', 'parabolic', '1-sqrt': got 'polynomial'",
        ),
        (cyclr.Constant, {}, {"lr": -0.1}, "lr must be at least 0: got -0.1"),
        (cyclr.Decay, {"base_lr": 1}, {"gamma": 1.01}, "gamma must be at most 1: got 1.01"),
        (
            cyclr.Steps,
            {"base_lr": 1, "gamma": 0.5},
            {"every": 0},
            "every must be at least 1: got 0",
        ),
        (
            cyclr.Piecewise,
            {"values": [1, 2, 3]},
            {"milestones": [5, 5]},
            "milestones must increase: got [5, 5]",
        ),
        (
            cyclr.Piecewise,
            {"milestones": [5]},
            {"values": [1]},
            "values must be 2, one more than milestones: got [1]",
        ),
        (
            cyclr.InverseSqrt,
            {"max_lr": 1, "warmup": 10},
            {"start_lr": 2},
            "start_lr must be at most max_lr, 1: got 2",
        ),
        (cyclr.CosineRestarts, RESTARTS, {"base_lr": -0.5}, "base_lr must be at least 0: got -0.5"),
        (cyclr.CosineRestarts, RESTARTS, {"max_lr": -0.5}, "max_lr must be at least 0: got -0.5"),
        (
            cyclr.CosineRestarts,
            RESTARTS,
            {"peak_decay": 1.5},
            "peak_decay must be at most 1: got 1.5",
        ),
        (cyclr.CosineRestarts, RESTARTS, {"cycle_mult": 0}, "cycle_mult must be above 0: got 0"),
        (cyclr.CosineRestarts, RESTARTS, {"cycles": 0}, "cycles must be at least 1: got 0"),
        (
            cyclr.Cyclical,
            TRIANGULAR,
            {"shape": "polynomial", "power": 0},
            "power must be above 0: got 0",
        ),
        (cyclr.OneCycle, ONE_CYCLE, {"max_lr": -0.5}, "max_lr must be at least 0: got -0.5"),
        (
            cyclr.OneCycle,
            ONE_CYCLE,
            {"initial_divisor": 0.5},
            "initial_divisor must be at least 1: got 0.5",
        ),
        (
            cyclr.OneCycle,
            ONE_CYCLE,
            {"final_divisor": 0.5},
            "final_divisor must be at least 1: got 0.5",
        ),
        (cyclr.OneCycle, ONE_CYCLE, {"phases": 1}, "phases must be 2 or 3: got 1"),
        (cyclr.WarmupStableDecay, WSD, {"max_lr": -0.5}, "max_lr must be at least 0: got -0.5"),
        (cyclr.WarmupStableDecay, WSD, {"warmup": -1}, "warmup must be at least 0: got -1"),
        (cyclr.WarmupStableDecay, WSD, {"iterations": 0}, "iterations must be at least 1: got 0"),
        (cyclr.WarmupStableDecay, WSD, {"start_lr": -0.5}, "start_lr must be at least 0: got -0.5"),
        (
            cyclr.WarmupStableDecay,
            WSD,
            {"start_lr": 0.2},
            "start_lr must be at most max_lr, 0.1: got 0.2",
        ),
        (cyclr.WarmupStableDecay, WSD, {"end_lr": -0.5}, "end_lr must be at least 0: got -0.5"),
        (
            cyclr.Decay,
            {"base_lr": 1, "gamma": 0.5},
            {"base_lr": -0.5},
            "base_lr must be at least 0: got -0.5",
        ),
        (cyclr.Decay, {"base_lr": 1}, {"gamma": 0}, "gamma must be above 0: got 0"),
        (
            cyclr.Steps,
            {"every": 9, "gamma": 0.5},
            {"base_lr": -0.5},
            "base_lr must be at least 0: got -0.5",
        ),
        (cyclr.Steps, {"base_lr": 1, "every": 9}, {"gamma": 0}, "gamma must be above 0: got 0"),
        (
            cyclr.Steps,
            {"base_lr": 1, "every": 9},
            {"gamma": 1.5},
            "gamma must be at most 1: got 1.5",
        ),
        (
            cyclr.Piecewise,
            {"values": [1, 2]},
            {"milestones": [0]},
            "milestones must be at least 1: got 0",
        ),
        (
            cyclr.Piecewise,
            {"values": [1, 2, 3]},
            {"milestones": [5, 4]},
            "milestones must increase: got [5, 4]",
        ),
        (cyclr.InverseSqrt, {"warmup": 9}, {"max_lr": -0.5}, "max_lr must be at least 0: got -0.5"),
        (cyclr.InverseSqrt, {"max_lr": 1}, {"warmup": 0}, "warmup must be at least 1: got 0"),
        (
            cyclr.InverseSqrt,
            {"max_lr": 1, "warmup": 9},
            {"start_lr": -0.5},
            "start_lr must be at least 0: got -0.5",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_rule(policy, arguments, wrong, message):
    with pytest.raises(ValueError) as error:
        policy(**{**arguments, **wrong})

    assert str(error.value).splitlines()[0] == message


@pytest.mark.parametrize(
    ("policy", "arguments", "wrong", "message"),
    [
        (cyclr.Triangular, TRIANGULAR, {"base_lr": True}, "base_lr must be a number: got True"),
        (cyclr.Triangular, TRIANGULAR, {"max_lr": "0.1"}, "max_lr must be a number: got '0.1'"),
        (cyclr.Triangular, TRIANGULAR, {"max_lr": None}, "max_lr must be a number: got None"),
        (
            cyclr.Triangular,
            TRIANGULAR,
            {"step_size": True},
            "step_size must be a whole number: got True",
        ),
        (cyclr.Triangular, TRIANGULAR, {"shape": None}, "shape must be a string: got None"),
        (
            cyclr.Piecewise,
            {"values": [1, 2]},
            {"milestones": 5},
            "milestones must be a list or a tuple: got 5",
        ),
    ],
)
def test_a_wrong_kind_of_thing_is_a_type_error(policy, arguments, wrong, message):
    with pytest.raises(TypeError) as error:
        policy(**{**arguments, **wrong})

    assert str(error.value) == message


def test_the_least_of_everything_is_taken():
    for schedule in (
        cyclr.Triangular(0, 0, 1, step_size_down=1, cycles=1),
        cyclr.Cyclical(0, 0, 1, gamma=1, peak_decay=1),
        cyclr.CosineRestarts(0, 0, 1, cycle_mult=1, peak_decay=1, cycles=1),
        cyclr.OneCycle(0, 2, warmup=1e-9, initial_divisor=1, final_divisor=1),
        cyclr.OneCycle(0, 3, warmup=1e-9, phases=3),
        cyclr.WarmupStableDecay(0, 1, 0, 1),
        cyclr.Constant(0),
        cyclr.Linear(0, 0, 1),
        cyclr.Polynomial(0, 0, 1, power=1e-9),
        cyclr.Decay(0, 1),
        cyclr.Steps(0, 1, 1),
        cyclr.Piecewise([1], [0, 0]),
        cyclr.InverseSqrt(0, 1, start_lr=0),
        cyclr.Triangular.fit(0, 0, 2, cycles=1),
        cyclr.Constant(0).then(cyclr.Constant(0), after=0),
        cyclr.Constant(0).warmup(1),
        cyclr.Constant(0) * 0,
        cyclr.Constant(0).clip(0, 0),
    ):
        assert [schedule(i) for i in range(5)] == [0] * 5
    assert cyclr.Exponential(5e-324, 5e-324, 1)(1) == 5e-324
    assert cyclr.step_size(1, 1, 1) == 1


@pytest.mark.parametrize(
    "construct",
    [
        lambda: cyclr.Cyclical(0.001, 0.006, 10, 20),
        lambda: cyclr.Triangular(0.001, 0.006, 10, 20),
        lambda: cyclr.CosineRestarts(0.001, 0.006, 10, 2, 0.5, 3),
        lambda: cyclr.Ramp(0, 1, 10, "cosine"),
        lambda: cyclr.Linear(0, 1, 10, shape="cosine"),
        lambda: cyclr.Cosine(0, 1, 10, shape="linear"),
        lambda: cyclr.Polynomial(0, 1, 10, shape="linear"),
        lambda: cyclr.Triangular(0.001, 0.006, 10, gamma=0.9),
        lambda: cyclr.Triangular(0.001, 0.006, 10, peak_decay=0.9),
        lambda: cyclr.Triangular(0.001, 0.006, 10, decays="bounds"),
        lambda: cyclr.Triangular2(0.001, 0.006, 10, gamma=0.9),
        lambda: cyclr.Triangular2(0.001, 0.006, 10, peak_decay=0.9),
        lambda: cyclr.Triangular2(0.001, 0.006, 10, decays="bounds"),
        lambda: cyclr.ExpRange(0.001, 0.006, 10, gamma=0.9, peak_decay=0.9),
        lambda: cyclr.OneCycle(0.1, 100, 0.3),
        lambda: cyclr.WarmupStableDecay(0.1, 100, 10, 10, 0.01),
        lambda: cyclr.Constant(0.1).plot(100, 10),
    ],
)
def test_what_has_no_such_argument_or_takes_it_by_name_alone_says_so(construct):
    with pytest.raises(TypeError, match="argument"):
        construct()


def test_a_whole_float_is_a_length():
    assert cyclr.Triangular(0.001, 0.006, 2000.0) == cyclr.Triangular(0.001, 0.006, 2000)
    assert type(cyclr.Triangular(0.001, 0.006, 2000.0).step_size) is int


def test_whole_numbers_become_floats_and_fractions_stay():
    assert type(cyclr.Triangular(1, 5, 4).base_lr) is float
    assert type(cyclr.Triangular(Fraction(1, 3), 5, 4).base_lr) is Fraction


@pytest.mark.parametrize("i", [-1, -0.5, math.nan, math.inf])
@pytest.mark.parametrize(
    "schedule",
    [
        cyclr.Constant(0.1),
        cyclr.Triangular(0.001, 0.006, 10),
        cyclr.Linear(0, 1, 10),
        cyclr.Exponential(0.1, 1, 10),
        cyclr.Decay(0.1, 0.9),
        cyclr.Steps(0.1, 10, 0.9),
        cyclr.Piecewise([10], [1, 0.1]),
        cyclr.InverseSqrt(0.1, 10),
        cyclr.OneCycle(0.1, 100),
        cyclr.Constant(0.1).warmup(10) * 2,
        cyclr.Linear(0, 1, 10).clip(0, 0.5),
        cyclr.Linear(0, 1, 10).mirror(0, 0.5),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_an_iteration_that_cannot_be_is_refused(schedule, i):
    with pytest.raises(ValueError, match=f"iteration must be finite and at least 0: got {i}$"):
        schedule(i)


@pytest.mark.parametrize("i", [True, "3", None, [1, 2]])
def test_nor_is_anything_but_a_number_or_an_array_an_iteration(i):
    with pytest.raises(TypeError, match="iteration must be a number or an array: got "):
        cyclr.Triangular(0.001, 0.006, 10)(i)


@pytest.mark.parametrize(
    ("iterations", "cycles", "message"),
    [
        (7, 4, "iterations must be at least 2 a cycle: got 7 for 4 cycles"),
        (1, 1, "iterations must be at least 2 a cycle: got 1 for 1 cycles"),
        (0, 1, "iterations must be at least 1: got 0"),
        (7, 0, "cycles must be at least 1: got 0"),
    ],
)
def test_too_few_iterations_to_fit_the_cycles(iterations, cycles, message):
    with pytest.raises(ValueError) as error:
        cyclr.Triangular.fit(0.001, 0.006, iterations, cycles)

    assert str(error.value).splitlines()[0] == message


@pytest.mark.parametrize(("iterations", "most"), [(7, 3), (6, 3), (2, 1), (1, 1)])
def test_it_is_hinted_at_how_many_fit(iterations, most):
    with pytest.raises(ValueError, match=f"Hint: cycles={most} is the most that fit"):
        cyclr.Triangular.fit(0.001, 0.006, iterations, cycles=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 100), "samples must be at least 1: got 0"),
        ((100, 0), "batch_size must be at least 1: got 0"),
        ((100, 10, 0), "epochs must be at least 1: got 0"),
        ((100, 10, 2.5), "epochs must be a whole number: got 2.5"),
    ],
)
def test_the_step_size_rule_checks_its_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        cyclr.step_size(*arguments)

    assert str(error.value) == message


def test_a_number_beyond_every_float_is_not_finite():
    with pytest.raises(ValueError, match="lr must be finite: got 1000"):
        cyclr.Constant(10**400)


def test_the_bounds_are_not_farther_apart_than_a_float_can_tell():
    with pytest.raises(ValueError, match="the highest value must be finite times above the lowest"):
        cyclr.Linear(-1e308, 1e308, 3)


def test_a_schedule_without_a_formula_says_so():
    class Forgotten(cyclr.Schedule):
        pass

    with pytest.raises(
        NotImplementedError, match=r"Forgotten has no formula: define at\(self, i\)"
    ):
        Forgotten()(0)


@pytest.mark.parametrize(
    "schedule",
    [
        cyclr.Triangular(0.001, 0.006, 10),
        cyclr.CosineRestarts(0.001, 0.006, 10),
        cyclr.OneCycle(0.1, 100),
        cyclr.WarmupStableDecay(1, 100, 10, 10),
        cyclr.Constant(0.1),
        cyclr.Linear(0, 1, 10),
        cyclr.Exponential(0.1, 1, 10),
        cyclr.Decay(1, 0.9),
        cyclr.Steps(1, 10, 0.9),
        cyclr.Piecewise([1], [1, 2]),
        cyclr.InverseSqrt(1, 10),
        cyclr.Constant(0.1).warmup(10),
        cyclr.Constant(0.1) * 2,
        cyclr.Constant(0.1).clip(0, 1),
        cyclr.Linear(0, 1, 10).mirror(0, 1),
        cyclr.Linear(0, 1, 10).then(math.sqrt).second,
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_a_schedule_is_frozen(schedule):
    for name in vars(schedule):
        with pytest.raises(AttributeError):
            setattr(schedule, name, 1)


@pytest.mark.parametrize("phases", [2, 3])
@pytest.mark.parametrize("iterations", [3, 4, 10, 101])
def test_what_is_hinted_at_works(phases, iterations):
    with pytest.raises(ValueError) as error:
        cyclr.OneCycle(1, iterations, warmup=0.999, phases=phases)

    warmup = float(str(error.value).partition("Hint: warmup=")[2])
    assert cyclr.OneCycle(1, iterations, warmup=warmup, phases=phases).highest == 1
