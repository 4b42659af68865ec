"""A run killed at a random line goes on, from its last checkpoint, to the same bits."""

import os
import random
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.faults.lines import at_line, count_lines
from benchmarks.faults.tasks import Task, bits

__all__ = ["kill", "trained"]

UPDATES, EVERY = 40, 7


def trained(seed: int, checkpoint: Path) -> Task:
    """Train the task of the seed to its end, from its checkpoint if there is one."""
    task = Task.drawn(random.Random(seed))
    if checkpoint.exists():
        task.load_state_dict(torch.load(checkpoint))
    while task.scheduler.iteration < UPDATES:
        task.update()
        if task.scheduler.iteration % EVERY == 0:
            part = checkpoint.with_suffix(".part")
            torch.save(task.state_dict(), part)
            part.replace(checkpoint)  # the old one or the new one, never half of one
    return task


def kill(seed: int) -> dict[str, Any]:
    """Kill the seed's run at a random line, resume it, and compare with one left alone."""
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = Path(folder, "whole.pt"), Path(folder, "cut.pt")
        task = trained(seed, whole)
        whole.unlink()
        lines, _ = count_lines(lambda: trained(seed, whole))
        line = random.Random(-1 - seed).randint(1, lines)

        def dies() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        signalled = _forked(lambda: at_line(line, dies, lambda: trained(seed, cut)))
        resumed_from = torch.load(cut)["scheduler"]["iteration"] if cut.exists() else 0
        resumed = trained(seed, cut)
        return {
            "killed": signalled == signal.SIGKILL,
            "resumed_from": resumed_from,
            "equal": bits(resumed.state_dict()) == bits(task.state_dict()),
        }


def _forked(function: Callable[[], Any]) -> int:
    """Run a function in a process of its own; return the signal that ended it, 0 if none."""
    child = os.fork()
    if child == 0:
        try:
            function()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
