"""A log as the page shows it."""

import json
import math
from pathlib import Path

import pytest

import cyclr
from cyclr.range_test.curve import Curve
from cyclr.range_test.points import Points
from cyclr.report import Run

from .conftest import LOSSES, LRS, Write


def test_a_run_is_what_python_says_of_the_log(log: Path) -> None:
    bounds = cyclr.analyze(zip(LRS, LOSSES, strict=True), optimizer="adam")
    run = Run.read(log, optimizer="adam")
    assert run.bounds == bounds
    data = run.to_dict()
    assert data["name"] == str(log)
    assert data["source"] == "200 rows of CSV, lr in 'lr', loss in 'loss'"
    assert data["raw"]["lr"] == pytest.approx(LRS, rel=1e-5)
    assert data["raw"]["loss"] == pytest.approx(LOSSES, rel=1e-5)
    assert data["bounds"]["interval"] == pytest.approx(bounds.interval, rel=1e-5)
    assert data["landmarks"]["onset"] == pytest.approx(bounds.landmarks.onset, rel=1e-5)
    assert data["words"] == str(bounds).splitlines()
    assert data["reasons"] == []


def test_the_bounds_are_those_that_analyze_prints(log: Path) -> None:
    run = Run.read(log)
    assert run.bounds
    bounds = run.to_dict()["bounds"]
    assert f"{run.bounds.max_lr:.2g}" == f"{bounds['max_lr']:g}"
    assert f"{run.bounds.base_lr:.2g}" == f"{bounds['base_lr']:g}"


def test_the_smoothed_curve_ends_at_the_divergence(log: Path) -> None:
    run = Run.read(log)
    curve = Curve.of(Points.read(zip(LRS, LOSSES, strict=True)))
    smooth = run.to_dict()["smooth"]
    assert curve.edge is not None
    assert max(smooth["lr"]) < curve.edge
    assert smooth["lr"] == pytest.approx(curve.lrs, rel=1e-5)
    # It is the loss itself, not its change from the start.
    assert smooth["loss"][0] == pytest.approx(2.3, abs=0.05)
    assert min(smooth["loss"]) == pytest.approx(0.5, abs=0.15)


def test_the_explosion_does_not_flatten_the_picture(write: Write) -> None:
    losses = [*LOSSES[:-5], 1e10, 1e30, math.inf, math.nan, 1e200]
    data = Run.read(write(losses=losses)).to_dict()
    assert (data["low"], data["high"]) == (pytest.approx(0.5, abs=0.1), pytest.approx(3.2, abs=0.2))
    assert data["raw"]["loss"][-3:] == [None, None, None]
    json.dumps(data, allow_nan=False)


def test_an_inconclusive_test_has_reasons_and_no_bounds(flat: Path) -> None:
    data = Run.read(flat).to_dict()
    assert data["bounds"] is data["landmarks"] is None
    assert data["words"] == []
    assert [reason["code"] for reason in data["reasons"]] == ["no_descent"]
    assert all(reason["message"] and reason["advice"] for reason in data["reasons"])
    losses = data["raw"]["loss"]
    assert data["low"] <= min(losses) < max(losses) <= data["high"]


def test_cautions_come_with_the_bounds(log: Path) -> None:
    data = Run.read(log, optimizer="lion").to_dict()
    assert data["bounds"]
    assert [reason["code"] for reason in data["reasons"]] == ["optimizer_unknown"]
    assert not any("lion" in line for line in data["words"])


@pytest.mark.parametrize(
    "losses", [[math.nan] * 200, [1.0] * 200, [math.inf, 1.0] * 100, [10.0**i for i in range(200)]]
)
def test_any_test_can_be_shown(write: Write, losses: list[float]) -> None:
    data = Run.read(write(losses=losses)).to_dict()
    assert data["bounds"] is None
    assert data["reasons"]
    assert data["low"] <= data["high"]
    json.dumps(data, allow_nan=False)


def test_one_row_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("lr,loss\n0.1,2.3\n")
    data = Run.read(tmp_path / "log.csv").to_dict()
    assert data["smooth"] == {"lr": [], "loss": []}
    assert data["raw"] == {"lr": [0.1], "loss": [2.3]}


def test_accuracies_rise(write: Write) -> None:
    accuracies = [1 - loss / 3 for loss in LOSSES]
    run = Run.read(write(losses=accuracies, metric="accuracy"), metric="accuracy")
    smooth = run.to_dict()["smooth"]["loss"]
    assert smooth[0] == pytest.approx(1 - 2.3 / 3, abs=0.02)
    assert max(smooth) == pytest.approx(1 - 0.5 / 3, abs=0.05)


def test_a_long_log_is_drawn_by_some_thousands_of_points(tmp_path: Path) -> None:
    rows = [f"{1e-6 * 1e7 ** (i / 29999)},{LOSSES[i * 200 // 30000]}\n" for i in range(30_000)]
    (tmp_path / "log.csv").write_text("lr,loss\n" + "".join(rows))
    assert 2000 < len(Run.read(tmp_path / "log.csv").to_dict()["raw"]["lr"]) <= 4097


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("")
    with pytest.raises(cyclr.UnusableLog, match="nothing in it"):
        Run.read(tmp_path / "log.csv")
