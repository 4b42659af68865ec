"""Our bounds in place of the author's eye: one range test of 200 iterations, and its analysis."""

from dataclasses import replace

import torch.nn.functional as F

from benchmarks.paper.data import Cifar10
from benchmarks.paper.network import Cifar10Full, parameter_groups
from benchmarks.paper.runs import Run, table2
from benchmarks.paper.solvers import SGD
from cyclr_torch import range_test

__all__ = ["with_own_bounds"]

ITERATIONS = 200


def with_own_bounds(run: Run, seed: int, data: Cifar10) -> Run:
    """Return triangular2 by the stages of Table 2, between the bounds of the seed's network.

    The range test is that of `cyclr_torch`, with its defaults. Its learning rates are those of
    the biases, whose multiple is 2: the network's are half of them.
    """
    network = Cifar10Full(seed).to(data.train.device)
    groups, multiples = parameter_groups(network)
    solver = SGD([group | {"lr": m} for group, m in zip(groups, multiples, strict=True)])
    batches = (data.batch(i) for i in range(ITERATIONS))
    test = range_test(network, solver, F.cross_entropy, batches, iterations=ITERATIONS)
    bounds = test.bounds()
    return replace(run, schedule=table2(bounds.base_lr / 2, bounds.max_lr / 2))
