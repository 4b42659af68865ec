"""Rules: ours, and the table of all."""

import math
from dataclasses import FrozenInstanceError

import pytest

from cyclr.range_test import analyze
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import KNOWN, MOMENTUM, SGD, prior
from cyclr.range_test.points import Points
from cyclr.range_test.rules import DEFAULTS, RULES, Evidence, _iterations_in_decade_below, family

NAN = math.nan


# --- ours -------------------------------------------------------------------------------------


def evidence_of(log, **known):
    points = Points.read(log)
    curve = Curve.of(points)
    return Evidence(points, curve, Landmarks.of(curve), prior(**known))


def test_the_rule_is_its_formula(real_log):
    evidence = evidence_of(real_log, optimizer="adam")
    bounds = analyze(real_log, optimizer="adam")
    pace = 200 / 7  # the default ramp
    marks = evidence.landmarks
    place = marks.drop_90**0.5 * marks.minimum**0.25 * evidence.curve.lrs[-1] ** 0.25
    found = place * (pace / 30) ** 0.3
    known = KNOWN["adam"]
    assert bounds.max_lr == pytest.approx(known.scale * found, rel=0.03)
    assert math.sqrt(math.prod(bounds.interval)) == pytest.approx(known.middle * found, rel=0.03)


@pytest.mark.parametrize(
    ("iterations", "pace"), [(60, 14), (100, 15), (200, 29), (300, 43), (600, 57)]
)
def test_the_pace_counts_between_the_slowest_and_the_fastest_that_were_measured(
    simulate, iterations, pace
):
    evidence = evidence_of(log := simulate(iterations, noise=0))
    marks, known = evidence.landmarks, evidence.prior
    place = marks.middle**0.75 * evidence.curve.lrs[-1] ** 0.25
    assert analyze(log).max_lr == pytest.approx(known.scale * place * (pace / 30) ** 0.3)


def test_the_decade_below_has_one_of_its_ends():
    lrs, losses = [0.01, 0.1, 0.2, 0.5, 1.0, 2.0], [0.0] * 6
    assert _iterations_in_decade_below(Curve(lrs, losses), 1.0) == 3
    assert _iterations_in_decade_below(Curve(lrs, losses, rows=2.0), 1.0) == 2 * 3


def test_the_rule_stays_below_the_middle_of_its_interval(real_log):
    low, high = (bounds := analyze(real_log, optimizer="sgd")).interval
    assert low < bounds.max_lr < math.sqrt(low * high) < high


@pytest.mark.parametrize("name", KNOWN)
def test_each_optimizer_has_a_scale_whatever_the_case(real_log, name):
    bounds = analyze(real_log, optimizer=name.upper())
    assert bounds == analyze(real_log, optimizer=name)
    ratio = bounds.max_lr / analyze(real_log, optimizer="sgd").max_lr
    expected = MOMENTUM if name == "nesterov" else KNOWN[name]
    assert ratio == pytest.approx(expected.scale / SGD.scale)


def test_momentum_lowers_the_answer_smoothly(real_log):
    answers = [
        analyze(real_log, optimizer="sgd", momentum=m).max_lr for m in (0, 0.5, 0.9, 0.95, 0.99)
    ]
    assert answers == sorted(answers, reverse=True)
    assert answers[0] == analyze(real_log, optimizer="sgd").max_lr
    assert answers[2] == analyze(real_log, optimizer="nesterov").max_lr
    assert answers[2] / answers[0] == pytest.approx(MOMENTUM.scale / SGD.scale)


def test_an_unnamed_optimizer_gives_a_wider_interval(real_log):
    named, unnamed = (analyze(real_log, optimizer=name) for name in ("adam", None))
    assert unnamed.interval[1] / unnamed.interval[0] > named.interval[1] / named.interval[0]
    assert not unnamed.reasons


@pytest.mark.parametrize("momentum", [-0.1, 1.0, NAN])
def test_a_momentum_that_is_none_is_refused(real_log, momentum):
    with pytest.raises(ValueError, match="momentum must be"):
        analyze(real_log, optimizer="sgd", momentum=momentum)


def test_an_optimizer_is_a_string(real_log):
    with pytest.raises(TypeError, match="optimizer must be a string: got 1"):
        analyze(real_log, optimizer=1)


def test_the_answer_hardly_depends_on_the_length_of_the_ramp(simulate):
    """On real tasks, whose loss depends on time, benchmarks/suggestion measures it."""
    answers = [analyze(simulate(n, noise=0.05)).max_lr for n in (100, 200, 400)]
    assert max(answers) / min(answers) < 2.1


def test_a_rule_can_change_neither_what_it_is_told_nor_what_was_said(real_log):
    """The cautions are told the same, after it."""
    evidence = evidence_of(real_log)
    for value in (evidence, family(evidence), RULES["family"]):
        with pytest.raises(FrozenInstanceError):
            value.turned = False


# --- the table --------------------------------------------------------------------------------


def test_a_rule_is_for_one_metric(real_log):
    with pytest.raises(ValueError, match=r"rule must be one of 'family', .*: got 'smith'"):
        analyze(real_log, rule="smith")
    with pytest.raises(ValueError, match="rule must be one of 'smith': got 'valley'"):
        analyze(real_log, rule="valley", metric="accuracy")
    with pytest.raises(ValueError, match="metric must be one of 'loss', 'accuracy': got 'f1'"):
        analyze(real_log, metric="f1")


def test_every_metric_has_a_default_rule():
    assert {RULES[name].metric: name for name in DEFAULTS.values()} == DEFAULTS
