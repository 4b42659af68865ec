"""What is measured: every policy and every composition, each with its closure."""

from typing import TypeAlias

import cyclr
from benchmarks.cost import closures
from benchmarks.cost.closures import Closure

__all__ = ["COMPOSITIONS", "HIGH", "ITERATIONS", "LOW", "POLICIES", "RUN", "SCALE", "STEP"]

RUN = 20_000
"""The length of a training run, in iterations."""

ITERATIONS = tuple(range(0, RUN, 397))
"""Where a schedule is called: all over the run, as training does."""

LOW, HIGH, STEP = 0.001, 0.006, 2000
SCALE = [0.1, 0.05, 0.025]  # of Piecewise, a factor of one half each time, as torch has it

Pair: TypeAlias = tuple[cyclr.Schedule, Closure]

POLICIES: dict[str, Pair] = {
    "Triangular": (
        cyclr.Triangular(LOW, HIGH, STEP),
        closures.triangular(LOW, HIGH, STEP),
    ),
    "Triangular, unequal halves": (
        cyclr.Triangular(LOW, HIGH, STEP, step_size_down=3000),
        closures.triangular_of_unequal_halves(LOW, HIGH, STEP, 3000),
    ),
    "Triangular2": (
        cyclr.Triangular2(LOW, HIGH, STEP),
        closures.triangular2(LOW, HIGH, STEP),
    ),
    "ExpRange": (
        cyclr.ExpRange(LOW, HIGH, STEP, gamma=0.9999),
        closures.exp_range(LOW, HIGH, STEP, 0.9999),
    ),
    "ExpRange, both bounds": (
        cyclr.ExpRange(LOW, HIGH, STEP, gamma=0.9999, decays="bounds"),
        closures.exp_range_of_bounds(LOW, HIGH, STEP, 0.9999),
    ),
    "Cyclical, cosine": (
        cyclr.Cyclical(LOW, HIGH, STEP, shape="cosine"),
        closures.cycle(LOW, HIGH, STEP, "cosine"),
    ),
    "Cyclical, parabolic": (
        cyclr.Cyclical(LOW, HIGH, STEP, shape="parabolic"),
        closures.cycle(LOW, HIGH, STEP, "parabolic"),
    ),
    "Cyclical, polynomial": (
        cyclr.Cyclical(LOW, HIGH, STEP, shape="polynomial", power=3),
        closures.cycle(LOW, HIGH, STEP, "polynomial"),
    ),
    "Cyclical, 1-sqrt": (
        cyclr.Cyclical(LOW, HIGH, STEP, shape="1-sqrt"),
        closures.cycle(LOW, HIGH, STEP, "1-sqrt"),
    ),
    "Cyclical, stretching": (
        cyclr.Cyclical(LOW, HIGH, 500, cycle_mult=2),
        closures.stretching(LOW, HIGH, 500, cycles=30),
    ),
    "OneCycle": (
        cyclr.OneCycle(0.1, RUN),
        closures.one_cycle(0.1, RUN),
    ),
    "OneCycle, three phases, linear": (
        cyclr.OneCycle(0.1, RUN, phases=3, shape="linear"),
        closures.one_cycle_of_three_phases(0.1, RUN),
    ),
    "CosineRestarts": (
        cyclr.CosineRestarts(0.001, 0.1, 2000),
        closures.cosine_restarts(0.001, 0.1, 2000),
    ),
    "CosineRestarts, stretching": (
        cyclr.CosineRestarts(0.001, 0.1, 1000, cycle_mult=2),
        closures.cosine_restarts(0.001, 0.1, 1000, cycle_mult=2),
    ),
    "WarmupStableDecay": (
        cyclr.WarmupStableDecay(0.1, RUN, warmup=1000, decay=4000),
        closures.warmup_stable_decay(0.1, RUN, 1000, 4000),
    ),
    "InverseSqrt": (
        cyclr.InverseSqrt(0.1, warmup=4000),
        closures.inverse_sqrt(0.1, 4000),
    ),
    "Constant": (
        cyclr.Constant(0.1),
        closures.constant(0.1),
    ),
    "Linear": (
        cyclr.Linear(0.1, 0.001, RUN),
        closures.linear(0.1, 0.001, RUN),
    ),
    "Cosine": (
        cyclr.Cosine(0.1, 0.001, RUN),
        closures.cosine(0.1, 0.001, RUN),
    ),
    "Exponential": (
        cyclr.Exponential(0.1, 0.001, RUN),
        closures.exponential(0.1, 0.001, RUN),
    ),
    "Polynomial": (
        cyclr.Polynomial(0.1, 0.0, RUN, power=2),
        closures.polynomial(0.1, 0.0, RUN, 2),
    ),
    "Decay": (
        cyclr.Decay(0.1, 0.9999),
        closures.decay(0.1, 0.9999),
    ),
    "Steps": (
        cyclr.Steps(0.1, every=5000, gamma=0.5),
        closures.steps(0.1, 5000, 0.5),
    ),
    "Piecewise": (
        cyclr.Piecewise([8000, 16_000], SCALE),
        closures.piecewise([8000, 16_000], SCALE),
    ),
}

_triangular, _triangular_by_hand = POLICIES["Triangular"]
_cosine, _cosine_by_hand = POLICIES["Cosine"]

COMPOSITIONS: dict[str, Pair] = {
    "then": (
        _triangular.then(_cosine, after=8000),
        closures.then(_triangular_by_hand, _cosine_by_hand, 8000),
    ),
    "warmup": (
        _cosine.warmup(500),
        closures.then(closures.linear(0.0, 0.1, 500), _cosine_by_hand, 500),
    ),
    "*": (
        _triangular * 0.1,
        closures.scaled(_triangular_by_hand, 0.1),
    ),
    "clip": (
        _triangular.clip(0.002, 0.005),
        closures.clipped(_triangular_by_hand, 0.002, 0.005),
    ),
    "mirror": (
        _triangular.mirror(0.85, 0.95),
        closures.mirrored(_triangular_by_hand, LOW, HIGH, 0.85, 0.95),
    ),
    "cycles=": (
        cyclr.Triangular(LOW, HIGH, STEP, cycles=4),
        closures.triangular_of_cycles(LOW, HIGH, STEP, 4),
    ),
    "all of them": (
        (cyclr.Triangular(LOW, HIGH, STEP, cycles=2) * 0.5)
        .warmup(500)
        .then(_cosine)
        .clip(0.0005, 0.09),
        closures.clipped(
            closures.then(
                closures.then(
                    closures.linear(0.0, LOW * 0.5, 500),
                    closures.scaled(closures.triangular_of_cycles(LOW, HIGH, STEP, 2), 0.5),
                    500,
                ),
                _cosine_by_hand,
                500 + 4 * STEP,
            ),
            0.0005,
            0.09,
        ),
    ),
}
