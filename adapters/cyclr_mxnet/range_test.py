"""The range test of a network: train it at rising learning rates, and put everything back."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import chain
from typing import Any

from mxnet import autograd
from mxnet.contrib import amp
from mxnet.gluon import Block, Parameter, Trainer
from mxnet.gluon.utils import split_and_load
from mxnet.io import DataBatch, DataIter
from mxnet.ndarray import NDArray
from mxnet.optimizer import Optimizer
from tqdm.auto import tqdm

from cyclr._checks import refuse
from cyclr.range_test import RangeTest
from cyclr_mxnet.snapshot import restored, restored_random_state
from cyclr_mxnet.twin import twin

__all__ = ["range_test"]

BatchLoss = Callable[[Block, Any], NDArray | list[NDArray]]


def range_test(
    net: Block,
    trainer: Trainer,
    loss_fn: Callable[[Any, Any], NDArray] | None,
    data: Iterable[Any],
    *,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    iterations: int = 200,
    batch_loss: BatchLoss | None = None,
    progress: bool = True,
) -> RangeTest:
    """Train at learning rates that rise from *start_lr* to *end_lr*; return the `RangeTest`.

    Each iteration is one update on one batch of *data*, a DataLoader, a DataIter or any
    iterable of (inputs, targets), with the loss ``loss_fn(net(inputs), targets)``; each batch is
    split between the trainer's devices. For batches and losses of any other kind, give
    *batch_loss* in place of *loss_fn*: ``batch_loss(net, batch)``, which returns a loss or a list
    of them, one a device. A loss may have a number for each sample: what counts is the mean.
    The test ends with the ramp or as soon as the loss diverges; data that ends before starts
    again. Then everything is as it was before, also after an error or an interruption: weights,
    running statistics, gradients, the trainer, which is not used but copied, with its
    optimizer's state and counts, the random state of Python and NumPy.

        >>> import mxnet as mx
        >>> from cyclr import Triangular2
        >>> inputs = mx.nd.arange(-1, 1, 1 / 32).reshape((16, 4, 1))
        >>> batches = list(zip(inputs, 3 * inputs))
        >>> net = mx.gluon.nn.Dense(1)
        >>> net.initialize()
        >>> trainer = mx.gluon.Trainer(net.collect_params(), "sgd")
        >>> test = range_test(net, trainer, mx.gluon.loss.L2Loss(), batches, progress=False)
        >>> test.diverged
        True
        >>> schedule = test.bounds().schedule(Triangular2, step_size=32)

    What can't be put back: MXNet's own random numbers (of dropout, say), whose state can't be
    read, go on from where the test left them; parameters whose shape was not yet known have one,
    and their first values; and an iterator has been read (a DataIter is reset).

    An lr_scheduler of the trainer is left out of the test, and does not count its updates.
    Multipliers of the learning rate, a parameter's ``lr_mult``, count. *progress* is a bar.

    Wrong arguments raise a `TypeError` or a `ValueError`, before the test where that is possible.
    Use it for each network, optimizer and batch size anew: the bounds depend on all three.
    """
    if not isinstance(net, Block):
        refuse("net", "be a gluon.Block", net, TypeError)
    if not isinstance(trainer, Trainer):
        refuse("trainer", "be a gluon.Trainer", trainer, TypeError)
    if not isinstance(data, Iterable):
        refuse("data", "be an iterable of batches", data, TypeError)
    if batch_loss is None:
        batch_loss = _supervised(loss_fn, trainer._contexts)
    elif not callable(batch_loss):
        refuse("batch_loss", "be a function of net and batch", batch_loss, TypeError)
    optimizer = trainer.optimizer
    test = RangeTest(
        start_lr, end_lr, iterations, optimizer=_name(optimizer), momentum=_momentum(optimizer)
    )
    parameters = _parameters(trainer, net, loss_fn)
    with restored_random_state(), closing(_batches(data, len(test))) as batches:
        first = next(batches)
        if any(parameter._deferred_init for parameter in parameters):
            with autograd.pause():
                batch_loss(net, first)
        with (
            restored(parameters),
            tqdm(total=len(test), desc="range test", disable=not progress) as bar,
        ):
            double = twin(trainer)
            # The batch comes second: none is read once the learning rates have ended.
            for lr, batch in zip(test, chain([first], batches)):  # noqa: B905
                double.set_learning_rate(lr)
                loss = _update(double, parameters, batch_loss, net, batch)
                test.record(loss)
                bar.set_postfix(lr=f"{lr:.2e}", loss=f"{loss:.4g}", refresh=False)
                bar.update()
    return test


def _parameters(trainer: Trainer, *blocks: Any) -> list[Parameter]:
    """Return what training may change: what the trainer holds, and the statistics of *blocks*."""
    found = list(trainer._params)
    for block in blocks:
        if isinstance(block, Block):
            found += block.collect_params().values()
    return list({id(parameter): parameter for parameter in found}.values())


def _supervised(loss_fn: Callable[[Any, Any], NDArray] | None, contexts: list[Any]) -> BatchLoss:
    """Return the loss of a batch of (inputs, targets), on each device."""
    if loss_fn is None:
        raise TypeError("loss_fn must be given, or batch_loss in its place: got None")
    if not callable(loss_fn):
        refuse("loss_fn", "be a function of outputs and targets", loss_fn, TypeError)

    def batch_loss(net: Block, batch: Any) -> list[NDArray]:
        if isinstance(batch, DataBatch):
            batch = [*batch.data, *(batch.label or [])]
        if not isinstance(batch, (list, tuple)) or len(batch) != 2:
            length = f" of {len(batch)}" if isinstance(batch, (list, tuple)) else ""
            raise TypeError(
                f"a batch must be (inputs, targets): got {type(batch).__name__}{length}"
                "\n\nHint: batch_loss=lambda net, batch: loss_fn(net(batch[0], batch[1]), batch[2])"
            )
        inputs, targets = (split_and_load(array, contexts, even_split=False) for array in batch)
        return [loss_fn(net(x), y) for x, y in zip(inputs, targets, strict=True)]

    return batch_loss


def _batches(data: Iterable[Any], needed: int) -> Generator[Any, None, None]:
    """Yield batches for ever; data that has ended starts again."""
    count = 0
    while True:
        before = count
        for batch in _pass(data):
            count += 1
            yield batch
        if count == before:
            raise ValueError(
                f"data must have {needed} batches, or start again at its end: got {count}"
                "\n\nHint: give a DataLoader or a list in place of an iterator"
            )


def _pass(data: Any) -> Iterator[Any]:
    """Yield the batches once, from the first; a DataIter doesn't start again by itself."""
    if not isinstance(data, DataIter):
        yield from data
        return
    data.reset()
    try:
        yield from data
    finally:
        data.reset()


def _update(
    trainer: Trainer, parameters: list[Parameter], batch_loss: BatchLoss, net: Block, batch: Any
) -> float:
    """Train on one batch, and return its mean loss, from before the update."""
    for parameter in parameters:
        if parameter.grad_req == "add":
            parameter.zero_grad()
    with autograd.record():
        losses = batch_loss(net, batch)
        losses = losses if isinstance(losses, list) else [losses]
        for loss in losses:
            if not isinstance(loss, NDArray):
                refuse("the loss of a batch", "be an NDArray, or a list of them", loss, TypeError)
        # Gluon's way: the gradient of the sum, which the trainer divides.
        with _scaled(losses, trainer) as scaled:
            autograd.backward(scaled)
    count: int = sum(loss.size for loss in losses)
    trainer.step(count, ignore_stale_grad=True)
    total: float = sum(loss.asnumpy().sum(dtype=float).item() for loss in losses)
    return total / count


def _scaled(losses: list[NDArray], trainer: Trainer) -> AbstractContextManager[list[NDArray]]:
    """Return the losses as the trainer expects them: with mixed precision, scaled."""
    if hasattr(trainer, "_amp_loss_scaler"):
        scaled: AbstractContextManager[list[NDArray]] = amp.scale_loss(losses, trainer)
        return scaled
    return nullcontext(losses)


def _name(optimizer: Optimizer) -> str:
    """Return the name by which `cyclr.analyze` knows the optimizer."""
    name = type(optimizer).__name__.lower()
    return "nesterov" if name == "nag" else name


def _momentum(optimizer: Optimizer) -> float | None:
    """Return the optimizer's momentum, or its first beta."""
    momentum = getattr(optimizer, "momentum", getattr(optimizer, "beta1", None))
    return None if momentum is None else float(momentum)
