"""The range test of a compiled model: train it at rising learning rates, and put all back."""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from statistics import fmean
from typing import Any

import keras
import numpy as np
from tqdm.auto import tqdm

from cyclr import Constant
from cyclr._checks import refuse, whole
from cyclr.range_test import RangeTest
from cyclr_tensorflow.replicas import count, refuse_shares, share
from cyclr_tensorflow.scheduler import Scheduler
from cyclr_tensorflow.snapshot import built, random_state_kept, restored

__all__ = ["range_test"]

PATIENCE = 200  # batches without an update, such as a loss scale skips until it is small enough


def range_test(
    model: Any,
    data: Any,
    *,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    iterations: int = 200,
    batch_size: int | None = None,
    progress: bool = True,
) -> RangeTest:
    """Train at learning rates that rise from *start_lr* to *end_lr*; return the `RangeTest`.

    Each iteration is one update of the compiled *model* by its own training step. Recorded is
    the loss of its own batch, not the running mean that Keras reports. *data* is a tuple of
    arrays, (inputs, targets) or (inputs, targets, sample weights), of which rows are drawn in
    batches of *batch_size*, 32 unless given; or it is the batches: a ``tf.data.Dataset``, a
    ``PyDataset``, a list, any iterable of what the training step takes.

    The test ends with the ramp or as soon as the loss diverges; data that ends before starts
    again. Then everything is as it was before, also after an error or an interruption: weights,
    the optimizer's variables, its learning rate or schedule, metrics, random state. (An iterator
    that can't start again has been read.)

        >>> import keras, numpy
        >>> from cyclr import Triangular2
        >>> x = numpy.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), loss="mse")
        >>> test = range_test(model, (x, 3 * x), batch_size=4, progress=False)
        >>> test.diverged
        True
        >>> schedule = test.bounds().schedule(Triangular2, step_size=32)

    A model that isn't built is built by its first batch. With gradient accumulation an iteration
    takes the batches of one update, and records the mean of their losses. Random state is that
    of the model's layers, Keras, Python, NumPy and TensorFlow's global generator; the state of
    ``tf.random.uniform`` and its like can't be had. A model made under a ``tf.distribute`` strategy
    has its batches shared among the replicas as in ``fit``, and records the mean of their losses.
    *progress* is a bar.

    Wrong arguments raise a `TypeError` or a `ValueError`, before the test where that is possible.
    Use it for each model, optimizer and batch size anew: the bounds depend on all three.
    """
    if not isinstance(model, keras.Model):
        refuse("model", "be a keras.Model", model, TypeError)
    if not model.compiled or model.optimizer is None:
        raise ValueError(
            "model must be compiled with an optimizer"
            "\n\nHint: model.compile(keras.optimizers.SGD(0.01), loss=loss)"
        )
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # of a loss scale
    test = RangeTest(
        start_lr, end_lr, iterations, optimizer=_name(optimizer), momentum=_momentum(optimizer)
    )
    with closing(_batches(_passes(data, batch_size), len(test))) as batches:
        with random_state_kept():
            first = next(batches)
        refuse_shares(model, first)
        built(model, keras.utils.unpack_x_y_sample_weight(first)[0])
        batches_again = chain([first], batches)
        with (
            restored(model),
            _train_step_as_in_fit(model),
            _learning_rate_of(optimizer, test) as set_learning_rate,
            tqdm(total=len(test), desc="range test", disable=not progress) as bar,
        ):
            for lr in test:
                set_learning_rate(lr)
                loss = _update(model, optimizer, batches_again)
                test.record(loss)
                bar.set_postfix(lr=f"{lr:.2e}", loss=f"{loss:.4g}", refresh=False)
                bar.update()
    return test


def _passes(data: Any, batch_size: int | None) -> Callable[[], Iterable[Any]]:
    """Return a function that goes through the batches once, from the beginning."""
    if isinstance(data, (tuple, Mapping)) or hasattr(data, "shape"):
        size = 32 if batch_size is None else whole("batch_size", batch_size, at_least=1)
        return _drawn(keras.tree.map_structure(np.asarray, data), size)
    if batch_size is not None:
        raise ValueError(
            f"batch_size must be left out for data that comes in batches: got {batch_size!r}"
        )
    if isinstance(data, keras.utils.PyDataset):
        return lambda: (data[index] for index in range(data.num_batches))
    if not isinstance(data, Iterable):
        refuse("data", "be a tuple of arrays, or an iterable of batches", data, TypeError)
    return lambda: data


def _drawn(arrays: Any, batch_size: int) -> Callable[[], Iterator[Any]]:
    """Return a function that draws every row once, in whole batches, in an order of its own."""
    lengths = [len(array) if array.ndim else 0 for array in keras.tree.flatten(arrays)]
    length = min(lengths, default=0)
    if length == 0 or length != max(lengths):
        got = ", ".join(map(str, lengths))
        raise ValueError(f"the arrays of data must have the same number of rows: got {got}")
    batch_size = min(batch_size, length)
    generator = np.random.default_rng(0)

    def one_pass() -> Iterator[Any]:
        order = generator.permutation(length)
        for start in range(0, length - batch_size + 1, batch_size):
            rows = order[start : start + batch_size]
            yield keras.tree.map_structure(lambda array, rows=rows: array[rows], arrays)

    return one_pass


def _batches(passes: Callable[[], Iterable[Any]], needed: int) -> Generator[Any, None, None]:
    """Yield batches for ever; data that has ended starts again."""
    count = 0
    while True:
        before = count
        for batch in passes():
            count += 1
            yield batch
        if count == before:
            raise ValueError(
                f"data must have {needed} batches, or start again at its end: got {count}"
                "\n\nHint: give a tf.data.Dataset or a list in place of an iterator"
            )


@contextmanager
def _train_step_as_in_fit(model: Any) -> Iterator[None]:
    """Have the model's training step get its data as it does in ``fit``.

    `train_on_batch` would give (inputs, targets, None) to a step that takes (inputs, targets),
    and the whole batch to each of several replicas.
    """
    step, replicas = model.train_step, count(model)
    own = vars(model).get("train_step")

    def train_step(*arguments: Any) -> Any:
        *state, data = arguments  # other backends pass the variables, too
        data = keras.utils.pack_x_y_sample_weight(*data)
        return step(*state, share(data, replicas))

    model.train_step = train_step
    model.train_function = None  # to be traced anew
    try:
        yield
    finally:
        del model.train_step
        if own is not None:
            model.train_step = own


@contextmanager
def _learning_rate_of(optimizer: Any, test: RangeTest) -> Iterator[Callable[[float], None]]:
    """Yield what sets the learning rate, also of an optimizer that has a schedule or a function."""
    own = optimizer._learning_rate
    if isinstance(own, keras.Variable):
        yield partial(setattr, optimizer, "learning_rate")
        return
    # These can't be set, but replaced: by the ramp, which begins at the current iteration.
    ramp = Constant(test.ramp.start).then(test.ramp, after=_count(optimizer))
    optimizer.learning_rate = Scheduler(ramp, optimizer.gradient_accumulation_steps or 1)
    try:
        yield lambda lr: None  # noqa: ARG005
    finally:
        optimizer.learning_rate = own


def _update(model: Any, optimizer: Any, batches: Iterator[Any]) -> float:
    """Train until the optimizer has made one update; return the mean loss of the batches."""
    before = _count(optimizer)
    patience = PATIENCE + (optimizer.gradient_accumulation_steps or 1)
    losses: list[float] = []
    while _count(optimizer) == before and all(map(math.isfinite, losses)):
        if len(losses) == patience:
            raise RuntimeError(
                f"model.optimizer must make an update: none in {patience} batches"
                "\n\nHint: a model that trains with other optimizers needs a RangeTest of its own"
            )
        losses.append(_loss(model, next(batches)))
    return fmean(losses)


def _count(optimizer: Any) -> int:
    """Return the number of the optimizer's updates."""
    return int(optimizer.iterations[...])  # which reads it, on several replicas too


def _loss(model: Any, batch: Any) -> float:
    """Train on one batch, and return its loss, from before the update."""
    model.reset_metrics()  # the loss is a mean since then
    arguments = keras.utils.unpack_x_y_sample_weight(batch)
    logs = model.train_on_batch(*arguments, return_dict=True)
    if "loss" not in logs:
        names = ", ".join(logs)
        raise ValueError(f"the model's training step must return its loss: got {names}")
    return float(logs["loss"])


def _name(optimizer: Any) -> str:
    """Return the name by which `cyclr.analyze` knows the optimizer."""
    if getattr(optimizer, "nesterov", False):
        return "nesterov"
    return type(optimizer).__name__.lower()


def _momentum(optimizer: Any) -> float | None:
    """Return the optimizer's momentum, or its first beta."""
    momentum = getattr(optimizer, "momentum", getattr(optimizer, "beta_1", None))
    return None if momentum is None else float(momentum)
