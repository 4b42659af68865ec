"""The large network: seven layers of width 1024 and Adam in mid-training, for memory and time.

Each finder has a process of its own: some plain training first, so that the optimizer has its
state and the process its working memory; then the test. Memory is the rise of the process's peak
over plain training's. Time is the processor's, an iteration's beside plain training's before and
after in the same process.
"""

import contextlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.range_test_cost.finders import FINDERS, loss_fn

__all__ = ["measured", "network", "size"]

WIDTH, DEPTH, BATCH, SAMPLES, CLASSES = 1024, 6, 8, 4096, 10
UPDATES = 40  # of plain training
MEBI = 2**20


def network() -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(DEPTH):
        layers += [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(WIDTH, CLASSES))


def size(model: nn.Module) -> float:
    """Return what weights and buffers take, in MiB."""
    return sum(t.numel() * t.element_size() for t in model.state_dict().values()) / MEBI


def batches() -> DataLoader[tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(SAMPLES, WIDTH, generator=generator)
    targets = (inputs @ torch.randn(WIDTH, CLASSES, generator=generator)).argmax(1)
    return DataLoader(TensorDataset(inputs, targets), BATCH, shuffle=True)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, data: Any) -> None:
    for _, (inputs, targets) in zip(range(UPDATES), data, strict=False):
        optimizer.zero_grad()
        loss_fn(model(inputs), targets).backward()
        optimizer.step()


def timed(function: Callable[[], object]) -> float:
    """Return the processor time that the function takes, in seconds."""
    started = time.process_time()
    function()
    return time.process_time() - started


def peak() -> float:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def everything(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return what a test should leave as it was: fingerprints, which take no memory."""
    states = [s for p in model.parameters() for s in optimizer.state.get(p, {}).values()]
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return {
        "weights": [t.double().sum().item() for t in model.state_dict().values()],
        "optimizer": [s.double().sum().item() for s in states],
        "gradients": [g.double().sum().item() for g in gradients],
        "learning rate": [float(group["lr"]) for group in optimizer.param_groups],
        "random state": torch.get_rng_state().double().sum().item(),
        "mode": model.training,
    }


@contextlib.contextmanager
def files_in(folder: str) -> Iterator[list[float]]:
    """Yield a list that gets the size of each file saved to the folder, in MiB."""
    sizes = [0.0]
    save = torch.save

    def measured(thing: Any, file: Any, *arguments: Any, **named: Any) -> None:
        save(thing, file, *arguments, **named)
        written = file.tell() if hasattr(file, "tell") else os.path.getsize(file)
        sizes.append(written / MEBI)

    torch.save = measured
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield sizes
    finally:
        os.chdir(before)
        torch.save = save


def measured(name: str, gradients: bool) -> dict[str, Any]:
    """Return what a finder takes, in this process; with or without *gradients* of before it."""
    model, data = network(), batches()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    little = nn.Linear(WIDTH, CLASSES)  # for imports, and whatever else is made once
    FINDERS[name](little, torch.optim.Adam(little.parameters(), lr=0.001), data)
    train(model, optimizer, data)
    plain = [timed(lambda: train(model, optimizer, data))]
    if not gradients:
        optimizer.zero_grad()
    before, state = peak(), everything(model, optimizer)
    with tempfile.TemporaryDirectory() as folder, files_in(folder) as sizes:
        points = []
        seconds = timed(lambda: points.extend(FINDERS[name](model, optimizer, data)))
    rise, after = peak() - before, everything(model, optimizer)
    plain.append(timed(lambda: train(model, optimizer, data)))
    return {
        "iterations": len(points),
        "seconds": seconds,
        "plain": [each / UPDATES for each in plain],
        "memory": rise,
        "file": max(sizes),
        "changed": [what for what in state if state[what] != after[what]],
    }
