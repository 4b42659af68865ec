"""A range test interrupted at a random point leaves everything as it was, to the bit."""

import random
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.faults.lines import at_line, count_lines
from benchmarks.faults.tasks import Task
from cyclr_torch import range_test

__all__ = ["KINDS", "interrupt"]

ITERATIONS = 30
KINDS = ("exception", "keyboard", "nan", "out of data")
RESTORING = ("cyclr_torch/snapshot.py", "contextlib.py")
"""The restoration itself is not interrupted: no Python code can undo what stops it undoing."""
SPARED = (*RESTORING, "benchmarks/faults/interruptions.py")


class Fault(Exception):
    """What the user's own code raises."""


def interrupt(seed: int) -> dict[str, Any]:
    """Interrupt a range test in one of the four ways, and compare what was with what is."""
    draw = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    task = Task.drawn(draw)
    for _ in range(draw.randrange(4)):
        task.update()
    task.network.train(draw.random() < 0.5)
    before, objects = task.everything(), list(map(id, task.network.parameters()))
    at = draw.randrange(1, ITERATIONS)
    ended = _WAYS[kind](task, at, draw)
    return {
        "kind": kind,
        "ended": ended,
        "equal": task.everything() == before
        and list(map(id, task.network.parameters())) == objects,
        "counts": _counts(task),
    }


def _counts(task: Task) -> bool:
    """Tell whether the scheduler still follows its optimizer."""
    iteration = task.scheduler.iteration
    task.network.train()
    task.update()
    return task.scheduler.iteration == iteration + 1


def _tested(task: Task, loss_fn: Callable[..., Tensor], batches: Any) -> str:
    """Run the range test, and say how it ended."""
    try:
        test = range_test(
            task.network,
            task.optimizer,
            loss_fn,
            batches,
            start_lr=1e-4,
            end_lr=1.0,
            iterations=ITERATIONS,
            progress=False,
        )
    except (Fault, KeyboardInterrupt, ValueError) as error:
        return type(error).__name__
    return "diverged" if test.diverged else "whole"


def _batches(task: Task) -> list[tuple[Tensor, Tensor]]:
    return [(task.inputs[n : n + 16], task.targets[n : n + 16]) for n in range(0, 64, 16)]


def _exception(task: Task, at: int, draw: random.Random) -> str:
    """Raise in the model, before or after its layers, in the loss, the data or the optimizer."""
    calls = 0

    def fails(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Fault

    def loss_fn(outputs: Tensor, targets: Tensor) -> Tensor:
        if place == "loss":
            fails()
        return nn.functional.cross_entropy(outputs, targets)

    class Batches:
        def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
            for batch in _batches(task):
                if place == "data":
                    fails()
                yield batch

    layer = draw.choice(list(task.network))
    hooks = {
        "before": lambda: task.network.register_forward_pre_hook(fails),
        "layer": lambda: layer.register_forward_hook(fails),
        "backward": lambda: layer.register_full_backward_hook(fails),
        "optimizer": lambda: task.optimizer.register_step_post_hook(fails),
    }
    place = draw.choice(["loss", "data", *hooks])
    handle = hooks[place]() if place in hooks else None
    ended = _tested(task, loss_fn, Batches())
    if handle is not None:
        handle.remove()
    return f"{ended} in {place}"


def _keyboard(task: Task, at: int, draw: random.Random) -> str:  # noqa: ARG001
    """Interrupt at a random line, of the range test's own code and of torch's."""

    def tested() -> str:
        return _tested(task, nn.functional.cross_entropy, _batches(task))

    def interrupted() -> None:
        raise KeyboardInterrupt

    random_state = torch.get_rng_state()
    lines, _ = count_lines(tested, SPARED)
    torch.set_rng_state(random_state)
    return str(at_line(draw.randint(1, lines), interrupted, tested, SPARED))


def _nan(task: Task, at: int, draw: random.Random) -> str:  # noqa: ARG001
    """Let the model give NaN from some iteration on."""
    calls = 0

    def spoil(_module: nn.Module, _inputs: Any, outputs: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return outputs * float("nan") if calls >= at else outputs

    handle = task.network.register_forward_hook(spoil)
    ended = _tested(task, nn.functional.cross_entropy, _batches(task))
    handle.remove()
    return ended


def _out_of_data(task: Task, at: int, draw: random.Random) -> str:  # noqa: ARG001
    """Give an iterator that ends before the test, and can't start again."""
    batches = islice(cycle(_batches(task)), at)
    return _tested(task, nn.functional.cross_entropy, batches)


_WAYS: dict[str, Callable[[Task, int, random.Random], str]] = dict(
    zip(KINDS, (_exception, _keyboard, _nan, _out_of_data), strict=True)
)
