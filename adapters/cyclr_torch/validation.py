"""Validation: the loss on data that is not trained on."""

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cyclr._checks import refuse
from cyclr_torch.processes import Processes
from cyclr_torch.training import BatchLoss, device_of, loss_and_accuracy, moved

__all__ = ["Rest", "Validation", "kept_back"]

NO_BATCH = "validation must have at least one batch: got none"
KEPT_BACK = 8  # batches, where there is no validation data


class Validation:
    """Held-out *batches*, and the mean loss of a model on them: over samples, in all processes."""

    def __init__(self, batches: Iterable[Any], batch_loss: BatchLoss, processes: Processes) -> None:
        if not isinstance(batches, Iterable):
            refuse("validation", "be an iterable of batches", batches, TypeError)
        if isinstance(batches, Sized) and not len(batches):
            raise ValueError(NO_BATCH)
        # An iterator can be read once only, and is needed for each candidate.
        self._batches = list(batches) if isinstance(batches, Iterator) else batches
        self._batch_loss = batch_loss
        self._processes = processes

    @torch.no_grad()
    def loss(self, model: nn.Module, optimizer: Optimizer) -> float:
        """Return the mean loss of the *model*, which is left in evaluation mode."""
        model.eval()
        evaluate = getattr(optimizer, "eval", None)
        if callable(evaluate):
            evaluate()  # schedule-free optimizers hold other weights for training
        device = device_of(model)
        total, samples = 0.0, 0
        for batch in self._batches:
            size = _samples(batch)
            loss, _ = loss_and_accuracy(self._batch_loss(model, moved(batch, device)))
            total, samples = total + size * loss.item(), samples + size
        total, mean_samples = self._processes.means(total, samples)
        if not mean_samples:
            raise ValueError(NO_BATCH)
        return total / mean_samples


class Rest:
    """What *data* has after its first *count* batches, in each pass."""

    def __init__(self, data: Iterable[Any], count: int) -> None:
        self._data, self._count = data, count
        self.sampler = getattr(data, "sampler", None)

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self._data), self._count, None)


def kept_back(data: Iterable[Any]) -> tuple[list[Any], Iterable[Any]]:
    """Return the first batches of *data*, to validate with, and the rest of it to train on.

    Of data that is shuffled anew in each pass, what was kept back comes again in a second one.
    """
    if isinstance(data, Iterator):
        return list(islice(data, KEPT_BACK)), data
    return list(islice(iter(data), KEPT_BACK)), Rest(data, KEPT_BACK)


def _samples(batch: Any) -> int:
    """Return how many samples a batch has: the length of its first tensor."""
    if isinstance(batch, Tensor):
        return len(batch) if batch.dim() else 1
    if isinstance(batch, dict):
        batch = list(batch.values())
    if isinstance(batch, (list, tuple)) and batch:
        return _samples(batch[0])
    return 1
