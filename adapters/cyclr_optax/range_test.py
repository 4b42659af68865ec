"""The range test of a training step: call it at rising learning rates, and keep none of it."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any, TypeVar

import jax
from tqdm.auto import tqdm

from cyclr._checks import refuse
from cyclr.range_test import RangeTest

__all__ = ["range_test"]

State = TypeVar("State")


def range_test(
    step: Callable[[State, Any, float], tuple[State, Any]],
    state: State,
    data: Iterable[Any],
    *,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    iterations: int = 200,
    optimizer: str | None = None,
    momentum: float | None = None,
    progress: bool = True,
) -> RangeTest:
    """Train at learning rates that rise from *start_lr* to *end_lr*; return the `RangeTest`.

    Each iteration is one call on one batch of *data*, any iterable of what *step* takes:

        state, loss = step(state, batch, lr)

    where *state* is a pytree, the parameters and the optimizer's state say, *lr* a number and
    the loss that of the batch before the update. The test ends with the ramp or as soon as the
    loss diverges; data that ends before starts again. As *step* is a pure function, there is
    nothing to put back: the caller's *state* is never changed. A copy of it is trained, so that
    a step that donates its arguments' memory takes nothing away.

        >>> import jax.numpy as jnp, optax
        >>> from cyclr import Triangular2
        >>> optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=0.0)
        >>> @jax.jit
        ... def step(state, batch, lr):
        ...     weight, optimizer_state = state
        ...     optimizer_state = optax.tree.set(optimizer_state, learning_rate=lr)
        ...     inputs, targets = batch
        ...     loss, gradient = jax.value_and_grad(
        ...         lambda weight: jnp.mean((weight * inputs - targets) ** 2)
        ...     )(weight)
        ...     update, optimizer_state = optimizer.update(gradient, optimizer_state)
        ...     return (weight + update, optimizer_state), loss
        >>> inputs = jnp.linspace(-1, 1, 64).reshape(16, 4)
        >>> state = jnp.zeros(()), optimizer.init(jnp.zeros(()))
        >>> batches = list(zip(inputs, 3 * inputs))
        >>> test = range_test(step, state, batches, end_lr=100.0, optimizer="sgd", progress=False)
        >>> test.diverged
        True
        >>> schedule = test.bounds().schedule(Triangular2, step_size=32)

    *optimizer* and *momentum* (Adam's is its first beta) are what `cyclr.analyze` wants to know
    and can't see. *progress* is a bar. What *data* draws at random, or an iterator that can't
    start again, has been read.

    Wrong arguments raise a `TypeError` or a `ValueError`, before the test where that is possible.
    Use it for each model, optimizer and batch size anew: the bounds depend on all three.
    """
    if not callable(step):
        refuse("step", "be a function of state, batch and lr", step, TypeError)
    if not isinstance(data, Iterable):
        refuse("data", "be an iterable of batches", data, TypeError)
    test = RangeTest(start_lr, end_lr, iterations, optimizer=optimizer, momentum=momentum)
    state = jax.tree.map(_copied, state)
    with (
        closing(_batches(data, len(test))) as batches,
        tqdm(total=len(test), desc="range test", disable=not progress) as bar,
    ):
        # The batch comes second: none is read once the learning rates have ended.
        for lr, batch in zip(test, batches):  # noqa: B905
            result = step(state, batch, lr)
            if not isinstance(result, tuple) or len(result) != 2:
                length = f" of {len(result)}" if isinstance(result, tuple) else ""
                kind = type(result).__name__
                raise TypeError(f"step must return (state, loss): got {kind}{length}")
            state, loss = result
            test.record(loss)
            bar.set_postfix(lr=f"{lr:.2e}", loss=f"{test.points[-1][1]:.4g}", refresh=False)
            bar.update()
    return test


def _copied(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, jax.Array) else leaf


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
                "\n\nHint: give a list in place of an iterator"
            )
