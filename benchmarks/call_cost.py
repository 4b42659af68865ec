"""What a call of a schedule costs, beside the closure that one would write by hand.

    python -m benchmarks.call_cost

Each row is a ratio of two minima taken in turns in one run, since the machine may be busy. The
values of both are compared first.
"""

import math
import platform
import timeit
from collections.abc import Callable

import cyclr

CALLS = 20_000
ROUNDS = 25
ITERATION = 12_345


def triangular(base_lr: float, max_lr: float, step_size: int) -> Callable[[int], float]:
    period, amplitude = 2 * step_size, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        return base_lr + amplitude * (r / step_size if r < step_size else (period - r) / step_size)

    return schedule


def triangular2(base_lr: float, max_lr: float, step_size: int) -> Callable[[int], float]:
    period, amplitude = 2 * step_size, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        height = (r if r < step_size else period - r) / step_size
        return base_lr + amplitude * height * 0.5 ** (i // period)

    return schedule


def exp_range(
    base_lr: float, max_lr: float, step_size: int, gamma: float
) -> Callable[[int], float]:
    period, amplitude = 2 * step_size, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        height = (r if r < step_size else period - r) / step_size
        return base_lr + amplitude * height * gamma**i

    return schedule


def linear(start: float, end: float, iterations: int) -> Callable[[int], float]:
    def schedule(i: int) -> float:
        return end if i >= iterations else start + (end - start) * (i / iterations)

    return schedule


def cosine(start: float, end: float, iterations: int) -> Callable[[int], float]:
    def schedule(i: int) -> float:
        if i >= iterations:
            return end
        return start + (end - start) * math.sin(math.pi / 2 * i / iterations) ** 2

    return schedule


def one_cycle(max_lr: float, iterations: int) -> Callable[[int], float]:
    initial, peak = max_lr / 25, round(0.3 * iterations)
    rise = cosine(initial, max_lr, peak)
    fall = cosine(max_lr, initial / 1e4, iterations - peak)

    def schedule(i: int) -> float:
        return rise(i) if i < peak else fall(i - peak)

    return schedule


def decay(base_lr: float, gamma: float) -> Callable[[int], float]:
    def schedule(i: int) -> float:
        return base_lr * gamma**i

    return schedule


PAIRS: list[tuple[cyclr.Schedule, Callable[[int], float]]] = [
    (cyclr.Triangular(0.001, 0.006, 2000), triangular(0.001, 0.006, 2000)),
    (cyclr.Triangular2(0.001, 0.006, 2000), triangular2(0.001, 0.006, 2000)),
    (cyclr.ExpRange(0.001, 0.006, 2000, gamma=0.9999), exp_range(0.001, 0.006, 2000, 0.9999)),
    (cyclr.Linear(0.1, 0.001, 20_000), linear(0.1, 0.001, 20_000)),
    (cyclr.Cosine(0.1, 0.001, 20_000), cosine(0.1, 0.001, 20_000)),
    (cyclr.OneCycle(0.1, 20_000), one_cycle(0.1, 20_000)),
    (cyclr.Decay(0.1, 0.9999), decay(0.1, 0.9999)),
]


def nanoseconds(*functions: Callable[[int], float]) -> list[float]:
    """Return the least time of a call of each, measured in turns."""
    timers = [timeit.Timer("f(i)", globals={"f": f, "i": ITERATION}) for f in functions]
    rounds = [[timer.timeit(CALLS) for timer in timers] for _ in range(ROUNDS)]
    return [min(times) / CALLS * 1e9 for times in zip(*rounds, strict=True)]


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print("| policy | cyclr, ns | closure, ns | ratio |\n| --- | ---: | ---: | ---: |")
    for schedule, closure in PAIRS:
        for i in (0, 1, 1999, 2000, ITERATION, 10**6):
            assert math.isclose(schedule(i), closure(i), rel_tol=1e-9), (schedule, i)
        ours, theirs = nanoseconds(schedule, closure)
        name = type(schedule).__name__
        print(f"| `{name}` | {ours:.0f} | {theirs:.0f} | {ours / theirs:.1f} |")


if __name__ == "__main__":
    main()
