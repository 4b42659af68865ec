"""Train a small network on scikit-learn's digits with bounds from a range test.

pip install "cyclr[torch]" scikit-learn
python examples/torch_digits.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from cyclr import Triangular2
from cyclr_torch import Scheduler, range_test

EPOCHS = 4


def train(make_optimizer, tuned, seed=0):
    """Return the accuracy on held-out digits, and the bounds if there was a range test."""
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    digits = TensorDataset(images.float() / 16, labels)
    torch.manual_seed(seed)
    training, held_out = random_split(digits, [0.75, 0.25])
    batches = DataLoader(training, batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = make_optimizer(model.parameters())
    loss_fn = nn.CrossEntropyLoss()

    bounds = None
    if tuned:
        bounds = range_test(model, optimizer, loss_fn, batches).bounds()
        Scheduler(optimizer, bounds.schedule(Triangular2, step_size=len(batches)))

    for _ in range(EPOCHS):
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss_fn(model(inputs), targets).backward()
            optimizer.step()

    inputs, targets = held_out[:]
    return (model(inputs).argmax(1) == targets).double().mean().item(), bounds


if __name__ == "__main__":
    accuracy, bounds = train(torch.optim.Adam, tuned=True)
    print(bounds)
    print(f"Triangular2 between these bounds:  {accuracy:.1%}")
    print(f"Adam's own default, 0.001:         {train(torch.optim.Adam, tuned=False)[0]:.1%}")
