"""A converted scheduler has torch's own values, at every update of the run."""

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as peers

import cyclr
from cyclr_torch import ConversionWarning, Scheduler, from_scheduler

UPDATES = 120

rates = st.floats(1e-4, 1)
bounds = st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)).map(sorted)
momenta = st.tuples(st.floats(0.5, 0.99), st.floats(0.5, 0.99)).map(sorted)
lengths = st.integers(1, 40)
gammas = st.floats(0.1, 1)
kinds = st.sampled_from(["sgd", "adam"])


def optimizer_of(kind="sgd", lrs=(0.1,)):
    groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": lr} for lr in lrs]
    return torch.optim.Adam(groups) if kind == "adam" else torch.optim.SGD(groups, momentum=0.9)


def values(optimizer):
    """(lr, momentum) of each group."""
    return [
        (float(group["lr"]), group["momentum"] if "momentum" in group else group["betas"][0])
        for group in optimizer.param_groups
    ]


def run(optimizer, step, updates):
    """Return the values with which each update is made."""
    made = []
    for k in range(updates):
        if k > 0:
            step()
        made.append(values(optimizer))
        optimizer.step()
    return made


def converted(scheduler):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConversionWarning)
        return from_scheduler(scheduler)


def assert_same(make, updates=UPDATES, kind="sgd", lrs=(0.1,)):
    """Train with torch's scheduler and with what it becomes, and compare what was used."""
    theirs, ours = optimizer_of(kind, lrs), optimizer_of(kind, lrs)
    scheduler = make(theirs)
    schedules = converted(scheduler)
    expected = run(theirs, scheduler.step, updates)
    used = run(ours, Scheduler(ours, **schedules).step, updates)

    # torch writes 1 + cos and multiplies from update to update: as good as its largest value.
    highest = max(abs(lr) for groups in expected for lr, _ in groups)
    for a, b in zip(used, expected, strict=True):
        for (lr, momentum), (their_lr, their_momentum) in zip(a, b, strict=True):
            assert abs(lr - their_lr) <= 1e-12 * highest
            assert momentum == pytest.approx(their_momentum, rel=1e-12)
    return schedules


# --- The same values --------------------------------------------------------------------------


@given(rates, lengths, gammas)
def test_step_lr(lr, every, gamma):
    found = assert_same(lambda o: peers.StepLR(o, every, gamma), lrs=[lr])

    assert found == {"lr": cyclr.Steps(lr, every, gamma)}


@given(rates, st.lists(st.integers(0, 100), max_size=5), gammas)
def test_multi_step_lr(lr, milestones, gamma):
    """Also where a milestone is 0, or is named twice."""
    assert_same(lambda o: peers.MultiStepLR(o, milestones, gamma), lrs=[lr])


@given(rates, st.floats(0.01, 1), lengths)
def test_constant_lr(lr, factor, n):
    assert_same(lambda o: peers.ConstantLR(o, factor, n), lrs=[lr])


@given(rates, st.floats(0.01, 1), st.floats(0, 1), lengths)
def test_linear_lr(lr, start, end, n):
    assert_same(lambda o: peers.LinearLR(o, start, end, n), lrs=[lr])


@given(rates, st.floats(0.9, 1))
def test_exponential_lr(lr, gamma):
    found = assert_same(lambda o: peers.ExponentialLR(o, gamma), lrs=[lr])

    assert found == {"lr": cyclr.Decay(lr, gamma)}


@given(rates, lengths, st.sampled_from([0.5, 0.9, 1, 2, 3.5]))
def test_polynomial_lr(lr, n, power):
    assert_same(lambda o: peers.PolynomialLR(o, n, power), lrs=[lr])


@given(rates, st.floats(0, 1), st.integers(1, UPDATES))
def test_cosine_annealing_lr(lr, eta_min, n):
    """Up and down alike, to T_max."""
    make = lambda o: peers.CosineAnnealingLR(o, n, eta_min)  # noqa: E731

    assert assert_same(make, n + 1, lrs=[lr]) == {"lr": cyclr.Cosine(lr, eta_min, n)}


@given(bounds, lengths, st.integers(1, 3))
def test_cosine_annealing_warm_restarts(lrs, first, mult):
    make = lambda o: peers.CosineAnnealingWarmRestarts(o, first, mult, lrs[0])  # noqa: E731

    found = assert_same(make, lrs=[lrs[1]])
    assert found == {"lr": cyclr.CosineRestarts(*lrs, first, cycle_mult=mult)}


@given(rates)
def test_lambda_lr(lr):
    assert_same(lambda o: peers.LambdaLR(o, lambda i: 1 / (1 + i)), lrs=[lr])
    schedule = cyclr.Triangular(0.1, 1, 10)
    assert assert_same(lambda o: peers.LambdaLR(o, schedule), lrs=[lr]) == {"lr": schedule * lr}


@given(
    *(kinds, bounds, lengths, st.none() | lengths, momenta, st.floats(0.8, 1), st.booleans()),
    st.sampled_from(["triangular", "triangular2", "exp_range"]),
)
def test_cyclic_lr(kind, lrs, up, down, momenta, gamma, cycle_momentum, mode):
    make = lambda o: peers.CyclicLR(  # noqa: E731
        *(o, *lrs, up, down, mode, gamma),
        cycle_momentum=cycle_momentum,
        base_momentum=momenta[0],
        max_momentum=momenta[1],
    )

    found = assert_same(make, kind=kind)
    assert ("momentum" in found) == cycle_momentum
    policy = {"triangular": cyclr.Triangular, "triangular2": cyclr.Triangular2}
    assert type(found["lr"]) is policy.get(mode, cyclr.ExpRange)


@st.composite
def one_cycles(draw):
    """Arguments with which the peak falls on an iteration, of two phases or three."""
    total = draw(st.integers(3, UPDATES))
    return {
        "total_steps": total,
        "pct_start": draw(st.integers(2, total)) / total,
        "three_phase": draw(st.booleans()),
        "anneal_strategy": draw(st.sampled_from(["cos", "linear"])),
        "div_factor": draw(st.floats(0.5, 100)),
        "final_div_factor": draw(st.floats(0.5, 1e5)),
        "cycle_momentum": draw(st.booleans()),
    }


@given(kinds, rates, one_cycles(), momenta)
def test_one_cycle_lr(kind, max_lr, arguments, momenta):
    low, high = momenta
    make = lambda o: peers.OneCycleLR(  # noqa: E731
        o, max_lr, **arguments, base_momentum=low, max_momentum=high
    )

    found = assert_same(make, arguments["total_steps"], kind)
    assert ("momentum" in found) == arguments["cycle_momentum"]


@pytest.mark.parametrize("phases", [2, 3])
def test_one_cycle_lr_becomes_one_cycle(phases):
    make = lambda o: peers.OneCycleLR(o, 2.0, 40, three_phase=phases == 3)  # noqa: E731
    schedule = assert_same(make, 40)["lr"]

    assert type(schedule) is cyclr.OneCycle
    assert (schedule.iterations, schedule.phases, schedule(11)) == (39, phases, 2.0)


def simple(o):
    """Strategies for schedulers that may follow one another."""
    return st.one_of(
        st.builds(lambda g: peers.ExponentialLR(o, g), st.floats(0.9, 1)),
        st.builds(lambda n, g: peers.StepLR(o, n, g), lengths, gammas),
        st.builds(lambda m, g: peers.MultiStepLR(o, m, g), st.lists(lengths), gammas),
        st.builds(lambda f, n: peers.ConstantLR(o, f, n), st.floats(0.1, 1), lengths),
        st.builds(lambda f, n: peers.LinearLR(o, f, 1.0, n), st.floats(0.1, 1), lengths),
        st.builds(lambda n: peers.PolynomialLR(o, n, 2.0), st.integers(UPDATES, 200)),
        st.builds(lambda n: peers.CosineAnnealingLR(o, n, 0.01), st.integers(UPDATES, 200)),
        st.builds(lambda n: peers.CosineAnnealingWarmRestarts(o, n), lengths),
        st.just(None).map(lambda _: peers.LambdaLR(o, lambda i: 1 / (1 + i))),
        st.builds(
            lambda lrs, n: peers.CyclicLR(o, *lrs, n, base_momentum=0.8, max_momentum=0.9),
            bounds,
            lengths,
        ),
        st.builds(
            lambda lr, a: peers.OneCycleLR(o, lr, UPDATES, pct_start=0.3, anneal_strategy=a),
            rates,
            st.sampled_from(["cos", "linear"]),
        ),
    )


@given(kinds, st.data(), st.sets(st.integers(1, UPDATES - 1), max_size=3).map(sorted))
def test_sequential_lr(kind, data, milestones):
    """Whatever the schedulers do to one another's initial learning rate and momentum."""

    def make(o):
        parts = [data.draw(simple(o)) for _ in range(len(milestones) + 1)]
        return peers.SequentialLR(o, parts, milestones)

    assert_same(make, kind=kind)


@pytest.mark.parametrize("backwards", [False, True])
def test_momentum_before_it_is_cycled_is_what_the_last_constructor_has_set(backwards):
    def make(o):
        first = peers.ConstantLR(o)
        makers = [
            lambda: peers.CyclicLR(o, 0.1, 1.0, 5, max_momentum=0.7, base_momentum=0.6),
            lambda: peers.OneCycleLR(o, 1.0, UPDATES, pct_start=0.25),
        ]
        return peers.SequentialLR(
            o, [first, *(m() for m in makers[:: -1 if backwards else 1])], [9, 30]
        )

    assert_same(make, 100)


@settings(max_examples=30)
@given(st.lists(rates, min_size=1, max_size=3))
def test_each_group_has_its_own(lrs):
    for make in (
        lambda o: peers.ExponentialLR(o, 0.9),
        lambda o: peers.CyclicLR(o, [lr / 2 for lr in lrs], lrs, 7),
        lambda o: peers.OneCycleLR(o, lrs, UPDATES, pct_start=0.25),
        lambda o: peers.LambdaLR(o, [lambda i, k=k: 1 / (k + i) for k in range(1, len(lrs) + 1)]),
    ):
        found = assert_same(make, lrs=lrs)
        same = len(lrs) == 1 or len(set(lrs)) == 1
        if make(optimizer_of(lrs=lrs)).__class__ is not peers.LambdaLR:
            assert isinstance(found["lr"], list) != same


def test_tensor_learning_rates_are_read_as_numbers():
    theirs = optimizer_of(lrs=[torch.tensor(0.5)])

    assert from_scheduler(peers.StepLR(theirs, 10)) == {"lr": cyclr.Steps(0.5, 10, 0.1)}


def test_a_run_goes_on_where_torch_left_it():
    straight, moved = optimizer_of(), optimizer_of()
    make = lambda o: peers.CyclicLR(o, 0.1, 1.0, 7, 5)  # noqa: E731
    expected = run(straight, make(straight).step, 60)
    old = make(moved)
    used = run(moved, old.step, 23)
    old.step()
    scheduler = Scheduler(moved, **from_scheduler(old))
    scheduler.iteration = old.last_epoch
    used += run(moved, scheduler.step, 37)

    assert [a[0] for a in used] == [pytest.approx(b[0], rel=1e-12) for b in expected]


def test_converting_changes_nothing():
    optimizer = optimizer_of()
    scheduler = peers.CyclicLR(optimizer, 0.1, 1.0, 7)
    run(optimizer, scheduler.step, 5)
    before = values(optimizer), scheduler.state_dict()
    from_scheduler(scheduler)

    assert (values(optimizer), scheduler.state_dict()) == before


# --- Where torch's values are defective -------------------------------------------------------


def told(scheduler):
    """Return the schedules and what was said about them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        schedules = from_scheduler(scheduler)
    assert all(warning.category is ConversionWarning for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    return schedules, [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    "make",
    [
        lambda o: peers.StepLR(o, 10),
        lambda o: peers.CyclicLR(o, 0.1, 1.0, 7),
        lambda o: peers.CosineAnnealingWarmRestarts(o, 10),
        lambda o: peers.SequentialLR(o, [peers.LinearLR(o), peers.StepLR(o, 9)], [5]),
        lambda o: peers.SequentialLR(
            o, [peers.LinearLR(o), peers.CyclicLR(o, 0.01, 0.02, 5)][::-1], [5]
        ),
    ],
)
def test_most_conversions_have_nothing_to_tell(make):
    assert told(make(optimizer_of()))[1] == []


def test_cosine_annealing_holds_its_end():
    o = optimizer_of(lrs=[1.0])
    scheduler = peers.CosineAnnealingLR(o, 10, 0.1)
    schedules, said = told(scheduler)
    theirs = [groups[0][0] for groups in run(o, scheduler.step, 50)]

    assert theirs[20] == pytest.approx(1.0)
    assert [schedules["lr"](i) for i in range(10, 50)] == [0.1] * 40
    assert len(said) == 1
    assert said[0].startswith("CosineAnnealingLR climbs again after T_max, 10; the schedule holds")
    climbing = schedules["lr"].then(cyclr.Cyclical(0.1, 1.0, 10, shape="cosine"))
    assert [climbing(i) for i in range(50)] == pytest.approx(theirs, rel=1e-9)  # as the hint says


def test_cosine_annealing_that_is_cut_off_is_in_order():
    o = optimizer_of()
    parts = [peers.CosineAnnealingLR(o, 10), peers.ConstantLR(o)]

    assert told(peers.SequentialLR(o, parts, [11]))[1] == []
    assert len(told(peers.SequentialLR(o, parts, [12]))[1]) == 1


def test_one_cycle_holds_its_end():
    o = optimizer_of()
    scheduler = peers.OneCycleLR(o, 1.0, 10, anneal_strategy="linear")
    schedules, said = told(scheduler)
    theirs = [groups[0][0] for groups in run(o, scheduler.step, 11)]

    assert theirs[10] < 0
    assert [schedules["lr"](i) for i in (9, 10, 99)] == [pytest.approx(4e-6)] * 3
    assert said == [
        "OneCycleLR has a wrong value or an error after its last iteration, 9; the schedule holds"
        " the last value"
    ]


@given(st.integers(3, 100), st.floats(0, 1), st.booleans())
def test_a_peak_between_two_iterations_moves_to_one(total, pct_start, three_phase):
    end = pct_start * total - 1
    if abs(end) < 1e-9 or abs(end - round(end)) < 1e-6:
        return
    scheduler = peers.OneCycleLR(
        optimizer_of(), 1.0, total, pct_start=pct_start, three_phase=three_phase
    )
    schedules, said = told(scheduler)
    highest = [i for i in range(total) if schedules["lr"](i) == 1.0]

    assert f"OneCycleLR's peak falls on {end:.6g}, which is no iteration" in said[0]
    assert f"the schedule has it at {highest[0]}, " in said[0]
    assert len(highest) == 1
    assert 0 < highest[0] < total - 1
    assert abs(highest[0] - end) <= 0.5 or highest[0] in (1, total - 2)
    assert schedules["lr"](0) == pytest.approx(0.04)
    assert schedules["momentum"](highest[0]) == 0.85


def test_three_phases_without_the_last_are_kept():
    scheduler = peers.OneCycleLR(optimizer_of(), 1.0, 10, pct_start=0.6, three_phase=True)

    assert "has no time for the last; the schedule keeps torch's values" in told(scheduler)[1][0]


def test_triangular2_goes_on():
    o = optimizer_of()
    scheduler = peers.CyclicLR(o, 0.1, 1.0, 1, mode="triangular2")
    schedules, said = told(scheduler)
    run(o, scheduler.step, 2048)

    assert said == [
        "CyclicLR's triangular2 raises OverflowError at iteration 2048; the schedule goes on"
    ]
    assert schedules["lr"](2048) == 0.1
    with pytest.raises(OverflowError):
        scheduler.step()


def test_a_warm_up_that_one_cycle_has_scaled_is_kept():
    o = optimizer_of(lrs=[0.5])
    parts = [peers.LinearLR(o, 0.5, 1.0, 5), peers.OneCycleLR(o, 1.0, 20)]
    schedules, said = told(peers.SequentialLR(o, parts, [5]))

    assert schedules["lr"](0) == pytest.approx(0.02)
    assert said[-1] == (
        "SequentialLR starts its LinearLR from 0.04, to which a later scheduler has set initial_lr,"
        " not from 0.5; the schedule keeps torch's values"
    )


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")  # it steps its own twice
def test_a_sequence_in_a_sequence_keeps_to_its_milestones():
    o = optimizer_of(lrs=[1.0])
    inner = peers.SequentialLR(o, [peers.ConstantLR(o, 0.5, 99), peers.ConstantLR(o, 0.2, 99)], [3])
    scheduler = peers.SequentialLR(o, [inner, peers.ConstantLR(o, 0.1, 99)], [6])
    schedules, said = told(scheduler)
    theirs = [groups[0][0] for groups in run(o, scheduler.step, 7)]

    assert theirs == pytest.approx([0.5, 0.5, 0.2, 0.2, 0.2, 0.2, 0.1])
    assert [schedules["lr"](i) for i in range(7)] == pytest.approx([0.5] * 3 + [0.2] * 3 + [0.1])
    assert len(said) == 1
    assert "changes over one iteration early in torch" in said[0]


def test_and_can_not_be_second_in_torch():
    o = optimizer_of()
    inner = peers.SequentialLR(o, [peers.ConstantLR(o), peers.ConstantLR(o)], [3])
    scheduler = peers.SequentialLR(o, [peers.ConstantLR(o), inner], [1])
    o.step()

    assert told(scheduler)[0]["lr"](4) == pytest.approx(0.1 / 3)
    with pytest.raises(NotImplementedError):
        scheduler.step()


# --- What can't be converted ------------------------------------------------------------------


class Own(peers.StepLR):
    pass


@pytest.mark.parametrize(
    "make",
    [
        lambda o: peers.ReduceLROnPlateau(o),
        lambda o: peers.MultiplicativeLR(o, lambda _: 0.9),
        lambda o: peers.ChainedScheduler([peers.StepLR(o, 3)]),
        lambda o: Own(o, 3),
        lambda o: peers.SequentialLR(o, [peers.StepLR(o, 3), Own(o, 3)], [5]),
        lambda o: peers.SequentialLR(
            o, [peers.StepLR(o, 3), peers.ChainedScheduler([peers.StepLR(o, 3)])], [5]
        ),
        lambda o: Scheduler(o, cyclr.Constant(0.1)),
        lambda _: None,
    ],
)
def test_another_scheduler_is_refused_with_the_names_of_those_that_are_not(make):
    message = "scheduler must be one of torch's ConstantLR, CosineAnnealingLR, .*, StepLR: got"
    with pytest.raises(TypeError, match=message):
        from_scheduler(make(optimizer_of()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: peers.StepLR(o, 3, 1.5), "StepLR has no equal .*: gamma must be at most 1"),
        (lambda o: peers.CyclicLR(o, 0.1, 1, 2.5), "step_size_up must be a whole number: got 2.5"),
        (lambda o: peers.CyclicLR(o, 1, 0.1, 2), "base_lr must be at most max_lr"),
        (lambda o: peers.CyclicLR(o, 0.1, 1, 2, scale_fn=math.sqrt), "Hint: cyclr.Cyclical"),
        (lambda o: peers.OneCycleLR(o, 1.0, 2), "total_steps must be at least 3: got 2"),
    ],
)
def test_values_that_no_schedule_has_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        from_scheduler(make(optimizer_of()))
