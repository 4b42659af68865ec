"""From the range test to a trained model: the example, and what it shows, on real data."""

import functools
import importlib.util
import pathlib
import runpy

import pytest
import torch

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "torch_digits.py"


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "optimizer", [torch.optim.Adam, functools.partial(torch.optim.SGD, momentum=0.9)]
)
def test_bounds_from_the_range_test_train_better_than_the_optimizers_default_rate(optimizer):
    spec = importlib.util.spec_from_file_location("torch_digits", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    tuned = [example.train(optimizer, tuned=True, seed=seed)[0] for seed in range(3)]
    untuned = [example.train(optimizer, tuned=False, seed=seed)[0] for seed in range(3)]

    # Of ten digits, guessing gets one right. A third of the errors at least must go.
    assert min(tuned) > 0.9
    assert 1 - sum(tuned) / 3 < (1 - sum(untuned) / 3) * 2 / 3


def test_the_example_runs(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")

    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("max_lr")
    assert printed[-2].startswith("Triangular2 between these bounds:")
    assert printed[-1].startswith("Adam's own default, 0.001:")
