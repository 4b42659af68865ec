"""The same as torch's own schedulers where those are right, and right where they are not."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler as peers

import cyclr
from cyclr_torch import Scheduler

rates = st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)).map(sorted)
lengths = st.integers(1, 20)


def sgd():
    parameters = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    return torch.optim.SGD([{"params": [p]} for p in parameters], lr=0.1, momentum=0.9)


def adam():
    return torch.optim.Adam([torch.nn.Parameter(torch.ones(1))], lr=0.1)


def momentum(group):
    return group["momentum"] if "momentum" in group else group["betas"][0]


def run(optimizer, scheduler, updates):
    """Return (lr, momentum) of each group at each update, in the order that torch asks for."""
    values = []
    for _ in range(updates):
        values.append([(group["lr"], momentum(group)) for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return torch.tensor(values, dtype=torch.float64)


def same(a, b):
    return torch.allclose(a, b, rtol=1e-9, atol=1e-14)


@given(
    st.sampled_from(["triangular", "triangular2", "exp_range"]),
    st.sampled_from([sgd, adam]),
    rates,
    st.tuples(st.floats(0.5, 0.99), st.floats(0.5, 0.99)).map(sorted),
    lengths,
    lengths,
    st.floats(0.8, 0.999),
)
def test_cyclic_lr(mode, optimizer, lrs, momenta, up, down, gamma):
    theirs, ours = optimizer(), optimizer()
    their_scheduler = peers.CyclicLR(
        theirs,
        *lrs,
        step_size_up=up,
        step_size_down=down,
        mode=mode,
        gamma=gamma,
        base_momentum=momenta[0],
        max_momentum=momenta[1],
    )
    arguments = {"step_size_down": down}
    if mode == "exp_range":
        arguments["gamma"] = gamma
    policy = {"triangular": "Triangular", "triangular2": "Triangular2", "exp_range": "ExpRange"}
    lr = getattr(cyclr, policy[mode])(*lrs, up, **arguments)
    cycled = getattr(cyclr, policy[mode])(0.0, 1.0, up, **arguments).mirror(*momenta)
    scheduler = Scheduler(ours, lr, momentum=cycled)

    assert same(run(ours, scheduler, 60), run(theirs, their_scheduler, 60))


@given(
    st.sampled_from([sgd, adam]),
    st.floats(1e-3, 1),
    st.integers(2, 9),
    st.sampled_from(["cos", "linear"]),
    st.booleans(),
)
def test_one_cycle_lr(optimizer, max_lr, tenths, anneal, three_phases):
    """torch's ends are inclusive: its T values are ours for T - 1 iterations."""
    total = 40
    pct_start = tenths / (20 if three_phases else 10)
    theirs, ours = optimizer(), optimizer()
    their_scheduler = peers.OneCycleLR(
        theirs,
        max_lr,
        total_steps=total,
        pct_start=pct_start,
        anneal_strategy=anneal,
        three_phase=three_phases,
    )
    peak, last = round(pct_start * total) - 1, total - 1
    shape = {"cos": "cosine", "linear": "linear"}[anneal]
    lr = cyclr.OneCycle(
        max_lr, last, warmup=peak / last, phases=3 if three_phases else 2, shape=shape
    )
    turn = peak if three_phases else last - peak
    down, up = (
        cyclr.Ramp(*ends, n, shape=shape)
        for ends, n in (((0.95, 0.85), peak), ((0.85, 0.95), turn))
    )
    scheduler = Scheduler(ours, lr, momentum=down.then(up))

    assert same(run(ours, scheduler, total), run(theirs, their_scheduler, total))


@given(rates, lengths, st.integers(1, 4))
def test_cosine_annealing_warm_restarts(lrs, first_cycle, mult):
    theirs, ours = sgd(), sgd()
    for group in theirs.param_groups:
        group["lr"] = lrs[1]
    their_scheduler = peers.CosineAnnealingWarmRestarts(
        theirs, first_cycle, T_mult=mult, eta_min=lrs[0]
    )
    scheduler = Scheduler(ours, cyclr.CosineRestarts(*lrs, first_cycle, cycle_mult=mult))

    # torch writes 1 + cos, which is as good as the largest learning rate, not as each.
    difference = run(ours, scheduler, 100) - run(theirs, their_scheduler, 100)
    assert difference.abs().max() < 1e-12 * lrs[1]


# What torch's own schedulers get wrong.


def lrs_of(schedule, updates, optimizer=None):
    optimizer = optimizer or sgd()
    return run(optimizer, Scheduler(optimizer, schedule), updates)[:, 0, 0].tolist()


def test_the_last_call_of_step_sets_no_negative_learning_rate():
    optimizer = sgd()
    run(optimizer, Scheduler(optimizer, cyclr.OneCycle(1.0, 10, shape="linear")), 10)

    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.04 / 1e4)


def test_training_may_go_on_after_the_end():
    assert lrs_of(cyclr.OneCycle(1.0, 10), 15)[10:] == [pytest.approx(0.04 / 1e4)] * 5


@pytest.mark.parametrize(
    ("phases", "warmup"), [*((2, w) for w in (0.01, 0.1, 0.25, 0.95)), (3, 0.01), (3, 0.45)]
)
def test_one_cycle_always_starts_low_reaches_its_peak_and_comes_down(phases, warmup):
    lrs = lrs_of(cyclr.OneCycle(1.0, 40, warmup=warmup, phases=phases), 41)

    assert (lrs[0], max(lrs)) == (0.04, 1.0)
    assert lrs[-1] == pytest.approx(0.04 / 1e4)


def test_or_says_that_it_can_not():
    with pytest.raises(ValueError, match="warmup must leave an end to the 40 iterations"):
        cyclr.OneCycle(1.0, 40, warmup=0.6, phases=3)


@pytest.mark.parametrize(
    "arguments",
    [(0.1, 1.0, 0), (0.1, 1.0, -4), (1.0, 0.1, 4), (0.1, float("nan"), 4), (0.1, 1.0, 4.5)],
)
def test_cycles_that_make_no_sense_are_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        cyclr.Triangular(*arguments)


def test_triangular2_survives_any_number_of_cycles():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, cyclr.Triangular2(0.1, 1.0, 1))
    scheduler.iteration = 2 * 5000 + 1
    optimizer.step()

    assert optimizer.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize("restarts", [5, 10, 13])
def test_restarts_are_found_wherever_one_resumes(restarts):
    schedule = cyclr.CosineRestarts(0.0, 1.0, 10, cycle_mult=3)
    start = 10 * (3**restarts - 1) // 2
    optimizer = sgd()
    Scheduler(optimizer, schedule).iteration = start

    assert optimizer.param_groups[0]["lr"] == 1.0


def test_a_warm_up_before_one_cycle_ends_where_that_begins():
    lrs = lrs_of(cyclr.OneCycle(1.0, 20).warmup(5), 27)

    assert lrs[:6] == pytest.approx([0, 0.008, 0.016, 0.024, 0.032, 0.04])
    assert max(lrs) == 1.0


def test_milestones_survive_json():
    schedule = cyclr.Piecewise([2, 4], [1.0, 0.1, 0.01])
    state = json.loads(json.dumps(Scheduler(sgd(), schedule).state_dict())) | {"iteration": 3}
    optimizer = sgd()
    scheduler = Scheduler(optimizer, schedule)
    scheduler.load_state_dict(state)

    assert run(optimizer, scheduler, 2)[:, 0, 0].tolist() == [0.1, 0.01]
