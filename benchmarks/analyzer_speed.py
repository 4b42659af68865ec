"""Measure what it costs to analyze a long log: in time by its length, and in memory.

    python -m benchmarks.analyzer_speed

Beside it fastai's `valley`, if fastai is installed (2.8.12 was), on its tensors, up to 10^4.
"""

import platform
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from cyclr import RangeTest, analyze

LENGTHS = [10**exponent for exponent in range(3, 8)]
LONGEST_VALLEY = 10**4  # it takes minutes there, and a hundred times as long for ten times as many


def rows(length: int) -> Iterator[tuple[float, float]]:
    """Yield a log of any length in constant memory."""
    draw = random.Random(0)
    ratio, lr = 1e7 ** (1 / (length - 1)), 1e-6
    for _ in range(length):
        yield lr, 2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + min(16 * lr**4, 1e6) + draw.gauss(0, 0.05)
        lr *= ratio


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def analysis(length: int) -> float:
    """Return the seconds of an analysis, less those of making the rows."""
    made = seconds(lambda: sum(1 for _ in rows(length)))
    return seconds(lambda: analyze(rows(length))) - made


def live(length: int) -> float:
    """Return the seconds of a test from one's own loop."""
    losses = [loss for _, loss in rows(length)]
    test = RangeTest(iterations=length)

    def run() -> None:
        for _, loss in zip(test, losses, strict=False):
            test.record(loss)

    return seconds(run)


def peak(length: int) -> int:
    """Return the most bytes that an analysis held at a time."""
    tracemalloc.start()
    analyze(rows(length))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def valley(length: int) -> float | None:
    try:
        from fastai.callback.schedule import valley as suggest
        from torch import tensor
    except ImportError:
        return None
    lrs, losses = zip(*rows(length), strict=True)
    smooth, average = [], 0.0
    for loss in losses:
        average = 0.98 * average + 0.02 * loss
        smooth.append(average)
    return seconds(lambda: suggest(tensor(lrs), tensor(smooth), length))


def report() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print("| rows | `analyze`, s | µs a row | peak memory, MB | live, s | fastai's `valley`, s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for length in LENGTHS:
        took = analysis(length)
        theirs = valley(length) if length <= LONGEST_VALLEY else None
        print(
            f"| 10^{len(str(length)) - 1} | {took:.3g} | {1e6 * took / length:.2g} "
            f"| {peak(length) / 1e6:.2g} | {live(length):.3g} "
            f"| {'' if theirs is None else f'{theirs:.3g}'} |",
            flush=True,
        )


if __name__ == "__main__":
    report()
