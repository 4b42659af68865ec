"""A few trials of `python -m benchmarks.faults`, and that it would see what it looks for."""

import contextlib

import pytest
import torch

from benchmarks.faults import interruptions
from benchmarks.faults.interruptions import KINDS, interrupt
from benchmarks.faults.kills import kill
from benchmarks.faults.lines import at_line, count_lines
from benchmarks.faults.tasks import Task


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def four_lines():
    a = 1
    a += 1
    a += 1
    return a


def test_a_fault_comes_at_its_line_and_only_there():
    assert count_lines(four_lines) == (4, 3)
    for line in (1, 2, 3, 4):
        with pytest.raises(KeyboardInterrupt):
            at_line(line, lambda: (_ for _ in ()).throw(KeyboardInterrupt), four_lines)
    assert at_line(5, pytest.fail, four_lines) == 3


@pytest.mark.parametrize("seed", range(4))
def test_a_run_killed_at_a_random_line_resumes_to_the_same_bits(seed):
    trial = kill(seed)

    assert trial["killed"]
    assert trial["equal"]


@pytest.mark.parametrize("part", ["network", "optimizer", "scheduler", "random"])
def test_a_resume_that_forgets_a_part_is_seen(monkeypatch, part):
    load = Task.load_state_dict

    def forgetful(task, state):
        load(task, state | {part: task.state_dict()[part]})

    monkeypatch.setattr(Task, "load_state_dict", forgetful)
    trials = [kill(seed) for seed in range(4)]

    assert not all(trial["equal"] for trial in trials if trial["resumed_from"])
    assert any(trial["resumed_from"] for trial in trials)


@pytest.mark.parametrize("seed", range(12))
def test_an_interrupted_range_test_leaves_no_trace(seed):
    trial = interrupt(seed)

    assert trial["kind"] == KINDS[seed % 4]
    assert trial["ended"] != "whole"
    assert trial["equal"]
    assert trial["counts"]


@pytest.mark.parametrize("seed", range(4))
def test_a_range_test_that_puts_nothing_back_is_seen(monkeypatch, seed):
    scope = interruptions.range_test.__globals__
    monkeypatch.setitem(scope, "restored", lambda *_, **__: contextlib.nullcontext())

    assert not interrupt(seed)["equal"]
