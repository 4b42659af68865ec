"""Snapshot: what training changes, put back as it was."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, TypeAlias

import keras
import numpy as np

__all__ = ["built", "restored"]

PutBack: TypeAlias = Callable[[], Any]


def built(model: Any, inputs: Any) -> None:
    """Make the variables of the model and of its optimizer, as far as they aren't there."""
    with _scope(model):
        if not model.built:
            try:
                model(inputs)
            except NotImplementedError:  # a model of models needs no call, but must be complete
                for part in model.layers:
                    if not part.built and type(part).build is not keras.layers.Layer.build:
                        raise ValueError(
                            f"a model that has no call must be built before the test: "
                            f"its {part.name} isn't\n\nHint: {part.name}.build(input_shape)"
                        ) from None
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)


def _scope(model: Any) -> AbstractContextManager[Any]:
    """Return where variables are made: TensorFlow's strategies each have their own kind."""
    strategy = getattr(model, "distribute_strategy", None)
    return nullcontext() if strategy is None else strategy.scope()  # type: ignore[no-any-return]


@contextmanager
def restored(model: Any) -> Iterator[None]:
    """Put back what training in the block has changed, however the block ends.

    That is the variables of a built model, its optimizer and its metrics, the traced training
    step, and the random state: of Keras, Python, NumPy and TensorFlow's global generator.
    """
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    kept = [(variable, _copied(variable)) for variable in variables]
    train_function = model.train_function
    random_states = _random_states()
    try:
        yield
    finally:
        model.train_function = train_function
        model.reset_metrics()  # also those that the first batch has made
        for variable, value in kept:
            variable.assign(value)
        for set_state in random_states:
            set_state()


def _random_states() -> list[PutBack]:
    """Return functions that set the random state to what it is now."""
    states: list[PutBack] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),
    ]
    # Neither library says in its interface whether its global generator has been made.
    keras_state = _module("keras.src.backend.common.global_state")
    tensorflow_random = _module("tensorflow.python.ops.stateful_random_ops")
    for generator in (
        keras_state and keras_state.get_global_attribute("global_seed_generator"),
        tensorflow_random and tensorflow_random.global_generator,
    ):
        if generator is not None:
            states.append(partial(generator.state.assign, _copied(generator.state)))  # noqa: PERF401
    return states


def _module(name: str) -> Any:
    return sys.modules.get(name)


def _copied(variable: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable)))
