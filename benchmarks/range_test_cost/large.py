"""What a range test costs in time and memory, beside Lightning's and pytorch-lr-finder's.

    pip install lightning torch-lr-finder
    OMP_NUM_THREADS=1 python -m benchmarks.range_test_cost

One model, its Adam and the same batches for all, each in a process of its own: some plain
training first, so that the optimizer has its state and the process its working memory; then the
range test. The peers run as their documentation shows, with their own defaults. Time is the
processor's, for the whole call, and per iteration made beside that of plain training; memory is
the rise of the process's peak over plain training's. Lightning writes a checkpoint, whose size is
given. What is not as it was before is named, too. --json FILE keeps the figures.
"""

import argparse
import contextlib
import json
import logging
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WIDTH, DEPTH, BATCH, SAMPLES, CLASSES = 1024, 6, 8, 4096, 10
UPDATES = 40  # of plain training
ROUNDS = 7  # the machine may be busy: the least of them counts
MEBI = 2**20


def network() -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(DEPTH):
        layers += [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(WIDTH, CLASSES))


def batches() -> DataLoader[tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(SAMPLES, WIDTH, generator=generator)
    targets = (inputs @ torch.randn(WIDTH, CLASSES, generator=generator)).argmax(1)
    return DataLoader(TensorDataset(inputs, targets), BATCH, shuffle=True)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, data: Any, updates: int) -> None:
    for _, (inputs, targets) in zip(range(updates), data, strict=False):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()


# Each runs the test, and returns the number of its iterations.


def cyclr(model: nn.Module, optimizer: torch.optim.Optimizer, data: Any) -> int:
    from cyclr_torch import range_test

    return len(range_test(model, optimizer, nn.CrossEntropyLoss(), data).points)


def lr_finder(model: nn.Module, optimizer: torch.optim.Optimizer, data: Any) -> int:
    from torch_lr_finder import LRFinder

    finder = LRFinder(model, optimizer, nn.CrossEntropyLoss(), device="cpu")
    finder.range_test(data, end_lr=10, num_iter=100)
    iterations = len(finder.history["lr"])
    finder.reset()
    return iterations


def lightning(model: nn.Module, optimizer: torch.optim.Optimizer, data: Any) -> int:
    import lightning.pytorch as pl
    from lightning.pytorch.tuner import Tuner

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.lr = model, 0.001

        def training_step(self, batch: Any, _: int) -> Tensor:
            inputs, targets = batch
            return nn.functional.cross_entropy(self.model(inputs), targets)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return optimizer

    trainer = pl.Trainer(logger=False, accelerator="cpu", max_epochs=10, enable_model_summary=False)
    found = Tuner(trainer).lr_find(Module(), train_dataloaders=data)
    assert found is not None
    return len(found.results["lr"])


FINDERS = {"cyclr": cyclr, "pytorch-lr-finder": lr_finder, "Lightning": lightning}


def timed(function: Callable[[], object]) -> float:
    """Return the processor time that the function takes, in seconds."""
    started = time.process_time()
    function()
    return time.process_time() - started


def peak() -> float:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def everything(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return what a test should leave as it was: fingerprints, which take no memory."""
    states = [s for p in model.parameters() for s in optimizer.state.get(p, {}).values()]
    return {
        "weights": [t.double().sum().item() for t in model.state_dict().values()],
        "optimizer": [s.double().sum().item() for s in states],
        "learning rate": [float(group["lr"]) for group in optimizer.param_groups],
        "random state": torch.get_rng_state().double().sum().item(),
        "mode": model.training,
    }


@contextlib.contextmanager
def files_in(folder: str) -> Iterator[list[float]]:
    """Yield a list that gets the size of the largest file written to the folder, in MiB."""
    sizes = [0.0]
    save = torch.save

    def measured(thing: Any, file: Any, *arguments: Any, **named: Any) -> None:
        save(thing, file, *arguments, **named)
        written = file.tell() if hasattr(file, "tell") else os.path.getsize(file)
        sizes.append(written / MEBI)

    torch.save = measured
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield sizes
    finally:
        os.chdir(before)
        torch.save = save


def measured(name: str) -> dict[str, Any]:
    """Return what a finder takes, in this process."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    model, data = network(), batches()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    little = nn.Linear(WIDTH, CLASSES)  # for imports, and whatever else is made once
    FINDERS[name](little, torch.optim.Adam(little.parameters(), lr=0.001), data)
    train(model, optimizer, data, UPDATES)
    plain = [timed(lambda: train(model, optimizer, data, UPDATES))]
    before, state = peak(), everything(model, optimizer)
    with tempfile.TemporaryDirectory() as folder, files_in(folder) as sizes:
        iterations = []
        seconds = timed(lambda: iterations.append(FINDERS[name](model, optimizer, data)))
    rise, after = peak() - before, everything(model, optimizer)
    plain.append(timed(lambda: train(model, optimizer, data, UPDATES)))
    return {
        "iterations": iterations[0],
        "seconds": seconds,
        "plain": min(plain) / UPDATES,
        "memory": rise,
        "file": max(sizes),
        "changed": [what for what in state if state[what] != after[what]],
    }


def in_a_process(name: str) -> dict[str, Any]:
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.range_test_cost", "--one", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return dict(json.loads(result.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", choices=FINDERS, help="measure one, in this process")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments.one)))
        return
    rounds = [{name: in_a_process(name) for name in FINDERS} for _ in range(ROUNDS)]
    model = network()
    weights = sum(t.numel() * t.element_size() for t in model.state_dict().values()) / MEBI
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}")
    print(f"weights and buffers {weights:.0f} MiB; with Adam's state {3 * weights:.0f} MiB\n")
    columns = ["", "iterations", "time, s", "per iteration / training's"]
    columns += ["memory, MiB", "file, MiB", "left changed"]
    print(f"| {' | '.join(columns)} |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    plain = min(each[name]["plain"] for each in rounds for name in FINDERS)
    for name in FINDERS:
        best = min((each[name] for each in rounds), key=lambda one: one["seconds"])
        ratio = best["seconds"] / best["iterations"] / plain
        memory = statistics.median(each[name]["memory"] for each in rounds)
        print(
            f"| {name} | {best['iterations']} | {best['seconds']:.1f} | {ratio:.2f} "
            f"| {memory:.0f} | {best['file']:.0f} | {', '.join(best['changed']) or 'nothing'} |"
        )
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(
                {"torch": torch.__version__, "weights": weights, "rounds": rounds}, file, indent=1
            )


if __name__ == "__main__":
    main()
