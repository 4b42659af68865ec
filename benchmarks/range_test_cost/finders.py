"""The finders: each runs its test as its documentation shows, and returns what it recorded.

What a finder records is smoothed by some; `RECORDS` says what becomes of an update's own losses.
"""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["FINDERS", "RECORDS", "Ramp", "loss_fn"]

Points = list[tuple[float, float]]
loss_fn = nn.functional.cross_entropy


class Ramp(NamedTuple):
    """The learning rates to try; a finder's own where none are given."""

    start: float
    end: float
    iterations: int


def cyclr(model: nn.Module, optimizer: Any, data: Any, ramp: Ramp | None = None) -> Points:
    from cyclr_torch import range_test

    where = dict(zip(("start_lr", "end_lr", "iterations"), ramp or (), strict=False))
    return list(range_test(model, optimizer, loss_fn, data, **where).points)


def by_hand(model: nn.Module, optimizer: Any, data: Any, ramp: Ramp | None = None) -> Points:
    """The shortest test that one would write: no bar, and it forgets the random state."""
    start, end, iterations = ramp or Ramp(1e-6, 10.0, 200)
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    points: Points = []
    best = math.inf
    while len(points) < iterations:
        for inputs, targets in data:
            lr = start * (end / start) ** (len(points) / (iterations - 1))
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.zero_grad()
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            optimizer.step()
            value = loss.item()
            points.append((lr, value))
            best = min(best, value)
            if len(points) == iterations or not value < 4 * best:
                break
        if not points[-1][1] < 4 * best:
            break
    model.load_state_dict(before[0])
    optimizer.load_state_dict(before[1])
    return points


def lr_finder(model: nn.Module, optimizer: Any, data: Any, ramp: Ramp | None = None) -> Points:
    from torch_lr_finder import LRFinder

    finder = LRFinder(model, optimizer, loss_fn, device="cpu")
    if ramp is None:
        finder.range_test(data, end_lr=10, num_iter=100)
    else:
        finder.range_test(data, start_lr=ramp.start, end_lr=ramp.end, num_iter=ramp.iterations)
    points = list(zip(finder.history["lr"], finder.history["loss"], strict=True))
    finder.reset()
    return points


def lightning(model: nn.Module, optimizer: Any, data: Any, ramp: Ramp | None = None) -> Points:
    import lightning.pytorch as pl
    from lightning.pytorch.tuner import Tuner

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.lr = model, 0.001

        def training_step(self, batch: Any, _: int) -> Tensor:
            inputs, targets = batch
            return loss_fn(self.model(inputs), targets)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return optimizer

    trainer = pl.Trainer(
        logger=False, accelerator="cpu", max_epochs=100, enable_model_summary=False
    )
    where = dict(zip(("min_lr", "max_lr", "num_training"), ramp or (), strict=False))
    found = Tuner(trainer).lr_find(Module(), train_dataloaders=data, **where)
    assert found is not None
    return list(zip(found.results["lr"], found.results["loss"], strict=True))


FINDERS: dict[str, Callable[..., Points]] = {
    "cyclr": cyclr,
    "pytorch-lr-finder": lr_finder,
    "Lightning": lightning,
    "by hand": by_hand,
}


def _as_they_are(losses: Sequence[float]) -> list[float]:
    return list(losses)


def _of_lr_finder(losses: Sequence[float]) -> list[float]:
    recorded = [losses[0]]
    for loss in losses[1:]:
        recorded.append(0.05 * loss + 0.95 * recorded[-1])
    return recorded


def _of_lightning(losses: Sequence[float]) -> list[float]:
    recorded, average = [], 0.0
    for count, loss in enumerate(losses, start=1):
        average = 0.98 * average + 0.02 * loss
        recorded.append(average / (1 - 0.98 ** (count + 1)))
    return recorded


RECORDS: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "cyclr": _as_they_are,
    "pytorch-lr-finder": _of_lr_finder,
    "Lightning": _of_lightning,
    "by hand": _as_they_are,
}
