"""Caffe's solvers, beside their formulas written out, at learning rates that change."""

import math

import numpy as np
import pytest
import torch

from benchmarks.paper.solvers import SOLVERS

RATES = [0.1, 0.3, 0.02, 0.2, 0.05]
DECAY = 0.004


def moved(name, rates=RATES):
    """Return the weight after each update of 0.5 sum((w - c)^2)."""
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
    target = torch.tensor([0.3, 1.0, 0.5], dtype=torch.float64)
    solver = SOLVERS[name]([{"params": [weight], "weight_decay": DECAY}], momentum=0.9)
    path = []
    for lr in rates:
        solver.param_groups[0]["lr"] = lr
        weight.grad = weight.detach() - target
        solver.step()
        path.append(weight.detach().numpy().copy())
    return path


def formula(name, rates=RATES):
    """The same by the formulas of Caffe's sgd_solver.cpp and its kin."""
    w, c = np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0, 0.5])
    v, h, u = np.zeros(3), np.zeros(3), np.zeros(3)
    path = []
    for t, lr in enumerate(rates, 1):
        g = (w - c) + DECAY * w
        if name == "SGD":
            v = 0.9 * v + lr * g
            w = w - v
        elif name == "Nesterov":
            v_new = 0.9 * v + lr * g
            w = w - ((1 + 0.9) * v_new - 0.9 * v)
            v = v_new
        elif name == "Adam":
            v = 0.9 * v + (1 - 0.9) * g
            h = 0.999 * h + (1 - 0.999) * g**2
            rate = lr * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            w = w - rate * v / (np.sqrt(h) + 1e-8)
        elif name == "RMSprop":
            h = 0.99 * h + (1 - 0.99) * g**2
            w = w - lr * g / (np.sqrt(h) + 1e-8)
        elif name == "AdaGrad":
            h = h + g**2
            w = w - lr * g / (np.sqrt(h) + 1e-8)
        elif name == "AdaDelta":
            h = 0.9 * h + (1 - 0.9) * g**2
            step = g * np.sqrt((u + 1e-8) / (h + 1e-8))
            u = 0.9 * u + (1 - 0.9) * step**2
            w = w - lr * step
        path.append(w)
    return path


@pytest.mark.parametrize("name", SOLVERS)
def test_each_solver_is_caffes_formula(name):
    np.testing.assert_allclose(moved(name), formula(name), rtol=1e-12)


def torchs(rates, **options):
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
    target = torch.tensor([0.3, 1.0, 0.5], dtype=torch.float64)
    solver = torch.optim.SGD([weight], lr=1, momentum=0.9, weight_decay=DECAY, **options)
    for lr in rates:
        solver.param_groups[0]["lr"] = lr
        weight.grad = weight.detach() - target
        solver.step()
    return weight.detach().numpy()


def test_caffes_momentum_is_torchs_only_as_long_as_the_rate_stays():
    np.testing.assert_allclose(moved("SGD", [0.1] * 5)[-1], torchs([0.1] * 5), rtol=1e-12)
    assert abs(moved("SGD")[-1] - torchs(RATES)).max() > 0.05


def test_nesterovs_first_update_is_torchs():
    np.testing.assert_allclose(moved("Nesterov")[0], torchs(RATES[:1], nesterov=True), rtol=1e-12)
