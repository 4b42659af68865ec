"""Snapshot ensemble on scikit-learn's digits: one training, several networks to ask.

Where a cycle ends, a copy of the network is kept (G. Huang et al., arXiv 1704.00109). The mean of
what the copies predict is compared with the last copy alone, with a network of their mean weights
(P. Izmailov et al., arXiv 1803.05407), and with a network trained for as long in one cycle.

pip install "cyclr[torch]" scikit-learn
python examples/torch_snapshots.py 20
"""

import copy
import statistics
import sys

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset, random_split

from cyclr import CosineRestarts
from cyclr_torch import Scheduler, on_cycle_end, range_test

EPOCHS, CYCLES = 50, 5
FACTOR = 4  # times the bounds' max_lr: to come away from where the last cycle has ended


def digits(seed):
    """Return batches of a tenth of the digits, and all the others."""
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    data = TensorDataset(images.float() / 16, labels)
    training, held_out = random_split(data, [0.1, 0.9], torch.Generator().manual_seed(seed))
    return DataLoader(training, batch_size=16, shuffle=True, drop_last=True), held_out[:]


def train(batches, cycles, seed):
    """Return the network at the end of each cycle, and the one of their mean weights."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    bounds = range_test(network, optimizer, F.cross_entropy, batches, progress=False).bounds()
    length = EPOCHS * len(batches) // cycles
    schedule = CosineRestarts(0.0, FACTOR * bounds.max_lr, first_cycle=length)
    scheduler = Scheduler(optimizer, schedule)

    snapshots, average = [], AveragedModel(network)
    on_cycle_end(scheduler, lambda _: snapshots.append(copy.deepcopy(network).eval()))
    on_cycle_end(scheduler, lambda _: average.update_parameters(network))
    for _ in range(EPOCHS):
        for inputs, labels in batches:
            optimizer.zero_grad()
            F.cross_entropy(network(inputs), labels).backward()
            optimizer.step()
    update_bn(batches, average)
    return snapshots, average.eval()


@torch.no_grad()
def judge(networks, held_out):
    """Return the accuracy, in percent, and the loss of the networks' mean prediction."""
    inputs, labels = held_out
    mean = sum(network(inputs).softmax(-1) for network in networks) / len(networks)
    correct = (mean.argmax(-1) == labels).double().mean().item()
    return 100 * correct, F.nll_loss(mean.log(), labels).item()


def compare(seed):
    """Return how a training in cycles does, and one in a single cycle."""
    batches, held_out = digits(seed)
    snapshots, average = train(batches, CYCLES, seed)
    single, _ = train(batches, 1, seed)
    return {
        "the last snapshot": judge(snapshots[-1:], held_out),
        "all snapshots": judge(snapshots, held_out),
        "their mean weights": judge([average], held_out),
        "one long cycle": judge(single, held_out),
    }


if __name__ == "__main__":
    runs = [compare(seed) for seed in range(int(sys.argv[1]) if sys.argv[1:] else 3)]
    for name in runs[0]:
        print(f"{name:20}", end="")
        for measure, unit, digit in ((0, " %", 2), (1, "", 3)):
            gains = [run[name][measure] - run["the last snapshot"][measure] for run in runs]
            error = statistics.stdev(gains) / len(gains) ** 0.5
            mean = statistics.mean(run[name][measure] for run in runs)
            gain = f"{statistics.mean(gains):+.{digit}f} ± {error:.{digit}f}"
            print(f"{mean:8.{digit}f}{unit}  ({gain})", end="")
        print()
