"""Rules: ours, and the peers' against what their sources say, written down once more."""

import math
import random

import pytest

from cyclr.range_test import InconclusiveRangeTest, analyze
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import KNOWN, MOMENTUM, SGD, SPREAD_UNNAMED, prior
from cyclr.range_test.points import CAPACITY, Points
from cyclr.range_test.rules import DEFAULTS, RULES, Evidence

NAN = math.nan
PEERS = ("minimum", "valley", "steepest", "pytorch-lr-finder")


def logs(simulate):
    for seed in range(6):
        yield simulate(noise=0.1, seed=seed)
        yield simulate(97, noise=0.3, seed=seed, breaks=100)
        yield simulate(150, noise=0.0, seed=seed)


# --- fastai, written as in the source: all pairs, no bisection --------------------------------


def fastai_curve(log):
    """Smooth with a bias-corrected EMA of 0.98, stop above 4 times the best, and slice."""
    lrs, losses, total, best = [], [], 0.0, math.inf
    for t, (lr, loss) in enumerate(log):
        total = total * 0.98 + loss * (1 - 0.98)
        value = total / (1 - 0.98 ** (t + 1))
        lrs.append(lr)
        losses.append(value)
        best = value if value < best else best
        if value > 4 * best:
            break
    begin = len(log) // 10
    return lrs[begin:-5], losses[begin:-5]


def fastai_valley(lrs, losses):
    n = len(losses)
    lds = [1] * n
    max_start = max_end = 0
    for i in range(1, n):
        for j in range(i):
            if losses[i] < losses[j] and lds[i] < lds[j] + 1:
                lds[i] = lds[j] + 1
            if lds[max_end] < lds[i]:
                max_end = i
                max_start = max_end - lds[max_end]
    sections = (max_end - max_start) / 3
    return lrs[max_start + int(sections) + int(sections / 2)]


def fastai_minimum(lrs, losses):
    return lrs[losses.index(min(losses))] / 10


def fastai_steep(lrs, losses):
    slopes = [
        (losses[i + 1] - losses[i]) / (math.log(lrs[i + 1]) - math.log(lrs[i]))
        for i in range(len(lrs) - 1)
    ]
    return lrs[slopes.index(min(slopes))]


@pytest.mark.parametrize(
    ("rule", "source"),
    [("minimum", fastai_minimum), ("valley", fastai_valley), ("steepest", fastai_steep)],
)
def test_fastai_s_rules_are_faithful(simulate, real_logs, rule, source):
    for log in [*logs(simulate), *real_logs.values()]:
        assert analyze(log, rule=rule).max_lr == pytest.approx(source(*fastai_curve(log)), rel=1e-9)


def test_fastai_s_curve_ends_at_a_nan(simulate):
    log = simulate(noise=0.1)[:150]
    lost = [*log, *[(1.0, NAN)] * 50]
    lrs, losses = fastai_curve(lost)
    expected = fastai_minimum(lrs[:130], losses[:130])  # 20 dropped, 130 before the nan
    assert analyze(lost, rule="minimum").max_lr == pytest.approx(expected)


# --- pytorch-lr-finder ------------------------------------------------------------------------


def pytorch_lr_finder(log):
    lrs, losses, best = [], [], None
    for iteration, (lr, loss) in enumerate(log):
        lrs.append(lr)
        if iteration == 0:
            best = loss
        else:
            loss = 0.05 * loss + 0.95 * losses[-1]
            best = min(best, loss)
        losses.append(loss)
        if loss > 5 * best:
            break
    lrs, losses = lrs[10:-5], losses[10:-5]
    last = len(losses) - 1
    slopes = [
        (losses[min(i + 1, last)] - losses[max(i - 1, 0)]) / (min(i + 1, last) - max(i - 1, 0))
        for i in range(len(losses))
    ]
    nan = [i for i, slope in enumerate(slopes) if math.isnan(slope)]
    return lrs[nan[0] if nan else slopes.index(min(slopes))]


def test_pytorch_lr_finder_s_rule_is_faithful(simulate, real_logs):
    for log in [*logs(simulate), *real_logs.values()]:
        found = analyze(log, rule="pytorch-lr-finder").max_lr
        assert found == pytest.approx(pytorch_lr_finder(log), rel=1e-9)


def test_a_nan_poisons_pytorch_lr_finder_as_in_its_source(simulate):
    log = [*simulate(noise=0.1)[:150], *[(1.0, NAN)] * 50]
    assert analyze(log, rule="pytorch-lr-finder").max_lr == pytorch_lr_finder(log) == log[149][0]
    assert analyze(log).max_lr < log[149][0] / 5, "ours takes it for the edge"


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("minimum", lambda log: fastai_minimum(*fastai_curve(log))),
        ("pytorch-lr-finder", pytorch_lr_finder),
    ],
)
def test_a_peer_reads_nothing_behind_its_own_stop(simulate, rule, source):
    """4 and 5 times the best: what comes after would change its answer, and does not."""
    log = simulate(noise=0.1, breaks=100)
    log += [(11.0 + i, 700.0 if i < 4 else 0.0) for i in range(400)]
    assert analyze(log, rule=rule).max_lr == pytest.approx(source(log))
    assert analyze(log, rule=rule).max_lr <= 10


# --- all the peers' ---------------------------------------------------------------------------


@pytest.mark.parametrize("rule", PEERS)
def test_a_peer_s_base_is_a_quarter_and_its_interval_wide(real_log, rule):
    bounds = analyze(real_log, rule=rule, optimizer="adam")
    assert bounds.rule == rule
    assert bounds.base_lr == bounds.max_lr / 4
    low, high = bounds.interval
    assert math.sqrt(low * high) == pytest.approx(bounds.max_lr)
    assert math.log10(high / low) >= 2 * 1.28 * SPREAD_UNNAMED
    assert bounds.max_lr == analyze(real_log, rule=rule).max_lr, "a peer knows no optimizer"


@pytest.mark.parametrize("rule", PEERS)
def test_a_peer_that_is_left_with_too_few_points_says_so(rule, simulate):
    """fastai and pytorch-lr-finder stop at the first loss below zero, whatever its meaning."""
    log = [(lr, loss - 5) for lr, loss in simulate()]
    analyze(log)
    with pytest.raises(InconclusiveRangeTest, match=f"The rule '{rule}' is left with too few"):
        analyze(log, rule=rule)


@pytest.mark.parametrize("rule", ["family", *PEERS])
def test_a_long_log_is_no_obstacle(rule, simulate):
    """fastai's valley compares all pairs: that would be a billion here."""
    assert analyze(simulate(10 * CAPACITY), rule=rule).max_lr > 0


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


# --- the paper's rule, on accuracies ----------------------------------------------------------


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


def test_smith_s_max_is_also_where_the_accuracy_gets_ragged():
    bounds = analyze(accuracies(ragged=0.04, falls=False), metric="accuracy")
    assert bounds.max_lr == pytest.approx(0.0125, rel=0.1)


def test_smith_s_max_is_a_lower_bound_where_the_accuracy_never_falls():
    bounds = analyze(accuracies(falls=False), metric="accuracy")
    assert bounds.max_lr == 0.02
    assert "no_edge" in [reason.code for reason in bounds.reasons]


def test_a_nan_ends_an_accuracy_too():
    log = [*list(accuracies())[:60], (0.013, NAN)]
    assert analyze(log, metric="accuracy").landmarks.edge == 0.013


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
