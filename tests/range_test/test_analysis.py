"""Analysis: what holds for every log, whatever is in it."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclr.range_test import Bounds, InconclusiveRangeTest, RangeTest, analyze
from cyclr.range_test.rules import RULES

INF, NAN = math.inf, math.nan

losses_of_any_kind = st.floats() | st.floats(-10, 10) | st.sampled_from([NAN, INF, -INF])
scales = st.sampled_from([2.0**-60, 2.0**-7, 0.5, 4.0, 2.0**60])
zeros = st.integers(-100, 100)
rules = st.sampled_from(sorted(RULES))


def grid(log):
    """Round the losses to multiples of 2^-20: shifts of whole numbers are exact then."""
    return [(lr, math.floor(loss * 2**20) / 2**20) for lr, loss in log]


def result(log, **arguments):
    """Bounds, or the reasons why there are none."""
    try:
        return analyze(log, **arguments)
    except InconclusiveRangeTest as inconclusive:
        return inconclusive.reasons


def rates(found):
    marks = found.landmarks
    return [found.base_lr, found.max_lr, *found.interval, marks.onset, marks.drop_90, marks.minimum]


def check(found):
    """Bounds make sense, and inconclusive tests say why."""
    if isinstance(found, Bounds):
        low, high = found.interval
        assert 0 < found.base_lr < found.max_lr
        assert low < found.max_lr < high < INF
    else:
        assert found
    assert str(found)


# --- every log is read or says why not --------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 1e300), losses_of_any_kind), max_size=60), rules)
def test_no_log_is_a_crash(log, rule):
    check(result(log, rule=rule, metric=RULES[rule].metric))


@given(
    st.lists(losses_of_any_kind, min_size=15, max_size=60),
    st.floats(1e-100, 1e3),
    st.floats(1.01, 2),
    st.integers(1, 4),
    rules,
)
def test_no_ramp_is_a_crash(losses, start, factor, each, rule):
    log = [(start * factor**i, loss) for i, loss in enumerate(losses) for _ in range(each)]
    check(result(log, rule=rule, metric=RULES[rule].metric))


@settings(max_examples=300)
@given(st.randoms(use_true_random=False), st.integers(16, 100), st.integers(-300, 90), rules)
def test_no_fall_of_any_size_is_a_crash(draw, iterations, exponent, rule):
    """Losses that mostly fall, then mostly rise: nearly all of them have bounds."""
    unit = 10.0**exponent
    turn, loss, log = draw.randrange(iterations), 0.0, []
    for i in range(iterations):
        loss += draw.gauss(-0.3 if i < turn else 1.0, 1.0) * unit
        log.append((1e-6 * 1.2**i, loss))
    check(result(log, rule=rule, metric=RULES[rule].metric))


def test_a_log_may_be_any_iterable(real_log):
    lrs, losses = zip(*real_log, strict=True)
    assert analyze(zip(lrs, losses, strict=True)) == analyze(list(map(list, real_log)))
    assert analyze(iter(real_log)) == analyze(tuple(real_log)) == analyze(real_log)


# --- invariances ------------------------------------------------------------------------------


@given(st.integers(0, 40), scales, zeros)
def test_neither_the_scale_nor_the_zero_of_the_loss_matters(simulate, seed, scale, zero):
    """Exactly so, as these scales and zeros cost no rounding."""
    log = grid(simulate(100 + 10 * seed, noise=0.1, seed=seed))
    assert analyze((lr, scale * (loss + zero)) for lr, loss in log) == analyze(log)


@settings(max_examples=12)
@given(st.integers(0, 40), scales)
def test_the_scale_of_the_loss_matters_to_no_rule_but_slide(simulate, seed, scale):
    """fastai's `slide` has a threshold for the loss."""
    log = simulate(noise=0.1, seed=seed)
    for rule, entry in RULES.items():
        if entry.metric == "loss" and rule != "slide":
            scaled = analyze([(lr, scale * loss) for lr, loss in log], rule=rule)
            assert scaled == analyze(log, rule=rule)


@settings(max_examples=12)
@given(st.floats(0.5, 1e3), st.floats(-1e3, 1e3))
def test_any_scale_and_zero_will_do(real_logs, scale, zero):
    for name, log in real_logs.items():
        moved = analyze([(lr, scale * loss + zero) for lr, loss in log], optimizer=name)
        assert moved.max_lr == pytest.approx(analyze(log, optimizer=name).max_lr, rel=1e-6)


@given(st.integers(0, 40), st.floats(1e-6, 1e6), rules)
def test_the_answer_moves_with_the_learning_rates(simulate, seed, factor, rule):
    arguments = {"rule": rule, "metric": RULES[rule].metric}
    sign = -1 if RULES[rule].metric == "accuracy" else 1
    log = [(lr, sign * loss) for lr, loss in simulate(noise=0.1, seed=seed)]
    found = analyze([(factor * lr, loss) for lr, loss in log], **arguments)
    expected = [factor * rate for rate in rates(analyze(log, **arguments))]
    assert rates(found) == pytest.approx(expected, rel=1e-9)


@given(
    st.integers(0, 40),
    st.lists(st.tuples(st.floats(1e-9, 1e9), losses_of_any_kind), max_size=30),
    st.sampled_from([NAN, INF, -INF]),
)
def test_nothing_that_follows_a_loss_that_is_not_finite_matters(simulate, seed, after, bad):
    log = simulate(noise=0.1, seed=seed)
    edge = [*log, (11.0, bad)]
    found, expected = analyze(edge + after), analyze(edge)
    assert rates(found) == rates(expected)
    assert rates(expected) == rates(analyze(log)), "the test had diverged before"
    assert found.landmarks == expected.landmarks


@given(st.integers(100, 180), st.integers(0, 20))
def test_a_nan_at_the_end_moves_no_learning_rate(simulate, rows, seed):
    """It is the edge, if there was none: that is all it says."""
    log = simulate(noise=0.1, seed=seed)[:rows]
    ended, lost = result(log), result([*log, (1.0, NAN), (1.0, NAN)])
    if isinstance(ended, Bounds):
        assert rates(ended) == rates(lost)
        assert "no_edge" not in [reason.code for reason in lost.reasons]


def test_repeated_calls_agree(real_log):
    assert len({analyze(real_log, optimizer="adam") for _ in range(3)}) == 1


@pytest.mark.parametrize("level", [-1e3, 0.0, 1e3])
@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_negative_tiny_and_huge_losses_are_read(simulate, size, level):
    log = [(lr, size * (loss + level)) for lr, loss in simulate()]
    assert analyze(log).max_lr == pytest.approx(analyze(simulate()).max_lr)


# --- what the landmarks are good for ----------------------------------------------------------


@given(st.integers(0, 100))
def test_a_spike_changes_little(simulate, seed):
    log = simulate(seed=seed)
    draw = random.Random(seed)
    hit = draw.randrange(20, 150)
    log[hit] = (log[hit][0], draw.choice([50.0, 1e6, -50.0]))
    assert analyze(log).max_lr == pytest.approx(analyze(simulate(seed=seed)).max_lr, rel=0.5)


@pytest.mark.parametrize("learns", [1e-4, 1e-3, 1e-2])
def test_the_answer_follows_the_task(simulate, learns):
    """A task that learns and breaks at ten times the rate has ten times the answer."""
    found = analyze(simulate(learns=learns, breaks=50 * learns)).max_lr
    assert found == pytest.approx(learns * analyze(simulate()).max_lr / 1e-2, rel=0.15)
    assert learns / 2 < found < 50 * learns


def test_the_live_test_and_its_log_give_the_same(simulate):
    log = dict(simulate(breaks=0.05))
    test = RangeTest(optimizer="adam")
    for lr in test:
        test.record(min(log.items(), key=lambda row: abs(math.log(row[0] / lr)))[1])
    assert test.diverged
    assert test.bounds() == analyze(test.points, optimizer="adam")
    longer = [*test.points, *[(10.0, 1e9)] * 20, (10.0, NAN)]
    assert rates(analyze(longer, optimizer="adam")) == rates(test.bounds())
