"""Confirmation: probes around the estimate, and what becomes of the bounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr import Triangular
from cyclr.range_test import InconclusiveRangeTest, analyze, confirm, confirmation_cost
from cyclr.range_test.bounds import QUANTILE
from cyclr.range_test.confirmation import SHADE

INF, NAN = math.inf, math.nan


@pytest.fixture(scope="module")
def bounds(simulate):
    return analyze(simulate(), optimizer="adam")


class Task:
    """A probe of a task that is trained best with a known rate; it keeps what it was asked."""

    def __init__(self, best, loss=lambda decades: decades**2):
        self.best, self.loss, self.asked = best, loss, []

    def __call__(self, schedule):
        self.asked.append(schedule)
        return self.loss(math.log10(schedule.highest / self.best))


@given(st.floats(-0.4, 0.4), st.floats(0.1, 100), st.floats(-100, 100))
def test_the_answer_may_lie_between_two_candidates(bounds, decades, scale, zero):
    """Neither the scale nor the zero of the loss matters."""
    best = bounds.max_lr * 10**decades
    task = Task(best, lambda x: scale * x**2 + zero)
    assert confirm(bounds, task).max_lr == pytest.approx(SHADE * best, rel=1e-3)


@pytest.mark.parametrize("iterations", [90, 91])
def test_a_probe_is_one_triangle_from_a_quarter(bounds, iterations):
    task = Task(bounds.max_lr)
    confirm(bounds, task, iterations=iterations)
    step = 10**0.5
    expected = [bounds.max_lr / step, bounds.max_lr, bounds.max_lr * step]
    assert task.asked == [Triangular(lr / 4, lr, 45) for lr in expected]


@pytest.mark.parametrize(("decades", "probes"), [(0, 3), (0.6, 4), (1.1, 5), (-1.1, 5), (9, 5)])
def test_one_more_as_long_as_the_best_is_outermost(bounds, decades, probes):
    task = Task(bounds.max_lr * 10**decades)
    found = confirm(bounds, task)
    assert len(task.asked) == probes
    assert ("no_edge" in [reason.code for reason in found.reasons]) == (decades == 9)


@pytest.mark.parametrize(("decades", "side"), [(9, "highest"), (-9, "lowest")])
def test_it_says_when_the_best_may_lie_beyond(bounds, decades, side):
    task = Task(bounds.max_lr * 10**decades)
    (reason,) = confirm(bounds, task, candidates=4).reasons
    assert reason.message == f"The {side} of the 4 learning rates that were tried did best."
    outermost = (max if decades > 0 else min)(schedule.highest for schedule in task.asked)
    assert confirm(bounds, task, candidates=4).max_lr == pytest.approx(SHADE * outermost)


@pytest.mark.parametrize("bad", [NAN, INF, 1e200])
def test_what_diverged_is_worse_than_anything(bounds, bad):
    task = Task(bounds.max_lr, lambda x: bad if x > 0.1 else x**2)
    found = confirm(bounds, task).max_lr
    assert bounds.max_lr / 10**0.25 <= found / SHADE < bounds.max_lr
    assert found == confirm(bounds, Task(bounds.max_lr, lambda x: NAN if x > 0.1 else x**2)).max_lr


def test_what_diverged_is_ten_times_as_far_from_the_best_as_the_worst_that_did_not(bounds):
    losses = iter([2.0, 1.0, NAN])  # as a loss of 11: the parabola is lowest at -9 / 22
    found = confirm(bounds, lambda _: next(losses))
    assert found.max_lr == pytest.approx(SHADE * bounds.max_lr * 10 ** (0.5 * -9 / 22))


def test_if_the_highest_all_diverge_it_goes_down_to_one_that_does_not(bounds):
    task = Task(bounds.max_lr / 10, lambda x: NAN if x > 0.3 else 1.0 + x**2)
    assert confirm(bounds, task).max_lr < bounds.max_lr / 5
    assert len(task.asked) == 5


def test_if_all_diverge_it_says_so(bounds):
    task = Task(bounds.max_lr, lambda _: NAN)
    with pytest.raises(InconclusiveRangeTest) as caught:
        confirm(bounds, task)
    lrs = [schedule.highest for schedule in task.asked]
    (reason,) = caught.value.reasons
    assert reason.code == "all_nonfinite"
    assert reason.message == (f"No probe from {min(lrs):.2g} to {max(lrs):.2g} has a finite loss.")


def test_the_bounds_move_together_and_the_interval_is_narrower(bounds):
    found = confirm(bounds, Task(bounds.max_lr * 2))
    assert found.base_lr == pytest.approx(found.max_lr / 4)
    low, high = found.interval
    assert low < found.max_lr < high
    assert high / low < bounds.interval[1] / bounds.interval[0]
    # The parabola is lowest at twice the max_lr; measured: 0.76 of that, and 0.23 decades.
    assert math.sqrt(low * high) == pytest.approx(0.76 * 2 * bounds.max_lr)
    assert math.log10(high / low) == pytest.approx(2 * QUANTILE * 0.23)
    assert found.rule == "family, confirmed"
    assert found.reasons == ()
    assert found.landmarks == bounds.landmarks


def test_the_cost_is_told_before_it_arises(bounds):
    told = []
    task = Task(bounds.max_lr * 4)
    confirm(
        bounds, task, iterations=100, progress=lambda *both: told.append((*both, len(task.asked)))
    )
    assert told[0] == (0, 500, 0)
    assert told[1:] == [(100 * n, 500, n) for n in range(1, 1 + len(task.asked))]
    assert confirmation_cost(5, 100) == 500
    costs = set()
    confirm(bounds, task, progress=lambda _, cost: costs.add(cost))
    assert costs == {confirmation_cost()} == {600}


def test_a_flat_loss_changes_nothing_but_the_shade(bounds):
    found = confirm(bounds, lambda _: 1.0)
    assert found.max_lr <= bounds.max_lr


def test_an_error_of_the_probe_is_the_user_s(bounds):
    def probe(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        confirm(bounds, probe)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"candidates": 2}, "candidates must be at least 3: got 2"),
        ({"iterations": 1}, "iterations must be at least 2: got 1"),
        ({"iterations": 2.5}, "iterations must be a whole number: got 2.5"),
    ],
)
def test_bad_arguments_are_refused_before_a_probe(bounds, arguments, message):
    with pytest.raises(ValueError, match=message):
        confirm(bounds, lambda _: pytest.fail("probed"), **arguments)


def test_a_loss_is_a_number(bounds):
    with pytest.raises(TypeError, match="what probe returns must be a number: got 'low'"):
        confirm(bounds, lambda _: "low")
