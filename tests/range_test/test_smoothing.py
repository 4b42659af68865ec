"""Smoothing: every usual average is undone, and told from the others and from none."""

import math
import random
import statistics
from dataclasses import FrozenInstanceError
from itertools import chain, pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr.range_test.curve import Curve
from cyclr.range_test.points import Points
from cyclr.range_test.smoothing import (
    RAW,
    _bent,
    _epochs,
    _not_fallen,
    _scatter,
    _without_spikes,
    average,
    corrected,
    likeliest,
    mean,
    piecewise,
    smoothing_of,
    sound_losses,
    steady,
)

SEEDS = range(10)


def exponential(losses, keep):
    """As pytorch-lr-finder: from the first loss."""
    result = [losses[0]]
    for loss in losses[1:]:
        result.append(keep * result[-1] + (1 - keep) * loss)
    return result


def debiased(losses, keep):
    """As fastai: from 0, corrected."""
    total, result = 0.0, []
    for count, loss in enumerate(losses, start=1):
        total = keep * total + (1 - keep) * loss
        result.append(total / (1 - keep**count))
    return result


def running(losses, epoch):
    """As Keras: from the start of the epoch."""
    result = []
    for i in range(len(losses)):
        part = losses[i - i % epoch : i + 1]
        result.append(sum(part) / len(part))
    return result


def window(losses, size):
    parts = [losses[max(0, end - size) : end] for end in range(1, len(losses) + 1)]
    return [sum(part) / len(part) for part in parts]


def found(log):
    points = Points.read(log)
    return smoothing_of(points, Curve.of(points))


def smoothed(log, how, *arguments):
    lrs, losses = zip(*log, strict=True)
    return list(zip(lrs, how(losses, *arguments), strict=True))


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=40), st.integers(1, 9))
def test_each_average_is_undone(losses, epoch):
    for smoothing, averages in (
        (average(0.9), exponential(losses, 0.9)),
        (corrected(0.9), debiased(losses, 0.9)),
        (mean(), running(losses, len(losses))),
        (mean(epoch), running(losses, epoch)),
        (RAW, losses),
    ):
        assert smoothing.undo(averages) == pytest.approx(losses[1:], abs=1e-9)


def test_a_spike_counts_ten_times_the_median_deviation():
    assert _without_spikes([0.0, 1.0, 2.0, 3.0, 100.0]) == [0, 1, 2, 3, 12]
    assert _without_spikes([0.0, 1.0, 2.0, 3.0, -100.0]) == [0, 1, 2, 3, -9]


@pytest.mark.parametrize("sizes", [[6], [15], [22], [12, 11], [15, 15], [15, 15, 15]])
def test_a_piece_has_its_own_line_and_noise_and_costs_three_parameters(sizes):
    """Of 15 losses, or as near to that as it goes."""
    draw = random.Random(0)
    pieces = [[draw.gauss(level, 1 + level) for _ in range(n)] for level, n in enumerate(sizes)]
    expected = 0.0
    for piece in pieces:
        n = len(piece)
        slope, level = statistics.linear_regression(range(n), piece)
        variance = statistics.fmean((y - level - slope * x) ** 2 for x, y in enumerate(piece))
        expected += -n / 2 * math.log(variance) - 3 * n / (n - 4)
    assert piecewise([0.0, *chain(*pieces)]) == pytest.approx(expected)


def averaged_noise(rows, keep, seed=0):
    draw = random.Random(seed)
    return exponential([draw.gauss(0, 1) for _ in range(rows)], keep)


def found_if_flat(losses, flat):
    """What is found if the loss seems to fall from the rate on that is the last of so many."""
    lrs = range(1, len(losses) + 1)
    fall = [0.0] * (flat - 1) + [-1.0] * (len(losses) - flat + 1)
    curve = SimpleNamespace(lrs=lrs, centred=fall, lagged=fall, edge=None, sign=1.0)
    return smoothing_of(SimpleNamespace(lrs=lrs, losses=losses), curve)


@pytest.mark.parametrize(("keep", "seed", "more"), [(0.8, 15, 4.22), (0.9, 32, 5.54)])
def test_before_the_onset_an_average_must_be_more_likely_by_five(keep, seed, more):
    """In logarithms of the likelihood."""
    losses = averaged_noise(40, keep, seed)
    _, likelihood = likeliest(losses, range(40))
    assert likelihood - steady(losses, range(40)) == pytest.approx(more, abs=0.01)
    assert (found_if_flat(losses, 40) is RAW) == (more < 5)


@pytest.mark.parametrize(("keep", "seed", "more"), [(0.9, 28, 9.86), (0.8, 57, 10.21)])
def test_without_a_flat_part_an_average_must_be_more_likely_by_ten(keep, seed, more):
    losses = averaged_noise(40, keep, seed)
    _, likelihood = likeliest(losses, [0.0] * 40)
    assert likelihood - piecewise(losses) == pytest.approx(more, abs=0.01)
    assert (found_if_flat(losses, 1) is RAW) == (more < 10)


@pytest.mark.parametrize("keep", [0.7, 0.8, 0.9, 0.95, 0.98])
def test_of_an_average_what_it_keeps_is_told(keep):
    smoothing, _ = likeliest(averaged_noise(2000, keep), [0.0] * 2000)
    assert next(smoothing.weights()) == pytest.approx(1 - keep)


def test_a_flat_part_has_twenty_losses():
    """With fewer, how it falls later speaks against an average."""
    losses = averaged_noise(20, keep=0.9)
    losses += [losses[-1] - i for i in range(1, 40)]
    assert found_if_flat(losses, 20).kind == "average"
    assert found_if_flat(losses, 19) is RAW


def test_what_comes_after_512_losses_is_not_looked_at():
    losses = averaged_noise(520, keep=0.9)
    for spike, is_seen in [(512, False), (511, True)]:
        spiked = [1e6 if i == spike else loss for i, loss in enumerate(losses)]
        assert (found_if_flat(spiked, 520) is RAW) == is_seen


def test_von_neumanns_ratio_is_0_without_noise():
    assert _scatter([1.0, -1.0] * 5, [0.0] * 10) == 9 * 4 / 10
    assert _scatter([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 0


def test_six_lengths_of_an_epoch_are_tried_none_below_five():
    for epoch, is_tried in [(4, False), (5, True), (17, True)]:
        tried = _epochs([float(i % epoch) for i in range(100)])
        assert (epoch in tried) == is_tried
        assert len(tried) == 6
        assert min(tried) >= 5


def test_the_losses_before_the_edge_are_sound():
    log = [(0.1 * i, 2.0 + i % 2) for i in range(1, 40)] + [(9.0, math.nan), (10.0, 1.0)]
    points = Points.read(log)
    assert sound_losses(points, Curve.of(points)) == [loss for _, loss in log[:38]]
    assert list(map(repr, sound_losses(points, Curve([], [])))) == list(map(repr, points.losses))


def test_accuracies_are_turned_over_as_their_curve_is():
    points = Points.read((0.1 * i, i / 40) for i in range(1, 40))
    curve = Curve.of(points, "accuracy")
    assert sound_losses(points, curve) == curve.losses == [-i / 40 for i in range(1, 40)]


def test_what_has_fallen_ends_the_part_before_the_fall():
    """By ten deviations of the first half, which here are 1, and without a break."""
    noise = [4.0, 6.0] * 10
    assert _not_fallen(noise) == 20
    assert _not_fallen([*noise, -4.9, -5.1, -30.0]) == 21
    assert _not_fallen([*noise, -30.0, 5.0, 5.0]) == 23
    assert _not_fallen([5.0]) == 1


def test_a_trend_may_begin_later():
    bent = _bent([float(i) for i in range(20)])
    assert len(bent) == 9
    assert bent[0] == [0.0, 0.0, 0.0, *map(float, range(1, 18))]
    assert bent[8] == [0.0] * 19 + [1.0]


@pytest.mark.parametrize("keep", [0.7, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("how", [exponential, debiased])
def test_exponential_averages_are_told(simulate, how, keep):
    for seed in SEEDS:
        assert found(smoothed(simulate(seed=seed), how, keep)).kind == "average"


@pytest.mark.parametrize("epoch", [20, 57, 100, 400])
def test_running_means_are_told_with_their_epochs(simulate, epoch):
    for seed in SEEDS:
        log = smoothed(simulate(400, seed=seed), running, epoch)
        smoothing = found(log)
        assert smoothing.kind == "mean"
        weights = smoothing.weights()
        first = [next(weights) for _ in range(epoch - 1)]
        assert first == [1 / k for k in range(2, epoch + 1)]


def test_the_mean_of_some_losses_is_taken_for_an_average(simulate):
    for seed in SEEDS:
        assert found(smoothed(simulate(seed=seed), window, 10)).kind == "average"


@pytest.mark.parametrize("iterations", [60, 100, 200, 400])
def test_losses_as_they_are_are_not_smoothed(simulate, iterations):
    for seed in range(30):
        for noise in (0.0, 0.02, 0.2):
            assert found(simulate(iterations, noise=noise, seed=seed)) is RAW


def test_real_losses_are_not_smoothed(real_logs, read_log):
    for name in ("below_zero", "diverges", "never_diverges", "not_shuffled"):
        assert found(read_log(name)) is RAW
    assert all(found(log) is RAW for log in real_logs.values())


def test_a_spike_is_not_the_start_of_an_epoch(simulate):
    for at in range(30, 90):
        log = simulate(seed=51)
        log[at] = (log[at][0], -50.0)
        assert found(log) is RAW


def test_where_there_is_no_flat_part_noise_must_explain_all(simulate):
    """A loss that falls from the first rate on is no average of noise."""
    for seed in SEEDS:
        for start in (1e-3, 3e-3, 1e-2):
            assert found(simulate(start_lr=start, seed=seed, noise=0.1)) is RAW


def test_a_flat_loss_is_seen_to_be_smoothed_too(simulate):
    """Where it seems to fall is chance, and little may come before."""
    kinds = []
    for seed in range(40):
        draw = random.Random(seed)
        flat = [(lr, 2.3 + draw.gauss(0, 0.05)) for lr, _ in simulate()]
        assert found(flat) is RAW
        kinds.append(found(smoothed(flat, debiased, 0.9)).kind)
    assert kinds.count("average") > 20, "mostly"


def test_a_smoothing_is_shared_and_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        RAW.kind = "mean"


def test_a_loss_without_noise_is_not_smoothed(without_noise):
    assert found(without_noise) is RAW
    assert found([(lr, 2.3) for lr, _ in without_noise]) is RAW


def test_weights_are_those_of_their_definition():
    first = [next(corrected(0.5).weights()), next(average(0.5).weights()), next(mean().weights())]
    assert first == [pytest.approx(2 / 3), 0.5, 0.5]
    weights = corrected(0.9).weights()
    assert all(a > b > 0.1 for a, b in pairwise([next(weights) for _ in range(20)]))
