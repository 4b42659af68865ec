"""Peers: their own packages' answers, and what their sources say, written down once more."""

import json
import math
import random
from pathlib import Path
from statistics import fmean

import pytest

from cyclr.range_test import InconclusiveRangeTest, analyze
from cyclr.range_test.bounds import QUANTILE
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import SPREAD_UNNAMED, prior
from cyclr.range_test.peers import _gradient, _gradient_by, _slopes, _until_diverged
from cyclr.range_test.points import CAPACITY, Points
from cyclr.range_test.rules import RULES, Evidence

NAN = math.nan
# What the packages suggested: benchmarks/peers.py ran them.
KNOWN = json.loads((Path(__file__).parent / "data" / "peers.json").read_text())
# What training with each max_lr came to.
TASKS = Path(__file__).parents[2] / "benchmarks" / "results" / "range_test_regret.json"
PACKAGES = {rule: package for package, rules in KNOWN.items() for rule in rules}
PEERS = tuple(PACKAGES)


def evidence(log):
    """What a rule is asked about any log, also about one that `analyze` refuses."""
    points = Points.read(log)
    curve = Curve.of(points)
    return Evidence(points, curve, Landmarks.of(curve), prior())


def suggested(rule, log):
    answer = RULES[rule].ask(evidence(log))
    return None if answer is None else answer.max_lr


# --- the packages themselves ------------------------------------------------------------------


@pytest.mark.parametrize("rule", PEERS)
def test_a_rule_suggests_what_its_package_does(rule, read_log):
    """On real logs: good ones, below zero, ones that blow up, that never do, that start so."""
    for name, lr in KNOWN[PACKAGES[rule]][rule].items():
        assert suggested(rule, read_log(name)) == (lr and pytest.approx(lr, rel=1e-4)), name


def test_every_rule_of_a_peer_was_compared_with_its_package():
    assert {"family", "smith", *PEERS} == set(RULES)
    assert all(any(KNOWN[PACKAGES[rule]][rule].values()) for rule in PEERS)


# --- what the logs above do not show ----------------------------------------------------------


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


@pytest.mark.parametrize("rows", range(8, 40))
def test_fastai_s_valley_in_a_handful_of_losses(simulate, rows):
    for falls in (-1.0, 0.0, 1.0):
        draw = random.Random(rows)
        log = [(lr, 9 - falls * i / 9 + draw.random()) for i, (lr, _) in enumerate(simulate(rows))]
        assert suggested("valley", log) == fastai_valley(*fastai_curve(log))


def test_fastai_s_slide_needs_sixteen_losses():
    log = [(float(lr), 2.0) for lr in range(1, 24)]
    assert suggested("slide", log[:22]) is None, "2 and 5 are left out"
    assert suggested("slide", log) == 3.0
    bent = [(lr, 2000 - lr**2) for lr in map(float, range(1, 40))]
    assert suggested("slide", bent) == 4.0, "where no two slopes are alike it is the first"


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        *(("minimum", 6), ("valley", 6), ("steepest", 7)),  # 5 at the end
        *(("lightning", 13), ("lightning-2.5.2", 13)),  # 10 and 1, and a slope
        *(("pytorch-lr-finder", 17), ("ignite", 3)),  # 10 and 5, and a slope; an inner slope
    ],
)
def test_the_fewest_losses_that_a_rule_takes(rule, rows):
    log = [(float(lr), 100.0 - lr) for lr in range(1, rows + 1)]
    assert suggested(rule, log) is not None
    assert all(suggested(rule, log[:n]) is None for n in range(2, rows))


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


@pytest.mark.parametrize(("level", "stops"), [(4.0, False), (5.0, True)])
@pytest.mark.parametrize("rule", ["minimum", "ktrain"])
def test_four_times_the_best_and_not_more_is_where_they_stop(simulate, rule, level, stops):
    """The average comes to 3.8 or 4.7 times its best, and then would fall to a new one."""
    levels = [1.0] * 100 + [level] * 150 + [0.0] * 150
    log = [(lr, level) for (lr, _), level in zip(simulate(400), levels, strict=True)]
    assert (suggested(rule, log) < log[100][0] / 10) == stops


# --- Lightning --------------------------------------------------------------------------------


def test_lightning_s_four_times_the_best_is_twice_the_loss(simulate):
    """Its average starts at half the loss, corrected as if the first were the second."""
    levels = [1.0] * 50 + [2.5] * 100 + [0.0] * 50
    log = [(lr, level) for (lr, _), level in zip(simulate(), levels, strict=True)]
    assert suggested("lightning-2.5.2", log) < log[100][0], "it stopped before the fall"
    assert suggested("ktrain", log) == log[-1][0] / 10, "stops at 4 times as well, and sees it"


def test_less_than_twice_the_loss_is_not_where_lightning_stops(simulate):
    levels = [1.0] * 50 + [1.9] * 100 + [0.0] * 50
    log = [(lr, level) for (lr, _), level in zip(simulate(), levels, strict=True)]
    assert suggested("lightning-2.5.2", log) > log[140][0], "it has seen the fall"


@pytest.mark.parametrize(("rows", "stops"), [(13, False), (20, True)])
def test_ignite_stops_at_five_times_the_best(simulate, rows, stops):
    """Its average comes to 4.4 or 5.5 times its best, and then would fall to a new one."""
    levels = [1.0] * 50 + [8.0] * rows + [0.0] * 137
    log = [(lr, level) for (lr, _), level in zip(simulate(), levels, strict=False)]
    assert (suggested("ignite", log) is None) == stops


def test_ignite_looks_no_further_than_the_lowest_average():
    log = [(1.0, 5.0), (2.0, 105.0), (3.0, -170.0), (4.0, 21.0)]  # averages of 5, 10, 1 and 2
    assert suggested("ignite", log) == 2.0


def test_below_zero_an_average_that_counts_for_the_best_is_above_it():
    """4 times -1 is less than -1: fastai stops there, ktrain and Lightning one row later."""
    falling = [1.0, -1.0, -2.0, -3.0]
    assert list(_until_diverged(falling, times=4)) == [1.0, -1.0]
    assert list(_until_diverged(falling, times=4, with_itself=False)) == [1.0, -1.0, -2.0]
    assert list(_until_diverged([1.0, 4.0, 4.5, 5.0], times=4)) == [1.0, 4.0, 4.5]
    log = [(float(lr), 100.0 if lr < 50 else -1e6) for lr in range(1, 100)]
    assert suggested("ktrain", log) == 51 / 10
    assert suggested("lightning", log) == suggested("lightning-2.5.2", log) == 50, "1 left out"


def test_slopes_are_those_of_numpy():
    assert _gradient([1.0, 3.0, 4.0, 10.0]) == [2.0, 1.5, 3.5, 6.0]


def test_slopes_at_places_are_those_of_torch():
    assert _gradient_by([0, 1, 2], [0, 1, 4]) == [1, 2, 3]
    assert _gradient_by([0, 1, 3], [0, 1, 4]) == [1, 3.5 / 3, 1.5]
    assert _slopes([0, 0, 0], [1, 3, 2]) == [math.inf, -math.inf]
    assert math.isnan(_slopes([0, 0], [2, 2])[0])
    assert math.isnan(_gradient_by([0, 0, 0], [1, 3, 2])[1])


def test_lightning_leaves_out_what_is_not_finite(simulate):
    """Its older version left out the loss and not its learning rate."""
    log = [(lr, loss if i < 150 else NAN) for i, (lr, loss) in enumerate(simulate(noise=0.1))]
    for rule in ("lightning", "lightning-2.5.2"):
        assert suggested(rule, log) == suggested(rule, log[:151])


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


@pytest.mark.parametrize("rule", [rule for rule in PEERS if rule != "ktrain"])
def test_a_peer_that_is_left_with_too_few_points_says_so(rule, simulate):
    """The peers stop at the first loss below zero, whatever its meaning."""
    log = [(lr, loss - 5) for lr, loss in simulate()]
    analyze(log)
    with pytest.raises(InconclusiveRangeTest) as caught:
        analyze(log, rule=rule)
    (reason,) = caught.value.reasons
    assert reason.message == f"The rule {rule!r} is left with too few points."
    assert reason.advice.startswith("Record more iterations")


@pytest.mark.parametrize("rule", PEERS)
def test_a_long_log_is_no_obstacle(rule, simulate):
    """fastai's valley compares all pairs: that would be a billion here."""
    assert analyze(simulate(10 * CAPACITY), rule=rule).max_lr > 0


# --- how far they are from the best max_lr ----------------------------------------------------


@pytest.fixture(scope="module")
def tasks():
    """Range tests of 44 tasks, three each, and the best max_lr that training on it has found."""
    return [
        (evidence(zip(ramp(int(rows)), (x or NAN for x in runs[0]), strict=False)), best_of(task))
        for task in json.loads(TASKS.read_text()).values()
        for rows, runs in task["logs"].items()
    ]


def ramp(rows):
    return [1e-6 * 1e7 ** (i / (rows - 1)) for i in range(rows)]


def best_of(task):
    """As benchmarks/range_test_regret.py has it: the middle of those that are nearly as good."""
    untrained = task["untrained"]
    losses = [fmean(min(x or untrained, untrained) for x in seeds) for seeds in task["response"]]
    good = min(losses) + 0.02 * (untrained - min(losses))
    return 10 ** fmean(k / 4 for k, loss in enumerate(losses, start=-18) if loss <= good)


@pytest.mark.parametrize("rule", PEERS)
def test_the_best_max_lr_of_four_tasks_in_five_is_within_the_spread(rule, tasks):
    answers = [(RULES[rule].ask(asked), best) for asked, best in tasks]
    within = [
        abs(math.log10(best / answer.max_lr)) <= QUANTILE * answer.spread
        for answer, best in answers
        if answer is not None
    ]
    assert len(within) > 0.95 * len(tasks)
    assert fmean(within) == pytest.approx(0.8, abs=0.07)
