"""What the picture of a range test shows."""

import dataclasses
import math

import pytest

from cyclr import RangeTest, analyze, confirm
from cyclr.plotting.range_tests import picture_of_bounds, picture_of_points, picture_of_range_test
from cyclr.range_test.points import Points

NAN = math.nan
LRS = [1e-6 * 1e7 ** (i / 199) for i in range(200)]
LOSSES = [2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + (lr / 0.5) ** 4 for lr in LRS]
LOG = list(zip(LRS, LOSSES, strict=True))


def test_the_bounds_the_interval_and_the_landmarks_are_where_they_are():
    bounds = analyze(LOG, optimizer="adam")
    picture = picture_of_bounds(bounds)

    assert [pole.x for pole in picture.bounds] == [bounds.base_lr, bounds.max_lr]
    assert [pole.name for pole in picture.bounds] == [
        f"base_lr {bounds.base_lr:.2g}",
        f"max_lr {bounds.max_lr:.2g}",
    ]
    assert (picture.band.low, picture.band.high) == bounds.interval
    assert picture.edge.x == bounds.landmarks.edge
    marks = {mark.name: mark.x for mark in picture.marks}
    assert marks | {"edge": picture.edge.x} == dataclasses.asdict(bounds.landmarks)


def test_the_loss_is_there_as_recorded_and_smoothed():
    bounds = analyze(LOG)
    picture = picture_of_bounds(bounds)

    assert picture.raw.points == list(zip(bounds.curve.lrs, bounds.curve.losses, strict=True))
    (smooth,) = picture.lines
    assert [lr for lr, _ in smooth.points] == list(bounds.curve.lrs)
    fall = [(a, b) for (lr, a), (_, b) in zip(smooth.points, LOG, strict=False) if lr < 0.1]
    assert all(abs(a - b) < 0.1 for a, b in fall)


def test_a_mark_is_on_the_smoothed_curve_named_on_its_free_side():
    picture = picture_of_bounds(analyze(LOG))

    assert all((mark.x, mark.y) in picture.lines[0].points for mark in picture.marks)
    below = {mark.name: mark.below for mark in picture.marks}
    assert below == {"onset": True, "drop_90": True, "minimum": False}


def test_an_accuracy_is_the_right_way_up():
    accuracies = [1 - min(loss, 2.6) / 2.6 for loss in LOSSES]
    picture = picture_of_bounds(analyze(zip(LRS, accuracies, strict=True), metric="accuracy"))

    assert picture.y.name == picture.raw.name == "accuracy"
    assert [y for _, y in picture.raw.points] == accuracies
    assert max(y for _, y in picture.lines[0].points) > 0.8


def test_neither_the_explosion_nor_a_spike_flattens_the_rest():
    exploding = [(lr, loss if lr < 0.8 else 1e9) for lr, loss in LOG]
    spiked = [(lr, 1e3 if i == 50 else loss) for i, (lr, loss) in enumerate(LOG)]
    for log in (LOG, exploding, spiked):
        picture = picture_of_bounds(analyze(log))
        assert picture.y.low < min(LOSSES) + 0.1
        assert 2.3 < picture.y.high < 6


def test_the_reasons_are_said_in_words():
    bounds = analyze(LOG[:140], optimizer="lion")

    assert len(bounds.reasons) >= 2
    assert picture_of_bounds(bounds).words == [reason.message for reason in bounds.reasons]


def test_bounds_of_several_runs_and_confirmed_ones_are_drawn_as_well():
    several = analyze(LOG, [(lr, loss) for lr, loss in LOG if lr < 0.5], LOG[::2])
    confirmed = confirm(analyze(LOG), lambda schedule: math.log(schedule.highest / 0.02) ** 2)
    for bounds in (several, confirmed):
        picture = picture_of_bounds(bounds)
        assert [pole.x for pole in picture.bounds] == [bounds.base_lr, bounds.max_lr]
        assert (picture.band.low, picture.band.high) == bounds.interval
        assert (picture.edge and picture.edge.x) == bounds.landmarks.edge
        assert picture.y.name == "loss"


def test_bounds_without_a_curve_say_what_they_lack():
    bounds = dataclasses.replace(analyze(LOG), curve=None)
    with pytest.raises(ValueError, match="bounds must have the curve") as error:
        bounds.plot()
    assert "Hint" in str(error.value)


def recorded(losses):
    test = RangeTest(iterations=len(losses))
    for _, loss in zip(test, losses, strict=False):
        test.record(loss)
    return test


def test_a_test_is_drawn_with_its_bounds():
    test = recorded(LOSSES)
    assert picture_of_range_test(test, optimizer="adam") == picture_of_bounds(
        test.bounds(optimizer="adam")
    )


def test_a_test_of_accuracies_is_drawn_with_or_without_bounds():
    rising, flat = RangeTest(), RangeTest()
    for _, loss in zip(rising, LOSSES, strict=False):
        rising.record(loss, 1 - min(loss, 2.6) / 2.6)
    for _ in flat:
        flat.record(2.3, 0.1)
    assert picture_of_range_test(rising, "accuracy") == picture_of_bounds(
        rising.bounds(metric="accuracy")
    )
    picture = picture_of_range_test(flat, "accuracy")
    assert {accuracy for _, accuracy in picture.raw.points} == {0.1}
    assert len(picture.words) == 1


@pytest.mark.parametrize("losses", [[NAN, 1.0], [2.3, NAN], [2.3] * 5, [2.3] * 200])
def test_a_test_without_bounds_is_drawn_with_the_reasons(losses):
    test = recorded(losses)
    picture = picture_of_range_test(test)

    assert picture.bounds == picture.marks == []
    assert picture.band is None
    assert len(picture.words) == 1
    assert picture.x.low < picture.x.high
    assert picture.y.low < picture.y.high


def test_a_test_without_losses_has_no_picture():
    with pytest.raises(ValueError, match="the test must have losses"):
        RangeTest().plot()


def test_no_points_at_all_are_an_empty_picture():
    picture = picture_of_points(Points.read([]), [])
    assert picture.x.low < picture.x.high
    assert (picture.raw.points, picture.lines) == ([], [])
