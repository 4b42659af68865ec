"""What the picture of schedules shows."""

import pytest

from cyclr import Constant, Linear, OneCycle, Triangular
from cyclr.plotting import plot
from cyclr.plotting.schedules import picture_of_schedules

TRIANGULAR = Triangular(0.001, 0.006, step_size=500)


def names(schedules, iterations=None):
    return [line.name for line in picture_of_schedules(schedules, iterations).lines]


def test_every_value_is_there():
    picture = picture_of_schedules(TRIANGULAR, 3000)

    (line,) = picture.lines
    assert line.points == [(i, TRIANGULAR(i)) for i in range(3001)]
    assert (picture.x.low, picture.x.high) == (0, 3000)
    assert picture.y.low < 0.0
    assert picture.y.high > 0.006


def test_it_goes_as_far_as_the_longest_needs():
    assert picture_of_schedules(Linear(0.1, 0.0, 70)).x.high == 70
    assert picture_of_schedules([Linear(0.1, 0.0, 70), TRIANGULAR]).x.high == 4000


def test_zero_is_shown_unless_it_would_flatten_the_curve():
    assert picture_of_schedules(Triangular(0.1, 0.5, 10)).y.low < 0
    assert picture_of_schedules(Triangular(0.4, 0.5, 10)).y.low > 0.3


def test_names_are_given_or_the_policies_or_code_where_two_share_it():
    one_cycle = OneCycle(0.01, 100)
    assert names({"mine": TRIANGULAR, "yours": one_cycle}) == ["mine", "yours"]
    assert names([TRIANGULAR, one_cycle]) == ["Triangular", "OneCycle"]
    assert names([TRIANGULAR, Triangular(0.1, 1.0, 9), one_cycle]) == [
        *("Triangular(base_lr=0.001, max_lr=0.006, step_size=500)",),
        *("Triangular(base_lr=0.1, max_lr=1.0, step_size=9)", "OneCycle"),
    ]
    assert names([one_cycle * 0.5, one_cycle]) == [repr(one_cycle * 0.5), "OneCycle"]


def test_a_function_of_one_s_own_is_a_schedule():
    def halving(i):
        return 0.5**i

    assert names(halving, 10) == ["halving"]
    assert picture_of_schedules([halving, TRIANGULAR]).x.high == 4000


def test_momentum_has_an_axis_of_its_own_and_epochs_too():
    momentum = TRIANGULAR.mirror(0.85, 0.95)
    picture = picture_of_schedules(TRIANGULAR, 100, momentum=momentum, iterations_per_epoch=25)

    axis, line = picture.right
    assert line.points == [(i, momentum(i)) for i in range(101)]
    assert axis.low < momentum(100) < 0.95 < axis.high
    assert picture.top == ("epoch", 25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedules": []}, "schedules must be at least one"),
        ({"schedules": "Triangular(1, 2, 3)"}, "schedules must be schedules, or functions"),
        ({"schedules": [TRIANGULAR, 0.1]}, "each of schedules must be a schedule or a function"),
        ({"schedules": {"a": Triangular}}, "a must be a schedule or a function"),
        ({"schedules": lambda i: 0.1}, "iterations must be given for a function"),
        ({"schedules": TRIANGULAR, "iterations": 0}, "iterations must be at least 1: got 0"),
        (
            {"schedules": TRIANGULAR, "iterations_per_epoch": 0},
            "iterations_per_epoch must be above 0: got 0",
        ),
        ({"schedules": TRIANGULAR, "momentum": 0.9}, "momentum must be a schedule or a function"),
    ],
)
def test_what_can_not_be_drawn_is_told_so(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        picture_of_schedules(**arguments)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    for draw in (Constant(0.1).plot, lambda: plot([Constant(0.1)])):
        with pytest.raises(ImportError, match=r"pip install 'cyclr\[plot\]'"):
            draw()
