"""Bounds: what a range test results in."""

import dataclasses
import json
import math
import pickle
from dataclasses import FrozenInstanceError, dataclass

import pytest

from cyclr.range_test import Bounds, Landmarks, Reason, analyze
from cyclr.range_test.bounds import QUANTILE
from cyclr.range_test.curve import Curve
from cyclr.range_test.rules import Answer
from cyclr.range_test.runs import Reading
from cyclr.schedules import Cyclical, OneCycle, Triangular2

MARKS = Landmarks(onset=1e-3, drop_90=0.05, minimum=0.2, edge=1.5)
REASON = Reason("no_edge", "The loss never got worse.", "Raise end_lr.")
BOUNDS = Bounds(0.01, 0.04, (0.02, 0.1), "family", MARKS, (REASON,))


def bounds_of(answer, wobble=0.0):
    curve = Curve([0.1, 0.2], [2.0, 1.0])
    return Bounds.of(Reading(answer, wobble, MARKS, (), curve), rule="family")


def test_a_policy_is_filled_with_the_bounds_it_names():
    assert BOUNDS.schedule(Triangular2, step_size=2000) == Triangular2(0.01, 0.04, 2000)
    assert BOUNDS.schedule(OneCycle, iterations=500) == OneCycle(0.04, 500)
    assert BOUNDS.schedule(Triangular2, step_size=9, cycles=2) == Triangular2(
        0.01, 0.04, 9, cycles=2
    )
    assert BOUNDS.schedule(Cyclical, step_size=9, shape="cosine").highest == 0.04


def test_a_method_a_function_and_a_dataclass_are_policies_too():
    @dataclass
    class Mine:
        max_lr: float
        other: int

    assert BOUNDS.schedule(Triangular2.fit, iterations=80).highest == 0.04
    assert BOUNDS.schedule(lambda base_lr, n: (base_lr, n), n=3) == (0.01, 3)
    assert BOUNDS.schedule(Mine, other=1) == Mine(0.04, 1)


def test_what_is_given_by_hand_comes_first():
    assert BOUNDS.schedule(Triangular2, step_size=9, base_lr=0.001) == Triangular2(0.001, 0.04, 9)


@pytest.mark.parametrize("policy", [Triangular2(0.01, 0.04, 9), lambda lr: lr, "Triangular2"])
def test_what_names_no_bound_is_refused(policy):
    with pytest.raises(TypeError, match="policy must"):
        BOUNDS.schedule(policy)


def test_the_interval_counts_tasks_and_noise():
    for spread, wobble in [(0.5, 0.0), (0.3, 0.4), (0.0, 0.5)]:
        low, high = bounds_of(Answer(0.1, True, spread=spread), wobble).interval
        assert math.log10(high / 0.1) == pytest.approx(QUANTILE * 0.5)
        assert math.log10(0.1 / low) == pytest.approx(QUANTILE * 0.5)


def test_the_interval_is_around_what_the_rule_takes_for_the_best():
    low, high = bounds_of(Answer(0.1, True, best=0.2)).interval
    assert math.sqrt(low * high) == pytest.approx(0.2)


def test_the_interval_stays_finite():
    for max_lr in (1e-300, 1.0, 1e307):
        low, high = bounds_of(Answer(max_lr, True), wobble=1e6).interval
        assert 0 < low < max_lr < high < math.inf
    low, high = bounds_of(Answer(1.0, True), wobble=1e6).interval
    assert math.log10(high) == -math.log10(low) == pytest.approx(2 * QUANTILE)


def test_the_base_is_a_quarter_unless_the_rule_gives_one():
    assert bounds_of(Answer(0.1, True)).base_lr == 0.025
    assert bounds_of(Answer(0.1, True, base_lr=0.001)).base_lr == 0.001


def test_the_dictionary_is_ready_for_json():
    plain = BOUNDS.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain == {
        "base_lr": 0.01,
        "max_lr": 0.04,
        "interval": [0.02, 0.1],
        "rule": "family",
        "landmarks": {"onset": 1e-3, "drop_90": 0.05, "minimum": 0.2, "edge": 1.5},
        "reasons": [
            {"code": "no_edge", "message": REASON.message, "advice": REASON.advice},
        ],
    }


def test_it_reads_well():
    assert str(BOUNDS).splitlines() == [
        "max_lr   0.04   (80 % sure: the best one is between 0.02 and 0.1)",
        "base_lr  0.01",
        "The loss began to fall at 0.001, most of its fall was over at 0.05, and it diverged at"
        " 1.5.",
        "- no_edge: The loss never got worse. Raise end_lr.",
    ]


def test_without_an_edge_it_does_not_name_one():
    marks = Landmarks(1e-3, 0.05, 0.2, None)
    assert "and it never diverged." in str(Bounds(0.01, 0.04, (0.02, 0.1), "family", marks))


def test_it_is_a_value(real_log):
    bounds = analyze(real_log)
    assert pickle.loads(pickle.dumps(bounds)) == bounds == analyze(real_log)
    assert hash(bounds) == hash(analyze(real_log))
    for value in (bounds, bounds.landmarks, bounds.curve, REASON):
        with pytest.raises(FrozenInstanceError):
            value.edge = 1.0


def test_the_wobble_is_kept_and_is_no_part_of_the_value():
    assert BOUNDS.wobble == 0
    wobbling = dataclasses.replace(BOUNDS, wobble=0.5)
    assert wobbling == BOUNDS
    assert hash(wobbling) == hash(BOUNDS)
    assert repr(wobbling) == repr(BOUNDS)
    assert wobbling.to_dict() == BOUNDS.to_dict()


def test_the_curve_is_kept_and_is_no_part_of_the_value(real_log):
    bounds = analyze(real_log)
    assert bounds.curve.lrs[0] == real_log[0][0]
    bare = dataclasses.replace(bounds, curve=None)
    assert bare == bounds
    assert hash(bare) == hash(bounds)
    assert repr(bare) == repr(bounds)
    assert bare.to_dict() == bounds.to_dict()
    assert pickle.loads(pickle.dumps(bounds)).curve == bounds.curve
