"""Measure: what each task gives at each max_lr, and what its range tests and probes show.

    OMP_NUM_THREADS=1 python -m benchmarks.suggestion.measure [--part K/N] [TASK ...]

One file a task in `results/`; what is there is not measured again, so an interrupted run goes on
where it stopped. ``--part 1/2`` and ``--part 2/2`` share the tasks among two processes.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.suggestion.stack import Stack
from benchmarks.suggestion.tasks import PROBLEMS, TASKS, Task
from cyclr import OneCycle, RangeTest, Schedule, Triangular, Triangular2

RESULTS = Path(__file__).parent / "results"
GRID = [10 ** (exponent / 4) for exponent in range(-24, 7)]  # 1e-6 to 32, a quarter of a decade
POLICIES = ("triangular2", "onecycle")
CYCLES = 4  # of triangular2
SEEDS = range(4)  # of a training

RATIOS = (1, 2, 3, 4, 6, 10, 25, 100)  # max_lr / base_lr
AROUND = range(-3, 4)  # places on the grid, from the best max_lr on: where the ratios are measured
RATIO_SEEDS = range(2)

RAMPS, RAMP_SEEDS = (100, 200, 400), range(100, 105)
PROBES, PROBE_SEEDS = (30, 60, 90, 120, 200), range(200, 203)


def triangular2(max_lr: float, iterations: int, ratio: float = 4) -> Schedule:
    """Return four cycles, the paper's ratio between the bounds unless *ratio* is another."""
    return Triangular2(max_lr / ratio, max_lr, iterations // (2 * CYCLES))


def schedule(policy: str, max_lr: float, iterations: int) -> Schedule:
    if policy == "onecycle":
        return OneCycle(max_lr, iterations)
    return triangular2(max_lr, iterations)


def probe(max_lr: float, iterations: int) -> Schedule:
    """Return the schedule of a confirmation probe: one triangle, from max_lr / 4."""
    return Triangular(max_lr / 4, max_lr, iterations // 2)


def short(losses: Tensor) -> list[float | None]:
    """Four digits are enough, and JSON has no infinity."""
    return [float(f"{x:.4g}") if math.isfinite(x) else None for x in losses.tolist()]


def trained(task: Task, schedules: Sequence[Schedule], seeds: Sequence[int], n: int) -> Stack:
    """Return the stack after *n* iterations, a replica for each schedule and seed."""
    stack = stacked(task, [seed for _, seed in product(schedules, seeds)])
    for iteration in range(n):
        lrs = [schedule(iteration) for schedule, _ in product(schedules, seeds)]
        stack.step(torch.tensor(lrs))
    return stack


def stacked(task: Task, seeds: Sequence[int]) -> Stack:
    problem = PROBLEMS[task.problem]
    return Stack(problem.data(), problem.build, task.optimize, task.batch, seeds)


def by_seed(losses: Tensor, seeds: Sequence[int]) -> list[list[float | None]]:
    return [short(row) for row in losses.reshape(-1, len(seeds))]


def response(task: Task) -> dict[str, Any]:
    """Return, for each policy, the test loss for each max_lr of the grid and each seed."""
    chosen = [schedule(p, max_lr, task.iterations) for p, max_lr in product(POLICIES, GRID)]
    stack = trained(task, chosen, SEEDS, task.iterations)
    rows = by_seed(stack.held_out(stack.data.test), SEEDS)
    return {p: rows[i * len(GRID) : (i + 1) * len(GRID)] for i, p in enumerate(POLICIES)}


def untrained(task: Task) -> dict[str, float]:
    """Return the mean losses before training."""
    stack = stacked(task, SEEDS)
    parts = {"test": stack.data.test, "probe": stack.data.probe}
    return {name: float(f"{stack.held_out(part).mean():.4g}") for name, part in parts.items()}


def ratios(task: Task, best: int) -> list[Any]:
    """Return [place on the grid, ratio, test losses after triangular2] around the *best* place."""
    cells = [(best + a, r) for a, r in product(AROUND, RATIOS) if 0 <= best + a < len(GRID)]
    chosen = [triangular2(GRID[place], task.iterations, ratio) for place, ratio in cells]
    stack = trained(task, chosen, RATIO_SEEDS, task.iterations)
    rows = by_seed(stack.held_out(stack.data.test), RATIO_SEEDS)
    return [[place, ratio, row] for (place, ratio), row in zip(cells, rows, strict=True)]


def logs(task: Task) -> dict[str, list[list[float | None]]]:
    """Return, for each length of the ramp, the losses of range tests, up to one not finite."""
    lrs = torch.ones(max(RAMPS), len(RAMPS) * len(RAMP_SEEDS))
    for column, (n, _) in enumerate(product(RAMPS, RAMP_SEEDS)):
        lrs[:n, column] = torch.tensor([*map(RangeTest(iterations=n).ramp, range(n))])
    losses = stacked(task, [seed for _, seed in product(RAMPS, RAMP_SEEDS)]).train(lrs)
    found: dict[str, list[list[float | None]]] = {str(n): [] for n in RAMPS}
    for column, (n, _) in enumerate(product(RAMPS, RAMP_SEEDS)):
        values = short(losses[:n, column])
        end = values.index(None) + 1 if None in values else n
        found[str(n)].append(values[:end])
    return found


def probes(task: Task) -> dict[str, list[list[float | None]]]:
    """Return, for each length, the probe loss for each max_lr of the grid and each seed."""
    found = {}
    for n in PROBES:
        stack = trained(task, [probe(max_lr, n) for max_lr in GRID], PROBE_SEEDS, n)
        found[str(n)] = by_seed(stack.held_out(stack.data.probe), PROBE_SEEDS)
    return found


def best_place(rows: list[list[float | None]]) -> int:
    means = [sum(math.inf if x is None else x for x in row) / len(row) for row in rows]
    return means.index(min(means))


def measure(task: Task) -> dict[str, Any]:
    begin = time.process_time()
    found: dict[str, Any] = {"task": task._asdict(), "untrained": untrained(task)}
    found["logs"] = logs(task)
    found["probes"] = probes(task)
    found["response"] = response(task)
    found["ratios"] = ratios(task, best_place(found["response"]["triangular2"]))
    return found | {"cpu_seconds": round(time.process_time() - begin)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK")
    parser.add_argument("--part", default="1/1", metavar="K/N")
    options = parser.parse_args()
    part, of = map(int, options.part.split("/"))
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    RESULTS.mkdir(exist_ok=True)
    wanted = [t for t in TASKS if t.name in options.tasks or not options.tasks][part - 1 :: of]
    for task in wanted:
        path = RESULTS / f"{task.name}.json"
        if path.exists():
            continue
        begin = time.monotonic()
        found = measure(task)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(found, separators=(",", ":")) + "\n")
        unfinished.replace(path)
        best = GRID[best_place(found["response"]["triangular2"])]
        print(f"{task.name}: best max_lr {best:.2g}, {time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
