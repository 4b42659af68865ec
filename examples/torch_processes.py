"""Train scikit-learn's digits in two processes: one range test, the same bounds in each.

pip install "cyclr[torch]" scikit-learn
torchrun --nproc-per-node 2 examples/torch_processes.py
"""

import torch
import torch.distributed as dist
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset, random_split
from torch.utils.data.distributed import DistributedSampler

from cyclr import OneCycle
from cyclr_torch import Scheduler, range_test

EPOCHS = 4


def say(text):
    """Print it with the process's number, in one piece."""
    print(f"process {dist.get_rank()}: {text}\n", end="", flush=True)


def train():
    """Return the accuracy on held-out digits."""
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    digits = TensorDataset(images.float() / 16, labels)
    training, held_out = random_split(digits, [0.75, 0.25], torch.Generator().manual_seed(0))
    sampler = DistributedSampler(training)  # a half of each epoch for each process
    batches = DataLoader(training, batch_size=16, sampler=sampler)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    model = DistributedDataParallel(network)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()

    test = range_test(model, optimizer, loss_fn, batches)  # the bar is the first process's
    bounds = test.bounds()
    say(f"{len(test.points)} points, the last loss {test.points[-1][1]!r}")
    say(f"max_lr {bounds.max_lr!r}, interval {bounds.interval}")

    schedule = bounds.schedule(OneCycle, iterations=EPOCHS * len(batches))
    scheduler = Scheduler(optimizer, schedule)
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss_fn(model(inputs), targets).backward()
            optimizer.step()

    say(f"{scheduler.iteration} updates, the weights sum to {network[0].weight.sum().item()!r}")
    inputs, targets = held_out[:]
    return (model(inputs).argmax(1) == targets).double().mean().item()


if __name__ == "__main__":
    dist.init_process_group("gloo")
    accuracy = train()
    if dist.get_rank() == 0:
        print(f"OneCycle to max_lr, {EPOCHS} epochs: {accuracy:.1%}")
    dist.destroy_process_group()
