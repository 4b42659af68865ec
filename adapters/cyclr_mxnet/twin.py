"""Twin: a trainer's double, which trains the same parameters and leaves the trainer alone."""

import copy
from typing import Any

import mxnet as mx
from mxnet.gluon import Trainer

__all__ = ["twin"]


def twin(trainer: Trainer) -> Trainer:
    """Return a trainer like this one: same parameters and kvstore, its state a copy.

    The copy has the optimizer's momenta and counts, but no lr_scheduler: its learning rate can
    be set. What it does to the parameters is not undone; nothing else is changed.
    """
    kind = _kind(trainer)
    if "dist" in kind:
        raise ValueError(
            f"trainer must update its parameters on one machine: got kvstore={kind!r}"
            "\n\nHint: range_test(net, Trainer(..., kvstore='device'), ...)"
        )
    optimizer = copy.copy(trainer.optimizer)
    optimizer.lr_scheduler = None
    optimizer = copy.deepcopy(optimizer)
    optimizer.param_dict = trainer.optimizer.param_dict  # of which no copy must be made

    other = copy.copy(trainer)
    other._optimizer = optimizer
    other._updaters = [mx.optimizer.get_updater(optimizer) for _ in trainer._updaters]
    other._kvstore_params = {**trainer._kvstore_params, "kvstore": kind or None}
    if hasattr(trainer, "_amp_loss_scaler"):
        other._amp_loss_scaler = copy.copy(trainer._amp_loss_scaler)
    other._reset_kvstore()
    other._init_kvstore()
    other._init_params()
    for updater, model in zip(_updaters(other), _updaters(trainer), strict=False):
        updater.set_states(model.get_states())
    return other


def _kind(trainer: Trainer) -> str:
    """Return the name of the trainer's kvstore, and nothing if it has none."""
    kvstore = trainer._kvstore_params["kvstore"]
    return str(getattr(kvstore, "type", kvstore) or "")


def _updaters(trainer: Trainer) -> list[Any]:
    """Return what keeps the optimizer's state: one for all devices, or one each."""
    return [trainer._kvstore._updater] if trainer._update_on_kvstore else trainer._updaters
