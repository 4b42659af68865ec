"""The range test of a Trainer's module: at the start of a fit, or on demand."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import copy
from math import inf, isfinite
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.utilities.parsing import (
    lightning_getattr,
    lightning_hasattr,
    lightning_setattr,
)
from lightning.pytorch.utilities.rank_zero import rank_zero_warn
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor
from torch.optim import Optimizer

import cyclr
from cyclr import Bounds
from cyclr._checks import refuse
from cyclr.plotting.axes import check, save
from cyclr.plotting.range_tests import picture_of_range_test
from cyclr_lightning.handover import Handover
from cyclr_lightning.training import Training
from cyclr_lightning.untouched import untouched
from cyclr_torch.course import course_of
from cyclr_torch.progress import Bar
from cyclr_torch.rates import Rates, momentum_of, name_of

__all__ = ["RangeTest", "range_test"]

PATIENCE = 1000
"""So many trainings without an update: a gradient scaler has no scale left to try."""


class RangeTest(pl.Callback):
    """Run a range test at the start of a fit, as a callback, and then train.

        trainer = Trainer(callbacks=[RangeTest(attribute="lr")])
        trainer.fit(model)  # with model.lr = bounds.max_lr

    Each learning rate, from *start_lr* to *end_lr* in *iterations*, is for one update, made as
    the Trainer makes it: with its strategy and processes, its precision, its accumulation of
    batches and its gradient clipping. Recorded is the mean loss of the update's batches, over
    all processes. The test ends with the ramp, or as soon as the loss diverges. Then everything
    is as it was, also after an error: weights, optimizers, schedulers, random state, metrics,
    the module's own counters. The Trainer has counted nothing, logged nothing, called no
    callback; of its limits, that of batches an epoch holds for the test.

    *attribute* is one of the module's, of its ``hparams`` or of the datamodule's. If it is a
    number, it becomes ``bounds.max_lr``; if it is anything else, None say, the `Bounds`. Then
    ``configure_optimizers`` is called again; in the middle of a run, the optimizers keep their
    states, and what follows a cyclr schedule its iteration. A test that can't be read raises
    `InconclusiveRangeTest` and sets nothing. Without *attribute*, nothing is set: the test is
    `test`, its bounds are `bounds`.

    Checkpoints have the test. A fit that goes on from one sets the attribute before it
    configures the optimizers, and does not test again.

    With manual optimization, ``training_step`` has to return its loss, and *optimizer* is the
    index of the one to test, if there are several; the others train at their own rates.
    *plot* is the file to which the test is drawn, with its bounds or why there are none; it needs
    ``cyclr[plot]``. *progress* is a bar. Wrong arguments raise a `TypeError` or a `ValueError`.

    Use it for each module, optimizer and batch size anew; `range_test` is the same without a
    training after it.
    """

    def __init__(
        self,
        start_lr: float = 1e-6,
        end_lr: float = 10.0,
        iterations: int = 200,
        *,
        attribute: str | None = None,
        optimizer: int | None = None,
        plot: str | Path | None = None,
        progress: bool = True,
    ) -> None:
        new = cyclr.RangeTest(start_lr, end_lr, iterations)  # checks the arguments
        if plot is not None:
            check(str(plot))
        self._arguments = (start_lr, end_lr, iterations)
        self.attribute = attribute
        self.optimizer = optimizer
        self.plot = plot
        self.progress = progress
        self._test: cyclr.RangeTest | None = None
        self._handover = Handover(capacity=1000 + 40 * len(new))
        self._resumed = False
        self._alone = False  # without a training after it

    @property
    def test(self) -> cyclr.RangeTest | None:
        """The test; None before it."""
        if self._test is None:
            state = self._handover.get()
            self._test = None if state is None else _rebuilt(state)
        return self._test

    @property
    def bounds(self) -> Bounds:
        """The bounds; a test that can't be read raises `InconclusiveRangeTest`."""
        if self.test is None:
            raise RuntimeError("there are no bounds before the test. Hint: trainer.fit(model)")
        return self.test.bounds()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Run the test, and set the attribute."""
        if self._resumed:
            self._resumed = False
            return
        if trainer.fast_dev_run:
            rank_zero_warn("there is no range test in a Trainer with fast_dev_run")
            return
        if self.attribute is not None and not lightning_hasattr(pl_module, self.attribute):
            rule = "be the module's, its hparams' or its datamodule's"
            refuse("attribute", rule, self.attribute, AttributeError)
        self._test = self._run(trainer)
        self._handover.put(_written(self._test))
        if self.plot is not None and trainer.is_global_zero:
            save([picture_of_range_test(self._test)], str(self.plot))
        if self._alone:
            trainer.should_stop = True
        elif self.attribute is not None:
            _set(pl_module, self.attribute, self.bounds)
            _configure_again(trainer)

    def _run(self, trainer: pl.Trainer) -> cyclr.RangeTest:
        optimizer = self._tested(trainer)
        test = cyclr.RangeTest(
            *self._arguments, optimizer=name_of(optimizer), momentum=momentum_of(optimizer)
        )
        training = Training(trainer)
        shown = self.progress and trainer.is_global_zero
        with (
            untouched(trainer, training.loader.flattened),
            _Ramp(optimizer) as ramp,
            closing(training.epochs()) as batches,
            Bar(test, disable=not shown) as lrs,
        ):
            for lr in lrs:
                ramp.lr = lr
                test.record(_update(training, batches, ramp))
        return test

    def _tested(self, trainer: pl.Trainer) -> Optimizer:
        """Return the optimizer to test."""
        optimizers = trainer.optimizers
        index = 0 if self.optimizer is None and len(optimizers) == 1 else self.optimizer
        if not isinstance(index, int) or not 0 <= index < len(optimizers):
            refuse("optimizer", f"be the index of one of {len(optimizers)} optimizers", index)
        if not isinstance(optimizers[index], Optimizer):
            refuse("the optimizer", "be a torch.optim.Optimizer", optimizers[index], TypeError)
        return optimizers[index]

    def state_dict(self) -> dict[str, Any]:
        """Return the test, as plain data."""
        return {} if self.test is None else _written(self.test)

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take the test from the checkpoint, and set the attribute."""
        state = checkpoint["callbacks"].get(self.state_key)
        if state and trainer.state.fn == "fit":
            self._test = _rebuilt(state)
            self._handover.put(state)
            self._resumed = True
            if self.attribute is not None:
                _set(pl_module, self.attribute, self.bounds)


def range_test(
    trainer: pl.Trainer,
    model: pl.LightningModule,
    train_dataloaders: Any = None,
    *,
    datamodule: pl.LightningDataModule | None = None,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    iterations: int = 200,
    attribute: str | None = None,
    optimizer: int | None = None,
    plot: str | Path | None = None,
    progress: bool = True,
) -> cyclr.RangeTest:
    """Run a range test of *model* as the Trainer would train it, on demand; return the test.

        >>> import torch
        >>> from lightning.pytorch import LightningModule, Trainer
        >>> class Line(LightningModule):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer = torch.nn.Linear(1, 1)
        ...         self.lr = 0.1
        ...     def training_step(self, batch):
        ...         return (self.layer(batch) - 3 * batch).square().mean()
        ...     def configure_optimizers(self):
        ...         return torch.optim.SGD(self.parameters(), lr=self.lr)
        >>> inputs = torch.linspace(-1, 1, 64).reshape(64, 1)
        >>> batches = torch.utils.data.DataLoader(inputs, batch_size=4)
        >>> trainer = Trainer(max_epochs=1, accelerator="cpu", logger=False)
        >>> model = Line()
        >>> test = range_test(trainer, model, batches, attribute="lr", progress=False)
        >>> test.diverged, model.lr == test.bounds().max_lr
        (True, True)

    The data are *train_dataloaders* or the *datamodule*, as ``trainer.fit`` takes them; the other
    arguments are those of `RangeTest`. The Trainer begins a fit and ends it where its first
    batch would come: hooks of the module up to there are called, and those of its end. Trainer
    and model are then as before, wherever the Trainer stands, but for *attribute*.
    """
    if trainer.fast_dev_run:
        refuse("the Trainer", "be one without fast_dev_run", trainer.fast_dev_run)
    callback = RangeTest(
        start_lr,
        end_lr,
        iterations,
        attribute=attribute,
        optimizer=optimizer,
        plot=plot,
        progress=progress,
    )
    callback._alone = True
    with _alone(trainer, callback), isolate_rng():
        trainer.fit(model, train_dataloaders, datamodule=datamodule)
    test = callback.test
    assert test is not None
    if attribute is not None:
        _set(trainer.lightning_module, attribute, test.bounds())
    return test


@contextmanager
def _alone(trainer: pl.Trainer, callback: RangeTest) -> Iterator[None]:
    """Have a fit do nothing but call the callback."""
    loop, launcher = trainer.fit_loop, trainer.strategy.launcher
    settings: list[tuple[Any, str, Any]] = [
        (trainer, "callbacks", [callback]),
        (trainer, "loggers", []),
        (trainer, "limit_val_batches", 0),
        (trainer, "should_stop", False),
        (trainer, "state", copy(trainer.state)),
        (loop, "min_epochs", None),
        (loop, "max_epochs", -1),
        (loop.epoch_loop, "min_steps", None),
        (loop.epoch_loop, "max_steps", -1),
    ]
    if hasattr(launcher, "_already_fit"):  # what spawns processes fits once; this is no fit
        settings.append((launcher, "_already_fit", False))
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in settings]
    for owner, name, value in settings:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


class _Ramp:
    """An optimizer, each update of which is made at the learning rate `lr`."""

    def __init__(self, optimizer: Optimizer):
        self.lr = 0.0
        self.updates = 0
        self._optimizer = optimizer
        self._rates = Rates(optimizer)
        self._handles: list[Any] = []

    def __enter__(self) -> "_Ramp":
        self._handles = [
            self._optimizer.register_step_pre_hook(self._before),
            self._optimizer.register_step_post_hook(self._after),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        # At the last moment: a module may set the learning rate itself, in its optimizer_step.
        self._rates.set(self.lr)

    def _after(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        # GradScaler has a fused optimizer itself skip an update, and leaves the reason there.
        self.updates += not getattr(optimizer, "found_inf", None)


def _update(training: Training, batches: Iterator[tuple[int, Any]], ramp: _Ramp) -> float:
    """Train until there is an update, and return the mean loss before it.

    A gradient scaler may skip some; a loss that is not finite, it will always skip.
    """
    made = ramp.updates
    losses: list[Tensor] = []
    for _ in range(PATIENCE):
        losses += training.train(batches)
        loss = training.mean(losses)
        if ramp.updates > made or not isfinite(loss):
            return loss
    if training.automatic:
        return inf
    raise RuntimeError(f"training_step must step the optimizer: not once in {PATIENCE} batches")


def _set(module: pl.LightningModule, attribute: str, bounds: Bounds) -> None:
    """Set the attribute to the largest learning rate if it is a number, to the bounds if not."""
    value = lightning_getattr(module, attribute)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    lightning_setattr(module, attribute, bounds.max_lr if is_number else bounds)


def _configure_again(trainer: pl.Trainer) -> None:
    """Configure the optimizers again; in the middle of a run, they keep their states."""
    before = trainer.optimizers
    trainer.strategy.setup_optimizers(trainer)
    if trainer.global_step == 0:
        return
    for old, new in zip(before, trainer.optimizers, strict=True):
        groups = new.state_dict()["param_groups"]
        new.load_state_dict({**old.state_dict(), "param_groups": groups})
        followed, follows = course_of(old), course_of(new)
        if followed is not None and follows is not None:
            follows.follow(new.param_groups, follows.schedules, followed.iteration)
            follows.apply(new.param_groups)


def _written(test: cyclr.RangeTest) -> dict[str, Any]:
    """Return a test as plain data."""
    return {
        "start_lr": test.ramp.start,
        "end_lr": test.ramp.end,
        "iterations": len(test),
        "optimizer": test.optimizer,
        "momentum": test.momentum,
        "losses": [loss for _, loss in test.points],
    }


def _rebuilt(state: dict[str, Any]) -> cyclr.RangeTest:
    """Return the test that was written."""
    arguments = dict(state)
    losses = arguments.pop("losses")
    test = cyclr.RangeTest(**arguments)
    for loss in losses:
        next(test)
        test.record(loss)
    return test
