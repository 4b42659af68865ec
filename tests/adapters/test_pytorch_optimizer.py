"""Optimizers of another library, pytorch-optimizer: unusual groups, states and step functions."""

import copy

import numpy as np
import pytest
import pytorch_optimizer
import torch
from torch import nn
from torch.nn import functional as F

import cyclr
from cyclr_torch import Scheduler, range_test

INPUTS = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
BATCHES = [(INPUTS[i : i + 4], INPUTS[i : i + 4].sum(1, keepdim=True)) for i in range(0, 16, 4)]
LR = cyclr.Triangular(0.001, 0.005, 4)
NAMES = [
    "adabelief",
    "adafactor",
    "ademamix",  # three betas
    "adopt",
    "came",
    "dadaptadam",  # estimates its own rate
    "fromage",
    "kron",  # draws numbers of its own
    "lamb",
    "lion",
    "novograd",
    "prodigy",
    "ranger",  # looks ahead by itself
    "schedulefreeadamw",
    "sgdp",
    "shampoo",
    "soap",
    "stablespam",  # counts its steps in an attribute
]
WRAPPERS = [pytorch_optimizer.Lookahead, pytorch_optimizer.OrthoGrad, pytorch_optimizer.TRAC]


def made(kind):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    if isinstance(kind, str):
        return model, pytorch_optimizer.load_optimizer(kind)(model.parameters(), lr=0.01)
    return model, kind(torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9))


def train(model, optimizer, updates=4):
    torch.manual_seed(1)
    np.random.seed(1)
    if hasattr(optimizer, "train"):
        optimizer.train()
    for inputs, targets in BATCHES[:updates]:
        optimizer.zero_grad()
        F.mse_loss(model(inputs), targets).backward()
        optimizer.step()


def run(model, optimizer):
    arguments = {"iterations": 12, "start_lr": 1e-4, "end_lr": 0.1, "progress": False}
    return range_test(model, optimizer, F.mse_loss, BATCHES, **arguments)


@pytest.mark.parametrize("kind", [*NAMES, *WRAPPERS])
def test_training_goes_on_as_if_there_had_been_no_test(kind):
    (model, optimizer), (other, other_optimizer) = made(kind), made(kind)
    train(model, optimizer)
    train(other, other_optimizer)
    before = copy.deepcopy(model.state_dict())
    run(model, optimizer)

    assert all(torch.equal(model.state_dict()[key], before[key]) for key in before)
    train(model, optimizer)
    train(other, other_optimizer)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_updates_follow_a_schedule(name):
    model, optimizer = made(name)
    lrs = []
    optimizer.register_step_pre_hook(lambda o, *_: lrs.append(o.param_groups[0]["lr"]))
    scheduler = Scheduler(optimizer, LR)
    train(model, optimizer)

    assert lrs == [LR(k) for k in range(4)]
    assert scheduler.iteration == 4


@pytest.mark.parametrize("kind", WRAPPERS)
def test_what_is_wrapped_follows_and_does_not_count_the_range_test(kind):
    model, optimizer = made(kind)
    scheduler = Scheduler(optimizer, LR)
    train(model, optimizer)
    test = run(model, optimizer)

    assert scheduler.iteration == 4
    assert optimizer.param_groups[0]["lr"] == LR(4)
    assert test.optimizer == kind.__name__.lower()  # whose updates are not those of what it wraps


def test_an_optimizer_without_a_learning_rate_is_refused():
    model = nn.Linear(4, 1)
    optimizer = pytorch_optimizer.A2Grad(model.parameters())

    with pytest.raises(ValueError, match="lr must be in every parameter group: group 0 has beta"):
        Scheduler(optimizer, LR)
    with pytest.raises(ValueError, match="lr must be in every parameter group: group 0 has beta"):
        run(model, optimizer)
