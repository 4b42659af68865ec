"""Training: batches and updates as the Trainer makes them, outside of its loops."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from math import inf
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from lightning.pytorch.strategies import ParallelStrategy
from lightning.pytorch.utilities import CombinedLoader
from lightning.pytorch.utilities.signature_utils import is_param_in_hook_signature
from torch import Tensor

__all__ = ["Training"]


class Training:
    """The training of a Trainer's module, at any time after the start of its fit.

    That is with the Trainer's batches, precision, gradient clipping, accumulation and
    processes; but the Trainer doesn't count what is trained here.
    """

    def __init__(self, trainer: pl.Trainer):
        self._trainer = trainer
        self._strategy = trainer.strategy
        self._module = trainer.lightning_module
        self._indexed = is_param_in_hook_signature(
            self._module.training_step, "batch_idx", min_args=2
        )
        self.automatic = self._module.automatic_optimization
        self._window = _accumulated(trainer)
        self.loader = CombinedLoader(trainer.train_dataloader, "max_size_cycle")

    def epoch(self) -> Iterator[tuple[int, Any]]:
        """Yield the batches of an epoch, each with its index, where the module is."""
        limit = self._trainer.num_training_batches
        for batch, index, _ in islice(self.loader, None if limit == inf else int(limit)):
            batch = self._trainer.precision_plugin.convert_input(batch)
            batch = self._module._on_before_batch_transfer(batch)  # the datamodule's, if it has one
            yield index, self._strategy.batch_to_device(batch)

    def epochs(self) -> Generator[tuple[int, Any], None, None]:
        """Yield the batches of one epoch after another, for ever."""
        while True:
            batch = None
            for batch in self.epoch():
                yield batch
            if batch is None:
                raise ValueError("the training data must start again at its end: got none")

    def step(self, index: int, batch: Any) -> Any:
        """Return what training_step does."""
        arguments = (batch, index) if self._indexed else (batch,)
        return self._strategy.training_step(*arguments)

    def train(self, batches: Iterator[tuple[int, Any]]) -> list[Tensor]:
        """Train on as many batches as an update takes, and return their losses.

        With manual optimization, it is training_step that decides whether to update.
        """
        if not self.automatic:
            return [self._loss(*next(batches)).detach()]
        window = [next(batches) for _ in range(self._window)]
        epoch = self._trainer.current_epoch
        optimizer: Any = self._module.optimizers()
        losses: list[Tensor] = []

        def closure() -> Tensor:
            self._module.optimizer_zero_grad(epoch, window[0][0], optimizer)
            for place, (index, batch) in enumerate(window, start=1):
                with nullcontext() if place == len(window) else self._unsynchronized():
                    loss = self._loss(index, batch)
                    self._strategy.backward(loss / len(window), optimizer)
                losses.append(loss.detach())
            return losses[-1]

        self._module.optimizer_step(epoch, window[-1][0], optimizer, closure)
        return losses[: len(window)]  # some optimizers evaluate their closure several times

    def mean(self, losses: list[Tensor]) -> float:
        """Return the mean over the losses and the processes, the same in all of them."""
        mean = torch.stack([loss.float().reshape(()) for loss in losses]).mean()
        return self._strategy.broadcast(float(self._strategy.reduce(mean, reduce_op="mean")))

    def _unsynchronized(self) -> AbstractContextManager[Any]:
        if isinstance(self._strategy, ParallelStrategy):
            return self._strategy.block_backward_sync()
        return nullcontext()

    def _loss(self, index: int, batch: Any) -> Tensor:
        output = self.step(index, batch)
        loss = output.get("loss") if isinstance(output, Mapping) else output
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise TypeError(
                "training_step must return its loss, a tensor of one number, or a dict with it as"
                f" 'loss': got {type(output).__name__}"
            )
        return loss


def _accumulated(trainer: pl.Trainer) -> int:
    """Return how many batches an update is made of."""
    for callback in trainer.callbacks:
        if isinstance(callback, GradientAccumulationScheduler):
            return callback.get_accumulate_grad_batches(trainer.current_epoch)
    return trainer.accumulate_grad_batches
