"""Lightning's range test in two processes, spawned or launched: one test, the same in both."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import cyclr

HOSTS = Path(__file__).parent.parent / "hosts"
STRATEGIES = ["ddp", "ddp_spawn"]


def run(strategy, what, folder):
    """Run the script; a process that waits for ever is a failure, however slow the machine."""
    command = [sys.executable, HOSTS / "processes_of_lightning.py", strategy, what, folder]
    path = ":".join([*sys.path, str(HOSTS.parent)])
    environment = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module", params=[(s, w) for s in STRATEGIES for w in ("fit", "demand")])
def notes(request, tmp_path_factory):
    """What each process has seen, by its name, of a test and two epochs of training."""
    folder = tmp_path_factory.mktemp("notes")
    finished = run(*request.param, folder)
    assert finished.returncode == 0, finished.stderr
    assert "rror" not in finished.stderr
    return {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}


def of_processes(notes, name):
    return [notes[rank][name] for rank in ("0", "1")]


def test_every_process_has_the_same_test(notes):
    others = [note["points"] for name, note in notes.items() if name not in ("0", "1")]
    assert len(others[0]) == 120
    assert all(points == others[0] for points in others)


def test_losses_are_the_means_over_the_processes(notes):
    tested = of_processes(notes, "tested")
    if tested[0]:  # on demand, spawned processes and their lists are gone
        losses = [loss for _, loss in notes["main"]["points"]]
        means = [sum(pair) / 2 for pair in zip(*tested, strict=True)]
        assert tested[0] != tested[1]
        assert losses == pytest.approx(means, rel=1e-6)


def test_weights_are_put_back_in_every_process(notes):
    for rank in ("0", "1"):
        assert notes[rank]["before"] == notes[rank]["after"]
    assert notes["0"]["after"] == notes["1"]["after"]
    assert notes["main"]["before"] == notes["main"].get("after", notes["main"]["before"])


def test_every_process_trains_with_the_schedule_of_the_bounds(notes):
    test = cyclr.RangeTest(1e-5, 10.0, 120, optimizer="adam", momentum=0.9)
    for lr, (_, loss) in zip(test, notes["main"]["points"], strict=False):
        assert lr > 0
        test.record(loss)
    schedule = test.bounds().schedule(cyclr.Triangular2, step_size=4)

    assert of_processes(notes, "lrs") == [[schedule(k) for k in range(6)]] * 2
    assert of_processes(notes, "steps") == [6, 6]
    assert notes["0"]["trained"] == notes["1"]["trained"] == notes["main"]["trained"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_process_that_fails_does_not_keep_the_other_waiting(strategy, tmp_path):
    finished = run(strategy, "fail", tmp_path)

    assert finished.returncode != 0
    assert "ArithmeticError: in one process" in finished.stderr
