"""The range test of a model: train it at rising learning rates, and put everything back."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from cyclr._checks import refuse
from cyclr.range_test import InconclusiveRangeTest, RangeTest, confirmation_cost
from cyclr.schedules import Schedule
from cyclr_torch.course import suspended
from cyclr_torch.processes import Processes
from cyclr_torch.progress import Bar
from cyclr_torch.rates import momentum_of, name_of
from cyclr_torch.snapshot import restored
from cyclr_torch.training import BatchLoss, Training, set_to_training, supervised
from cyclr_torch.validation import Validation, kept_back

__all__ = ["range_test"]

ITERATIONS = 120  # of each training that confirms


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
    confirm: bool = False,
    validation: Iterable[Any] | None = None,
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

    - Confirmation: with ``confirm=True`` three to five learning rates around the answer are tried,
      120 updates each (600 at most: the bar says so before they start), always from the state of
      now, and ``test.bounds()`` is what did best on *validation*: batches like those of *data*,
      read in evaluation mode, weighted by their samples. Without it, 8 batches of *data* are kept
      back from these trainings, and the bar says so; data that is shuffled brings them back in a
      second pass. See `cyclr.confirm`. A test that can't be read is not confirmed.

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
            optimizer=name_of(optimizer),
            momentum=momentum_of(optimizer),
        )
        trial = _Trial(
            model,
            optimizer,
            _loss_of(loss_fn, batch_loss),
            [root for root in (model, loss_fn) if isinstance(root, nn.Module)],
            data,
            gradient_accumulation_steps,
            scaler,
            processes,
            silent=not progress or processes.index > 0,
        )
        _refuse_differences(
            processes,
            start_lr=start_lr,
            end_lr=end_lr,
            iterations=iterations,
            gradient_accumulation_steps=gradient_accumulation_steps,
            confirm=confirm,
            validation=validation is not None,
        )
        held_out = None if validation is None else Validation(validation, trial.loss, processes)
        _run(test, trial)
        if confirm:
            _confirm(test, trial, held_out)
    return test


class _Trial(NamedTuple):
    """What is trained, and how; whatever is tried, all is put back."""

    model: nn.Module
    optimizer: Optimizer
    loss: BatchLoss
    roots: Sequence[nn.Module]
    data: Iterable[Any]
    gradient_accumulation_steps: int
    scaler: Any
    processes: Processes
    silent: bool

    @contextmanager
    def training(self, updates: int, batches: Iterable[Any]) -> Iterator[Training]:
        """Train on *batches*, all of the data or a part of it, in the block."""
        training = Training(
            self.model,
            self.optimizer,
            self.loss,
            batches,
            updates=updates,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
            scaler=self.scaler,
            processes=self.processes,
        )
        with self.restored(), closing(training):
            set_to_training(self.model, self.optimizer)
            yield training

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Put back, after the block, all that it changed."""
        with (
            restored(self.optimizer, *self.roots, data=self.data, scaler=self.scaler),
            suspended(self.optimizer),
            torch.enable_grad(),
        ):
            yield

    def bar(self, what: str, total: int) -> "tqdm[Any]":
        return tqdm(total=total, desc=what, disable=self.silent)


def _run(test: RangeTest, trial: _Trial) -> None:
    """Record the test's losses."""
    with (
        trial.training(len(test), trial.data) as training,
        Bar(test, disable=trial.silent) as lrs,
    ):
        for lr in lrs:
            test.record(*training.update(lr))


def _confirm(test: RangeTest, trial: _Trial, validation: Validation | None) -> None:
    """Confirm the test's bounds, if it has any."""
    try:
        test.bounds()
    except InconclusiveRangeTest:
        return  # its bounds() will say why
    what, batches = "confirmation", trial.data
    if validation is None:
        # Each training has the random state of now, and so the same first batches.
        with trial.restored():
            kept, batches = kept_back(trial.data)
        validation = Validation(kept, trial.loss, trial.processes)
        what += f" by {len(kept)} batches of the training data"
    held_out = validation

    with trial.bar(what, confirmation_cost()) as bar:

        def probe(schedule: Schedule) -> float:
            with trial.training(ITERATIONS, batches) as training:
                for iteration in range(ITERATIONS):
                    loss, _ = training.update(schedule(iteration))
                    bar.update()
                    if not math.isfinite(loss):
                        return loss
                return held_out.loss(trial.model, trial.optimizer)

        def told(done: int, _: int) -> None:
            bar.update(done - bar.n)  # of a training that diverged, the rest

        try:
            test.confirm(probe, iterations=ITERATIONS, progress=told)
        except InconclusiveRangeTest as error:
            warnings.warn(f"the bounds can't be confirmed: {error}", stacklevel=3)


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


def _refuse_differences(processes: Processes, **arguments: float) -> None:
    """See to it that every process makes the same test: otherwise some would wait for ever."""
    theirs = processes.meet(*arguments.values())
    for name, values in zip(arguments, zip(*theirs, strict=True), strict=True):
        if len(set(values)) > 1:
            got = ", ".join(f"{value:g}" for value in values)
            raise ValueError(f"{name} must be the same in every process: got {got}")
