"""Untouched: a Trainer and its module, put back as they were after some training."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.loggers.logger import DummyLogger
from torch import Tensor
from torchmetrics import Metric

from cyclr_torch.course import suspended
from cyclr_torch.snapshot import kept, restored

__all__ = ["attributes_kept", "unheard", "untouched"]


@contextmanager
def untouched(trainer: pl.Trainer, loaders: Sequence[Any]) -> Iterator[None]:
    """Put back what training in the block has changed, and let nobody hear of it.

    Put back are weights, buffers, gradients, modes, optimizers, schedulers, the scale of mixed
    precision, the random state, the states of metrics, and those attributes of the module that
    are plain data. Nothing is logged, and no callback is called.
    """
    first, *others = trainer.optimizers
    with ExitStack() as stack:
        stack.enter_context(restored(first, trainer.strategy.model))
        for optimizer in others:
            stack.enter_context(restored(optimizer))
        for loader in loaders:
            stack.enter_context(restored(first, data=loader))
        for optimizer in trainer.optimizers:
            stack.enter_context(suspended(optimizer))
        stack.enter_context(attributes_kept(trainer.lightning_module))
        for config in trainer.lr_scheduler_configs:
            scheduler = config.scheduler
            stack.callback(scheduler.load_state_dict, deepcopy(scheduler.state_dict()))
        precision = trainer.precision_plugin
        stack.callback(precision.load_state_dict, precision.state_dict())
        stack.enter_context(unheard(trainer))
        stack.callback(_start_again, loaders)
        yield


@contextmanager
def attributes_kept(module: pl.LightningModule) -> Iterator[None]:
    """Put back the plain data that a module and its metrics have as attributes."""
    before = []
    for part in module.modules():
        if part is module or isinstance(part, Metric):
            plain = {
                name: value
                for name, value in vars(part).items()
                if _is_plain(value) and (part is not module or not name.startswith("_"))
            }
            before.append((part, kept(plain, {})))
    try:
        yield
    finally:
        for part, attributes in before:
            vars(part).update(attributes())


def _is_plain(value: object) -> bool:
    """Tell numbers, text, tensors, and what holds nothing else."""
    if isinstance(value, dict):
        return all(_is_plain(item) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple, set, deque)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, bytes, Tensor))


@contextmanager
def unheard(trainer: pl.Trainer) -> Iterator[None]:
    """Log nothing, and call no callback."""
    callbacks, loggers = trainer.callbacks, trainer.loggers
    methods = vars(trainer.lightning_module)
    trainer.callbacks, trainer.loggers = [], [DummyLogger() for _ in loggers]
    methods.update(log=_ignore, log_dict=_ignore)
    try:
        yield
    finally:
        trainer.callbacks, trainer.loggers = callbacks, loggers
        del methods["log"], methods["log_dict"]


def _ignore(*args: Any, **kwargs: Any) -> None:
    pass


def _start_again(loaders: Sequence[Any]) -> None:
    """Have workers that persist begin an epoch: their one iterator is also the Trainer's."""
    for loader in loaders:
        if getattr(loader, "persistent_workers", False):
            iter(loader)
