"""Measure what the range test's answer is worth on tasks that its numbers were not fitted on.

    OMP_NUM_THREADS=1 python -m benchmarks.range_test_regret            # train what is missing
    OMP_NUM_THREADS=1 python -m benchmarks.range_test_regret --report   # judge the rules

Each task (data, model, optimizer) is trained with `Triangular2`, base_lr = max_lr / 4, on a grid
of max_lr: its *response*, the held-out loss at the end. The same task gives range-test logs:
seeds times ramp lengths. Regret is 0 at the best max_lr of the grid and 1 where nothing
was learned. The result is one JSON file beside this script, kept task by task, so an interrupted
run goes on where it stopped; the report reads it in seconds. Needs PyTorch and scikit-learn.
"""

import argparse
import collections
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from torch import nn

from cyclr.range_test import Bounds, InconclusiveRangeTest, analyze
from cyclr.range_test.rules import RULES
from cyclr.schedules import Triangular2

RESULT = Path(__file__).parent / "results" / "range_test_regret.json"
GRID = [10 ** (exponent / 4) for exponent in range(-18, 8)]  # 3e-5 to 56, a quarter of a decade
ITERATIONS, STEP_SIZE, BATCH = 400, 50, 32
RAMPS, RAMP_SEEDS, TRAINING_SEEDS = (100, 200, 400), 2, 2
START_LR, END_LR = 1e-6, 10.0


class Data(NamedTuple):
    inputs: torch.Tensor
    targets: torch.Tensor
    held_inputs: torch.Tensor
    held_targets: torch.Tensor
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def split(inputs: Any, targets: Any, loss: Callable[..., torch.Tensor]) -> Data:
    order = np.random.default_rng(0).permutation(len(inputs))
    cut = len(inputs) * 3 // 4
    x = torch.as_tensor(inputs[order], dtype=torch.float32)
    y = torch.as_tensor(targets[order])
    return Data(x[:cut], y[:cut], x[cut:], y[cut:], loss)


def digits() -> Data:
    inputs, targets = load_digits(return_X_y=True)
    return split(inputs / 16, targets, nn.functional.cross_entropy)


def raw_digits() -> Data:
    inputs, targets = load_digits(return_X_y=True)
    return split(inputs, targets, nn.functional.cross_entropy)


def cancer() -> Data:
    inputs, targets = load_breast_cancer(return_X_y=True)
    inputs = (inputs - inputs.mean(0)) / inputs.std(0)
    return split(inputs, targets, nn.functional.cross_entropy)


def diabetes() -> Data:
    inputs, targets = load_diabetes(return_X_y=True)
    inputs = inputs / inputs.std(0)
    targets = ((targets - targets.mean()) / targets.std()).astype("float32")[:, None]
    return split(inputs, targets, nn.functional.mse_loss)


class Rows(nn.Module):
    """Read a digit row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.GRU(8, 24, batch_first=True)
        self.head = nn.Linear(24, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, _ = self.recurrent(x.view(-1, 8, 8))
        logits: torch.Tensor = self.head(output[:, -1])
        return logits


def layers(*sizes: int, between: Callable[[int], list[nn.Module]]) -> nn.Sequential:
    blocks: list[nn.Module] = []
    for index, (inward, outward) in enumerate(pairwise(sizes)):
        blocks += [nn.Linear(inward, outward)]
        blocks += between(outward) if index < len(sizes) - 2 else []
    return nn.Sequential(*blocks)


def convolutions() -> nn.Sequential:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten()),
        nn.Linear(256, 10),
    )


MODELS: dict[str, tuple[Callable[[], Data], Callable[[], nn.Module]]] = {
    "softmax": (digits, lambda: layers(64, 10, between=lambda _: [])),
    "relu": (digits, lambda: layers(64, 64, 10, between=lambda _: [nn.ReLU()])),
    "raw": (raw_digits, lambda: layers(64, 48, 48, 10, between=lambda _: [nn.ReLU()])),
    "norm": (digits, lambda: layers(64, 64, 10, between=lambda n: [nn.BatchNorm1d(n), nn.ReLU()])),
    "conv": (digits, convolutions),
    "recurrent": (digits, Rows),
    "tanh": (cancer, lambda: layers(30, 32, 32, 2, between=lambda _: [nn.Tanh()])),
    "regression": (diabetes, lambda: layers(10, 48, 1, between=lambda _: [nn.ReLU()])),
}
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1.0),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=1.0, momentum=0.9),
    "nesterov": lambda parameters: torch.optim.SGD(parameters, lr=1.0, momentum=0.9, nesterov=True),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=1.0),
    "nadam": lambda parameters: torch.optim.NAdam(parameters, lr=1.0),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=1.0),
    "adagrad": lambda parameters: torch.optim.Adagrad(parameters, lr=1.0),
}
TASKS = [f"{model}-{optimizer}" for model in MODELS for optimizer in ("sgd", "momentum", "adam")]
TASKS += [
    f"{model}-{optimizer}"
    for model in ("softmax", "relu", "norm", "tanh", "regression")
    for optimizer in ("nesterov", "nadam", "rmsprop", "adagrad")
]


def batches(data: Data, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(data.inputs), generator=generator)
        for chosen in torch.split(order, BATCH)[:-1]:
            yield data.inputs[chosen], data.targets[chosen]


class Run:
    """One network, trained one batch at a time at any learning rate."""

    def __init__(self, task: str, seed: int) -> None:
        model, optimizer = task.split("-")
        torch.manual_seed(seed)
        self.data = MODELS[model][0]()
        self.network = MODELS[model][1]()
        self.optimizer = OPTIMIZERS[optimizer](self.network.parameters())
        self.stream = batches(self.data, seed)

    def step(self, lr: float) -> float:
        inputs, targets = next(self.stream)
        loss = self.data.loss(self.network(inputs), targets)
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss.item())

    def held_out(self) -> float:
        self.network.eval()
        with torch.no_grad():
            loss = self.data.loss(self.network(self.data.held_inputs), self.data.held_targets)
        self.network.train()
        return float(loss.item())


def response(task: str, max_lr: float, seed: int) -> float:
    run, schedule = Run(task, seed), Triangular2(max_lr / 4, max_lr, STEP_SIZE)
    for iteration in range(ITERATIONS):
        if not math.isfinite(run.step(schedule(iteration))):
            return math.inf
    return run.held_out()


def ramp(iterations: int) -> list[float]:
    ratio = END_LR / START_LR
    return [START_LR * ratio ** (i / (iterations - 1)) for i in range(iterations)]


def range_log(task: str, iterations: int, seed: int) -> list[float]:
    run = Run(task, 100 + seed)
    losses = []
    for lr in ramp(iterations):
        losses.append(run.step(lr))
        if not math.isfinite(losses[-1]):
            break
    return losses


def short(value: float) -> float | None:
    """Four digits are enough, and JSON has no infinity."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def measure(task: str) -> dict[str, Any]:
    return {
        "untrained": short(statistics.mean(Run(task, s).held_out() for s in range(TRAINING_SEEDS))),
        "response": [
            [short(response(task, max_lr, seed)) for seed in range(TRAINING_SEEDS)]
            for max_lr in GRID
        ],
        "logs": {
            str(n): [[short(x) for x in range_log(task, n, seed)] for seed in range(RAMP_SEEDS)]
            for n in RAMPS
        },
    }


def train() -> None:
    torch.set_num_threads(1)
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for task in TASKS:
        if task not in results:
            began = time.process_time()
            results[task] = measure(task)
            seconds = time.process_time() - began
            results[task]["cpu_seconds"] = round(seconds, 1)
            RESULT.parent.mkdir(exist_ok=True)
            RESULT.write_text(json.dumps(results, separators=(",", ":")).replace('},"', '},\n"'))
            print(f"{task}: {seconds:.0f} s of processor time", flush=True)


class Response:
    """What training with a max_lr costs: 0 at the best of the grid, 1 where nothing is learned."""

    def __init__(self, result: dict[str, Any]) -> None:
        untrained = result["untrained"]
        losses = [
            statistics.mean(untrained if x is None else min(x, untrained) for x in seeds)
            for seeds in result["response"]
        ]
        self.regrets = [(x - min(losses)) / (untrained - min(losses)) for x in losses]
        self.decades = [math.log10(max_lr) for max_lr in GRID]
        # The best region is flat: its middle, not the luckiest point.
        good = [d for d, r in zip(self.decades, self.regrets, strict=True) if r <= 0.02]
        self.best = 10 ** statistics.mean(good)

    def regret(self, max_lr: float) -> float:
        return float(np.interp(math.log10(max_lr), self.decades, self.regrets))


class Case(NamedTuple):
    """One range test of one task, and what is known of the task."""

    task: str
    iterations: int
    points: list[tuple[float, float]]
    response: Response

    @property
    def named(self) -> dict[str, Any]:
        optimizer = self.task.split("-")[1]
        return (
            {"optimizer": "sgd", "momentum": 0.9}
            if optimizer == "momentum"
            else {"optimizer": optimizer}
        )

    def bounds(self, rule: str, named: bool) -> Bounds | None:
        try:
            return analyze(self.points, rule=rule, **(self.named if named else {}))
        except InconclusiveRangeTest:
            return None


def cases(results: dict[str, Any]) -> list[Case]:
    return [
        Case(
            task,
            iterations,
            [
                (lr, math.nan if x is None else x)
                for lr, x in zip(ramp(iterations), log, strict=False)
            ],
            Response(result),
        )
        for task, result in results.items()
        for iterations in RAMPS
        for log in result["logs"][str(iterations)]
    ]


def report() -> None:
    every = cases(json.loads(RESULT.read_text()))
    seconds = sum(result["cpu_seconds"] for result in json.loads(RESULT.read_text()).values())
    print(f"{len(every)} range tests; measured in {seconds:.0f} s of processor time, 1 thread")
    print("rule, optimizer named or not: mean and 90 % regret at 100, 200, 400 iterations;")
    print("share of logs without an answer; share of best max_lr inside the interval")
    for rule in [name for name, entry in RULES.items() if entry.metric == "loss"]:
        for named in (True, False) if rule == "family" else (False,):
            report_rule(every, rule, named)
    report_reasons(every)


def report_rule(every: list[Case], rule: str, named: bool) -> None:
    columns, inside = [], []
    for iterations in RAMPS:
        by_task: dict[str, list[float]] = {}
        for case in every:
            bounds = case.bounds(rule, named)
            if case.iterations == iterations and bounds is not None:
                by_task.setdefault(case.task, []).append(case.response.regret(bounds.max_lr))
                low, high = bounds.interval
                inside.append(low <= case.response.best <= high)
        regrets = [statistics.mean(each) for each in by_task.values()]
        columns.append(f"{statistics.mean(regrets):.3f} {np.quantile(regrets, 0.9):.3f}")
    missing = 1 - len(inside) / len(every)
    name = f"{rule} ({'named' if named else 'not named'})"
    print(f"{name:32} {'   '.join(columns)}   {missing:.1%}   {statistics.mean(inside):.0%}")


def report_reasons(every: list[Case]) -> None:
    counts: collections.Counter[str] = collections.Counter()
    for case in every:
        try:
            reasons = analyze(case.points, **case.named).reasons
        except InconclusiveRangeTest as inconclusive:
            reasons = inconclusive.reasons
        counts.update(f"{reason.code} at {case.iterations}" for reason in reasons)
    print("reasons given:", ", ".join(f"{code}: {n}" for code, n in sorted(counts.items())))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--report", action="store_true", help="only read what was measured")
    if not parser.parse_args().report:
        train()
    report()
