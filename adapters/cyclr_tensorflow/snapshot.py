"""Snapshot: what training changes, put back as it was."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np

from cyclr_tensorflow.replicas import of_each, scope

__all__ = ["built", "random_state_kept", "restored"]


def built(model: Any, inputs: Any) -> None:
    """Make the variables of the model and of its optimizer, as far as they aren't there."""
    with scope(model):
        if type(model).call is keras.Model.call:  # a model of models, which trains them itself
            for part in model.layers:
                if not part.built and type(part).build is not keras.layers.Layer.build:
                    raise ValueError(
                        f"a model that has no call must be built before the test: "
                        f"its {part.name} isn't\n\nHint: {part.name}.build(input_shape)"
                    )
        elif not model.built:
            model(inputs)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)


@contextmanager
def restored(model: Any) -> Iterator[None]:
    """Put back what training in the block has changed, however the block ends.

    That is the variables of a built model, its optimizer and its metrics, the traced training
    step, and the random state.
    """
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    parts = [part for variable in variables for part in of_each(model, variable)]
    kept = [(part, _copied(part)) for part in parts]
    train_function = model.train_function
    with random_state_kept():
        try:
            yield
        finally:
            model.train_function = train_function
            model.reset_metrics()  # also those that the first batch has made
            for part, value in kept:
                part.assign(value)


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Put back the random state of Keras, Python, NumPy and TensorFlow's global generator."""
    # Neither library says in its interface whether its global generator has been made.
    keras_state: Any = sys.modules.get("keras.src.backend.common.global_state")
    tensorflow_random: Any = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    generators = (
        keras_state and keras_state.get_global_attribute("global_seed_generator"),
        tensorflow_random and tensorflow_random.global_generator,
    )
    put_back: list[Callable[[], Any]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),
        *(partial(g.state.assign, _copied(g.state)) for g in generators if g is not None),
    ]
    try:
        yield
    finally:
        for set_state in put_back:
            set_state()


def _copied(variable: Any) -> Any:
    return keras.ops.copy(variable[...])  # which reads it, on several replicas too
