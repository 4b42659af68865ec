"""Pieces of work to be timed, each a statement in a loop."""

import timeit
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from benchmarks.cost.policies import ITERATIONS

__all__ = ["Work", "at_each", "repeated"]


class Work(NamedTuple):
    """What is timed, and how many times it does what is to be compared."""

    run: Callable[[], Any]
    calls: int


def repeated(statement: str, calls: int, setup: str = "pass", **names: Any) -> Work:
    """Return a statement, run *calls* times after a setup that does not count much."""
    return Work(partial(timeit.Timer(statement, setup, globals=names).timeit, calls), calls)


def at_each(
    statement: str, times: int = 1, iterations: Iterable[int] = ITERATIONS, **names: Any
) -> Work:
    """Return a statement, run for each iteration i, and all of them *times* times."""
    iterations = tuple(iterations)
    loop = repeated(f"for i in iterations: {statement}", times, iterations=iterations, **names)
    return loop._replace(calls=times * len(iterations))
