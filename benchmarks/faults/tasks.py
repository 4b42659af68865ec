"""Small training tasks with all the state that training can have, and that state as bytes."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

import cyclr
from cyclr_torch import Scheduler

__all__ = ["OPTIMIZERS", "SCHEDULES", "Task", "bits"]

SCHEDULES: list[cyclr.Schedule] = [
    cyclr.Triangular(0.001, 0.05, 7),
    cyclr.Triangular2(0.001, 0.05, 6, cycles=2).then(cyclr.Triangular2(0.0001, 0.005, 4)),
    cyclr.ExpRange(0.001, 0.05, 5, gamma=0.98, decays="bounds"),
    cyclr.Cyclical(0.001, 0.05, 3, cycle_mult=2, shape="cosine"),
    cyclr.OneCycle(0.05, 40),
    cyclr.Cosine(0.05, 0.0, 30).warmup(5),
]
OPTIMIZERS: dict[str, tuple[type[Optimizer], dict[str, Any]]] = {
    "SGD": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}),
    "Nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "Adam": (torch.optim.Adam, {}),
    "AdamW": (torch.optim.AdamW, {"amsgrad": True}),
    "RMSprop": (torch.optim.RMSprop, {"momentum": 0.5}),
}


@dataclass
class Task:
    """A network with buffers and dropout, its optimizer and scheduler; batches drawn at random."""

    network: nn.Module
    optimizer: Optimizer
    scheduler: Scheduler
    inputs: Tensor
    targets: Tensor

    @classmethod
    def drawn(cls, draw: random.Random) -> "Task":
        """Return a task; *draw* decides all of it."""
        torch.manual_seed(draw.randrange(2**32))
        network = nn.Sequential(
            nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 2)
        )
        make, options = OPTIMIZERS[draw.choice(list(OPTIMIZERS))]
        optimizer = make(network.parameters(), lr=0.01, **options)
        lr = draw.choice(SCHEDULES)
        cycled = {"momentum": lr.mirror(0.8, 0.95)} if draw.random() < 0.5 else {}
        scheduler = Scheduler(optimizer, lr, **cycled)
        inputs = torch.randn(64, 6)
        return cls(network, optimizer, scheduler, inputs, (inputs[:, 0] > 0).long())

    def batch(self) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(self.inputs), (16,))
        return self.inputs[chosen], self.targets[chosen]

    def update(self) -> None:
        inputs, targets = self.batch()
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.network(inputs), targets).backward()
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to hold."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": torch.get_rng_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        torch.set_rng_state(state["random"])

    def everything(self) -> Any:
        """Return, as bits, also what no checkpoint holds: gradients, modes, all random states."""
        modules = list(self.network.modules())
        gradients = [parameter.grad for parameter in self.network.parameters()]
        randoms = [random.getstate(), np.random.get_state()]
        return bits([self.state_dict(), gradients, [m.training for m in modules], randoms])


def bits(value: Any) -> Any:
    """Return a nested value with its tensors as bytes, to be compared by ==."""
    if isinstance(value, Tensor):
        return (str(value.dtype), tuple(value.shape), value.detach().numpy().tobytes())
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [bits(item) for item in value]
    return value
