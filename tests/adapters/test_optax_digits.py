"""From the range test to a trained network: the example, and what it shows, on real data."""

import importlib.util
import pathlib
import runpy

import optax

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "optax_digits.py"


def test_bounds_from_the_range_test_train_better_than_the_usual_rate():
    spec = importlib.util.spec_from_file_location("optax_digits", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    tuned = [example.train(optax.adam, tuned=True, seed=seed)[0] for seed in range(3)]
    untuned = [example.train(optax.adam, tuned=False, seed=seed)[0] for seed in range(3)]

    # Of ten digits, guessing gets a tenth right. A third of the errors at least must go.
    assert min(tuned) > 0.93
    assert 1 - sum(tuned) / 3 < (1 - sum(untuned) / 3) * 2 / 3


def test_the_example_runs(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")

    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("max_lr")
    assert printed[-2].startswith("Triangular2 between these bounds:")
    assert printed[-1].startswith("Adam at 0.001:")
