"""Confirmed: what probes around an answer are worth, by the probes that were measured.

`cyclr.confirm` itself is run. Its probe looks up what the task's probe of that length lost at that
learning rate: between the places of the grid the losses' logarithms are interpolated.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.suggestion.cases import DECADES, Measured
from benchmarks.suggestion.measure import PROBE_SEEDS
from cyclr import Bounds, InconclusiveRangeTest, Schedule, confirm

TINY = 1e-12  # a loss of 0 has no logarithm


class Probes:
    """The probes of a task with a seed; *iterations* counts what they cost."""

    def __init__(self, task: Measured, length: int, seed: int) -> None:
        rows = task.result["probes"][str(length)]
        self.losses = [math.nan if row[seed] is None else max(row[seed], TINY) for row in rows]
        self.length, self.iterations = length, 0

    def __call__(self, schedule: Schedule) -> float:
        self.iterations += self.length
        decade = math.log10(schedule.highest)
        return float(np.exp(np.interp(decade, DECADES, np.log(self.losses))))


class Confirmed(NamedTuple):
    max_lr: float
    interval: tuple[float, float]
    iterations: int


def confirmed(task: Measured, bounds: Bounds, length: int, candidates: int) -> Iterator[Confirmed]:
    """Yield what is confirmed with each seed of the probes."""
    for seed in range(len(PROBE_SEEDS)):
        probes = Probes(task, length, seed)
        try:
            found = confirm(bounds, probes, candidates, length)
        except InconclusiveRangeTest:
            continue
        yield Confirmed(found.max_lr, found.interval, probes.iterations)
