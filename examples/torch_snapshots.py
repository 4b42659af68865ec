"""Snapshot ensemble on scikit-learn's digits: one training, several networks to ask.

At the end of each cycle a copy of the weights is kept (G. Huang et al., arXiv 1704.00109). The
mean of what the copies predict is compared with the last of them alone, with the network of the
mean weights (SWA, arXiv 1803.05407), and with one long cycle of as many epochs. On a task as small
as this none of them is better than the last snapshot: see for yourself.

pip install "cyclr[torch]" scikit-learn
python examples/torch_snapshots.py
"""

import copy
import statistics

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset, random_split

from cyclr import CosineRestarts
from cyclr_torch import Scheduler, on_cycle_end, range_test

CYCLES, EPOCHS = 5, 6  # as many epochs a cycle


def digits(seed):
    """Return batches of a part of the digits, and the others."""
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    data = TensorDataset(images.float() / 16, labels)
    training, held_out = random_split(data, [0.3, 0.7], torch.Generator().manual_seed(seed))
    return DataLoader(training, batch_size=32, shuffle=True, drop_last=True), held_out[:]


def train(batches, cycles, seed):
    """Train for all epochs in so many cycles; return the network of each end, and their mean."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()
    bounds = range_test(network, optimizer, loss_fn, batches, progress=False).bounds()

    length = len(batches) * EPOCHS * CYCLES // cycles
    schedule = CosineRestarts(0.0, bounds.max_lr, first_cycle=length)
    scheduler = Scheduler(optimizer, schedule)
    snapshots, average = [], AveragedModel(network)
    on_cycle_end(scheduler, lambda _: snapshots.append(copy.deepcopy(network).eval()))
    on_cycle_end(scheduler, lambda _: average.update_parameters(network))
    for _ in range(EPOCHS * CYCLES):
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss_fn(network(inputs), targets).backward()
            optimizer.step()
    update_bn(batches, average)
    return snapshots, average.eval()


def accuracies(seed):
    """Return the accuracies on the held-out digits, in percent."""
    batches, (inputs, targets) = digits(seed)

    def accuracy(networks):
        with torch.no_grad():
            votes = sum(network(inputs).softmax(-1) for network in networks)
        return 100 * (votes.argmax(-1) == targets).double().mean().item()

    snapshots, average = train(batches, CYCLES, seed)
    (long,), _ = train(batches, 1, seed)
    return {
        "the last snapshot": accuracy(snapshots[-1:]),
        "all snapshots": accuracy(snapshots),
        "the mean weights": accuracy([average]),
        "one long cycle": accuracy([long]),
    }


if __name__ == "__main__":
    runs = [accuracies(seed) for seed in range(10)]
    for name in runs[0]:
        values = [run[name] for run in runs]
        gain = [run[name] - run["the last snapshot"] for run in runs]
        error = statistics.stdev(gain) / len(gain) ** 0.5
        print(
            f"{name:18}{statistics.mean(values):6.2f} %,"
            f" {statistics.mean(gain):+.2f} ± {error:.2f} over the last snapshot"
        )
