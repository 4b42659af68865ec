"""The snapshot ensemble of the example: what it gains on digits, and what it does not."""

import runpy
import statistics
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "torch_snapshots.py"


@pytest.mark.framework("sklearn")
def test_what_all_snapshots_predict_has_a_lower_loss_than_the_last_or_one_long_cycle():
    compare = runpy.run_path(str(EXAMPLE))["compare"]
    runs = [compare(seed) for seed in range(6)]
    losses = {name: statistics.mean(run[name][1] for run in runs) for name in runs[0]}
    accuracies = {name: statistics.mean(run[name][0] for run in runs) for name in runs[0]}

    # Over 20 seeds the loss is lower by 0.044 ± 0.007 and 0.034; the long cycle is as accurate.
    assert losses["all snapshots"] < losses["the last snapshot"]
    assert losses["all snapshots"] < losses["one long cycle"]
    assert losses["their mean weights"] < losses["the last snapshot"]
    assert min(accuracies.values()) > 85  # of ten digits, guessing gets a tenth right


@pytest.mark.framework("sklearn")
def test_the_example_runs(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", [str(EXAMPLE), "2"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")

    printed = [line[:20].strip() for line in capsys.readouterr().out.splitlines()]
    assert printed == [
        "the last snapshot", "all snapshots", "their mean weights", "one long cycle",
    ]  # fmt: skip
