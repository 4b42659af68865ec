"""Range-test logs: real ones, and simulated ones in which the truth is known."""

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest

Log = list[tuple[float, float]]
Simulate = Callable[..., Log]

DATA = Path(__file__).parent / "data"


def simulated(
    iterations: int = 200,
    *,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    learns: float = 1e-2,
    breaks: float = 0.5,
    fall: float = 2.0,
    noise: float = 0.05,
    seed: int = 0,
) -> Log:
    """A loss of 2.3 that falls by *fall* around *learns* and blows up around *breaks*."""
    draw = random.Random(seed)
    lrs = [start_lr * (end_lr / start_lr) ** (i / (iterations - 1)) for i in range(iterations)]
    losses = [
        2.3
        - fall / (1 + (learns / lr) ** 1.5)
        + min((lr / breaks) ** 4, 1e6)
        + draw.gauss(0, noise)
        for lr in lrs
    ]
    # A loss is recorded before its learning rate acts.
    return list(zip(lrs, [2.3 + draw.gauss(0, noise), *losses[:-1]], strict=True))


@pytest.fixture(scope="session")
def simulate() -> Simulate:
    return simulated


@pytest.fixture(scope="session", params=["sgd", "momentum", "adam"])
def real_log(request: pytest.FixtureRequest) -> Log:
    """A range test of a network on scikit-learn's digits (benchmarks/range_test_logs.py)."""
    return read(f"digits_{request.param}")


@pytest.fixture(scope="session")
def real_logs() -> dict[str, Log]:
    return {name: read(f"digits_{name}") for name in ("sgd", "momentum", "adam")}


@pytest.fixture(scope="session")
def read_log() -> Callable[[str], Log]:
    """A real log by its name in data/: good ones, and one of each trouble."""
    return read


def read(name: str) -> Log:
    with open(DATA / f"{name}.csv", newline="") as file:
        _, *rows = csv.reader(file)
        return [(float(lr), float(value)) for lr, value in rows]


@pytest.fixture(scope="session")
def without_noise() -> Log:
    """A loss that is a formula: its turning points are known to the digit."""
    return [(lr, 2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + lr**4) for lr, _ in simulated()]
