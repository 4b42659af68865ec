"""Repeats: many range tests, in whatever processes there are, and what they say together."""

import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cyclr._checks import refuse
from cyclr.range_test.analysis import analyze
from cyclr.range_test.bounds import Bounds, combine
from cyclr.range_test.ramp import RangeTest
from cyclr.range_test.reasons import InconclusiveRangeTest, Reason

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Repeats", "repeat"]


@dataclass(frozen=True)
class Repeats:
    """What became of the range tests that `repeat` has run, each by its seed.

    - *results*: what the runs returned.
    - *each*: the `Bounds` of those that could be read.
    - *failures*: why there are none of the others: what the run raised, or
      `InconclusiveRangeTest`.

    Use `bounds` for the answer of replicates, and *each* for those of a grid of models.
    """

    results: dict[Any, Any]
    each: dict[Any, Bounds]
    failures: dict[Any, BaseException]

    def bounds(self) -> Bounds:
        """Return what the range tests say together; a reason says so where some failed.

        Raises `InconclusiveRangeTest` where all did.
        """
        total = len(self.each) + len(self.failures)
        seeds = ", ".join(map(str, self.failures))
        reason = Reason(
            "replicates_failed",
            f"{len(self.failures)} of {total} range tests failed: {seeds}.",
            "See in `failures` what happened to them.",
        )
        if not self.each:
            first = next(iter(self.failures.values()))
            raise InconclusiveRangeTest([reason]) from first
        combined = combine(list(self.each.values()))
        if not self.failures:
            return combined
        return replace(combined, reasons=(*combined.reasons, reason))

    def __str__(self) -> str:
        said = self.each | self.failures
        return "\n".join(f"{seed}: {_said(said[seed])}" for seed in said)


def repeat(
    run: Callable[[Any], RangeTest | Bounds | Iterable[tuple[float, float]]],
    seeds: Iterable[Any],
    executor: "Executor | None" = None,
    *,
    progress: bool = True,
) -> Repeats:
    """Run a range test for each of *seeds*, and return the `Repeats`.

    ``run(seed)`` makes one range test and returns it: a `RangeTest`, or `Bounds`, or (learning
    rate, loss) pairs in a list or any other iterable, which are analysed as of an unknown
    optimizer. One test depends on chance, as another seed shows; of several, one takes the middle.

        >>> from random import Random
        >>> def run(seed):
        ...     noise = Random(seed)
        ...     test = RangeTest(1e-5, 10.0, iterations=100, optimizer="sgd")
        ...     for lr in test:
        ...         test.record(2 + lr**2 - 1.5 / (1 + (0.01 / lr) ** 2) + noise.gauss(0, 0.01))
        ...     return test
        >>> repeats = repeat(run, seeds=range(5), progress=False)
        >>> bounds = repeats.bounds()
        >>> 0.01 < bounds.max_lr < 0.1
        True

    *seeds* are anything that *run* takes and that can be a dictionary's key: numbers, which it
    gives to whatever is random; or the names of models, for a grid of them.

    Without an *executor* the tests run here, one after another. Otherwise it is any
    ``concurrent.futures.Executor``: ``ProcessPoolExecutor`` for the processes of this machine, to
    which *run* must be a function of a module; Dask's, ``client.get_executor()``, for those of
    many. A run that fails is one of the *failures*, and the others go on. When a process of a
    ``ProcessPoolExecutor`` dies, what the pool has not finished fails with it:
    ``repeat(run, repeats.failures, another)`` goes on with it. *progress* is a line on standard
    error for each.
    """
    if not callable(run):
        refuse("run", "be a function of a seed", run, TypeError)
    if not isinstance(seeds, Iterable) or isinstance(seeds, str):
        hint = f"\n\nHint: range({seeds})" if isinstance(seeds, int) else ""
        raise TypeError(f"seeds must be an iterable: got {seeds!r}{hint}")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        refuse("executor", "be a concurrent.futures.Executor", executor, TypeError)
    seeds = list(seeds)
    for seed in seeds:
        if not isinstance(seed, Hashable):
            refuse("seeds", "be numbers, names or the like", seed, TypeError)
    if not seeds or len(set(seeds)) < len(seeds):
        refuse("seeds", "be at least one, and each another", seeds)

    results, said = {}, {}
    for seed, outcome in _outcomes(run, seeds, executor):
        result = _read(outcome)
        said[seed] = _bounds_of(result)
        if not isinstance(result, BaseException):
            results[seed] = result
        if progress:
            line = f"range test {len(said)} of {len(seeds)}, {seed}: {_said(said[seed])}"
            print(line, file=sys.stderr, flush=True)
    in_order = {seed: said[seed] for seed in seeds}
    return Repeats(
        {seed: results[seed] for seed in seeds if seed in results},
        {seed: it for seed, it in in_order.items() if isinstance(it, Bounds)},
        {seed: it for seed, it in in_order.items() if isinstance(it, BaseException)},
    )


def _outcomes(
    run: Callable[[Any], Any], seeds: list[Any], executor: "Executor | None"
) -> Iterator[tuple[Any, Any]]:
    """Yield each seed with what its run has returned or raised, as they come."""
    if executor is None:
        for seed in seeds:
            yield seed, _caught(run, seed)
        return
    from concurrent.futures import Future, as_completed

    futures = {}
    try:
        for seed in seeds:
            future = _caught(executor.submit, run, seed)
            if isinstance(future, Future):
                futures[future] = seed
            else:
                yield seed, future  # a pool that is broken takes nothing more
        for future in as_completed(futures):
            error = _caught(future.exception)
            yield futures[future], future.result() if error is None else error
    finally:
        for future in futures:
            future.cancel()


def _caught(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what the function returns, or the error that it raises."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        return error


def _read(outcome: Any) -> Any:
    """Return what came of a run, its pairs in a list."""
    if isinstance(outcome, (RangeTest, Bounds, BaseException)):
        return outcome
    if isinstance(outcome, Iterable):
        return _caught(list, outcome)
    kind = type(outcome).__name__
    return TypeError(f"run must return a RangeTest, Bounds or pairs: got {kind}")


def _bounds_of(result: Any) -> Any:
    """Return the bounds of what a run has returned, or the error for which there are none."""
    if isinstance(result, (Bounds, BaseException)):
        return result
    return _caught(result.bounds if isinstance(result, RangeTest) else partial(analyze, result))


def _said(outcome: Bounds | BaseException) -> str:
    """Return, in a line, what came of a range test."""
    if isinstance(outcome, Bounds):
        return f"max_lr {outcome.max_lr:.2g}"
    return f"failed: {type(outcome).__name__}: {outcome}".partition("\n")[0]
