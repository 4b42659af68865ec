"""Accuracy: the paper's rule."""

import math
import random

import pytest

from cyclr.range_test import analyze
from cyclr.range_test.accuracy import _sustained, smith
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import prior
from cyclr.range_test.points import Points
from cyclr.range_test.rules import Evidence

NAN = math.nan


def accuracies(rows=100, ragged=0.0, falls=True, seed=0):
    """A linear ramp to 0.02, as the paper's: chance, a rise from 0.002, a fall from 0.014."""
    draw = random.Random(seed)
    for i in range(1, rows + 1):
        lr = 0.02 * i / rows
        accuracy = 0.1 + 0.5 * min(max((lr - 0.002) / 0.006, 0), 1)
        if falls:
            accuracy -= 0.4 * min(max((lr - 0.014) / 0.004, 0), 1)
        scatter = 0.005 + ragged * (lr > 0.012)
        yield lr, accuracy + draw.gauss(0, scatter)


def test_smith_s_bounds_are_where_the_accuracy_rises_and_where_it_falls():
    bounds = analyze(accuracies(), metric="accuracy")
    assert bounds.rule == "smith"
    assert bounds.base_lr == pytest.approx(0.0026, rel=0.2)
    assert bounds.max_lr == pytest.approx(0.0146, rel=0.1)
    assert [reason.code for reason in bounds.reasons] == []


def test_an_accuracy_is_said_to_rise():
    assert "The accuracy began to rise at 0.002" in str(analyze(accuracies(), metric="accuracy"))


def smith_s(accuracies):
    """What the rule says of accuracies at 1, 2, 3, ..."""
    points = Points.read(enumerate(accuracies, start=1))
    curve = Curve.of(points, "accuracy")
    return smith(Evidence(points, curve, Landmarks.of(curve), prior()))


def test_smith_s_bounds_are_where_a_tenth_of_the_rise_is_won_and_lost():
    """In percent: 10 for long, up to 60, and down again, by halves."""
    up, down = [10.5 + i / 2 for i in range(100)], [59.5 - i / 2 for i in range(40)]
    rows = [*[10.0] * 10, *up, *[60.0] * 9, *down]
    answer = smith_s(rows)
    assert (rows[int(answer.base_lr) - 1], rows[int(answer.max_lr) - 1]) == (15.5, 54.5)
    assert answer.turned


@pytest.mark.parametrize(("flat", "ragged", "earlier"), [(20, 40, 4), (60, 121, 8)])
def test_smith_s_roughness_is_the_mean_of_a_tenth_of_the_rows(flat, ragged, earlier):
    """In percent: up to 60 by fives, 60 for long, then 56 and 64 in turn.

    The two bends of the rise, of 5 each, are half a percent a row, and twice as much is ragged. A
    window of 10 rows at least, half on either side, has it when it comes to the first bends, of 4
    and 12, and one of 20 when it has that of 16 after them, too.
    """
    rows = [*[10.0] * 10, *range(15, 60, 5), *[60.0] * flat, *[56.0, 64.0] * 61]
    rows = rows[: 19 + flat + ragged]
    assert smith_s(rows).max_lr == 19 + flat - earlier + 1


def test_smith_gives_no_base_that_is_the_max():
    answer = smith_s([10.0] * 30 + [60.0])
    assert (answer.max_lr, answer.base_lr, answer.turned) == (31, None, False)


def test_what_lasts_for_three_rows_counts():
    assert _sustained([False, True, True, False, True, True, True]) == 4
    assert _sustained([False, True, True]) is None
    assert _sustained([]) is None


@pytest.mark.parametrize("rows", [100, 400])
def test_smith_s_max_is_also_where_the_accuracy_gets_ragged(rows):
    bounds = analyze(accuracies(rows, ragged=0.04, falls=False), metric="accuracy")
    assert bounds.max_lr == pytest.approx(0.0125, rel=0.1)


@pytest.mark.parametrize("rows", [40, 100, 400])
def test_noise_that_stays_as_it_is_is_not_ragged(rows):
    for seed in range(10):
        bounds = analyze(accuracies(rows, falls=False, seed=seed), metric="accuracy")
        assert (bounds.max_lr, bounds.reasons[-1].code) == (0.02, "no_edge")


def test_a_smoothed_accuracy_is_read_and_said_to_be_smoothed():
    """Chance for half of an exponential ramp, then a rise, all of it averaged."""
    draw = random.Random(0)
    average, log = 0.1, []
    for i in range(200):
        accuracy = 0.1 + 0.5 * min(max((i - 100) / 60, 0), 1) + draw.gauss(0, 0.02)
        average += 0.1 * (accuracy - average)
        log.append((1e-5 * 1.05**i, average))
    bounds = analyze(log, metric="accuracy")
    assert [reason.code for reason in bounds.reasons] == ["no_edge", "pre_smoothed"]
    assert log[100][0] < bounds.base_lr < log[125][0]


def test_smith_s_max_is_a_lower_bound_where_the_accuracy_never_falls():
    bounds = analyze(accuracies(falls=False), metric="accuracy")
    assert bounds.max_lr == 0.02
    assert "no_edge" in [reason.code for reason in bounds.reasons]


def test_a_nan_ends_an_accuracy_too():
    log = [*list(accuracies())[:60], (0.013, NAN)]
    assert analyze(log, metric="accuracy").landmarks.edge == 0.013


@pytest.mark.parametrize("name", ["accuracy", "batch_accuracy"])
def test_percent_are_the_same_as_fractions(read_log, name):
    log = read_log(name)
    percent = analyze([(lr, 100 * accuracy) for lr, accuracy in log], metric="accuracy")
    fractions = analyze(log, metric="accuracy")
    assert (percent.base_lr, percent.max_lr) == (fractions.base_lr, fractions.max_lr)
    assert [r.code for r in percent.reasons] == [r.code for r in fractions.reasons]


def test_a_real_accuracy_that_rises_at_once(read_log):
    """A linear ramp, as the paper's: 0.11, 0.12, 0.26, ... up to 0.94 at 0.24, 0.54 at the end."""
    log = read_log("accuracy")
    bounds = analyze(log, metric="accuracy")
    accuracy = dict(log)
    assert bounds.base_lr == log[1][0], "the second row: it rises from there on"
    assert accuracy[bounds.max_lr] < 0.85
    assert max(value for lr, value in log if lr > bounds.max_lr) < 0.9
    assert 0.24 < bounds.max_lr < 0.8


def test_a_real_accuracy_of_single_batches(read_log):
    """An exponential ramp: 0.1 up to 0.001, 0.9 from 0.06 to 0.6, then noise around 0.3."""
    bounds = analyze(read_log("batch_accuracy"), metric="accuracy")
    assert 0.001 < bounds.base_lr < 0.01
    assert 0.3 < bounds.max_lr < 1.0
    assert bounds.reasons == ()
