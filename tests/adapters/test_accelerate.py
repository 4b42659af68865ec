"""Accelerate: updates are counted once, however many processes there are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState

import cyclr
from cyclr_torch import Scheduler, on_cycle_end, range_test

HOSTS = Path(__file__).parent.parent / "hosts"
LR = cyclr.Triangular2(0.125, 0.75, 3)


@pytest.fixture(autouse=True)
def _new_state():
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


def prepared():
    """Return a model and its optimizer, as Accelerate wraps them."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    return Accelerator(cpu=True).prepare(model, optimizer)


def test_a_wrapped_optimizer_is_followed_as_the_one_within():
    model, optimizer = prepared()
    scheduler = Scheduler(optimizer, LR, weight_decay=cyclr.Constant(0.5))
    ends = []
    on_cycle_end(scheduler, ends.append)
    rates = []
    for _ in range(7):
        rates.append(optimizer.param_groups[0]["lr"])
        model(torch.ones(1, 4)).sum().backward()
        optimizer.step()

    assert rates == [LR(k) for k in range(7)]
    assert optimizer.optimizer.param_groups[0]["weight_decay"] == 0.5
    assert (scheduler.iteration, ends) == (7, [1])
    assert scheduler.optimizer is optimizer
    Scheduler(optimizer.optimizer, LR)  # takes over: it is the same optimizer
    with pytest.raises(RuntimeError, match="a later Scheduler has taken this one's optimizer over"):
        scheduler.step()


def test_a_range_test_takes_what_is_prepared():
    model, optimizer = prepared()
    scheduler = Scheduler(optimizer, LR)
    before = [parameter.clone() for parameter in model.parameters()]
    data = [(torch.ones(2, 4), torch.ones(2, 1))]
    loss_fn = torch.nn.functional.mse_loss
    test = range_test(model, optimizer, loss_fn, data, iterations=10, end_lr=0.1, progress=False)

    assert len(test.points) == 10
    assert (test.optimizer, test.momentum) == ("sgd", 0.0)
    assert scheduler.iteration == 0
    assert optimizer.param_groups[0]["lr"] == LR(0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("updates", [2, 5])
def test_a_run_that_goes_on_in_mid_cycle_is_bit_equal_to_an_uninterrupted_one(tmp_path, updates):
    def run(first, last, load=False, save=False):
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        accelerator = Accelerator(cpu=True)
        model, optimizer, scheduler = accelerator.prepare(
            model, optimizer, Scheduler(optimizer, LR * 0.1)
        )
        if load:
            accelerator.load_state(tmp_path)
        for k in range(first, last):
            inputs = torch.full((2, 4), k / 10)
            optimizer.zero_grad()
            model(inputs).square().sum().backward()
            optimizer.step()
            scheduler.step()
        if save:
            accelerator.save_state(tmp_path)
        return scheduler.scheduler.iteration, [p.tolist() for p in model.parameters()]

    whole = run(0, 9)
    run(0, updates, save=True)
    assert run(updates, 9, load=True) == whole
    assert whole[0] == 9


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """What each of two processes has seen of the same training, and of a Trainer's."""
    folder = tmp_path_factory.mktemp("notes")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [HOSTS / "processes_of_accelerate.py", folder]
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PATH": "/usr/bin:/bin",
    }
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("is_prepared", [False, True])
@pytest.mark.parametrize("accumulated", [1, 3])
def test_in_two_processes_the_schedule_advances_once_an_update(
    notes, accumulated, is_prepared, split
):
    for note in notes:
        seen = note[f"{accumulated} {is_prepared} {split}"]
        assert note["processes"] == 2
        assert seen["falls"] == pytest.approx([LR(k) for k in range(8)], abs=1e-12)
        assert seen["iteration"] == 8


def test_in_two_processes_a_trainers_schedule_advances_once_an_update(notes):
    for note in notes:
        assert note["trainer"]["rates"] == [LR(k) * 0.01 for k in range(8)]
        assert note["trainer"]["iteration"] == 8


def test_in_two_processes_a_range_test_of_what_is_prepared_is_one_test(notes):
    first, second = (note["tested"] for note in notes)

    assert first == second
    assert first["before"] == first["after"]
    assert len(first["points"]) == 10
    assert first["optimizer"] == "adam"
