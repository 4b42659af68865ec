"""Judge: how well does one train with what a rule says? From the committed results, in a minute.

    python -m benchmarks.suggestion.judge            # prints and writes results/judgement.json

Regret is 0 for the best max_lr of the grid and 1 where nothing is learned; a task counts once, with
the mean over its range tests and both policies. What was fitted is judged on tasks left out: all
tasks of the same problem, whatever their optimizer. Intervals are 90 %, by bootstrap over problems.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np

from benchmarks.suggestion import fit
from benchmarks.suggestion.cases import Case, Measured, cases, measured
from benchmarks.suggestion.confirmed import Confirmed, confirmed
from benchmarks.suggestion.measure import POLICIES, PROBES, RAMPS, RATIOS, RESULTS
from cyclr.range_test import Bounds, InconclusiveRangeTest, analyze
from cyclr.range_test.optimizers import prior
from cyclr.range_test.rules import RULES

CONSTANTS = (1e-3, 1e-2, 1e-1)
RESAMPLES = 2000
CELL = "{mean:.3f} ({low:.3f} to {high:.3f}) | {median:.3f} | {p90:.3f}"
OURS = "family"


class Held(NamedTuple):
    """What was fitted without a problem."""

    without: dict[str, fit.Fitted]

    @classmethod
    def of(cls, found: Sequence[fit.Reading]) -> "Held":
        cost = {reading.task.name: fit.costs(reading) for reading in found}
        problems = {reading.task.problem for reading in found}
        return cls(
            {p: fit.fitted([r for r in found if r.task.problem != p], cost) for p in problems}
        )

    def bounds(self, case: Case, found: Bounds, named: bool) -> tuple[float, float, float]:
        """Return (max_lr, low, high), as they would be had the problem not been fitted on."""
        shipped = prior(**case.task.named) if named else prior()
        scale, middle, spread = self.without[case.task.problem].of(case.task.optimizer, named)
        place = found.max_lr / shipped.scale
        low, high = found.interval
        half = math.sqrt(high / low) ** (spread / shipped.spread)
        return place * 10**scale, place * 10**middle / half, place * 10**middle * half


@cache
def bounds(points: tuple[tuple[float, float], ...], rule: str, told: tuple[Any, ...]) -> Any:
    try:
        return analyze(points, rule=rule, **dict(told))
    except InconclusiveRangeTest:
        return None


class Answer(NamedTuple):
    case: Case
    max_lr: float
    interval: tuple[float, float] | None = None

    def regret(self, policy: str | None = None) -> float:
        return self.case.task.regret(self.max_lr, policy)


def answers(every: Sequence[Case], held: Held, rule: str, named: bool) -> Iterator[Answer]:
    """Yield what a rule says of each range test that can be read; ours as if fitted without it."""
    for case in every:
        told = tuple(case.task.named.items()) if named else ()
        found = bounds(tuple(case.points), rule, told)
        if found is None:
            continue
        if rule == OURS:
            max_lr, low, high = held.bounds(case, found, named)
            yield Answer(case, max_lr, (low, high))
        else:
            yield Answer(case, found.max_lr, found.interval)


def by_task(found: Sequence[Answer], value: Callable[[Answer], float]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for answer in found:
        values.setdefault(answer.case.task.name, []).append(value(answer))
    return {name: fmean(each) for name, each in values.items()}


def resampled(problems: Sequence[str]) -> Iterator[list[int]]:
    """Yield the places of *problems* drawn with replacement, all tasks of a problem together."""
    rng = np.random.default_rng(0)
    places = {p: [i for i, q in enumerate(problems) if q == p] for p in dict.fromkeys(problems)}
    names = list(places)
    for _ in range(RESAMPLES):
        yield [i for k in rng.integers(0, len(names), len(names)) for i in places[names[k]]]


class Summary(NamedTuple):
    mean: float
    low: float
    high: float
    median: float
    p90: float

    @classmethod
    def of(cls, regrets: Sequence[float], problems: Sequence[str]) -> "Summary":
        means = [fmean(regrets[i] for i in drawn) for drawn in resampled(problems)]
        low, high = np.quantile(means, (0.05, 0.95))
        p90 = np.quantile(regrets, 0.9)
        return cls(*(round(float(x), 4) for x in (fmean(regrets), low, high, median(regrets), p90)))


def ratio_interval(ours: Sequence[float], theirs: Sequence[float], problems: Sequence[str]) -> Any:
    """Return the ratio of the mean regrets, with its interval."""
    drawn = [
        fmean(ours[i] for i in places) / fmean(theirs[i] for i in places)
        for places in resampled(problems)
    ]
    low, high = np.quantile(drawn, (0.05, 0.95))
    return [round(float(x), 3) for x in (fmean(ours) / fmean(theirs), low, high)]


class Judge:
    """All answers, and what is said of them."""

    def __init__(self, tasks: Sequence[Measured]) -> None:
        self.tasks = tasks
        self.problem = {task.name: task.problem for task in tasks}
        self.cases = cases(tasks)
        self.found = fit.readings(self.cases)
        self.held = Held.of(self.found)
        rules = [name for name, rule in RULES.items() if rule.metric == "loss" and name != OURS]
        self.answers: dict[str, list[Answer]] = {
            f"{OURS}, optimizer named": [*answers(self.cases, self.held, OURS, True)],
            f"{OURS}, not named": [*answers(self.cases, self.held, OURS, False)],
            **{rule: [*answers(self.cases, self.held, rule, False)] for rule in rules},
            **{f"always {lr:g}": [Answer(case, lr) for case in self.cases] for lr in CONSTANTS},
        }
        readable = {
            (a.case.task.name, id(a.case.points)) for a in self.answers[f"{OURS}, not named"]
        }
        for name, each in self.answers.items():  # the same tests for all
            self.answers[name] = [
                a for a in each if (a.case.task.name, id(a.case.points)) in readable
            ]

    def regrets(self, rule: str, iterations: int, policy: str | None = None) -> dict[str, float]:
        chosen = [a for a in self.answers[rule] if a.case.iterations == iterations]
        return by_task(chosen, lambda answer: answer.regret(policy))

    def summary(self, rule: str, iterations: int, policy: str | None = None) -> Summary:
        regrets = self.regrets(rule, iterations, policy)
        return Summary.of([*regrets.values()], [self.problem[name] for name in regrets])

    def against(self, rule: str, peer: str, iterations: int) -> Any:
        ours, theirs = self.regrets(rule, iterations), self.regrets(peer, iterations)
        names = [name for name in ours if name in theirs]
        return ratio_interval(
            [ours[n] for n in names], [theirs[n] for n in names], [self.problem[n] for n in names]
        )

    def coverage(self, rule: str) -> dict[str, float]:
        """Return how often the interval holds the task's best max_lr, and how wide it is."""
        inside, width = [], []
        found = self.answers[rule]
        inside = by_task(found, lambda a: a.interval[0] <= a.case.task.best <= a.interval[1])
        width = by_task(found, lambda a: math.log10(a.interval[1] / a.interval[0]))
        return {
            "inside": round(fmean(inside.values()), 3),
            "decades": round(median(width.values()), 2),
        }

    def ramp(self, rule: str) -> dict[str, float]:
        """Return the factor between the answers to ramps of 100 and of 400 iterations."""
        short, long = (
            by_task(
                [a for a in self.answers[rule] if a.case.iterations == n],
                lambda a: math.log10(a.max_lr),
            )
            for n in (RAMPS[0], RAMPS[-1])
        )
        moved = [long[name] - short[name] for name in short if name in long]
        return {
            "median factor": round(10 ** median(map(abs, moved)), 2),
            "median direction": round(10 ** median(moved), 2),
        }

    def unread(self) -> dict[str, float]:
        read = self.answers[f"{OURS}, not named"]
        return {
            str(n): round(
                1
                - sum(a.case.iterations == n for a in read)
                / sum(case.iterations == n for case in self.cases),
                3,
            )
            for n in RAMPS
        }


class Repeated(NamedTuple):
    """What several runs of a test say together."""

    regret: float
    inside: float
    decades: float


def repeated(judge: Judge, iterations: int) -> dict[str, dict[str, float]]:
    """Return what the first 1, 3 and 5 range tests of a task say together, optimizer named."""
    found: dict[str, dict[str, float]] = {}
    for count in (1, 3, 5):
        rows = []
        for task in judge.tasks:
            own = [c for c in judge.cases if c.task is task and c.iterations == iterations]
            try:
                together = analyze(*(case.points for case in own[:count]), **task.named)
            except InconclusiveRangeTest:
                continue
            max_lr, low, high = judge.held.bounds(own[0], together, named=True)
            inside = float(low <= task.best <= high)
            rows.append(Repeated(task.regret(max_lr), inside, math.log10(high / low)))
        regrets, inside, decades = zip(*rows, strict=True)
        found[f"{count} runs"] = {
            "mean regret": round(fmean(regrets), 4),
            "inside": round(fmean(inside), 3),
            "decades": round(median(decades), 2),
            "tasks": len(rows),
        }
    return found


def confirmation(judge: Judge, rule: str, iterations: int) -> dict[str, dict[str, float]]:
    """Return what `confirm` makes of the answers, by the length and number of its probes."""
    found: dict[str, dict[str, float]] = {}
    answered = [a for a in judge.answers[rule] if a.case.iterations == iterations]
    for length, candidates in product(PROBES, (3, 4, 5)):
        by_name: dict[str, list[Confirmed]] = {}
        for answer in answered:
            shipped = bounds(tuple(answer.case.points), OURS, ())
            moved = replace(shipped, max_lr=answer.max_lr)
            each = confirmed(answer.case.task, moved, length, candidates)
            by_name.setdefault(answer.case.task.name, []).extend(each)
        tasks = {task.name: task for task in judge.tasks}
        regrets = [
            fmean(tasks[name].regret(c.max_lr) for c in each) for name, each in by_name.items()
        ]
        inside = [
            fmean(c.interval[0] <= tasks[name].best <= c.interval[1] for c in each)
            for name, each in by_name.items()
        ]
        summary = Summary.of(regrets, [judge.problem[name] for name in by_name])
        cost = fmean(c.iterations for each in by_name.values() for c in each)
        found[f"{candidates} of {length}"] = summary._asdict() | {
            "inside": round(fmean(inside), 3),
            "iterations": round(cost),
            "at most": candidates * length,
        }
    return found


def floor(tasks: Sequence[Measured]) -> float:
    """Return the regret of a whole grid search: best for two seeds, judged by the other two."""
    halves = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
    regrets = []
    for task, policy in product(tasks, POLICIES):
        untrained = task.result["untrained"]["test"]
        losses = [
            [untrained if x is None else min(x, untrained) for x in row]
            for row in task.result["response"][policy]
        ]
        response = task.responses[policy]
        for half in halves:
            for chosen, judged in (half, half[::-1]):
                place = min(losses, key=lambda row: fmean(row[i] for i in chosen))
                regrets.append((fmean(place[i] for i in judged) - response.lowest) / response.scale)
    return round(fmean(regrets), 4)


def base_regret(tasks: Sequence[Measured]) -> dict[str, list[float]]:
    """Return, for each ratio, what it costs: at the best max_lr for it, and at that for 4.

    In units of regret, of triangular2, against the best of all ratios and max_lr measured.
    """
    at_best: dict[int, list[float]] = {ratio: [] for ratio in RATIOS}
    at_four: dict[int, list[float]] = {ratio: [] for ratio in RATIOS}
    for task in tasks:
        untrained = task.result["untrained"]["test"]
        losses = {
            (place, ratio): fmean(untrained if x is None else min(x, untrained) for x in row)
            for place, ratio, row in task.result["ratios"]
        }
        lowest = min(losses.values())
        four = min((loss, place) for (place, ratio), loss in losses.items() if ratio == 4)[1]
        for ratio in RATIOS:
            best = min(loss for (_, r), loss in losses.items() if r == ratio)
            at_best[ratio].append((best - lowest) / (untrained - lowest))
            at_four[ratio].append((losses[four, ratio] - lowest) / (untrained - lowest))
    return {
        str(ratio): [round(fmean(at_best[ratio]), 4), round(fmean(at_four[ratio]), 4)]
        for ratio in RATIOS
    }


def judgement(tasks: Sequence[Measured]) -> dict[str, Any]:
    judge = Judge(tasks)
    peers = [name for name in judge.answers if not name.startswith((OURS, "always"))]
    best_peer = {n: min(peers, key=lambda peer: judge.summary(peer, n).mean) for n in RAMPS}
    ours = [name for name in judge.answers if name.startswith(OURS)]
    return {
        "tasks": len(tasks),
        "problems": len({task.problem for task in tasks}),
        "range tests": len(judge.cases),
        "without an answer": judge.unread(),
        "regret": {
            rule: {str(n): judge.summary(rule, n)._asdict() for n in RAMPS}
            for rule in judge.answers
        },
        "regret by policy": {
            rule: {p: {str(n): judge.summary(rule, n, p).mean for n in RAMPS} for p in POLICIES}
            for rule in judge.answers
        },
        "against the best peer": {
            rule: {str(n): [best_peer[n], *judge.against(rule, best_peer[n], n)] for n in RAMPS}
            for rule in ours
        },
        "interval": {rule: judge.coverage(rule) for rule in ours},
        "ramp": {rule: judge.ramp(rule) for rule in [*ours, *peers]},
        "repeats of 200": repeated(judge, 200),
        "confirmed, from 100": confirmation(judge, ours[0], 100),
        "confirmed, from 200": confirmation(judge, ours[0], 200),
        "confirmed, from 200, not named": confirmation(judge, ours[1], 200),
        "grid search with two seeds": {"mean regret": floor(tasks)},
        "base": base_regret(tasks),
    }


def table(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the report, in Markdown."""
    yield ", ".join(f"{found[what]} {what}" for what in ("tasks", "problems", "range tests"))
    yield ""
    heads = [f"{n}: mean (90 %) | median | p90" for n in RAMPS]
    yield "| rule | " + " | ".join(heads) + " |"
    yield "| --- |" + " ---: |" * 3 * len(RAMPS)
    for rule, each in found["regret"].items():
        cells = [CELL.format(**each[str(n)]) for n in RAMPS]
        yield f"| {rule} | " + " | ".join(cells) + " |"
    for key in [key for key in found if isinstance(found[key], dict) and key != "regret"]:
        yield f"\n{key}:"
        for rule, value in found[key].items():
            yield f"  {rule}: {value}"


def main() -> None:
    found = judgement(measured())
    (RESULTS.parent / "judgement.json").write_text(json.dumps(found, indent=1) + "\n")
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
