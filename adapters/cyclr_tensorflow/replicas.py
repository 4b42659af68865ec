"""Replicas: those of one model, which a strategy of TensorFlow's trains together."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

__all__ = ["count", "of_each", "refuse_shares", "scope", "share"]

# What has a strategy is TensorFlow's; without one, a model may run on another backend.


def count(model: Any) -> int:
    """Return how many replicas of the model there are: one, unless a strategy has made it."""
    strategy = _strategy(model)
    return 1 if strategy is None else int(strategy.num_replicas_in_sync)


def scope(model: Any) -> AbstractContextManager[Any]:
    """Return where the model's variables are made: each strategy has its own kind."""
    strategy = _strategy(model)
    return nullcontext() if strategy is None else strategy.scope()  # type: ignore[no-any-return]


def of_each(model: Any, variable: Any) -> Sequence[Any]:
    """Return the variable of each replica: they differ where it holds a replica's statistics."""
    if count(model) == 1:
        return [variable]
    return _strategy(model).experimental_local_results(variable.value)  # type: ignore[no-any-return]


def share(batch: Any, replicas: int) -> Any:
    """Return the rows of the batch that are for the replica that asks, as ``fit`` shares them."""
    if replicas == 1:
        return batch
    import tensorflow as tf

    index = tf.distribute.get_replica_context().replica_id_in_sync_group

    def rows(array: Any) -> Any:
        if array is None:
            return None
        total = keras.ops.shape(array)[0]
        first, end = (-(-i * total // replicas) for i in (index, index + 1))
        return array[first:end]

    return keras.tree.map_structure(rows, batch)


def refuse_shares(model: Any, batch: Any) -> None:
    """Refuse a batch that has been shared among the model's replicas already."""
    if count(model) == 1:
        return
    import tensorflow as tf

    shares = tf.distribute.DistributedValues
    if any(isinstance(array, shares) for array in keras.tree.flatten(batch)):
        raise TypeError(
            "data must have batches for all replicas together: got one that is shared already"
            "\n\nHint: give the tf.data.Dataset itself, not the distributed one"
        )


def _strategy(model: Any) -> Any:
    return getattr(model, "distribute_strategy", None)
