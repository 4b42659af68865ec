"""Write the range-test logs that the tests read: digits, one network, three optimizers.

    OMP_NUM_THREADS=1 python -m benchmarks.range_test_logs

Needs PyTorch and scikit-learn.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import nn

from cyclr.range_test import RangeTest

FOLDER = Path(__file__).parents[1] / "tests" / "range_test" / "data"
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1.0),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=1.0, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=1.0),
}


def test_of(build: Callable[[Any], torch.optim.Optimizer]) -> RangeTest:
    torch.manual_seed(0)
    inputs, targets = load_digits(return_X_y=True)
    x = torch.as_tensor(inputs / 16, dtype=torch.float32)
    y = torch.as_tensor(targets)
    network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = build(network.parameters())
    batches: list[torch.Tensor] = []
    test = RangeTest()
    for lr in test:
        batches = batches or list(torch.split(torch.randperm(len(x)), 32)[:-1])
        chosen = batches.pop()
        loss = nn.functional.cross_entropy(network(x[chosen]), y[chosen])
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        test.record(loss.item())
    return test


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, build in OPTIMIZERS.items():
        rows = [f"{lr:.6g},{loss:.6g}\n" for lr, loss in test_of(build).points]
        (FOLDER / f"digits_{name}.csv").write_text("lr,loss\n" + "".join(rows))
        print(f"digits_{name}.csv: {len(rows)} rows")
