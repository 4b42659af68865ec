"""Caffe's solvers, which are not torch's: the learning rate is inside the velocity.

v = m v + lr g, w = w - v, where torch has v = m v + g, w = w - lr v. The two differ whenever the
learning rate changes, which in a cycle is always. Weight decay is added to the gradient in all.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["SOLVERS", "Solver"]

DELTA = 1e-8


class Solver(Optimizer):
    """What the solvers share; each adds how far a weight moves."""

    def __init__(self, groups: Any, lr: float = 0.001, momentum: float = 0.9) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # noqa: ARG002
        for group in self.param_groups:
            for weight in group["params"]:
                gradient = weight.grad.add(weight, alpha=group["weight_decay"])
                state = self.state[weight]
                if not state:
                    state.update({name: torch.zeros_like(weight) for name in self.histories})
                    state["iteration"] = 0
                state["iteration"] += 1
                weight -= self.change(gradient, group["lr"], group["momentum"], state)

    histories: tuple[str, ...]
    """What is remembered of each weight, from 0."""

    def change(self, g: Tensor, lr: float, momentum: float, state: dict[str, Any]) -> Tensor:
        """Return what is taken off the weight whose gradient is *g*."""
        raise NotImplementedError


class SGD(Solver):
    histories = ("velocity",)

    def change(self, g: Tensor, lr: float, momentum: float, state: dict[str, Any]) -> Tensor:
        velocity = state["velocity"]
        return velocity.mul_(momentum).add_(g, alpha=lr)


class Nesterov(Solver):
    histories = ("velocity",)

    def change(self, g: Tensor, lr: float, momentum: float, state: dict[str, Any]) -> Tensor:
        velocity = state["velocity"]
        velocity.mul_(momentum).add_(g, alpha=lr)
        return momentum * velocity + lr * g  # = (1 + m) v - m v_before


class Adam(Solver):
    histories = ("mean", "square")
    beta2 = 0.999

    def change(self, g: Tensor, lr: float, momentum: float, state: dict[str, Any]) -> Tensor:
        mean, square, t = state["mean"], state["square"], state["iteration"]
        mean.mul_(momentum).add_(g, alpha=1 - momentum)
        square.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
        correction = math.sqrt(1 - self.beta2**t) / (1 - momentum**t)
        return lr * correction * mean / (square.sqrt() + DELTA)


class RMSprop(Solver):
    histories = ("square",)
    decay = 0.99

    def change(self, g: Tensor, lr: float, momentum: float, state: dict[str, Any]) -> Tensor:  # noqa: ARG002
        square = state["square"]
        square.mul_(self.decay).addcmul_(g, g, value=1 - self.decay)
        return lr * g / (square.sqrt() + DELTA)


class AdaGrad(Solver):
    histories = ("square",)

    def change(self, g: Tensor, lr: float, momentum: float, state: dict[str, Any]) -> Tensor:  # noqa: ARG002
        square = state["square"]
        square.addcmul_(g, g)
        return lr * g / (square.sqrt() + DELTA)


class AdaDelta(Solver):
    histories = ("square", "change")

    def change(self, g: Tensor, lr: float, momentum: float, state: dict[str, Any]) -> Tensor:
        square, changes = state["square"], state["change"]
        square.mul_(momentum).addcmul_(g, g, value=1 - momentum)
        change = g * ((changes + DELTA) / (square + DELTA)).sqrt()
        changes.mul_(momentum).addcmul_(change, change, value=1 - momentum)
        return lr * change


SOLVERS: dict[str, type[Solver]] = {
    solver.__name__: solver for solver in (SGD, Nesterov, Adam, RMSprop, AdaGrad, AdaDelta)
}
