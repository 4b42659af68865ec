"""Cases: the range tests that were measured, each with what training really gives on its task."""

import json
import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from benchmarks.suggestion.measure import GRID, POLICIES, RESULTS
from benchmarks.suggestion.tasks import NAMED, TASKS
from cyclr import RangeTest

DECADES = [math.log10(max_lr) for max_lr in GRID]
GOOD = 0.02  # regret: what is as good as the best
Row = Sequence[float | None]


class Response:
    """What training with a max_lr costs: 0 at the best of the grid, 1 where nothing is learned.

        regret(max_lr) = (loss(max_lr) - best loss) / (untrained loss - best loss)

    The loss is the mean over seeds, none worse than the untrained one; between the places of the
    grid it is interpolated on the logarithm of the rate.
    """

    def __init__(self, rows: Sequence[Row], untrained: float) -> None:
        losses = [fmean(untrained if x is None else min(x, untrained) for x in row) for row in rows]
        self.scale, self.lowest = untrained - min(losses), min(losses)
        self.regrets = [(x - self.lowest) / self.scale for x in losses]

    def regret(self, max_lr: float) -> float:
        return float(np.interp(math.log10(max_lr), DECADES, self.regrets))

    @cached_property
    def best(self) -> float:
        """The middle of what is as good as the best: the best region is flat."""
        good = [d for d, regret in zip(DECADES, self.regrets, strict=True) if regret <= GOOD]
        return 10 ** fmean(good)


class Measured:
    """A task's result."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result
        self.problem: str = result["task"]["problem"]
        self.optimizer: str = result["task"]["optimizer"]
        self.name = f"{self.problem}-{self.optimizer}"
        self.responses = {
            policy: Response(result["response"][policy], result["untrained"]["test"])
            for policy in POLICIES
        }

    @property
    def named(self) -> dict[str, Any]:
        """What a user would tell the analyzer of the optimizer."""
        return NAMED[self.optimizer]

    @property
    def best(self) -> float:
        """The best max_lr: between what is best for each policy."""
        return math.sqrt(math.prod(response.best for response in self.responses.values()))

    def regret(self, max_lr: float, policy: str | None = None) -> float:
        """Return the regret of *max_lr* with a policy, or the mean of all."""
        wanted = POLICIES if policy is None else (policy,)
        return fmean(self.responses[name].regret(max_lr) for name in wanted)


class Case(NamedTuple):
    """One range test of a task."""

    task: Measured
    iterations: int
    points: list[tuple[float, float]]


def measured(folder: Path = RESULTS) -> list[Measured]:
    """Return the results there are, in the order of the tasks."""
    paths = [folder / f"{task.name}.json" for task in TASKS]
    return [Measured(json.loads(path.read_text())) for path in paths if path.exists()]


def cases(tasks: Iterable[Measured]) -> list[Case]:
    return [
        Case(task, int(n), pairs(log, int(n)))
        for task in tasks
        for n, logs in task.result["logs"].items()
        for log in logs
    ]


def pairs(log: Row, iterations: int) -> list[tuple[float, float]]:
    """Return the log's (lr, loss) pairs."""
    ramp = RangeTest(iterations=iterations).ramp
    return [(ramp(i), math.nan if loss is None else loss) for i, loss in enumerate(log)]
