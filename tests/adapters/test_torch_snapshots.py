"""The snapshot ensemble of the examples: what is kept at the end of each cycle."""

import importlib.util
import pathlib
from itertools import pairwise

import torch

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "torch_snapshots.py"


def example():
    spec = importlib.util.spec_from_file_location("torch_snapshots", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_snapshot_is_kept_at_the_end_of_each_cycle():
    module = example()
    snapshots, average = module.train(module.digits(0)[0], module.CYCLES, seed=0)
    weights = [snapshot[0].weight for snapshot in snapshots]

    assert len(snapshots) == module.CYCLES
    assert all(not torch.equal(a, b) for a, b in pairwise(weights))
    assert torch.allclose(average.module[0].weight, sum(weights) / len(weights), atol=1e-6)


def test_all_that_it_compares_has_learned():
    found = example().accuracies(seed=0)

    assert list(found) == [
        "the last snapshot",
        "all snapshots",
        "the mean weights",
        "one long cycle",
    ]
    assert min(found.values()) > 85
