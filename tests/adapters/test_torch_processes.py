"""range_test in two processes: one decision, everything put back, and nobody left waiting.

The processes run `processes_of_torch.py` under torchrun, once for all that is asked here.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest

from cyclr import Triangular

WORKER = pathlib.Path(__file__).parent / "processes_of_torch.py"
EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "torch_processes.py"
TIMEOUT = 300  # seconds; what hangs is a failure


def environment(**more):
    path = os.pathsep.join(filter(None, sys.path))
    return os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"} | more


def said_in(folder):
    """Return what both processes said, case by case."""
    first, second = (json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1))
    return {name: (first[name], second[name]) for name in first.keys() & second.keys()}


@pytest.fixture(scope="module")
def torchrun(tmp_path_factory):
    """What the two processes said, and what they printed."""
    folder = tmp_path_factory.mktemp("torchrun")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    result = subprocess.run(
        [*command, "--nproc-per-node=2", WORKER, folder],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert result.returncode == 0, result.stderr
    return said_in(folder), result.stderr


@pytest.fixture(scope="module")
def said(torchrun):
    return torchrun[0]


def without_a_launcher(folder, name):
    """Run a case in two processes that nobody ends but themselves; return what they said."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = [
        subprocess.Popen(
            [sys.executable, WORKER, folder, name],
            env=environment(
                RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=port
            ),
        )
        for rank in (0, 1)
    ]
    try:
        return [process.wait(TIMEOUT) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


WRAPPED = [
    "ddp",
    "fully_sharded",
    "fsdp",
    "fsdp_with_the_original_parameters",
    "sharded_optimizer",
    "lbfgs",
    "nan_in_one_process",
    "a_sampler_of_the_process",
    "accumulation_in_ddp",
    "no_update_of_one_process",
    "no_update_of_one_process_alone",
]


@pytest.mark.parametrize("name", WRAPPED)
def test_there_is_one_decision_and_everything_is_put_back(said, name):
    first, second = said[name]

    assert first["points"] == second["points"]
    assert len(first["points"]) > 5
    assert first["restored"]
    assert second["restored"]
    assert first["lrs"] == second["lrs"] == [0.01]


@pytest.mark.parametrize("name", ["ddp", "sharded_optimizer"])
def test_training_goes_on_as_if_there_had_been_no_test(said, name):
    without = said["without_a_test"]

    assert [process["later"] for process in said[name]] == [
        process["later"][: len(said[name][0]["later"])] for process in without
    ]


def test_bounds_are_the_same_in_both(said):
    first, second = said["bounds"]

    assert first == second
    assert first["bounds"]["landmarks"]["edge"] is not None


@pytest.mark.parametrize("name", ["joint_batches", "accumulation"])
def test_losses_are_averaged(said, name):
    together, alone = said[f"{name}_in_ddp"][0], said[f"{name}_in_one_process"][0]

    for point, expected in zip(together["points"], alone["points"], strict=True):
        assert point == pytest.approx(expected, rel=1e-4)


def test_a_loss_that_is_not_finite_in_one_process_ends_it_in_both(said):
    for process in said["nan_in_one_process"]:
        assert process["diverged"]
        assert len(process["points"]) == 8


@pytest.mark.parametrize("name", ["no_update_of_one_process", "no_update_of_one_process_alone"])
def test_an_update_that_one_process_skips_is_made_again_by_both(said, name):
    for process in said[name]:
        assert len(process["points"]) == 10
        assert process["count"] == 12
        assert process["scale"] == 2.0**10


def test_a_sampler_of_the_process_shuffles_each_epoch_and_is_put_back(said):
    seen = [process["seen"] for process in said["a_sampler_of_the_process"]]

    assert seen[0] != seen[1]
    for batches in seen:
        assert batches[:8] != batches[8:16]
    assert [process["epoch"] for process in said["a_sampler_of_the_process"]] == [7, 7]


def test_a_model_that_is_not_wrapped_is_each_processs_own(said):
    first, second = said["a_model_of_ones_own"]

    assert len(first["points"]) == 20
    assert len(second["points"]) == 40


def test_a_scheduler_counts_updates_and_not_processes(said):
    for process in said["a_scheduler_counts_updates_once"]:
        assert process["iteration"] == 5
        assert process["lrs"] == [Triangular(0.001, 0.005, 4)(5)]


def test_the_first_process_alone_shows_progress(torchrun):
    assert torchrun[1].count("| 0/20 [") == 1


# Where one fails.


FAILURES = {
    "data_that_ends_in_one_process": "ValueError: data must have 20 batches, or start again",
    "data_that_fails_in_one_process": "OSError: a broken file",
    "a_loss_that_fails_in_one_process": "ZeroDivisionError: mine",
    "a_step_that_fails_in_one_process": "ZeroDivisionError: mine",
    "an_argument_that_is_wrong_in_one_process": "TypeError: data must be an iterable of batches",
    "fully_sharded_and_failing": "ZeroDivisionError: mine",
}


@pytest.mark.parametrize(("name", "error"), FAILURES.items())
def test_a_failure_of_one_process_is_one_of_both_at_once(said, name, error):
    first, second = said[name]

    assert second["error"].startswith(error)
    assert first["error"].startswith(f"RuntimeError: range_test failed in process 1: {error}")
    for process in (first, second):
        assert process["seconds"] < 20
        assert process["restored"]
        assert process["lrs"] == [0.01]


@pytest.mark.parametrize("name", [name for name in FAILURES if name.endswith("process")])
def test_after_a_failure_both_train_on_in_step(said, name):
    first, second = said[name]
    weights = 4  # the statistics of batch normalisation are each process's own

    assert first["later"][:weights] == second["later"][:weights]


def test_tests_that_differ_are_refused_in_both(said):
    for process in said["iterations_that_differ"]:
        assert process["error"] == (
            "ValueError: iterations must be the same in every process: got 20, 21"
        )
    for process in said["confirmation_in_one_process"]:
        assert process["error"] == "ValueError: confirm must be the same in every process: got 0, 1"


def test_confirmation_is_the_same_in_both(said):
    first, second = said["confirmation"]

    assert first["confirmed"]["max_lr"] == second["confirmed"]["max_lr"]
    assert first["confirmed"]["max_lr"] != first["before"]["max_lr"]
    for process in (first, second):
        assert process["restored"]


def test_a_failure_inside_the_model_does_not_leave_the_other_waiting(tmp_path):
    assert without_a_launcher(tmp_path, "backward_fails") == [0, 0]

    first, second = said_in(tmp_path)["backward_fails"]
    assert second["error"] == "ZeroDivisionError: mine"
    assert first["error"].startswith("RuntimeError: ")
    assert first["restored"]
    assert second["restored"]


def test_nor_does_a_process_that_dies(tmp_path):
    assert without_a_launcher(tmp_path, "process_dies") == [0, 9]

    first = json.loads((tmp_path / "0.json").read_text())["process_dies"]
    assert first["error"].startswith("RuntimeError: ")
    assert first["restored"]


@pytest.mark.framework("sklearn")
def test_the_example_has_the_same_bounds_and_weights_in_both_processes():
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    result = subprocess.run(
        [*command, "--nproc-per-node=2", EXAMPLE],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert result.returncode == 0, result.stderr
    said = {"process 0": [], "process 1": [], "OneCycle to max_lr, 4 epochs": []}
    for line in result.stdout.splitlines():  # the processes' lines come in any order
        who, _, text = line.partition(": ")
        said[who].append(text)
    first, second, (accuracy,) = said.values()
    assert first == second
    assert len(first) == 3
    assert float(accuracy.rstrip("%")) > 85
