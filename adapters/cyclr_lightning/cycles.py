"""What to do where a cycle ends, as callbacks: save a snapshot, average the weights, stop."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.utilities.rank_zero import rank_zero_warn
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn
from torch.utils.hooks import RemovableHandle

from cyclr._checks import whole
from cyclr_lightning.training import Training
from cyclr_lightning.untouched import attributes_kept, unheard
from cyclr_torch import Scheduler, on_cycle_end

__all__ = ["AverageWeights", "OnCycleEnd", "SaveSnapshots", "StopAfterCycles"]


class OnCycleEnd(pl.Callback):
    """Do something where a cycle of the learning rate ends: override `on_cycle_end`.

    The cycles are those of the first cyclr `Scheduler` that ``configure_optimizers`` returns;
    if there is none, the fit raises a `ValueError`. `SaveSnapshots`, `AverageWeights` and
    `StopAfterCycles` are made of it; a Trainer may have several. How cycles are counted, and
    what it is good for, says `cyclr_torch.on_cycle_end`.
    """

    _handle: RemovableHandle | None = None

    def on_cycle_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, cycle: int) -> None:
        """Do it, after the batch that ends the cycle; the first is 1."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget the fit before, which an error may have ended."""
        self._forget()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Watch the scheduler, from the first batch on: until then it may be made anew."""
        if self._handle is None:
            self._ended: list[int] = []
            self._handle = on_cycle_end(_scheduler(trainer), self._ended.append)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Do it, for each cycle that has ended in the batch."""
        ended = self._ended[:]
        self._ended.clear()
        for cycle in ended:
            self.on_cycle_end(trainer, pl_module, cycle)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Watch no more."""
        self._forget()

    def _forget(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None


def _scheduler(trainer: pl.Trainer) -> Scheduler:
    for config in trainer.lr_scheduler_configs:
        if isinstance(config.scheduler, Scheduler):
            return config.scheduler
    raise ValueError(
        "configure_optimizers must return a cyclr Scheduler, whose cycles end"
        "\n\nHint: return [optimizer], [Scheduler(optimizer, schedule)]"
    )


class SaveSnapshots(OnCycleEnd):
    """Save a checkpoint where a cycle ends: ``dirpath/cycle-001.ckpt``, ``cycle-002.ckpt``, ....

    A snapshot ensemble is the mean of their predictions, each loaded by the module's
    ``load_from_checkpoint``. *weights_only* leaves out what only a resumed training needs.
    """

    def __init__(self, dirpath: str | Path, *, weights_only: bool = True):
        self.dirpath = Path(dirpath)
        self.weights_only = weights_only

    def on_cycle_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, cycle: int) -> None:
        """Save."""
        path = self.dirpath / f"cycle-{cycle:03d}.ckpt"
        trainer.save_checkpoint(path, weights_only=self.weights_only)


class AverageWeights(OnCycleEnd):
    """Average the weights at the ends of cycles; the module ends the fit with the mean.

    The average is torch's ``AveragedModel``, as `average`. When it becomes the module's, the
    statistics of batch normalization are renewed by torch's ``update_bn`` on an epoch of the
    training data. Validation sees the weights of the training itself. Checkpoints have the
    average, so that a resumed run has all of it. If no cycle has ended, the weights stay.
    """

    def __init__(self) -> None:
        self.average: AveragedModel | None = None
        self._state: dict[str, Any] | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Watch the scheduler; make the average new, or the checkpoint's."""
        if self._handle is None:
            self.average = AveragedModel(pl_module)
            if self._state is not None:
                self.average.load_state_dict(self._state)
                self._state = None
        super().on_train_batch_start(trainer, pl_module, batch, batch_idx)

    def on_cycle_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, cycle: int) -> None:
        """Average."""
        assert self.average is not None
        self.average.update_parameters(pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Give the module the average."""
        super().on_train_end(trainer, pl_module)
        if self.average is None or not self.average.n_averaged:
            rank_zero_warn("no cycle has ended: the weights are not averaged")
            return
        averaged = dict(self.average.module.named_parameters())
        for name, parameter in pl_module.named_parameters():
            parameter.data.copy_(averaged[name])
        training = Training(trainer)
        with unheard(trainer), attributes_kept(pl_module), isolate_rng():
            update_bn(([batch] for batch in training.epoch()), _Stepping(pl_module, training))

    def state_dict(self) -> dict[str, Any]:
        """Return the average."""
        return {} if self.average is None else dict(self.average.state_dict())

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the average from the checkpoint."""
        self._state = state_dict


class _Stepping(nn.Module):
    """The module as torch's update_bn wants it: called with a batch."""

    def __init__(self, module: pl.LightningModule, training: Training):
        super().__init__()
        self.module = module
        self._training = training

    def forward(self, indexed: tuple[int, Any]) -> None:
        index, batch = indexed
        if self._training.automatic:
            self._training.step(index, batch)
        else:  # whose training_step would make an update
            self.module(batch[0] if isinstance(batch, (list, tuple)) else batch)


class StopAfterCycles(OnCycleEnd):
    """Stop training at the end of a cycle, the one numbered *cycles*, or a later one.

    A Trainer that has ``min_epochs`` or ``min_steps`` goes on until they are over.
    """

    def __init__(self, cycles: int):
        self.cycles = whole("cycles", cycles, at_least=1)

    def on_cycle_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, cycle: int) -> None:
        """Stop."""
        if cycle >= self.cycles:
            trainer.should_stop = True
