"""Caffe's `cifar10_full`, layer by layer (BVLC/caffe, examples/cifar10)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Cifar10Full", "local_response", "parameter_groups"]

WEIGHT_DECAY = 0.004
ALPHA, BETA = 5e-5, 0.75


class _LocalResponse(torch.autograd.Function):
    """The operation behind `local_response`: one box filter each way, and no general power."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        scale = _box(x * x).mul_(ALPHA).add_(1)
        root = scale.rsqrt()
        power = root * root.sqrt()  # scale^(-3/4)
        y = x * power
        ctx.save_for_backward(x, scale, power, y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # dy_j/dx_i = [i = j] s_j^-b - (2ab/9) y_j x_i / s_j, for i in the window of j.
        x, scale, power, y = ctx.saved_tensors
        around = _box((gradient * y).div_(scale))
        return (gradient * power).sub_(around.mul_(x).mul_(2 * ALPHA * BETA))


def _box(x: Tensor) -> Tensor:
    """Return the mean of each 3x3 window, in which what lies outside counts as 0."""
    return F.avg_pool2d(x, 3, stride=1, padding=1)


def local_response(x: Tensor) -> Tensor:
    """Caffe's LRN within a channel: x (1 + alpha m)^-beta, where m is the 3x3 mean of x^2."""
    return _LocalResponse.apply(x)


class Cifar10Full(nn.Module):
    """Three convolutions and one linear layer: 89,578 parameters, started by the *seed*."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 32, 5, padding=2)
        self.conv3 = nn.Conv2d(32, 64, 5, padding=2)
        self.ip1 = nn.Linear(64 * 4 * 4, 10)
        generator = torch.Generator().manual_seed(seed)
        spreads = {self.conv1: 0.0001, self.conv2: 0.01, self.conv3: 0.01, self.ip1: 0.01}
        for layer, std in spreads.items():
            nn.init.normal_(layer.weight, std=std, generator=generator)
            nn.init.zeros_(layer.bias)
        self.to(memory_format=torch.channels_last)  # twice as fast on a CPU

    def forward(self, x: Tensor) -> Tensor:
        # Pooling rounds up, as Caffe's does: 32, 16, 8, 4. The first is before the ReLU.
        x = F.relu(F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True))
        x = local_response(x)
        x = F.avg_pool2d(F.relu(self.conv2(x)), 3, 2, ceil_mode=True)
        x = local_response(x)
        x = F.avg_pool2d(F.relu(self.conv3(x)), 3, 2, ceil_mode=True)
        return self.ip1(x.flatten(1))


def parameter_groups(network: Cifar10Full) -> tuple[list[dict[str, Any]], list[float]]:
    """Return the groups of parameters, and for each the multiple of the learning rate."""
    conv1, conv2, conv3, ip1 = network.conv1, network.conv2, network.conv3, network.ip1
    plain = [conv1.weight, conv2.weight, conv3.weight, conv3.bias]  # conv3 names no multiples
    groups = [
        {"params": plain, "weight_decay": WEIGHT_DECAY},
        {"params": [conv1.bias, conv2.bias], "weight_decay": WEIGHT_DECAY},
        {"params": [ip1.weight], "weight_decay": 250 * WEIGHT_DECAY},
        {"params": [ip1.bias], "weight_decay": 0.0},
    ]
    return groups, [1, 2, 1, 2]
