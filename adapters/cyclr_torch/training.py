"""Training: updates of a model, each at a learning rate that it is given."""

import inspect
import math
from collections.abc import Callable, Generator, Iterable, Mapping
from itertools import islice
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cyclr._checks import refuse, whole
from cyclr.range_test.points import number_of
from cyclr_torch.processes import Processes
from cyclr_torch.rates import Rates

__all__ = [
    "BatchLoss",
    "Measured",
    "Training",
    "device_of",
    "loss_and_accuracy",
    "moved",
    "set_to_training",
    "supervised",
]

BatchLoss: TypeAlias = Callable[[nn.Module, Any], Any]
"""From a model and a batch to the loss, or to the loss and an accuracy."""


Measured: TypeAlias = tuple[float, float | None]
"""The loss and the accuracy of an update's batches, before it changed the weights."""


class Training:
    """Train *model* on batch after batch of *data*, for as many *updates* as one asks for.

    An update takes *gradient_accumulation_steps* batches of each of the *processes*, and one that
    the *scaler* skips is made again, with other batches.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        batch_loss: BatchLoss,
        data: Iterable[Any],
        *,
        updates: int,
        gradient_accumulation_steps: int,
        scaler: Any,
        processes: Processes,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._batch_loss = batch_loss
        self._steps = whole("gradient_accumulation_steps", gradient_accumulation_steps, at_least=1)
        self._scaler = scaler
        self._processes = processes
        self._batches = _batches(data, updates * self._steps, device_of(model))
        self._rates = Rates(optimizer)
        self._needs_closure = _needs_closure(optimizer)
        if scaler is not None and self._needs_closure:
            refuse("scaler", "be left out for an optimizer that needs a closure", scaler, TypeError)

    def update(self, lr: float) -> Measured:
        """Make one update at *lr*, of all processes, and return their means.

        The leading group gets it, the others keep their ratio to that. Where gradients overflow
        even unscaled, the model is beyond its edge: the loss is NaN.
        """
        self._rates.set(lr)
        while True:
            batches = list(islice(self._batches, self._steps))
            self._processes.meet()
            if self._needs_closure:
                return self._evaluated(batches)
            loss, accuracy = self._gradients(batches)
            if self._scaler is None:
                self._optimizer.step()
                return loss, accuracy
            if not self._scaled_step() or not math.isfinite(loss):
                return loss, accuracy
            if self._scaler.get_scale() < 1:
                return math.nan, None

    def close(self) -> None:
        """Have done with the data."""
        self._batches.close()

    def _scaled_step(self) -> bool:
        """Have the scaler make the step; tell whether it left it out in any of the processes."""
        scale = self._scaler.get_scale()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return [True] in self._processes.meet(self._scaler.get_scale() < scale)

    def _evaluated(self, batches: list[Any]) -> Measured:
        """Have LBFGS or its like make the step, which evaluates the loss several times."""
        evaluations = []

        def closure() -> Tensor:
            loss, accuracy = self._gradients(batches)
            evaluations.append((loss, accuracy))
            return torch.tensor(loss, dtype=torch.float64)

        step: Callable[..., Any] = self._optimizer.step
        step(closure)
        return evaluations[0]

    def _gradients(self, batches: list[Any]) -> Measured:
        """Compute the gradients of the batches' mean loss; return the means."""
        self._optimizer.zero_grad()
        count = len(batches)
        losses = accuracies = 0.0
        for batch in batches:
            loss, accuracy = loss_and_accuracy(self._batch_loss(self._model, batch))
            self._processes.meet()
            part = loss if count == 1 else loss / count
            (part if self._scaler is None else self._scaler.scale(part)).backward()
            losses += loss.item()
            accuracies += accuracy
        mean, accuracy = self._processes.means(losses / count, accuracies / count)
        return mean, None if math.isnan(accuracy) else accuracy


def set_to_training(model: nn.Module, optimizer: Optimizer) -> None:
    """Leave evaluation mode; a part of a model in training mode keeps its own."""
    if not model.training:
        model.train()
    train = getattr(optimizer, "train", None)
    if callable(train):
        train()  # schedule-free optimizers hold other weights for evaluation


def supervised(loss_fn: Callable[[Any, Any], Any]) -> BatchLoss:
    """Return the loss of a batch of (inputs, targets)."""

    def batch_loss(model: nn.Module, batch: Any) -> Any:
        if not isinstance(batch, (list, tuple)) or len(batch) != 2:
            raise TypeError(
                f"a batch must be (inputs, targets): got {_shape(batch)}"
                "\n\nHint: batch_loss=lambda model, batch: model(**batch).loss"
            )
        inputs, targets = batch
        return loss_fn(model(inputs), targets)

    return batch_loss


def _needs_closure(optimizer: Optimizer) -> bool:
    """Tell an optimizer that has to evaluate the loss itself."""
    parameter = inspect.signature(optimizer.step).parameters.get("closure")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def loss_and_accuracy(value: Any) -> tuple[Tensor, float]:
    """Return the loss and the accuracy of a batch, NaN if there is none."""
    loss, accuracy = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        kind = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else loss
        raise TypeError(f"the loss of a batch must be a tensor of one number: got {kind}")
    return loss, math.nan if accuracy is None else number_of("the accuracy of a batch", accuracy)


def _shape(batch: Any) -> str:
    """Return what kind of batch it is, without its contents."""
    kind = type(batch).__name__
    if isinstance(batch, Mapping):
        return f"{kind} of {', '.join(map(str, batch))}"
    return f"{kind} of {len(batch)}" if isinstance(batch, (list, tuple)) else kind


def _batches(
    data: Iterable[Any], needed: int, device: torch.device | None
) -> Generator[Any, None, None]:
    """Yield batches for ever, on the device; data that has ended starts again."""
    sampler = getattr(data, "sampler", None)
    epoch = getattr(sampler, "epoch", None)
    if not hasattr(sampler, "set_epoch"):  # on which a DistributedSampler's order depends
        sampler = None
    count = 0
    try:
        while True:
            before = count
            for batch in data:
                count += 1
                yield moved(batch, device)
            if count == before:
                raise ValueError(
                    f"data must have {needed} batches, or start again at its end: got {count}"
                    "\n\nHint: give a DataLoader or a list in place of an iterator"
                )
            if sampler is not None:
                sampler.set_epoch(sampler.epoch + 1)
    finally:
        if sampler is not None:
            sampler.set_epoch(epoch)


def device_of(model: nn.Module) -> torch.device | None:
    """Return where the model is, unless it is in several places or none."""
    devices = {parameter.device for parameter in model.parameters()}
    return devices.pop() if len(devices) == 1 else None


def moved(batch: Any, device: torch.device | None) -> Any:
    """Return the batch with its tensors on the device."""
    if device is None:
        return batch
    if isinstance(batch, Tensor):
        return batch if batch.device == device else batch.to(device)
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, (list, tuple)):
        items = [moved(item, device) for item in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    if isinstance(batch, Mapping):
        return {key: moved(value, device) for key, value in batch.items()}
    return batch
