"""cyclr for JAX and optax: the range test of a training step, and optax's schedules as cyclr's.

A schedule needs no adapter here: it goes into optax as it is, in ``jit``, ``vmap``, ``grad`` and
``lax.scan`` too. Update k of the optimizer, from 0, is made with ``schedule(k)``:

    >>> import jax, jax.numpy as jnp, optax
    >>> from cyclr import Triangular
    >>> schedule = Triangular(0.25, 2.25, step_size=4)
    >>> optimizer = optax.sgd(schedule)
    >>> weight = jnp.zeros(())
    >>> state = optimizer.init(weight)
    >>> for _ in range(5):
    ...     step, state = optimizer.update(jnp.ones(()), state)
    >>> float(-step)
    2.25

Other hyper-parameters follow schedules by ``optax.inject_hyperparams``, several at a time:

    >>> optimizer = optax.inject_hyperparams(optax.adamw)(
    ...     learning_rate=schedule, b1=schedule.mirror(0.85, 0.95), weight_decay=0.01
    ... )
    >>> float(optimizer.init(weight).hyperparams["b1"])  # doctest: +ELLIPSIS
    0.9499...

and ``optax.join_schedules([a, b], [n])`` is ``a.then(b, after=n)``, which takes Python numbers
as well: joined by optax, b is asked at negative steps, where it refuses a number that is no
array. The count is a part of the optimizer's state, so that a checkpoint of that state goes on
in the middle of a cycle.
"""

from cyclr_optax.convert import from_schedule
from cyclr_optax.range_test import range_test

__all__ = ["from_schedule", "range_test"]
