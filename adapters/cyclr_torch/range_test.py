"""The range test of a model: train it at rising learning rates, and put everything back."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from cyclr._checks import refuse
from cyclr.range_test import RangeTest
from cyclr_torch.course import is_number, suspended, unwrapped
from cyclr_torch.processes import Processes
from cyclr_torch.snapshot import restored
from cyclr_torch.training import BatchLoss, Training, leading, set_to_training, supervised

__all__ = ["range_test"]


def range_test(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: Callable[[Any, Any], Any] | None = None,
    data: Iterable[Any] | None = None,
    *,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    iterations: int = 200,
    batch_loss: BatchLoss | None = None,
    gradient_accumulation_steps: int = 1,
    scaler: Any = None,
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

    - Accuracy: the function of the loss may return ``(loss, accuracy)``; then
      ``test.bounds(metric="accuracy")`` reads the accuracies, `RangeTest.accuracies`.
    - Gradient accumulation: an update takes *gradient_accumulation_steps* batches, and records
      the mean of their losses.
    - Mixed precision: compute the loss under ``torch.autocast`` in *batch_loss*, and give the
      `GradScaler` as *scaler*. An update that it skips is made again at the same learning rate;
      gradients that overflow even unscaled are divergence. Its scale is put back, too.
    - Several processes: call it in each of them, with the same arguments, for a model wrapped by
      DistributedDataParallel or FSDP. Losses are averaged over all, so that each gets the same
      points. If one fails, it fails in all, as far as they aren't waiting for it inside the model.

    Wrong arguments raise a `TypeError` or a `ValueError`, before the test where that is possible.
    Use it for each model, optimizer and batch size anew: the bounds depend on all three.
    """
    if not isinstance(model, nn.Module):
        refuse("model", "be a torch.nn.Module", model, TypeError)
    with Processes(model) as processes:
        if not all(hasattr(optimizer, name) for name in ("param_groups", "state", "step")):
            refuse("optimizer", "be a torch.optim.Optimizer", optimizer, TypeError)
        if not isinstance(data, Iterable):
            refuse("data", "be an iterable of batches", data, TypeError)
        test = RangeTest(
            start_lr,
            end_lr,
            iterations,
            optimizer=_name(optimizer),
            momentum=_momentum(leading(optimizer)),
        )
        training = Training(
            model,
            optimizer,
            _loss_of(loss_fn, batch_loss),
            data,
            updates=len(test),
            gradient_accumulation_steps=gradient_accumulation_steps,
            scaler=scaler,
            processes=processes,
        )
        _refuse_differences(processes, start_lr, end_lr, iterations)
        roots = [root for root in (model, loss_fn) if isinstance(root, nn.Module)]
        silent = not progress or processes.index > 0
        with (
            restored(optimizer, *roots, data=data, scaler=scaler),
            suspended(optimizer),
            torch.enable_grad(),
            closing(training),
            tqdm(total=len(test), desc="range test", disable=silent) as bar,
        ):
            set_to_training(model, optimizer)
            for lr in test:
                loss, accuracy = training.update(lr)
                test.record(loss, accuracy)
                bar.set_postfix(lr=f"{lr:.2e}", loss=f"{loss:.4g}", refresh=False)
                bar.update()
    return test


def _loss_of(loss_fn: Callable[[Any, Any], Any] | None, batch_loss: Any) -> BatchLoss:
    """Return the loss of a batch, from whichever function is given."""
    if batch_loss is None:
        if loss_fn is None:
            raise TypeError("loss_fn must be given, or batch_loss in its place: got None")
        if not callable(loss_fn):
            refuse("loss_fn", "be a function of outputs and targets", loss_fn, TypeError)
        return supervised(loss_fn)
    if not callable(batch_loss):
        refuse("batch_loss", "be a function of model and batch", batch_loss, TypeError)
    if loss_fn is not None:
        refuse("loss_fn", "be left out where batch_loss is given", loss_fn, TypeError)
    return batch_loss  # type: ignore[no-any-return]


def _refuse_differences(processes: Processes, *arguments: float) -> None:
    """See to it that every process makes the same test: otherwise some would wait for ever."""
    theirs = processes.meet(*arguments)
    if theirs.count(theirs[0]) < len(theirs):
        rule = "start_lr, end_lr and iterations must be the same in every process"
        raise ValueError(f"{rule}: got {', '.join(map(str, map(tuple, theirs)))}")


def _name(optimizer: Optimizer) -> str:
    """Return the name by which `cyclr.analyze` knows the optimizer."""
    kind = type(optimizer)
    if kind.__module__.startswith("accelerate."):  # it wraps what makes the updates as they are
        kind = type(unwrapped(optimizer))
    name = kind.__name__.lower()
    return "nesterov" if name == "sgd" and optimizer.param_groups[0].get("nesterov") else name


def _momentum(group: dict[str, Any]) -> float | None:
    """Return the momentum of a group, or its first beta."""
    momentum: Any = group.get("momentum", (group.get("betas") or (None,))[0])
    return float(momentum) if is_number(momentum) else None
