"""What a range test has to know of an optimizer: its name, its momentum, its learning rates."""

from typing import Any

from torch.optim import Optimizer

from cyclr_torch.course import is_number, place, set_value, unwrapped

__all__ = ["Rates", "leading", "momentum_of", "name_of"]


class Rates:
    """The learning rates of an optimizer's groups, which keep their ratio to the largest one."""

    def __init__(self, optimizer: Optimizer):
        highest = float(leading(optimizer)["lr"])
        rates = [float(group["lr"]) for group in optimizer.param_groups]
        self._ratios = [rate / highest if highest > 0 else 1.0 for rate in rates]
        self._optimizer = optimizer

    def set(self, lr: float) -> None:
        """Give *lr* to the group that had the largest, and to the others their part of it."""
        for group, ratio in zip(self._optimizer.param_groups, self._ratios, strict=True):
            set_value(group, "lr", lr * ratio)


def leading(optimizer: Optimizer) -> dict[str, Any]:
    """Return the group whose learning rate is the largest."""
    for index, group in enumerate(optimizer.param_groups):
        place("lr", group, index)
    return max(optimizer.param_groups, key=lambda group: float(group["lr"]))


def name_of(optimizer: Optimizer) -> str:
    """Return the name by which `cyclr.analyze` knows the optimizer."""
    kind: type[Any] = type(optimizer)
    if kind.__module__.startswith("accelerate."):  # it wraps what makes the updates as they are
        kind = type(unwrapped(optimizer))
    name = kind.__name__.lower()
    return "nesterov" if name == "sgd" and optimizer.param_groups[0].get("nesterov") else name


def momentum_of(optimizer: Optimizer) -> float | None:
    """Return the momentum, or the first beta, of the leading group."""
    group = leading(optimizer)
    momentum: Any = group.get("momentum", (group.get("betas") or (None,))[0])
    return float(momentum) if is_number(momentum) else None
