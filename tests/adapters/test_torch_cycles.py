"""on_cycle_end: what is called where cycles end, and what for."""

import copy
import gc
import pickle
import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, update_bn

import cyclr
from cyclr_torch import Scheduler, on_cycle_end, range_test

LR = cyclr.Triangular2(0.01, 0.1, 2)


def made(lr=LR, **arguments):
    """Return an optimizer and its scheduler."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    return optimizer, Scheduler(optimizer, lr, **arguments)


def ends(scheduler):
    """Return a list that grows by (iteration, cycle) where cycles end."""
    noted = []
    on_cycle_end(scheduler, lambda cycle: noted.append((scheduler.iteration, cycle)))
    return noted


@pytest.mark.parametrize(
    "schedule",
    [
        LR,
        cyclr.Cyclical(0.01, 0.1, 1, step_size_down=2, cycle_mult=2),
        cyclr.CosineRestarts(0.01, 0.1, 3, cycle_mult=2),
        cyclr.OneCycle(0.1, 7).then(cyclr.Triangular(0.01, 0.1, 1, cycles=3)).warmup(2),
        cyclr.Constant(0.1),
    ],
    ids=repr,
)
def test_it_is_called_at_the_ends_of_the_schedules_cycles(schedule):
    optimizer, scheduler = made(schedule)
    noted = ends(scheduler)
    for _ in range(40):
        optimizer.step()
        scheduler.step()  # as hosts do, which changes nothing

    expected = [(end, cycle) for cycle, end in enumerate(schedule.cycle_ends(40), start=1)]
    assert noted == expected


def test_ends_that_are_far_away_are_found():
    optimizer, scheduler = made(cyclr.Triangular(0.01, 0.1, 2500))
    noted = ends(scheduler)
    for iteration in (4999, 5001, 49_999):
        scheduler.iteration = iteration
        optimizer.step()
        optimizer.step()

    assert noted == [(5000, 1), (50_000, 10)]


def test_calls_are_counted_where_the_scheduler_counts_calls():
    optimizer, scheduler = made(unit="call")
    noted = ends(scheduler)
    for _ in range(5):
        optimizer.step()
        optimizer.step()
        scheduler.step()

    assert noted == [(4, 1)]


def test_the_first_groups_cycles_count():
    weights = [nn.Parameter(torch.ones(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": weight} for weight in weights], lr=0.1)
    noted = ends(Scheduler(optimizer, [LR, cyclr.Triangular(0.01, 0.1, 1)]))
    for _ in range(8):
        optimizer.step()

    assert noted == [(4, 1), (8, 2)]


def test_two_optimizers_count_each_for_itself():
    (first, a), (second, b) = made(), made(cyclr.Triangular(0.01, 0.1, 1))
    noted, other = ends(a), ends(b)
    for k in range(8):
        first.step()
        if k % 2:
            second.step()

    assert (a.iteration, noted) == (8, [(4, 1), (8, 2)])
    assert (b.iteration, other) == (4, [(2, 1), (4, 2)])


def test_loading_a_state_ends_nothing_and_numbers_go_on():
    _, first = made()
    optimizer, scheduler = made()
    noted = ends(scheduler)
    scheduler.load_state_dict(first.state_dict() | {"iteration": 8})
    for _ in range(4):
        optimizer.step()

    assert noted == [(12, 3)]


def test_a_schedule_that_comes_with_a_checkpoint_is_followed():
    _, first = made(cyclr.Triangular(0.01, 0.1, 3))
    optimizer, scheduler = made(on_change="checkpoint")
    noted = ends(scheduler)
    scheduler.load_state_dict(first.state_dict())
    for _ in range(12):
        optimizer.step()

    assert noted == [(6, 1), (12, 2)]


def test_a_range_test_and_skipped_updates_end_nothing():
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, LR)
    noted = ends(scheduler)
    data = [(torch.ones(2, 1), torch.ones(2, 1))]
    for _ in range(3):
        optimizer.step()
    range_test(model, optimizer, F.mse_loss, data, iterations=9, end_lr=0.1, progress=False)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    for factor in (float("inf"), 1.0, 1.0):
        optimizer.zero_grad()
        scaler.scale(model(torch.ones(1, 1)).sum() * factor).backward()
        scaler.step(optimizer)
        scaler.update()

    assert noted == [(4, 1)]


def test_several_are_called_in_order_until_they_are_removed():
    optimizer, scheduler = made()
    noted = []
    first = on_cycle_end(scheduler, lambda cycle: noted.append(("a", cycle)))
    on_cycle_end(scheduler, lambda cycle: noted.append(("b", cycle)))
    for k in range(8):
        optimizer.step()
        if k == 5:
            first.remove()
            first.remove()

    assert noted == [("a", 1), ("b", 1), ("b", 2)]


def test_an_error_of_ones_own_is_seen_and_the_update_is_counted():
    optimizer, scheduler = made()
    on_cycle_end(scheduler, lambda cycle: 1 / 0)
    for _ in range(3):
        optimizer.step()
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    assert scheduler.iteration == 4
    assert optimizer.param_groups[0]["lr"] == LR(4)


def test_it_is_called_after_the_next_value_is_set():
    optimizer, scheduler = made()
    noted = []
    on_cycle_end(scheduler, lambda _: noted.append(optimizer.param_groups[0]["lr"]))
    for _ in range(4):
        optimizer.step()

    assert noted == [LR(4)]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_does_not_call_it(copied):
    optimizer, scheduler = made()
    noted = ends(scheduler)
    other, _ = copied((optimizer, scheduler))
    for _ in range(4):
        other.step()

    assert noted == []


def test_it_makes_no_reference_cycle():
    gc.collect()
    gc.disable()
    try:
        optimizer, scheduler = made()
        on_cycle_end(scheduler, lambda cycle: None)
        weak = [weakref.ref(x) for x in (optimizer, scheduler, scheduler._course)]
        del optimizer, scheduler
        assert [ref() for ref in weak] == [None] * 3
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("scheduler", "do", "error", "message"),
    [
        (made()[1], 3, TypeError, "do must be a function of the cycle's number: got 3"),
        (made()[0], print, TypeError, "scheduler must be a cyclr_torch.Scheduler: got SGD"),
        (made(lambda _: 0.1)[1], print, ValueError, "lr must be a schedule, which has cycles: got"),
    ],
)
def test_wrong_arguments_are_refused(scheduler, do, error, message):
    with pytest.raises(error, match=message):
        on_cycle_end(scheduler, do)


# What it is for.


def trained(after_each=lambda model, cycle: None, cycles=3):
    """Train a network with batch normalization for some cycles; return it and its batches."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    inputs = torch.randn(4, 16, 4)
    batches = list(zip(inputs, inputs.sum(-1, keepdim=True), strict=True))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, LR)
    on_cycle_end(scheduler, lambda cycle: after_each(model, cycle))
    for _ in range(cycles):
        for x, y in batches:
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
    return model, batches


def test_snapshots_are_the_weights_at_the_ends(tmp_path):
    trained(lambda model, cycle: torch.save(model.state_dict(), tmp_path / f"{cycle}.pt"))

    for cycle in (1, 2, 3):
        saved = torch.load(tmp_path / f"{cycle}.pt", weights_only=True)
        stopped = trained(cycles=cycle)[0].state_dict()
        assert all(torch.equal(saved[name], stopped[name]) for name in stopped)


def test_an_averaged_model_is_their_mean_and_its_statistics_are_renewed():
    averages, snapshots = [], []

    def average(model, cycle):
        if not averages:
            averages.append(AveragedModel(model))
        averages[0].update_parameters(model)
        snapshots.append(copy.deepcopy(model.state_dict()))

    _, batches = trained(average)
    averaged = averages[0]
    update_bn(batches, averaged)

    for name, value in averaged.module.named_parameters():
        mean = torch.stack([snapshot[name] for snapshot in snapshots]).mean(0)
        assert torch.allclose(value, mean, atol=1e-6)
    features = torch.cat([averaged.module[0](x) for x, _ in batches])
    assert torch.allclose(averaged.module[1].running_mean, features.mean(0), atol=1e-6)
