"""The closures that one would write by hand: the policies' formulas and nothing else.

They check nothing, take Python numbers only, and can't be compared, printed or saved: what is
left is what the formula itself costs in Python, and so the limit of any schedule.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

__all__ = [
    "Closure",
    "clipped",
    "constant",
    "cosine",
    "cosine_restarts",
    "cycle",
    "decay",
    "exp_range",
    "exp_range_of_bounds",
    "exponential",
    "inverse_sqrt",
    "linear",
    "mirrored",
    "one_cycle",
    "one_cycle_of_three_phases",
    "piecewise",
    "polynomial",
    "scaled",
    "steps",
    "stretching",
    "then",
    "triangular",
    "triangular2",
    "triangular_of_cycles",
    "triangular_of_unequal_halves",
    "warmup_stable_decay",
]

Closure: TypeAlias = Callable[[int], float]


def triangular(base_lr: float, max_lr: float, step_size: int) -> Closure:
    period, amplitude = 2 * step_size, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        return base_lr + amplitude * (r if r < step_size else period - r) / step_size

    return schedule


def triangular_of_unequal_halves(base_lr: float, max_lr: float, up: int, down: int) -> Closure:
    period, amplitude = up + down, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        return base_lr + amplitude * (r / up if r < up else (period - r) / down)

    return schedule


def triangular_of_cycles(base_lr: float, max_lr: float, step_size: int, cycles: int) -> Closure:
    period, amplitude = 2 * step_size, max_lr - base_lr
    end = cycles * period

    def schedule(i: int) -> float:
        if i >= end:
            return base_lr
        r = i % period
        return base_lr + amplitude * (r if r < step_size else period - r) / step_size

    return schedule


def triangular2(base_lr: float, max_lr: float, step_size: int) -> Closure:
    period, amplitude = 2 * step_size, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        height = (r if r < step_size else period - r) / step_size
        return base_lr + amplitude * height * 0.5 ** (i // period)

    return schedule


def exp_range(base_lr: float, max_lr: float, step_size: int, gamma: float) -> Closure:
    period, amplitude = 2 * step_size, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        height = (r if r < step_size else period - r) / step_size
        return base_lr + amplitude * height * gamma**i

    return schedule


def exp_range_of_bounds(base_lr: float, max_lr: float, step_size: int, gamma: float) -> Closure:
    period, amplitude = 2 * step_size, max_lr - base_lr

    def schedule(i: int) -> float:
        r = i % period
        height = (r if r < step_size else period - r) / step_size
        return (base_lr + amplitude * height) * gamma**i

    return schedule


def cycle(base_lr: float, max_lr: float, step_size: int, shape: str) -> Closure:
    """Return cycles along a shape; each has a closure of its own, as one would write it."""
    period, amplitude = 2 * step_size, max_lr - base_lr
    sin, sqrt, quarter = math.sin, math.sqrt, math.pi / 2

    def hann(i: int) -> float:
        r = i % period
        s = sin(quarter * (r if r < step_size else period - r) / step_size)
        return base_lr + amplitude * s * s

    def welch(i: int) -> float:
        r = i % period
        t = (r if r < step_size else period - r) / step_size
        return base_lr + amplitude * t * (2 - t)

    def cubic(i: int) -> float:
        r = i % period
        t = (r if r < step_size else period - r) / step_size
        return base_lr + amplitude * t**3

    def one_minus_sqrt(i: int) -> float:
        r = i % period
        t = (r if r < step_size else period - r) / step_size
        return base_lr + amplitude * (1 - sqrt(1 - t))

    shapes = {"cosine": hann, "parabolic": welch, "polynomial": cubic, "1-sqrt": one_minus_sqrt}
    return shapes[shape]


def stretching(base_lr: float, max_lr: float, step_size: int, cycles: int) -> Closure:
    """Return cycles of which each is twice as long as the one before."""
    starts = [2 * step_size * (2**k - 1) for k in range(cycles + 1)]
    amplitude = max_lr - base_lr

    def schedule(i: int) -> float:
        k = bisect_right(starts, i) - 1
        half = step_size << k
        r = i - starts[k]
        return base_lr + amplitude * (r if r < half else 2 * half - r) / half

    return schedule


def cosine_restarts(
    base_lr: float, max_lr: float, first_cycle: int, cycle_mult: int = 1, cycles: int = 20
) -> Closure:
    amplitude, sin = max_lr - base_lr, math.sin

    def equal(i: int) -> float:
        s = sin(math.pi / 2 * (first_cycle - i % first_cycle) / first_cycle)
        return base_lr + amplitude * s * s

    if cycle_mult == 1:
        return equal
    lengths = [first_cycle * cycle_mult**k for k in range(cycles)]
    ends = [sum(lengths[: k + 1]) for k in range(cycles)]

    def stretched(i: int) -> float:
        k = bisect_right(ends, i)
        s = sin(math.pi / 2 * (ends[k] - i) / lengths[k])
        return base_lr + amplitude * s * s

    return stretched


def constant(lr: float) -> Closure:
    def schedule(i: int) -> float:  # noqa: ARG001
        return lr

    return schedule


def linear(start: float, end: float, iterations: int) -> Closure:
    way = end - start

    def schedule(i: int) -> float:
        return end if i >= iterations else start + way * i / iterations

    return schedule


def cosine(start: float, end: float, iterations: int) -> Closure:
    way, sin, quarter = start - end, math.sin, math.pi / 2

    def schedule(i: int) -> float:
        if i >= iterations:
            return end
        s = sin(quarter * (iterations - i) / iterations)
        return end + way * s * s

    return schedule


def exponential(start: float, end: float, iterations: int) -> Closure:
    ratio = end / start

    def schedule(i: int) -> float:
        return end if i >= iterations else start * ratio ** (i / iterations)

    return schedule


def polynomial(start: float, end: float, iterations: int, power: float) -> Closure:
    way = start - end

    def schedule(i: int) -> float:
        return end if i >= iterations else end + way * (1 - i / iterations) ** power

    return schedule


def one_cycle(max_lr: float, iterations: int) -> Closure:
    initial, peak = max_lr / 25, round(0.3 * iterations)
    return then(
        cosine(initial, max_lr, peak), cosine(max_lr, initial / 1e4, iterations - peak), peak
    )


def one_cycle_of_three_phases(max_lr: float, iterations: int) -> Closure:
    initial, peak = max_lr / 25, round(0.3 * iterations)
    rise, fall = linear(initial, max_lr, peak), linear(max_lr, initial, peak)
    last = linear(initial, initial / 1e4, iterations - 2 * peak)

    def schedule(i: int) -> float:
        if i < peak:
            return rise(i)
        return fall(i - peak) if i < 2 * peak else last(i - 2 * peak)

    return schedule


def warmup_stable_decay(max_lr: float, iterations: int, warmup: int, decay: int) -> Closure:
    fall = iterations - decay

    def schedule(i: int) -> float:
        if i < warmup:
            return max_lr * i / warmup
        if i < fall:
            return max_lr
        return max_lr * (iterations - i) / decay if i < iterations else 0.0

    return schedule


def decay(base_lr: float, gamma: float) -> Closure:
    def schedule(i: int) -> float:
        return base_lr * gamma**i

    return schedule


def steps(base_lr: float, every: int, gamma: float) -> Closure:
    def schedule(i: int) -> float:
        return base_lr * gamma ** (i // every)

    return schedule


def piecewise(milestones: Sequence[int], values: Sequence[float]) -> Closure:
    def schedule(i: int) -> float:
        return values[bisect_right(milestones, i)]

    return schedule


def inverse_sqrt(max_lr: float, warmup: int) -> Closure:
    sqrt = math.sqrt

    def schedule(i: int) -> float:
        return max_lr * i / warmup if i < warmup else max_lr * sqrt(warmup / i)

    return schedule


# Compositions, each of closures: what they cost is what their parts cost, and what joins them.


def then(first: Closure, second: Closure, after: int) -> Closure:
    def schedule(i: int) -> float:
        return first(i) if i < after else second(i - after)

    return schedule


def scaled(closure: Closure, factor: float) -> Closure:
    def schedule(i: int) -> float:
        return closure(i) * factor

    return schedule


def clipped(closure: Closure, low: float, high: float) -> Closure:
    def schedule(i: int) -> float:
        value = closure(i)
        return low if value < low else high if value > high else value

    return schedule


def mirrored(closure: Closure, lowest: float, highest: float, low: float, high: float) -> Closure:
    slope = (high - low) / (highest - lowest)

    def schedule(i: int) -> float:
        return high - slope * (closure(i) - lowest)

    return schedule
