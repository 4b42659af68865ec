"""The range test of a model: train it at rising learning rates, and put everything back."""

import inspect
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from cyclr._checks import refuse
from cyclr.range_test import RangeTest
from cyclr_torch.course import is_number, place, set_value, suspended
from cyclr_torch.snapshot import restored

__all__ = ["range_test"]


def range_test(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: Callable[[Any, Any], Tensor] | None = None,
    data: Iterable[Any] | None = None,
    *,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    iterations: int = 200,
    batch_loss: Callable[[nn.Module, Any], Tensor] | None = None,
    progress: bool = True,
) -> RangeTest:
    """Train at learning rates that rise from *start_lr* to *end_lr*; return the `RangeTest`.

    Each iteration is one update on one batch of *data*, a DataLoader or any iterable of
    (inputs, targets), with the loss ``loss_fn(model(inputs), targets)``. For batches and losses
    of any other kind, give *batch_loss* in place of *loss_fn*: ``batch_loss(model, batch)``.
    The test ends with the ramp or as soon as the loss diverges; data that ends before starts
    again. Then everything is as it was before, also after an error or an interruption: weights,
    buffers, gradients, the optimizer and its learning rates, random state, training mode. (An
    iterator that can't start again has been read.)

        >>> import torch
        >>> from cyclr import Triangular2
        >>> inputs = torch.linspace(-1, 1, 64).reshape(16, 4, 1)
        >>> batches = list(zip(inputs, 3 * inputs))
        >>> model = torch.nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> test = range_test(model, optimizer, torch.nn.MSELoss(), batches, progress=False)
        >>> test.diverged
        True
        >>> schedule = test.bounds().schedule(Triangular2, step_size=32)

    The group with the largest learning rate is given the ramp's, the others keep their ratio to
    it. Tensors in a batch are moved to the model's device, if it is on a single one. A model in
    evaluation mode is set to training mode; in one that is not, each module keeps its own. A
    `Scheduler` of the optimizer doesn't count the test's updates. *progress* is a bar.

    Wrong arguments raise a `TypeError` or a `ValueError`, before the test where that is possible.
    Use it for each model, optimizer and batch size anew: the bounds depend on all three.
    """
    if not isinstance(model, nn.Module):
        refuse("model", "be a torch.nn.Module", model, TypeError)
    if not isinstance(optimizer, Optimizer):
        refuse("optimizer", "be a torch.optim.Optimizer", optimizer, TypeError)
    if not isinstance(data, Iterable):
        refuse("data", "be an iterable of batches", data, TypeError)
    if batch_loss is None:
        batch_loss = _supervised(loss_fn)
    elif not callable(batch_loss):
        refuse("batch_loss", "be a function of model and batch", batch_loss, TypeError)
    elif loss_fn is not None:
        refuse("loss_fn", "be left out where batch_loss is given", loss_fn, TypeError)
    groups = optimizer.param_groups
    for index, group in enumerate(groups):
        place("lr", group, index)
    rates = [float(group["lr"]) for group in groups]
    highest = max(rates)
    ratios = [rate / highest if highest > 0 else 1.0 for rate in rates]
    test = RangeTest(
        start_lr,
        end_lr,
        iterations,
        optimizer=_name(optimizer),
        momentum=_momentum(groups[rates.index(highest)]),
    )
    device = _device(model)
    roots = [root for root in (model, loss_fn) if isinstance(root, nn.Module)]
    with (
        restored(optimizer, *roots, data=data),
        suspended(optimizer),
        torch.enable_grad(),
        closing(_batches(data, len(test))) as batches,
        tqdm(total=len(test), desc="range test", disable=not progress) as bar,
    ):
        if not model.training:
            model.train()
        for lr in test:
            batch = _moved(next(batches), device)
            for group, ratio in zip(groups, ratios, strict=True):
                set_value(group, "lr", lr * ratio)
            loss = _update(optimizer, partial(batch_loss, model, batch))
            test.record(loss)
            bar.set_postfix(lr=f"{lr:.2e}", loss=f"{loss:.4g}", refresh=False)
            bar.update()
    return test


def _supervised(loss_fn: Callable[[Any, Any], Tensor] | None) -> Callable[[nn.Module, Any], Tensor]:
    """Return the loss of a batch of (inputs, targets)."""
    if loss_fn is None:
        raise TypeError("loss_fn must be given, or batch_loss in its place: got None")
    if not callable(loss_fn):
        refuse("loss_fn", "be a function of outputs and targets", loss_fn, TypeError)

    def batch_loss(model: nn.Module, batch: Any) -> Tensor:
        if not isinstance(batch, (list, tuple)) or len(batch) != 2:
            raise TypeError(
                f"a batch must be (inputs, targets): got {_shape(batch)}"
                "\n\nHint: batch_loss=lambda model, batch: model(**batch).loss"
            )
        inputs, targets = batch
        return loss_fn(model(inputs), targets)

    return batch_loss


def _shape(batch: Any) -> str:
    """Return what kind of batch it is, without its contents."""
    kind = type(batch).__name__
    if isinstance(batch, Mapping):
        return f"{kind} of {', '.join(map(str, batch))}"
    return f"{kind} of {len(batch)}" if isinstance(batch, (list, tuple)) else kind


def _batches(data: Iterable[Any], needed: int) -> Generator[Any, None, None]:
    """Yield batches for ever; data that has ended starts again."""
    count = 0
    while True:
        before = count
        for batch in data:
            count += 1
            yield batch
        if count == before:
            raise ValueError(
                f"data must have {needed} batches, or start again at its end: got {count}"
                "\n\nHint: give a DataLoader or a list in place of an iterator"
            )


def _update(optimizer: Optimizer, compute: Callable[[], Tensor]) -> float:
    """Train on one batch, and return its loss, from before the update."""
    losses = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = compute()
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            kind = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else loss
            raise TypeError(f"the loss of a batch must be a tensor of one number: got {kind}")
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.item())
        return loss

    step: Callable[..., Any] = optimizer.step
    parameter = inspect.signature(step).parameters.get("closure")
    if parameter is not None and parameter.default is inspect.Parameter.empty:
        step(closure)  # LBFGS and its like evaluate the loss themselves, several times
    else:
        closure()
        step()
    return losses[0]


def _name(optimizer: Optimizer) -> str:
    """Return the name by which `cyclr.analyze` knows the optimizer."""
    name = type(optimizer).__name__.lower()
    return "nesterov" if name == "sgd" and optimizer.param_groups[0].get("nesterov") else name


def _momentum(group: dict[str, Any]) -> float | None:
    """Return the momentum of a group, or its first beta."""
    momentum: Any = group.get("momentum", (group.get("betas") or (None,))[0])
    return float(momentum) if is_number(momentum) else None


def _device(model: nn.Module) -> torch.device | None:
    """Return where the model is, unless it is in several places or none."""
    devices = {parameter.device for parameter in model.parameters()}
    return devices.pop() if len(devices) == 1 else None


def _moved(batch: Any, device: torch.device | None) -> Any:
    """Return the batch with its tensors on the device."""
    if device is None:
        return batch
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: _moved(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        items = [_moved(item, device) for item in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return batch
