"""LightGBM takes a schedule as it is: each tree has the schedule's learning rate."""

import importlib.util
import runpy
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

EXAMPLE = Path(__file__).parents[1] / "examples" / "lightgbm_boosting.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("lightgbm_boosting", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tree_i_is_learned_at_the_rate_of_iteration_i(example):
    model, _ = example.train(example.FALLING)
    trees = model.dump_model()["tree_info"]

    # The first tree holds the prior as well, and so has another scale.
    rates = [tree["shrinkage"] for tree in trees[1:]]
    assert rates == pytest.approx([example.FALLING(i) for i in range(1, example.ROUNDS)], rel=1e-4)


def test_the_first_tree_has_the_first_rate(example):
    """What the first tree adds to the prior is in proportion to the learning rate."""
    inputs, _ = load_breast_cancer(return_X_y=True)
    ranges = []
    for factor in (1.0, 0.5):
        model, _ = example.train(example.FALLING * factor)
        scores = model.predict(inputs, raw_score=True, num_iteration=1)
        ranges.append(scores.max() - scores.min())
    assert ranges[1] / ranges[0] == pytest.approx(0.5)


def test_the_example_runs(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    usual, falling = capsys.readouterr().out.splitlines()
    assert usual.startswith("held-out loss at 0.1:")
    assert falling.endswith("of 10 splits")
