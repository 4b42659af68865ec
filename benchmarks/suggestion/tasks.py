"""Tasks: what is trained, with which optimizer, how long; varied on purpose."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.suggestion import data, models
from benchmarks.suggestion.data import Data

optim = torch.optim
# All step with lr = 1: see `stack`.
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": partial(optim.SGD, lr=1.0),
    "momentum": partial(optim.SGD, lr=1.0, momentum=0.9),
    "momentum95": partial(optim.SGD, lr=1.0, momentum=0.95),
    "nesterov": partial(optim.SGD, lr=1.0, momentum=0.9, nesterov=True),
    "adam": partial(optim.Adam, lr=1.0),
    "adamw": partial(optim.AdamW, lr=1.0, weight_decay=0.05),
    "nadam": partial(optim.NAdam, lr=1.0),
    "rmsprop": partial(optim.RMSprop, lr=1.0),
    "adagrad": partial(optim.Adagrad, lr=1.0),
}
# What a user would tell the analyzer.
NAMED: dict[str, dict[str, Any]] = {name: {"optimizer": name} for name in OPTIMIZERS} | {
    "momentum": {"optimizer": "sgd", "momentum": 0.9},
    "momentum95": {"optimizer": "sgd", "momentum": 0.95},
    "nesterov": {"optimizer": "nesterov", "momentum": 0.9},
}


class Problem(NamedTuple):
    data: Callable[[], Data]
    build: Callable[[], nn.Module]


class Task(NamedTuple):
    """One problem, trained for *iterations* in batches of *batch*."""

    problem: str
    optimizer: str
    batch: int
    iterations: int
    weight_decay: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.problem}-{self.optimizer}"

    def optimize(self, weights: list[Tensor]) -> torch.optim.Optimizer:
        decay = {"weight_decay": self.weight_decay} if self.weight_decay else {}
        return OPTIMIZERS[self.optimizer](weights, **decay)


S = data.SYMBOLS
PROBLEMS: dict[str, Problem] = {
    "softmax": Problem(data.digits, lambda: models.mlp(64, 10)),
    "relu": Problem(data.digits, lambda: models.mlp(64, 64, 10)),
    "raw": Problem(data.digits_raw, lambda: models.mlp(64, 48, 48, 10)),
    "deep": Problem(data.digits, lambda: models.mlp(64, *[32] * 6, 10)),
    "batchnorm": Problem(data.digits, lambda: models.mlp(64, 64, 10, between=models.batch_norm)),
    "layernorm": Problem(
        data.digits, lambda: models.mlp(64, 48, 48, 10, between=models.layer_norm)
    ),
    "residual": Problem(data.digits, lambda: models.Residual(64, 32, 3, 10)),
    "conv": Problem(data.digits, lambda: models.Convolutional(8, 10)),
    "gru": Problem(data.digits, lambda: nn.Sequential(models.Rows(8), models.Gru(8, 24, 10))),
    "shapes": Problem(data.shapes, lambda: models.Convolutional(12, 4)),
    "shapes-batchnorm": Problem(
        data.shapes, lambda: models.mlp(144, 48, 48, 4, between=models.batch_norm)
    ),
    "cancer": Problem(data.cancer, lambda: models.mlp(30, 32, 32, 2, between=models.tanh)),
    "wine-raw": Problem(data.wine_raw, lambda: models.mlp(13, 32, 3)),
    "moons": Problem(data.moons, lambda: models.mlp(2, 24, 24, 2, between=models.tanh)),
    "diabetes": Problem(data.diabetes, lambda: models.mlp(10, 48, 1)),
    "diabetes-raw": Problem(data.diabetes_raw, lambda: models.mlp(10, 32, 1, between=models.tanh)),
    "friedman": Problem(data.friedman, lambda: models.mlp(10, 48, 48, 1)),
    "autoencoder": Problem(data.patches, lambda: models.mlp(64, 32, 8, 32, 64)),
    "characters-mlp": Problem(
        data.next_character,
        lambda: nn.Sequential(models.Embedding(S, 16), nn.Flatten(-2), models.mlp(128, 64, S)),
    ),
    "characters-gru": Problem(
        lambda: data.characters(16),
        lambda: nn.Sequential(models.Embedding(S, 16), models.Gru(16, 48, S, every=True)),
    ),
    "characters-transformer": Problem(
        lambda: data.characters(16), lambda: models.Transformer(S, 16, 32, S, causal=True)
    ),
    "adding": Problem(data.adding, lambda: models.Gru(2, 24, 1)),
    "majority": Problem(data.majority, lambda: models.Transformer(6, 12, 24, 6, causal=False)),
}

TASKS = [
    Task("softmax", "sgd", 32, 300),
    Task("softmax", "momentum", 16, 600),
    Task("softmax", "adam", 32, 300),
    Task("relu", "sgd", 32, 400),
    Task("relu", "momentum", 32, 400, weight_decay=5e-4),
    Task("relu", "adam", 32, 400),
    Task("relu", "adagrad", 64, 1000),
    Task("raw", "sgd", 32, 400),
    Task("raw", "momentum", 32, 800),
    Task("raw", "adam", 64, 400),
    Task("deep", "momentum95", 32, 1000),
    Task("deep", "adam", 16, 600),
    Task("deep", "rmsprop", 32, 400),
    Task("batchnorm", "sgd", 32, 400),
    Task("batchnorm", "nesterov", 32, 400, weight_decay=5e-4),
    Task("batchnorm", "adamw", 64, 600),
    Task("layernorm", "momentum95", 32, 400),
    Task("layernorm", "adam", 8, 800),
    Task("layernorm", "adagrad", 32, 400),
    Task("residual", "sgd", 32, 600),
    Task("residual", "momentum", 32, 400),
    Task("residual", "adamw", 32, 600),
    Task("conv", "momentum", 32, 400),
    Task("conv", "nesterov", 16, 600),
    Task("conv", "adam", 32, 400),
    Task("gru", "sgd", 32, 600),
    Task("gru", "adam", 32, 400),
    Task("gru", "rmsprop", 32, 400),
    Task("shapes", "sgd", 16, 600),
    Task("shapes", "momentum", 32, 600, weight_decay=1e-3),
    Task("shapes", "nadam", 32, 400),
    Task("shapes-batchnorm", "momentum", 64, 400),
    Task("shapes-batchnorm", "adam", 32, 800),
    Task("shapes-batchnorm", "adagrad", 32, 400),
    Task("cancer", "sgd", 16, 400),
    Task("cancer", "nesterov", 32, 300),
    Task("cancer", "nadam", 32, 300),
    Task("wine-raw", "sgd", 16, 600),
    Task("wine-raw", "momentum", 16, 1000),
    Task("wine-raw", "adamw", 16, 1000),
    Task("moons", "momentum95", 8, 2000),
    Task("moons", "sgd", 32, 3000),
    Task("moons", "rmsprop", 16, 1000),
    Task("diabetes", "sgd", 32, 300),
    Task("diabetes", "momentum", 32, 300, weight_decay=1e-2),
    Task("diabetes", "adam", 32, 400),
    Task("diabetes-raw", "momentum", 32, 600),
    Task("diabetes-raw", "adam", 32, 2000),
    Task("friedman", "sgd", 32, 800),
    Task("friedman", "nesterov", 32, 1000),
    Task("friedman", "adam", 128, 600),
    Task("autoencoder", "momentum", 32, 800),
    Task("autoencoder", "adamw", 32, 800),
    Task("autoencoder", "rmsprop", 64, 800),
    Task("characters-mlp", "momentum", 32, 1000),
    Task("characters-mlp", "adam", 32, 800),
    Task("characters-mlp", "adagrad", 32, 800),
    Task("characters-gru", "sgd", 16, 500),
    Task("characters-gru", "adam", 16, 500),
    Task("characters-transformer", "nesterov", 16, 500),
    Task("characters-transformer", "adamw", 16, 500),
    Task("adding", "momentum", 32, 600),
    Task("adding", "adam", 32, 600),
    Task("majority", "sgd", 32, 600),
    Task("majority", "adamw", 32, 600),
    Task("majority", "nadam", 16, 400),
    Task("softmax", "nesterov", 64, 1500),
    Task("relu", "adamw", 16, 2000),
    Task("relu", "rmsprop", 32, 400),
    Task("deep", "sgd", 32, 2000),
    Task("batchnorm", "momentum95", 32, 1000),
    Task("batchnorm", "adam", 32, 400),
    Task("layernorm", "sgd", 32, 1000),
    Task("residual", "adagrad", 32, 600),
    Task("conv", "sgd", 32, 800),
    Task("conv", "rmsprop", 32, 400),
    Task("gru", "momentum", 32, 600),
    Task("shapes-batchnorm", "nesterov", 32, 1500),
    Task("cancer", "adam", 32, 600),
    Task("cancer", "adagrad", 16, 300),
    Task("wine-raw", "nadam", 16, 400),
    Task("moons", "adam", 32, 1000),
    Task("diabetes", "nesterov", 16, 600),
    Task("diabetes-raw", "sgd", 32, 600),
    Task("diabetes-raw", "adagrad", 32, 1000),
    Task("friedman", "momentum95", 32, 2000),
    Task("friedman", "adagrad", 32, 800),
    Task("autoencoder", "sgd", 32, 2000),
    Task("autoencoder", "adam", 128, 800),
    Task("characters-mlp", "nesterov", 64, 600, weight_decay=1e-4),
    Task("characters-gru", "momentum95", 16, 500),
    Task("characters-transformer", "adam", 16, 500),
    Task("adding", "rmsprop", 32, 600),
    Task("majority", "momentum", 32, 600),
]
