"""RangeTest: the test itself, from one's own loop."""

import math
import pickle
from itertools import pairwise

import pytest

from cyclr.range_test import (
    InconclusiveRangeTest,
    RangeTest,
    analyze,
    confirm,
    confirmation_cost,
)


def run(test, loss=lambda _: 1.0):
    return [test.record(loss(lr)) or lr for lr in test]


def bowl(lr):
    return 2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + lr**4


@pytest.mark.parametrize("iterations", [2, 3, 7, 100, 200])
@pytest.mark.parametrize(("start", "end"), [(1e-6, 10.0), (0.1, 0.3)])
def test_the_ramp_is_exponential_and_its_ends_are_exact(start, end, iterations):
    lrs = run(RangeTest(start, end, iterations))
    assert len(lrs) == iterations
    assert (lrs[0], lrs[-1]) == (start, end)
    factor = (end / start) ** (1 / (iterations - 1))
    for low, high in pairwise(lrs):
        assert high / low == pytest.approx(factor)


def test_the_defaults_are_those_of_the_contract():
    lrs = run(RangeTest())
    assert (lrs[0], lrs[-1], len(lrs)) == (1e-6, 10.0, 200)


def test_the_points_are_what_was_recorded():
    test = RangeTest(1e-3, 1e-1, 3)
    assert test.points == ()
    lrs = run(test, loss=lambda lr: lr * 2)
    assert test.points == tuple((lr, lr * 2) for lr in lrs)
    assert not test.diverged


def test_it_ends_when_the_loss_is_lost():
    test = RangeTest(iterations=100)
    lrs = run(test, loss=lambda lr: math.nan if lr > 0.1 else 2.0)
    assert test.diverged
    assert len(lrs) < 100
    assert math.isnan(test.points[-1][1])
    assert list(test) == []


def test_it_ends_when_the_loss_diverges():
    test = RangeTest()
    lrs = run(test, loss=bowl)
    assert test.diverged
    assert 1 < lrs[-1] < 4, "bowl loses all that it won at 1.2"


def test_a_spike_is_no_end():
    test = RangeTest()
    run(test, loss=lambda lr: 1e9 if 1e-4 < lr < 1.05e-4 else 2.0)
    assert not test.diverged
    assert len(test.points) == 200


def test_a_second_loop_goes_on_where_the_first_stopped():
    test = RangeTest(iterations=10)
    for lr in test:
        test.record(lr)
        if len(test.points) == 4:
            break
    run(test)
    assert [lr for lr, _ in test.points] == run(RangeTest(iterations=10))
    assert list(test) == []


def test_its_length_is_that_of_the_ramp():
    test = RangeTest(iterations=50)
    assert len(test) == 50
    next(test)
    assert len(test) == 50


def test_a_loss_before_any_learning_rate_is_an_error():
    with pytest.raises(RuntimeError, match="a loss must be recorded once for each learning rate"):
        RangeTest().record(1.0)


def test_two_losses_at_one_learning_rate_are_an_error():
    test = RangeTest()
    next(test)
    test.record(1.0)
    with pytest.raises(RuntimeError, match="a loss must be recorded once for each learning rate"):
        test.record(1.0)
    assert len(test.points) == 1


def test_a_learning_rate_without_a_loss_is_an_error():
    test = RangeTest()
    next(test)
    with pytest.raises(RuntimeError, match=r"the loss at lr 1e-06 must be recorded .* Hint: test"):
        next(test)
    test.record(1.0)
    assert next(test) > 1e-6, "the error can be mended"


def test_what_is_no_number_is_refused_and_may_be_recorded_again():
    test = RangeTest()
    next(test)
    for wrong in (None, "1.0", True, [1.0, 2.0]):
        with pytest.raises(TypeError, match="loss must be a number: got"):
            test.record(wrong)
    test.record(1.0)


def test_it_remembers_the_optimizer():
    test = RangeTest(optimizer="sgd", momentum=0.9)
    run(test, loss=bowl)
    points = test.points
    assert test.bounds() == analyze(points, optimizer="sgd", momentum=0.9)
    assert test.bounds(momentum=0.0) == analyze(points, optimizer="sgd", momentum=0.0)
    assert test.bounds(optimizer="adam") == analyze(points, optimizer="adam")
    assert test.bounds(rule="valley").rule == "valley"


def test_what_was_confirmed_are_its_bounds():
    test = RangeTest(optimizer="sgd")
    run(test, bowl)

    def probe(schedule):
        return math.log10(schedule.highest / 0.02) ** 2

    confirmed = test.confirm(probe, candidates=3, iterations=10)
    assert confirmed == confirm(analyze(test.points, optimizer="sgd"), probe, 3, 10)
    assert test.bounds() is confirmed
    assert test.bounds(optimizer="adam") == analyze(test.points, optimizer="adam")

    costs = []
    test.confirm(probe, progress=lambda done, cost: costs.append(cost))
    assert costs[0] == confirmation_cost(), "unless something else is asked for"

    with pytest.raises(InconclusiveRangeTest):  # and it is confirmed anew, or not at all
        test.confirm(lambda _: math.nan)
    assert test.bounds() == analyze(test.points, optimizer="sgd")


@pytest.mark.parametrize("method", [RangeTest.bounds, RangeTest.plot])
def test_an_optimizer_is_named_by_its_name(method):
    with pytest.raises(TypeError, match="argument"):
        method(RangeTest(), "sgd")


def test_nothing_recorded_is_inconclusive():
    with pytest.raises(InconclusiveRangeTest, match="too_short"):
        RangeTest().bounds()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_lr": 0}, "start_lr must be above 0: got 0"),
        ({"start_lr": math.nan}, "start_lr must be finite: got nan"),
        ({"start_lr": 1.0, "end_lr": 1.0}, "end_lr must be above 1.0: got 1.0"),
        ({"iterations": 1}, "iterations must be at least 2: got 1"),
        ({"iterations": 2.5}, "iterations must be a whole number: got 2.5"),
        ({"momentum": 1.5}, "momentum must be below 1: got 1.5"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_trained(arguments, message):
    with pytest.raises(ValueError, match=message):
        RangeTest(**arguments)


def test_it_can_be_saved_half_way():
    test = RangeTest()
    for lr in test:
        test.record(bowl(lr))
        if lr > 0.01:
            break
    copied = pickle.loads(pickle.dumps(test))
    assert run(copied, bowl) == run(test, bowl)
    assert copied.points == test.points


def test_its_representation_says_how_far_it_is():
    test = RangeTest(1e-3, 1.0, 5)
    next(test)
    test.record(math.nan)
    assert repr(test) == "RangeTest(0.001, 1.0, 5): 1 recorded, diverged"


def test_accuracies_may_come_with_the_losses():
    test = RangeTest(1e-4, 10.0, 100, optimizer="sgd")
    for lr in test:
        test.record(bowl(lr), accuracy=1 / (1 + (0.01 / lr) ** 1.5))

    assert len(test.accuracies) == len(test.points)
    assert test.accuracies[0][0] == 1e-4
    bounds = test.bounds(metric="accuracy")
    assert bounds == analyze(test.accuracies, optimizer="sgd", metric="accuracy")
    assert test.bounds() == analyze(test.points, optimizer="sgd") != bounds


def test_without_accuracies_none_are_read():
    test = RangeTest()
    run(test, bowl)

    with pytest.raises(ValueError, match="an accuracy must be recorded with each loss"):
        test.bounds(metric="accuracy")


def test_a_wrong_accuracy_is_refused_and_the_loss_can_be_recorded_again():
    test = RangeTest()
    next(test)
    with pytest.raises(TypeError, match="accuracy must be a number"):
        test.record(1.0, accuracy="0.5")
    test.record(1.0, accuracy=0.5)

    assert len(test.points) == len(test.accuracies) == 1


def test_in_a_notebook_it_is_its_code_then_its_picture_and_the_bounds_or_why_there_are_none():
    test = RangeTest(iterations=100)
    assert "RangeTest" in test._repr_html_()
    assert "<svg" not in test._repr_html_()

    for _, lr in zip(range(5), test, strict=False):
        test.record(bowl(lr))
    assert "<svg" in test._repr_html_()
    assert "too_short" in test._repr_html_()

    run(test, bowl)
    assert "<svg" in test._repr_html_()
    assert f"max_lr   {test.bounds().max_lr:.2g}" in test._repr_html_()
