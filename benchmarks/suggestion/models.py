"""Models: networks of the usual kinds, small, and stackable.

A stack of replicas is trained at once (see `stack`), through `torch.vmap`, which takes any network
written in operations it knows: so a convolution is a product with unfolded patches here, and a
recurrent network a loop over its cell.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

Between = Callable[[int], list[nn.Module]]


def relu(_: int) -> list[nn.Module]:
    return [nn.ReLU()]


def tanh(_: int) -> list[nn.Module]:
    return [nn.Tanh()]


def batch_norm(width: int) -> list[nn.Module]:
    # Statistics of the batch, also in evaluation: a stack keeps no running ones.
    return [nn.BatchNorm1d(width, track_running_stats=False), nn.ReLU()]


def layer_norm(width: int) -> list[nn.Module]:
    return [nn.LayerNorm(width), nn.ReLU()]


def mlp(*sizes: int, between: Between = relu) -> nn.Sequential:
    blocks: list[nn.Module] = []
    for index, (inward, outward) in enumerate(pairwise(sizes)):
        blocks += [nn.Linear(inward, outward)]
        blocks += between(outward) if index < len(sizes) - 2 else []
    return nn.Sequential(*blocks)


class Convolution(nn.Module):
    """3 x 3, without padding, channels last."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.product = nn.Linear(9 * inward, outward)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.product(x.unfold(-3, 3, 1).unfold(-3, 3, 1).flatten(-3)))


class Convolutional(nn.Module):
    """Two convolutions with pooling between, on a square image of one channel."""

    def __init__(self, side: int, classes: int) -> None:
        super().__init__()
        self.side = side
        self.first, self.second = Convolution(1, 8), Convolution(8, 12)
        self.head = nn.Linear(12 * ((side - 2) // 2 - 2) ** 2, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.reshape(*x.shape[:-1], self.side, self.side, 1))
        half = (self.side - 2) // 2
        x = x[..., : 2 * half, : 2 * half, :].unflatten(-2, (half, 2)).unflatten(-4, (half, 2))
        logits: Tensor = self.head(self.second(x.amax((-2, -4))).flatten(-3))
        return logits


class Residual(nn.Module):
    """Blocks x + f(norm(x)): a residual network without its convolutions."""

    def __init__(self, inward: int, width: int, depth: int, classes: int) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(inward, width), nn.Linear(width, classes)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), mlp(width, width, width)) for _ in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        logits: Tensor = self.head(x)
        return logits


class Embedding(nn.Module):
    """Vectors for symbols, as the product with their unit vectors."""

    def __init__(self, symbols: int, width: int) -> None:
        super().__init__()
        self.symbols = symbols
        self.table = nn.Linear(symbols, width, bias=False)
        nn.init.normal_(self.table.weight, std=0.3)

    def forward(self, x: Tensor) -> Tensor:
        vectors: Tensor = self.table(functional.one_hot(x, self.symbols).float())
        return vectors


class Rows(nn.Module):
    """A flat input as a sequence of rows."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.length, -1))


class Gru(nn.Module):
    """A gated recurrent network; its head reads the last state, or each."""

    def __init__(self, inward: int, width: int, outward: int, every: bool = False) -> None:
        super().__init__()
        self.inward = nn.Linear(inward, 3 * width)
        self.recurrent = nn.Linear(width, 3 * width)
        for layer in self.inward, self.recurrent:
            nn.init.uniform_(layer.weight, -1 / math.sqrt(width), 1 / math.sqrt(width))
        self.head = nn.Linear(width, outward)
        self.every = every

    def forward(self, x: Tensor) -> Tensor:
        driven = self.inward(x)
        state = torch.zeros_like(driven[..., 0, : self.recurrent.in_features])
        states = []
        for step in driven.unbind(-2):
            a, b, c = step.chunk(3, -1)
            d, e, f = self.recurrent(state).chunk(3, -1)
            keep = torch.sigmoid(a + d)
            state = keep * state + (1 - keep) * torch.tanh(c + torch.sigmoid(b + e) * f)
            states.append(state)
        output: Tensor = self.head(torch.stack(states, -2) if self.every else state)
        return output


class Transformer(nn.Module):
    """Attention and a feed-forward layer, normalised before each; causal if it reads text."""

    def __init__(self, symbols: int, length: int, width: int, outward: int, causal: bool) -> None:
        super().__init__()
        self.embedding = Embedding(symbols, width)
        self.position = nn.Parameter(0.1 * torch.randn(length, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attention, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.forwards = mlp(width, 2 * width, width)
        self.head = nn.Linear(width, outward)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x) + self.position
        heads = self.attention(self.norms[0](x)).unflatten(-1, (3, 2, -1)).transpose(-2, -4)
        q, k, v = heads.unbind(-3)  # each (heads, length, width / heads)
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if self.causal:
            ones = torch.ones(scores.shape[-2:], dtype=torch.bool)
            scores = scores.masked_fill(ones.triu(1), -math.inf)
        mixed = (scores.softmax(-1) @ v).transpose(-2, -3).flatten(-2)
        x = x + self.mix(mixed)
        x = self.norms[2](x + self.forwards(self.norms[1](x)))
        output: Tensor = self.head(x if self.causal else x.mean(-2))
        return output
