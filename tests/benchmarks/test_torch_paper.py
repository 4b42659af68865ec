"""The command `python -m benchmarks.paper` on tiny data, made on the spot."""

import dataclasses
import json
import types

import numpy as np
import pytest
import torch

from benchmarks.paper import __main__ as command
from benchmarks.paper import bounds
from benchmarks.paper.data import Cifar10
from benchmarks.paper.report import headline, report, table
from benchmarks.paper.runs import RUNS, table2


@pytest.fixture(autouse=True)
def _settings():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.allow_tf32 = True


@pytest.fixture
def archive(tmp_path):
    draw = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 300), ("test", 100)):
        arrays[f"x_{part}"] = draw.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        arrays[f"y_{part}"] = draw.integers(0, 10, n, dtype=np.uint8)
    np.savez(tmp_path / "tiny.npz", **arrays)
    return tmp_path / "tiny.npz"


def call(folder, *arguments):
    places = ["--checkpoints", str(folder / "checkpoints"), "--results", str(folder / "results")]
    command.main([*places, *map(str, arguments)])


def test_a_smoke_run_trains_stops_goes_on_and_reports(archive, tmp_path, capsys):
    wanted = ("--data", archive, "--runs", "triangular2", "range_test", "--seeds", 0, 1)
    call(tmp_path, *wanted, "--stop-at", 1)
    call(tmp_path, *wanted, "--stop-at", 3)

    files = sorted(path.name for path in (tmp_path / "results").iterdir())
    runs = [f"{run}-{seed}.json" for run in ("range_test", "triangular2") for seed in (0, 1)]
    assert files == ["figure_1.svg", "figure_3.svg", *runs]
    for name in runs:
        result = json.loads((tmp_path / "results" / name).read_text())
        assert result["iteration"] == 3
        assert result["schedule"] == repr(RUNS[result["run"]].schedule)
    printed = capsys.readouterr().out
    assert printed.count("| 0, **unfinished at 0** |") == 2  # one in each of the reports
    assert "by the accuracy\ntoo_short" in printed


def test_without_data_there_is_only_a_report(tmp_path, capsys):
    with pytest.raises(SystemExit):
        call(tmp_path)
    assert "--data must be given, or --report" in capsys.readouterr().err


def result(run, seed, accuracies, iterations=None, loss=1.0):
    every = RUNS[run].iterations // (len(accuracies) - 1)
    points = [
        {"iteration": i * every, "lr": 0.0, "accuracy": accuracy, "test_loss": loss}
        for i, accuracy in enumerate(accuracies)
    ]
    total = RUNS[run].iterations if iterations is None else iterations
    return {"run": run, "seed": seed, "points": points, "iterations": total, "environments": ["x"]}


def test_the_table_has_mean_spread_and_the_first_time_at_the_goal():
    found = [result("decay", 0, [10, 81.4, 80]), result("decay", 1, [10, 70, 81])]
    lines = table({"decay": found, "exp": []}).splitlines()

    assert lines[2] == (
        "| `decay` | Table 1 | 25,000 | 78.5 | 80.5 | 80.0 to 81.0 "
        "| 12,500, never (best 81.0) | 0, 1 |"
    )
    assert lines[3] == "| `exp` | Table 1, Figure 4 | 70,000 | 79.1 |  |  |  | not run |"
    assert lines[-1] == "- `exp`: the first rate."


def test_what_is_not_finished_or_diverged_is_not_in_the_mean():
    found = [
        result("decay", 0, [10, 50, 80]),
        result("decay", 1, [10, 20, 30], iterations=50_000),
        result("decay", 2, [10, 20, 10], iterations=50_000, loss=None),
    ]
    done, cut, diverged = table({"decay": found}).splitlines()[2:5]

    assert "| 80.0 | 80.0 to 80.0 |" in done
    assert "| 30.0 | 30.0 to 30.0 |" in cut
    assert cut.endswith("| 1, **unfinished at 25,000** |")
    assert diverged.endswith("| 2, **diverged at 25,000** |")


def test_the_headline_is_when_each_run_had_what_the_baseline_ends_with():
    found = {
        "fixed": [result("fixed", 0, [10, 70, 79]), result("fixed", 1, [10, 70, 81])],
        "triangular2": [result("triangular2", 0, [10, 80, 82])],
        "decay": [result("decay", 0, [10, 79, 75]), result("decay", 1, [10, 60], 50_000)],
    }
    assert headline(found).splitlines()[1:] == [
        "Iterations to the 80.00 % with which `fixed` ends here:",
        "",
        "- `fixed`: never (best 79.0), 70,000",
        "- `triangular2`: 12,500",
        "- `decay`: never (best 79.0)",
    ]
    assert headline(found | {"fixed": []}) == ""


def test_the_same_results_give_the_same_figures(tmp_path, capsys):
    for seed in (0, 1):
        path = tmp_path / f"decay-{seed}.json"
        path.write_text(json.dumps(result("decay", seed, [10, 60 + seed, 80])))
    report(tmp_path)
    first = (tmp_path / "figure_1.svg").read_bytes()
    report(tmp_path)

    assert (tmp_path / "figure_1.svg").read_bytes() == first
    assert b"decay, the paper" in first


def test_our_bounds_are_those_of_the_range_test_for_a_multiple_of_1(monkeypatch):
    seen = {}

    def range_test(network, solver, loss_fn, batches, iterations):
        seen["rates"] = [group["lr"] for group in solver.param_groups]
        seen["batches"] = [len(labels) for _, labels in batches]
        found = types.SimpleNamespace(base_lr=0.002, max_lr=0.008)
        return types.SimpleNamespace(bounds=lambda: found)

    monkeypatch.setattr(bounds, "range_test", range_test)
    images = torch.zeros(100, 32, 32, 3, dtype=torch.uint8)
    labels = torch.zeros(100, dtype=torch.long)
    data = Cifar10(images, labels, images, labels, images.float().mean(0))
    run = bounds.with_own_bounds(RUNS["our_bounds"], 0, data)

    assert seen == {"rates": [1, 2, 1, 2], "batches": [100] * 200}
    assert run == dataclasses.replace(RUNS["our_bounds"], schedule=table2(0.001, 0.004))
