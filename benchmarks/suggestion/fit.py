"""Fit: the numbers of `cyclr.range_test.optimizers`, from the tasks that were measured.

    python -m benchmarks.suggestion.fit

A scale is the multiple of what the rule scales that costs least on the tasks of its family of
optimizers, drawn toward the one that costs least on all: `WEIGHT` tasks' worth. A spread is
what holds 80 % of the best max_lr, as the sigma of a normal distribution. Nothing else is fitted.
"""

import math
from collections.abc import Sequence
from functools import cache
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from benchmarks.suggestion.cases import Case, Measured, cases, measured
from cyclr.range_test import InconclusiveRangeTest, analyze
from cyclr.range_test.optimizers import prior

FAMILIES = {
    "sgd": "sgd",
    "momentum": "momentum",
    "momentum95": "momentum",
    "nesterov": "momentum",
    "adam": "adam",
    "adamw": "adam",
    "nadam": "adam",
    "rmsprop": "rmsprop",
    "adagrad": "adagrad",
}
WEIGHT = 6
OFFSETS = np.arange(-2.0, 0.3, 0.05)  # decades, that are tried for a scale
SMOOTH = np.array([1, 2, 3, 2, 1]) / 9  # over neighbours: so few tasks have a rugged sum
COVERED, QUANTILE = 0.8, 1.2816
MARGIN = 1.1  # other tasks differ from these by more than these from each other


class Fitted(NamedTuple):
    """Numbers by family, and "pooled" for an optimizer that is not named, in decades.

    *scales* cost least; *middles* are the medians of the best max_lr, *spreads* sigmas around them.
    """

    scales: dict[str, float]
    middles: dict[str, float]
    spread: float
    spread_unnamed: float

    def of(self, optimizer: str, named: bool) -> tuple[float, float, float]:
        """Return scale, middle and spread."""
        key = FAMILIES[optimizer] if named else "pooled"
        return self.scales[key], self.middles[key], self.spread if named else self.spread_unnamed


@cache
def unscaled(case_points: tuple[tuple[float, float], ...]) -> float | None:
    """Return log10 of what the rule scales, or None where the log can't be read."""
    try:
        return math.log10(analyze(case_points).max_lr / prior().scale)
    except InconclusiveRangeTest:
        return None


class Reading(NamedTuple):
    """Range tests of a task that could be read."""

    task: Measured
    decades: list[float]


def readings(every: Sequence[Case]) -> list[Reading]:
    found: dict[str, Reading] = {}
    for case in every:
        decade = unscaled(tuple(case.points))
        if decade is not None:
            found.setdefault(case.task.name, Reading(case.task, [])).decades.append(decade)
    return list(found.values())


def costs(reading: Reading) -> Any:
    """Return the task's mean regret with each of the OFFSETS."""
    return np.array(
        [fmean(reading.task.regret(10 ** (d + o)) for d in reading.decades) for o in OFFSETS]
    )


def cheapest(cost: Any) -> float:
    smooth = np.convolve(np.pad(cost, 2, mode="edge"), SMOOTH, "valid")
    return float(OFFSETS[int(smooth.argmin())])


def fitted(found: Sequence[Reading], cost: dict[str, Any] | None = None) -> Fitted:
    """Return the numbers that fit the tasks of these readings."""
    cost = cost or {reading.task.name: costs(reading) for reading in found}
    best = {r.task.name: math.log10(r.task.best) - fmean(r.decades) for r in found}
    pooled = np.mean([cost[name] for name in best], axis=0)
    scales = {"pooled": cheapest(pooled)}
    middles = {"pooled": float(np.median([*best.values()]))}
    for family in dict.fromkeys(FAMILIES.values()):
        own = [r.task.name for r in found if FAMILIES[r.task.optimizer] == family]
        share = len(own) / (len(own) + WEIGHT)
        mean = np.mean([cost[name] for name in own], axis=0) if own else pooled
        scales[family] = cheapest(share * mean + (1 - share) * pooled)
        median = float(np.median([best[name] for name in own])) if own else middles["pooled"]
        middles[family] = share * median + (1 - share) * middles["pooled"]
    named = [best[r.task.name] - middles[FAMILIES[r.task.optimizer]] for r in found]
    unnamed = [best[r.task.name] - middles["pooled"] for r in found]
    return Fitted(scales, middles, spread(named), spread(unnamed))


def spread(errors: Sequence[float]) -> float:
    """Return the sigma of a normal distribution with as much within 80 % of it, and a margin."""
    return MARGIN * float(np.quantile(np.abs(errors), COVERED)) / QUANTILE


def main() -> None:
    found = readings(cases(measured()))
    table = fitted(found)
    print(f"{len(found)} tasks, {sum(len(reading.decades) for reading in found)} range tests")
    for family, offset in table.scales.items():
        own = [r for r in found if family in ("pooled", FAMILIES[r.task.optimizer])]
        middle = 10 ** table.middles[family]
        print(f"{family:9} scale {10**offset:.2f}  middle {middle:.2f}  ({len(own)} tasks)")
    print(f"spread {table.spread:.2f} named, {table.spread_unnamed:.2f} not named")


if __name__ == "__main__":
    main()
