"""The benchmark of suggestions: its replicas train as torch does, its numbers are its results'."""

import math

import pytest
import torch

from benchmarks.suggestion import fit
from benchmarks.suggestion.cases import Response, cases, measured
from benchmarks.suggestion.measure import GRID, stacked
from benchmarks.suggestion.stack import batches
from benchmarks.suggestion.tasks import OPTIMIZERS, PROBLEMS, TASKS, Task
from cyclr.range_test.optimizers import KNOWN, MOMENTUM, UNNAMED

EVERY_OPTIMIZER = [Task("relu", name, 32, 10) for name in OPTIMIZERS]
EVERY_PROBLEM = [next(t for t in TASKS if t.problem == problem) for problem in PROBLEMS]


@pytest.mark.parametrize("task", EVERY_OPTIMIZER + EVERY_PROBLEM, ids=lambda task: task.name)
def test_a_stack_of_replicas_trains_as_each_would_alone(task):
    seeds, lrs, steps = [5, 7, 5], [1e-2, 3e-3, 1e-3], 4
    losses = stacked(task, seeds).train(torch.tensor([lrs] * steps))
    for replica, (seed, lr) in enumerate(zip(seeds, lrs, strict=True)):
        problem = PROBLEMS[task.problem]
        data = problem.data()
        torch.manual_seed(seed)
        network = problem.build()
        optimizer = task.optimize(list(network.parameters()))
        optimizer.param_groups[0]["lr"] = lr
        stream = batches(data.train, task.batch, seed)
        for step in range(steps):
            chosen = next(stream)
            loss = data.loss(network(data.train.inputs[chosen]), data.train.targets[chosen])
            assert losses[step, replica].item() == pytest.approx(loss.item(), rel=1e-5)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_no_example_is_trained_on_and_held_out(problem):
    data = PROBLEMS[problem].data()
    parts = [data.train, data.probe, data.test]
    rows = [{tuple(row) for row in part.inputs.flatten(1).tolist()} for part in parts]
    assert min(map(len, rows)) > 20
    if "characters" not in problem:  # where lines of text repeat themselves
        assert not rows[1] & rows[2]
        held_out = rows[1] | rows[2]
        assert len(held_out & rows[0]) <= 0.01 * len(held_out), "but for a patch drawn twice"


def test_regret_is_0_at_the_best_and_1_where_nothing_is_learned():
    rows = [[2.0, 2.0], [1.0, 1.2], [0.1, 0.3], [None, 0.2], [None, None]]
    rows += [[None]] * (len(GRID) - len(rows))
    response = Response(rows, untrained=2.0)
    assert [response.regret(GRID[place]) for place in (0, 2, 4)] == pytest.approx([1, 0, 1])
    assert response.regret(GRID[3]) == pytest.approx(((2.0 + 0.2) / 2 - 0.2) / 1.8)
    assert response.regret(math.sqrt(GRID[0] * GRID[1])) == pytest.approx((1 + 0.9 / 1.8) / 2)


def test_what_is_shipped_is_what_the_committed_results_say():
    found = fit.readings(cases(measured()))
    assert len(found) > 90
    table = fit.fitted(found)
    shipped = {
        "pooled": UNNAMED,
        "momentum": MOMENTUM,
        **{name: KNOWN[name] for name in ("sgd", "adam", "rmsprop", "adagrad")},
    }
    for name, known in shipped.items():
        assert known.scale == pytest.approx(10 ** table.scales[name], abs=0.006)
        assert known.middle == pytest.approx(10 ** table.middles[name], abs=0.006)
    assert KNOWN["adam"].spread == pytest.approx(table.spread, abs=0.006)
    assert UNNAMED.spread == pytest.approx(table.spread_unnamed, abs=0.006)
