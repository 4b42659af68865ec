"""A network on scikit-learn's digits: the range test's bounds, and what training with them gives.

    OMP_NUM_THREADS=1 python -m benchmarks.torch_digits

For each optimizer: the bounds from one range test, then the held-out accuracy after the same
number of iterations with Triangular2 and with one-cycle from those bounds, beside three rates
fixed beforehand. Means over seeds with their range; the seed sets weights, split and batches.
"""

import statistics
from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cyclr import Constant, OneCycle, Schedule, Triangular2
from cyclr_torch import Scheduler, range_test

SEEDS = range(5)
EPOCHS = 12
FIXED = (0.001, 0.01, 0.1)
OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "SGD": lambda model: torch.optim.SGD(model.parameters(), lr=0.01),
    "SGD, momentum 0.9": lambda model: torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9),
    "Adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.01),
}


def data(seed: int) -> tuple[DataLoader[tuple[torch.Tensor, ...]], torch.Tensor, torch.Tensor]:
    """Return shuffled batches of 32 from three quarters of the digits, and the other quarter."""
    inputs, targets = load_digits(return_X_y=True)
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(seed))
    x, y = torch.tensor(inputs / 16, dtype=torch.float32)[order], torch.tensor(targets)[order]
    cut = len(x) * 3 // 4
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(TensorDataset(x[:cut], y[:cut]), 32, shuffle=True, generator=generator)
    return loader, x[cut:], y[cut:]


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def trained(name: str, schedule: Schedule, seed: int) -> float:
    """Return the held-out accuracy, in percent, after training from the seed's weights."""
    loader, inputs, targets = data(seed)
    model = network(seed)
    optimizer = OPTIMIZERS[name](model)
    Scheduler(optimizer, schedule)
    for _ in range(EPOCHS):
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    with torch.no_grad():
        return 100 * (model(inputs).argmax(1) == targets).float().mean().item()


def main() -> None:
    torch.set_num_threads(1)
    iterations = EPOCHS * len(data(0)[0])
    print(f"torch {torch.__version__}, {iterations} iterations, {len(SEEDS)} seeds\n")
    for name, make in OPTIMIZERS.items():
        accuracies: dict[str, list[float]] = {}
        for seed in SEEDS:
            model = network(seed)
            test = range_test(
                model, make(model), nn.functional.cross_entropy, data(seed)[0], progress=False
            )
            bounds = test.bounds()
            if seed == 0:
                print(f"## {name}\n\n```\n{bounds}\n```\n")
            cycles = bounds.schedule(Triangular2.fit, iterations=iterations)
            schedules = {
                "Triangular2": cycles,
                "OneCycle": bounds.schedule(OneCycle, iterations=iterations),
            }
            schedules |= {f"fixed {lr}": Constant(lr) for lr in FIXED}
            for policy, schedule in schedules.items():
                accuracies.setdefault(policy, []).append(trained(name, schedule, seed))
        print("| policy | held-out accuracy, % | least to most |\n| --- | ---: | ---: |")
        for policy, values in accuracies.items():
            mean = statistics.fmean(values)
            print(f"| {policy} | {mean:.1f} | {min(values):.1f} to {max(values):.1f} |")
        print(flush=True)


if __name__ == "__main__":
    main()
