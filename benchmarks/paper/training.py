"""A run of the paper: trained, tested, and resumed to the bit after an interruption."""

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from benchmarks.paper.data import Cifar10
from benchmarks.paper.network import Cifar10Full, parameter_groups
from benchmarks.paper.runs import Run
from benchmarks.paper.solvers import SOLVERS
from cyclr_torch import Scheduler

__all__ = ["Training", "train"]


class Training:
    """A run from a seed, at some iteration.

    Which images come is a function of the iteration, and the seed is used up by the first
    weights: the state is the weights, the solver's histories and the iteration.
    """

    def __init__(self, run: Run, seed: int, data: Cifar10) -> None:
        self.run, self.seed, self.data = run, seed, data
        device = data.train.device
        self.network = Cifar10Full(seed).to(device)
        groups, multiples = parameter_groups(self.network)
        self.solver = SOLVERS[run.solver](groups)
        self.scheduler = Scheduler(self.solver, [run.schedule * m for m in multiples])
        self.loss = torch.zeros((), device=device)  # the sum since the last test
        self.points: list[dict[str, Any]] = []
        self.environments: list[str] = []
        self.seconds = 0.0

    @property
    def iteration(self) -> int:
        """The number of updates made."""
        return self.scheduler.iteration

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do; a run that has diverged does not go on."""
        tested = bool(self.points) and self.points[-1]["iteration"] == self.iteration
        return tested and (self.iteration == self.run.iterations or self.diverged)

    @property
    def diverged(self) -> bool:
        """Whether the last test found a loss that is not finite."""
        return bool(self.points) and self.points[-1]["test_loss"] is None

    @property
    def due(self) -> bool:
        """Whether the network is to be tested before it is trained further."""
        i = self.iteration
        on_time = i % self.run.test_every == 0 or i == self.run.iterations
        return on_time and (not self.points or self.points[-1]["iteration"] < i)

    def update(self) -> None:
        """Train on the next batch."""
        inputs, labels = self.data.batch(self.iteration)
        self.solver.zero_grad()
        loss = F.cross_entropy(self.network(inputs), labels)
        loss.backward()
        self.solver.step()
        self.loss += loss.detach()

    @torch.no_grad()
    def test(self) -> None:
        """Add a point: the accuracy, in percent, and the mean losses."""
        right, loss = 0, 0.0
        for inputs, labels in self.data.test_batches():
            outputs = self.network(inputs)
            right += int((outputs.argmax(1) == labels).sum())
            loss += float(F.cross_entropy(outputs, labels, reduction="sum"))
        since = self.points[-1]["iteration"] if self.points else 0
        images = len(self.data.test)
        point = {
            "iteration": self.iteration,
            "lr": self.run.schedule(self.iteration),
            "accuracy": 100 * right / images,
            "test_loss": _finite(loss / images),
        }
        if self.iteration > since:
            point["train_loss"] = _finite(float(self.loss) / (self.iteration - since))
        self.points.append(point)
        self.loss.zero_()

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""
        return {
            "network": self.network.state_dict(),
            "solver": self.solver.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "loss": self.loss,
            "result": self.result(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the *state*; one of another run, seed or schedule is a `ValueError`."""
        result, mine = state["result"], self.result()
        for key in ("run", "solver", "schedule", "seed"):
            if result[key] != mine[key]:
                raise ValueError(
                    f"{key} must be that of the checkpoint, {result[key]!r}: got {mine[key]!r}"
                )
        self.network.load_state_dict(state["network"])
        self.solver.load_state_dict(state["solver"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.loss.copy_(state["loss"])
        self.points, self.environments = result["points"], result["environments"]
        self.seconds = result["seconds"]

    def result(self) -> dict[str, Any]:
        """Return what was measured, as JSON has it."""
        return {
            "run": self.run.name,
            "solver": self.run.solver,
            "schedule": repr(self.run.schedule),
            "seed": self.seed,
            "iterations": self.run.iterations,
            "iteration": self.iteration,
            "seconds": round(self.seconds, 1),
            "environments": self.environments,
            "points": self.points,
        }


def train(
    run: Run,
    seed: int,
    data: Cifar10,
    checkpoints: Path,
    results: Path,
    *,
    stop_at: int | None = None,
    progress: bool = True,
) -> Training:
    """Train *run* to its end, or to iteration *stop_at*, from where its checkpoint is.

    After each test the checkpoint and the result are written, each whole or not at all: what an
    interruption loses is what came after the last one.
    """
    training = Training(run, seed, data)
    checkpoint = checkpoints / f"{run.name}-{seed}.pt"
    if checkpoint.exists():
        training.load_state_dict(torch.load(checkpoint, map_location=data.train.device))
    environment = _environment(data.train.device)
    if environment not in training.environments:
        training.environments.append(environment)
    end = run.iterations if stop_at is None else min(stop_at, run.iterations)
    started = time.process_time() - training.seconds

    def save() -> None:
        training.seconds = time.process_time() - started
        _write(checkpoint, lambda path: torch.save(training.state_dict(), path))
        text = json.dumps(training.result(), indent=1) + "\n"
        _write(results / f"{run.name}-{seed}.json", lambda path: path.write_text(text))

    with tqdm(
        desc=f"{run.name}, seed {seed}",
        total=run.iterations,
        initial=training.iteration,
        mininterval=0.5 if sys.stderr.isatty() else 60,
        disable=not progress,
    ) as bar:
        while not training.finished:
            if training.due:
                training.test()
                save()
                bar.set_postfix(accuracy=f"{training.points[-1]['accuracy']:.2f}", refresh=False)
            elif training.iteration < end:
                training.update()
                bar.update()
            else:
                save()
                break
    return training


def _finite(value: float) -> float | None:
    """Return the value as JSON can have it."""
    return value if math.isfinite(value) else None


def _environment(device: torch.device) -> str:
    """Return what the last bits of a result depend on."""
    if device.type == "cuda":
        return f"torch {torch.__version__}, {torch.cuda.get_device_name(device)}"
    return f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)"


def _write(path: Path, write: Any) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f"{path.suffix}.{os.getpid()}")
    write(part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
