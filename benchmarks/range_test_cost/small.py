"""The small network: two layers, whose update takes so little that all around it shows.

In a process of its own, a finder's test and plain training take turns. Plain training is what one
writes: batches, zero_grad, loss, backward, step, and the loss as a number. Before, one test is
checked: the losses that it recorded are those of plain training at the learning rates that its
updates were made with.
"""

import copy
import math
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.range_test_cost.finders import FINDERS, RECORDS, Ramp, loss_fn

__all__ = ["DATA", "measured"]

WIDTH, CLASSES, SAMPLES = 64, 10, 2048
RAMP = Ramp(1e-6, 0.1, 200)  # no test stops before its end
SHORT = Ramp(1e-6, 0.1, 2)  # takes what a test takes once
TURNS = 20


def made() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES))
    return model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)


def loader(batch: int = 32) -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(SAMPLES, WIDTH, generator=generator)
    targets = (inputs @ torch.randn(WIDTH, CLASSES, generator=generator)).argmax(1)
    return DataLoader(TensorDataset(inputs, targets), batch)


DATA: dict[str, Callable[[], Any]] = {
    "DataLoader": loader,
    "list": lambda: list(loader()),
    "DataLoader, 128": lambda: loader(128),
}


def train(model: nn.Module, optimizer: Any, data: Any, updates: int) -> list[float]:
    """Train, and return the losses."""
    losses: list[float] = []
    while len(losses) < updates:
        for inputs, targets in data:
            optimizer.zero_grad()
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == updates:
                break
    return losses


def train_unheard(model: nn.Module, optimizer: Any, data: Any, updates: int) -> None:
    """Train, and don't ask for the losses."""
    done = 0
    while done < updates:
        for inputs, targets in data:
            optimizer.zero_grad()
            loss_fn(model(inputs), targets).backward()
            optimizer.step()
            done += 1
            if done == updates:
                break


def check(name: str, data: Any) -> None:
    """See that a test records the losses of plain training at the rates of its updates."""
    model, optimizer = made()
    other, other_optimizer = copy.deepcopy((model, optimizer))
    lrs: list[float] = []
    handle = optimizer.register_step_pre_hook(lambda o, *_: lrs.append(o.param_groups[0]["lr"]))
    points = FINDERS[name](model, optimizer, data, RAMP)
    handle.remove()
    used = iter(lrs)
    other_optimizer.register_step_pre_hook(lambda o, *_: o.param_groups[0].update(lr=next(used)))
    expected = RECORDS[name](train(other, other_optimizer, data, RAMP.iterations))
    assert len(points) == len(lrs) == RAMP.iterations
    for (_, loss), value in zip(points, expected, strict=True):
        assert math.isclose(loss, value, rel_tol=1e-9), (name, loss, value)


def iterations(function: Callable[..., object], data: Any, *arguments: object) -> list[float]:
    """Return the times between one update and the next, in microseconds."""
    model, optimizer = made()
    train(model, optimizer, data, 10)
    stamps: list[float] = []
    optimizer.register_step_post_hook(lambda *_: stamps.append(time.perf_counter()))
    function(model, optimizer, data, *arguments)
    return [1e6 * (after - before) for before, after in pairwise(stamps)]


def whole(function: Callable[..., object], data: Any, *arguments: object) -> float:
    """Return the time of a call, in microseconds."""
    model, optimizer = made()
    train(model, optimizer, data, 10)
    started = time.perf_counter()
    function(model, optimizer, data, *arguments)
    return 1e6 * (time.perf_counter() - started)


def typical(times: list[float]) -> float:
    """Return the first decile: what it takes where no other work of the machine comes between."""
    return statistics.quantiles(times, n=10)[0]


def measured(name: str, kind: str) -> dict[str, float]:
    """Return what an iteration takes, of plain training and of a finder's test, and what a test
    takes besides, all in microseconds."""
    data = DATA[kind]()
    check(name, data)
    test = FINDERS[name]
    plain, unheard, tested, short, bare = [], [], [], [], []
    for _ in range(TURNS):
        plain += iterations(train, data, RAMP.iterations)
        unheard += iterations(train_unheard, data, RAMP.iterations)
        tested += iterations(test, data, RAMP)
        for _ in range(5):
            short.append(whole(test, data, SHORT))
            bare.append(whole(train, data, SHORT.iterations))
    return {
        "plain": typical(plain),
        "plain, loss not asked for": typical(unheard),
        "test": typical(tested),
        "once": typical(short) - typical(bare),
    }
