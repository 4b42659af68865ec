"""Run the peers' own finders on logs, and compare what they suggest with our account of them.

    pip install "torch==2.13.0" scikit-learn fastai==2.8.12 pytorch-ignite==0.5.5
    pip install torch-lr-finder==0.2.2 lightning==2.6.6
    pip download --no-deps --no-binary :all: ktrain==0.41.4
    python -m benchmarks.peers --ktrain ktrain-0.41.4.tar.gz

A model of one parameter plays back a log: whatever the finder does to it, its next loss is the
log's next. So a finder smooths, stops, slices and suggests as in life. Each is given the start,
the end and the number of steps with which its own ramp is the log's; Lightning's, which leaves out
its second step, has none, and there the ramp is replaced. Of ktrain, which needs TensorFlow, only
the module of the finder is run, without Keras.

The suggestions on the tests' logs are written beside them, so that the tests need no framework.
Only what is installed is run: Lightning 2.5.2 goes into an environment of its own.
"""

import argparse
import importlib.metadata
import json
import logging
import math
import random
import re
import struct
import tarfile
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import prior
from cyclr.range_test.points import Points
from cyclr.range_test.rules import RULES, Evidence

FOLDER = Path(__file__).parents[1] / "tests" / "range_test" / "data"
RESULT = FOLDER / "peers.json"
Log = list[tuple[float, float]]
Finder = Callable[[Log], dict[str, float | None]]


class Playback(torch.nn.Module):
    """A model whose loss is the next of a log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.losses = iter([loss for _, loss in log])

    def forward(self, _: Any) -> torch.Tensor:
        return self.weight

    def loss(self, output: torch.Tensor, *_: Any) -> torch.Tensor:
        return 0 * output + next(self.losses)


def batches(rows: int) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.zeros(rows, 1), torch.zeros(rows, 1)))


def ends(log: Log, steps_to_the_end: int) -> tuple[float, float]:
    """Return the ends of an exponential ramp that reaches its end after so many steps."""
    first, last = log[0][0], log[-1][0]
    return first, first * (last / first) ** (steps_to_the_end / (len(log) - 1))


def check_ramp(recorded: list[float], log: Log) -> None:
    """Fail if the finder's learning rates were not those of the log."""
    for a, (b, _) in zip(recorded, log, strict=False):
        assert math.isclose(a, b, rel_tol=1e-5), (a, b)


def fastai(log: Log) -> dict[str, float | None]:
    from fastai.basics import DataLoaders, Learner
    from fastai.callback.schedule import minimum, slide, steep, valley

    found: dict[str, float | None] = {}
    for rule, suggest in zip(
        ("minimum", "valley", "slide", "steepest"), (minimum, valley, slide, steep), strict=True
    ):
        model, loader = Playback(log), batches(len(log))
        learner = Learner(DataLoaders(loader, loader), model, loss_func=model.loss)
        start, end = ends(log, len(log))
        found[rule] = None
        with suppress(IndexError, RuntimeError, ValueError):  # too few points
            found[rule] = learner.lr_find(
                start, end, len(log), show_plot=False, suggest_funcs=suggest
            )[0]
        check_ramp(learner.recorder.lrs, log)
    return found


def lightning(log: Log) -> dict[str, float | None]:
    import lightning.pytorch as pl
    from lightning.pytorch.tuner import lr_finder

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.lr = Playback(log), 0.1

        def training_step(self, batch: Any) -> torch.Tensor:
            return self.model.loss(self.model(batch))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), self.lr)

    class Ramp(lr_finder._ExponentialLR):  # type: ignore[misc]
        def get_lr(self) -> list[float]:
            self._lr = [log[min(self.last_epoch, len(log) - 1)][0]]
            return self._lr

    lr_finder._ExponentialLR = Ramp
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_model_summary=False,
        enable_progress_bar=False, max_epochs=1,
    )  # fmt: skip
    finder = pl.tuner.Tuner(trainer).lr_find(
        Module(), batches(len(log)), min_lr=log[0][0], max_lr=log[-1][0], num_training=len(log),
        update_attr=False,
    )  # fmt: skip
    assert finder is not None
    check_ramp(finder.results["lr"], log)
    version = tuple(map(int, importlib.metadata.version("lightning").split(".")[:3]))
    return {"lightning" if version > (2, 5, 2) else "lightning-2.5.2": finder.suggestion()}


def pytorch_lr_finder(log: Log) -> dict[str, float | None]:
    import matplotlib.pyplot as plt
    from torch_lr_finder import LRFinder

    model = Playback(log)
    start, end = ends(log, len(log) - 1)
    finder = LRFinder(model, torch.optim.SGD(model.parameters(), start), model.loss, device="cpu")
    finder.range_test(batches(len(log)), end_lr=end, num_iter=len(log))
    check_ramp(finder.history["lr"], log)
    _, axes = plt.subplots()
    suggested = None
    with suppress(RuntimeError):
        suggested = float(finder.plot(ax=axes)[1])
    plt.close("all")
    return {"pytorch-lr-finder": suggested}


def ignite(log: Log) -> dict[str, float | None]:
    from ignite.engine import Engine
    from ignite.handlers import FastaiLRFinder

    model = Playback(log)
    # Its first rate is one step after its start.
    start, end = log[0][0] ** 2 / ends(log, 1)[1], log[-1][0]
    optimizer = torch.optim.SGD(model.parameters(), start)
    trainer = Engine(lambda *_: step(model, optimizer))
    finder = FastaiLRFinder()
    state = {"model": model, "optimizer": optimizer}
    options = {"num_iter": len(log), "start_lr": start, "end_lr": end}
    with finder.attach(trainer, state, **options) as attached:
        attached.run(batches(len(log)), max_epochs=1)
    check_ramp(finder.get_results()["lr"], log)
    suggested = None
    with suppress(RuntimeError):
        suggested = float(finder.lr_suggestion())
    return {"ignite": suggested}


def step(model: Playback, optimizer: torch.optim.Optimizer) -> float:
    loss = model.loss(model(None))
    torch.autograd.backward(loss)
    optimizer.step()
    return float(loss.item())


def ktrain_of(archive: str) -> Finder:
    """Return ktrain's finder, its module read from *archive*."""
    with tarfile.open(archive) as file:
        name = next(name for name in file.getnames() if name.endswith("lroptimize/lrfinder.py"))
        member = file.extractfile(name)
        assert member is not None
        source = member.read().decode()
    import numpy as np

    class Backend:
        get_value = staticmethod(lambda variable: variable["value"])

        @staticmethod
        def set_value(variable: dict[str, float], value: float) -> None:
            variable["value"] = value

    module = types.ModuleType("lrfinder")
    module.__dict__.update(
        K=Backend, np=np, warnings=warnings, U=types.SimpleNamespace(DEFAULT_BS=32)
    )
    exec(re.sub(r"(?m)^from \.+.*$", "", source), module.__dict__)

    def ktrain(log: Log) -> dict[str, float | None]:
        # It stops at a rate of 10, which is its ramp's end: so at a tenth of the log's rates.
        rate = {"value": log[0][0] / 10}
        optimizer = types.SimpleNamespace(lr=rate)
        model = types.SimpleNamespace(optimizer=optimizer, stop_training=False)
        finder = module.LRFinder(model)
        finder.lr_mult = (log[-1][0] / log[0][0]) ** (1 / (len(log) - 1))
        for _, loss in log:
            finder.on_batch_end(0, {"loss": loss})
            if model.stop_training:
                break
        finder._compute_stats()
        check_ramp([10 * lr for lr in finder.lrs], log)
        return {"ktrain": 10 * float(finder.estimate_lr()[1])}

    return ktrain


def simulated(seed: int) -> Log:
    """A log of any kind: noisy or not at all, diverging or not, below zero or not, tiny or huge.

    Without noise, what fastai rounds to single precision decides over `valley` and `slide`.
    """
    draw = random.Random(seed)
    rows = draw.choice([60, 100, 101, 200, 333])
    start, end = 10 ** draw.uniform(-8, -4), 10 ** draw.uniform(0, 1)
    learns, breaks = 10 ** draw.uniform(-4, -1), 10 ** draw.uniform(-2, 2)
    level, fall = draw.choice([2.3, 0.7, 100.0, 1.0]), draw.uniform(0.3, 1)
    noise = draw.choice([0.0, 0.01, 0.1, 0.3])
    unit = draw.choice([1.0, 1.0, 1.0, 1e-3, 1e3])
    nan = draw.choice([rows, rows, draw.randrange(rows // 2, rows)])
    shift = draw.choice([0.0, 0.0, 0.0, -1.0])
    log = []
    for i in range(rows):
        lr = start * (end / start) ** (i / (rows - 1))
        loss = 1 - fall / (1 + (learns / lr) ** 1.5) + min((lr / breaks) ** 4, 1e6)
        loss = level * (loss + shift + draw.gauss(0, noise)) * unit
        log.append((lr, as_float32(loss) if i < nan else math.nan))
    return log


def as_float32(value: float) -> float:
    """What a framework's loss is."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def committed() -> Iterator[tuple[str, Log]]:
    """The tests' logs of losses, by name."""
    for path in sorted(FOLDER.glob("*.csv")):
        header, *lines = path.read_text().split()
        if header == "lr,loss":
            rows = [line.split(",") for line in lines]
            yield path.stem, [(float(lr), float(loss)) for lr, loss in rows]


def ours(rule: str, log: Log) -> float | None:
    """What we say that a peer says, of any log: also of one that `analyze` would refuse."""
    points = Points.read(log)
    curve = Curve.of(points)
    answer = RULES[rule].ask(Evidence(points, curve, Landmarks.of(curve), prior()))
    return None if answer is None else answer.max_lr


def compare(finder: Finder, logs: int) -> None:
    """Print in how many of so many simulated logs *finder* and our rules agree, rule by rule."""
    differences: dict[str, list[str]] = {}
    for seed in range(logs):
        log = simulated(seed)
        for rule, theirs in run(finder, log).items():
            found = differences.setdefault(rule, [])
            mine = ours(rule, log)
            if theirs is None or mine is None:
                same = theirs is mine
            else:
                same = math.isclose(theirs, mine, rel_tol=1e-4)
            if not same:
                found.append(f"{seed}: {theirs} {mine}")
    for rule, found in differences.items():
        print(f"{rule:18} {logs - len(found)} of {logs} alike", *found[:5], sep="   ")


def run(finder: Finder, log: Log) -> dict[str, float | None]:
    """Run *finder*, which talks."""
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return finder(log)


def known(finder: Finder) -> dict[str, dict[str, float | None]]:
    """What *finder* suggests, rule by rule, on the tests' logs."""
    answers: dict[str, dict[str, float | None]] = {}
    for name, log in committed():
        for rule, lr in run(finder, log).items():
            answers.setdefault(rule, {})[name] = None if lr is None else float(f"{lr:.5g}")
    return answers


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ktrain", help="the source distribution of ktrain")
    parser.add_argument("--logs", type=int, default=100, help="how many logs to simulate")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    torch.set_num_threads(1)

    finders: dict[str, Finder] = {}
    for package, finder in (
        ("fastai", fastai),
        ("lightning", lightning),
        ("torch-lr-finder", pytorch_lr_finder),
        ("pytorch-ignite", ignite),
    ):
        with suppress(importlib.metadata.PackageNotFoundError):
            finders[f"{package} {importlib.metadata.version(package)}"] = finder
    if arguments.ktrain:
        finders[Path(arguments.ktrain).name.removesuffix(".tar.gz")] = ktrain_of(arguments.ktrain)

    answers = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for version, finder in finders.items():
        print(version)
        compare(finder, arguments.logs)
        answers[version] = known(finder)
    RESULT.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")
