"""Curve and landmarks: pairing, smoothing, and where things happen."""

import math
import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr.range_test.curve import SPAN, Curve
from cyclr.range_test.landmarks import Landmarks, wobble
from cyclr.range_test.points import CAPACITY, Points


def curve_of(rows, metric="loss"):
    return Curve.of(Points.read(rows), metric)


def test_a_learning_rate_belongs_to_the_next_loss():
    curve = curve_of([(0.1, 5.0), (0.2, 4.0), (0.3, 3.0)])
    assert (curve.lrs, curve.losses) == ([0.1, 0.2], [4.0, 3.0])


def test_an_accuracy_belongs_to_its_own_row_and_is_turned_over():
    curve = curve_of([(0.1, 0.5), (0.2, 0.6)], metric="accuracy")
    assert (curve.lrs, curve.losses) == ([0.1, 0.2], [-0.5, -0.6])


def test_merged_points_are_paired_one_row_back_and_not_one_point():
    rows = [(1e-6 * 1.001**i, 1.0) for i in range(2 * CAPACITY)]
    curve = curve_of(rows)
    assert curve.rows == pytest.approx(2)
    # Point j stands for the rows 2j and 2j + 1, which the rows 2j - 1 and 2j caused.
    middle = 1e-6 * 1.001 ** (2 * 1000 - 0.5)
    assert curve.lrs[999] == pytest.approx(middle, rel=1e-6)


def test_a_step_of_a_staircase_is_one_point():
    rows = [(0.1 * 2 ** (i // 10), -float(i)) for i in range(100)]
    curve = curve_of(rows)
    assert curve.lrs == [0.1 * 2**i for i in range(10)]
    assert curve.losses[0] == -5.5, "the mean of the losses 1 to 10"
    assert curve.rows == pytest.approx(9.9)


def test_a_single_step_is_a_point_and_no_row_is_no_curve():
    assert curve_of([(0.1, 1.0)] * 10).rows == 9
    assert (curve_of([]).lrs, curve_of([]).edge) == ([], None)


def test_without_some_of_its_points_it_stands_for_as_many_rows():
    curve = Curve(
        [1.1**i for i in range(20)], list(range(20)), edge=9.0, rows=3.0, metric="accuracy"
    )
    fewer = curve.without(5, offset=2)
    assert (fewer.metric, fewer.sign) == ("accuracy", -1.0)
    assert (Curve([], []).metric, Curve([], []).sign) == ("loss", 1.0)
    assert fewer.losses == [i for i in range(20) if i not in (2, 7, 12, 17)]
    assert fewer.lrs == [1.1**i for i in fewer.losses]
    assert (fewer.edge, fewer.rows * len(fewer.lrs)) == (9.0, 3.0 * 20)


def test_the_curve_ends_before_the_divergence_and_knows_its_edge():
    rows = [(0.1 * i, 1.0 + i % 2) for i in range(1, 31)] + [(9.0, math.nan), (10.0, 1.0)]
    curve = curve_of(rows)
    assert curve.edge == pytest.approx(3.0), "the rate of the row before caused the nan"
    assert curve.lrs[-1] == pytest.approx(2.9)
    assert curve_of(rows[:30]).edge is None
    assert curve_of([(lr, -loss) for lr, loss in rows], "accuracy").edge == 9.0


def test_what_diverges_at_once_has_its_edge_at_the_first_rate():
    assert curve_of([(0.1, math.nan), (0.2, 1.0)]).edge == 0.1
    assert curve_of([(0.1, 1.0), (0.2, math.nan), (0.3, 1.0)]).edge == 0.1


@given(st.floats(-1e6, 1e6), st.integers(16, 300))
def test_a_constant_loss_changes_nowhere(level, iterations):
    """The averages have no artificial rise or fall at their start."""
    curve = curve_of((1e-6 * 1.1**i, level) for i in range(iterations))
    assert set(curve.changes) == set(curve.centred) == set(curve.lagged) == {0.0}


def test_the_lagged_average_follows_a_step_by_the_decades_and_not_by_the_rows():
    for per_decade in (10, 40):
        n = 8 * per_decade
        lrs = [10 ** (i / per_decade) for i in range(n)]
        losses = [0.0 if i < n // 2 else -1.0 for i in range(n)]
        curve = Curve(lrs, losses)
        after = curve.lagged[n // 2 + 2 * per_decade - 1]
        assert after == pytest.approx(math.exp(-2 / SPAN) - 1, abs=1e-9)


def test_a_lucky_first_loss_is_no_minimum_of_the_lagged_average():
    """Before the first learning rate the loss is taken to have been at its start."""
    curve = Curve([1.1**i for i in range(100)], [-5.0] + [0.0] * 60 + [-1.0] * 39)
    assert curve.lagged[0] == 0
    assert min(curve.lagged) == curve.lagged[-1]


def test_the_centred_average_does_not_lag():
    losses = [0.0] * 100 + [-1.0] * 100
    curve = Curve([1.02**i for i in range(200)], losses)
    assert curve.centred[90] == pytest.approx(0)
    assert curve.centred[99] + curve.centred[100] == pytest.approx(-1)


def test_the_centred_average_of_a_short_curve_is_a_triangle_of_five_points():
    curve = Curve([1.2**i for i in range(20)], [0.0] * 10 + [-9.0] * 10)
    assert curve.centred[7:13] == pytest.approx([0, -1, -3, -6, -8, -9])


def test_one_loss_has_no_noise():
    curve = Curve([0.1], [1.0])
    assert (curve.noise, curve.rows) == (0, 1)


def test_one_huge_loss_counts_no_more_than_the_ceiling(without_noise):
    changes = curve_of(without_noise).changes
    hit = list(without_noise)
    hit[50] = (hit[50][0], 1e90)
    spiked = curve_of(hit).changes
    assert max(spiked) < 3
    assert spiked[:48] == pytest.approx(changes[:48], abs=1e-3)


def test_noise_is_measured_whatever_the_trend(simulate):
    for sigma in (0.05, 0.1, 0.5):
        assert curve_of(simulate(400, noise=sigma)).noise == pytest.approx(sigma, rel=0.35)


def test_landmarks_are_where_the_formula_has_them(without_noise):
    marks = Landmarks.of(curve_of(without_noise))
    lrs = [lr for lr, _ in without_noise]
    smooth = {lr: -2 / (1 + (0.01 / lr) ** 1.5) + lr**4 for lr in lrs}
    deepest = min(smooth.values())

    def reaches(share):
        return next(lr for lr in lrs if smooth[lr] <= share * deepest)

    assert marks.onset == pytest.approx(reaches(0.1), rel=0.2)
    assert marks.drop_90 == pytest.approx(reaches(0.9), rel=0.2)
    assert marks.drop_90 < marks.minimum < marks.edge
    assert marks.drop_90 < marks.middle < marks.minimum


def test_a_tenth_and_nine_tenths_of_the_fall_are_enough():
    fall = [0.0, -0.9, -1.0, -8.9, -9.0, -9.1, -10.0]
    marks = Landmarks.of(SimpleNamespace(lrs=range(7), centred=fall, lagged=fall, edge=None))
    assert (marks.onset, marks.drop_90) == (2, 4)


def test_what_never_falls_has_its_landmarks_where_it_begins():
    marks = Landmarks.of(Curve([1.05**i for i in range(100)], [1.0] * 100))
    assert (marks.onset, marks.drop_90, marks.minimum, marks.edge) == (1, 1, 1, None)


def test_what_has_fallen_at_the_first_rate_has_its_onset_there():
    marks = Landmarks.of(Curve([1.05**i for i in range(100)], [-10.0] * 3 + [0.0] * 97))
    assert (marks.onset, marks.drop_90) == (1, 1)


def test_the_onset_is_where_the_fall_begins_for_good():
    """A dip that comes back is no onset."""
    losses = [0.0] * 40 + [-3.0] * 6 + [0.0] * 54 + [-10.0] * 100
    marks = Landmarks.of(Curve([1.05**i for i in range(200)], losses))
    assert marks.onset == pytest.approx(1.05**98, rel=0.1)


def test_the_wobble_is_the_spread_between_repeated_tests(simulate):
    """The jackknife of one run knows how far the middle moves with another noise."""
    curves = [curve_of(simulate(noise=0.2, seed=seed)) for seed in range(60)]
    middles = [math.log10(Landmarks.of(curve).middle) for curve in curves]
    mean = sum(middles) / len(middles)
    spread = math.sqrt(sum((x - mean) ** 2 for x in middles) / (len(middles) - 1))
    typical = sorted(map(wobble, curves))[30]
    assert spread / 2 < typical < 2 * spread


def test_the_wobble_of_a_curve_without_noise_is_small(without_noise):
    assert wobble(curve_of(without_noise)) < 0.05


def test_the_order_of_the_rows_is_kept():
    draw = random.Random(0)
    rows = [(draw.random(), 1.0) for _ in range(50)]
    assert curve_of(rows).lrs == [lr for lr, _ in rows[:-1]]
