"""Schedule-free optimizers: other weights for training than for evaluation, and a wrapper."""

import copy

import pytest
import schedulefree
import torch
from torch import nn
from torch.nn import functional as F

import cyclr
from cyclr_torch import Scheduler, range_test

INPUTS = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
BATCHES = [(INPUTS[i : i + 4], INPUTS[i : i + 4].sum(1, keepdim=True)) for i in range(0, 16, 4)]
WARMUP = cyclr.Constant(0.01).warmup(3)
KINDS = {
    "AdamW": schedulefree.AdamWScheduleFree,
    "SGD": schedulefree.SGDScheduleFree,
    "RAdam": schedulefree.RAdamScheduleFree,
    "AdamW, by closure": schedulefree.AdamWScheduleFreeClosure,
    "wrapped": lambda p, lr: schedulefree.ScheduleFreeWrapper(torch.optim.SGD(p, lr=lr)),
}


def made(name):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    return model, KINDS[name](model.parameters(), lr=0.01)


def train(model, optimizer):
    if hasattr(optimizer, "train"):
        optimizer.train()
    for inputs, targets in BATCHES:

        def closure(inputs=inputs, targets=targets):
            optimizer.zero_grad()
            loss = F.mse_loss(model(inputs), targets)
            loss.backward()
            return loss

        if isinstance(optimizer, schedulefree.AdamWScheduleFreeClosure):
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    if hasattr(optimizer, "eval"):
        optimizer.eval()


def run(model, optimizer):
    arguments = {"iterations": 12, "start_lr": 1e-4, "end_lr": 0.1, "progress": False}
    return range_test(model, optimizer, F.mse_loss, BATCHES, **arguments)


@pytest.mark.parametrize("name", KINDS)
def test_the_range_test_trains_and_puts_back_also_in_evaluation(name):
    (model, optimizer), (other, other_optimizer) = made(name), made(name)
    train(model, optimizer)
    train(other, other_optimizer)
    before = copy.deepcopy(model.state_dict())
    test = run(model, optimizer)

    assert len(test.points) == 12
    assert all(torch.equal(model.state_dict()[key], before[key]) for key in before)
    train(model, optimizer)
    train(other, other_optimizer)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "wrapped"])
def test_they_follow_a_warm_up(name):
    model, optimizer = made(name)
    lrs = []
    optimizer.register_step_pre_hook(lambda o, *_: lrs.append(o.param_groups[0]["lr"]))
    Scheduler(optimizer, WARMUP)
    train(model, optimizer)

    assert lrs == [WARMUP(k) for k in range(4)]


def test_what_wraps_an_optimizer_is_refused_with_what_to_take_instead():
    model, optimizer = made("wrapped")

    with pytest.raises(TypeError, match=r"got a ScheduleFreeWrapper\n\nHint: Scheduler\(optim"):
        Scheduler(optimizer, WARMUP)
    scheduler = Scheduler(optimizer.base, WARMUP)
    train(model, optimizer)
    run(model, optimizer)
    assert scheduler.iteration == 4
    assert optimizer.param_groups[0]["lr"] == WARMUP(4)
