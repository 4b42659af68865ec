"""Reasons: each is given where it holds, none for a good log, and all say what to do."""

import math
import pickle
import random
from dataclasses import FrozenInstanceError
from itertools import pairwise
from types import SimpleNamespace

import pytest

from cyclr.range_test import InconclusiveRangeTest, Reason, analyze
from cyclr.range_test.curve import Curve
from cyclr.range_test.divergence import STEP_TO_SIGMA
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.reasons import (
    CAUTIONS,
    FAILURES,
    Log,
    Verdict,
    _already_descending,
    _descends,
    _evened,
    _fell,
    _no_descent,
    _period,
    _too_noisy,
    too_short_for,
)
from cyclr.range_test.smoothing import average

NAN = math.nan
SEEDS = range(10)


def codes(log, **arguments):
    try:
        reasons = analyze(log, **arguments).reasons
    except InconclusiveRangeTest as inconclusive:
        reasons = inconclusive.reasons
    return [reason.code for reason in reasons]


def lrs_of(log):
    return [lr for lr, _ in log]


def with_losses(log, losses):
    return list(zip(lrs_of(log), losses, strict=True))


def noisy(log, level=2.3, sigma=0.05, seed=0):
    """A log that shows nothing but noise."""
    draw = random.Random(seed)
    return [(lr, level + draw.gauss(0, sigma)) for lr, _ in log]


# --- good logs --------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam", None])
def test_a_real_log_has_no_reasons(real_log, optimizer):
    assert codes(real_log, optimizer=optimizer) == []


@pytest.mark.parametrize("iterations", [100, 200, 400, 1000, 10_000])
@pytest.mark.parametrize("noise", [0.02, 0.1, 0.2])
def test_a_good_log_has_no_reasons(simulate, iterations, noise):
    for seed in SEEDS:
        assert codes(simulate(iterations, noise=noise, seed=seed)) == []


def test_a_log_without_noise_has_no_reasons(without_noise):
    assert codes(without_noise) == []


def test_a_log_of_float32_has_no_reasons(simulate):
    """Rounded losses repeat themselves, and rounded learning rates do not fall."""
    log = [(float(f"{lr:.6g}"), round(loss, 2)) for lr, loss in simulate(1000)]
    assert codes(log) == []


@pytest.mark.parametrize("name", ["below_zero", "diverges"])
def test_a_real_log_below_zero_or_to_its_end_has_no_reasons(read_log, name):
    """A likelihood that falls below zero; a loss that is recorded long after it diverged."""
    assert codes(read_log(name)) == []


def test_a_learning_rate_logged_one_step_off_has_no_reasons(real_log):
    """It can't be seen, and moves the answer by hardly more than a step."""
    lrs, losses = zip(*real_log, strict=True)
    step = lrs[1] / lrs[0]
    answer = analyze(real_log).max_lr
    for shifted in (zip(lrs[1:], losses, strict=False), zip(lrs, losses[1:], strict=False)):
        found = analyze(list(shifted))
        assert found.reasons == ()
        assert abs(math.log(found.max_lr / answer)) < 2 * math.log(step)


def test_gaps_and_repeated_rows_are_no_reasons(real_log):
    for seed in SEEDS:
        draw = random.Random(seed)
        kept = [row for row in real_log if draw.random() < 0.8]
        log = [row for row in kept for _ in range(draw.choice([1, 1, 1, 2]))]
        found = analyze(log)
        assert found.reasons == ()
        low, high = analyze(real_log).interval
        assert low < found.max_lr < high


# --- failures ---------------------------------------------------------------------------------


def test_all_nonfinite(simulate):
    assert codes((lr, NAN) for lr, _ in simulate()) == ["all_nonfinite"]
    assert codes([(0.1, math.inf)]) == ["all_nonfinite"]


def test_lr_constant(simulate):
    assert codes((1e-3, loss) for _, loss in simulate()) == ["lr_constant"]
    assert codes((1e-3 * (1 + i / 1e4), 1 / (i + 1)) for i in range(200)) == ["lr_constant"]


def test_a_rate_that_rises_by_a_tenth_or_less_is_constant(simulate):
    with pytest.raises(InconclusiveRangeTest) as caught:
        analyze((0.1 * (1 + i / 150), 1.0) for i in range(15))
    assert caught.value.reasons[0].message == "The learning rate stays at 0.1."
    assert codes([(1.0, 2.3)] * 14 + [(1.1, 2.3)] * 2) == ["lr_constant"]
    assert "lr_constant" not in codes(simulate(start_lr=0.1, end_lr=0.111))


@pytest.mark.parametrize("start", [[NAN], [2.3, NAN], [2.3, 2.5, 8.0, 90.0, 1e4, math.inf]])
def test_started_diverged(simulate, start):
    log = simulate()
    assert codes(with_losses(log[: len(start)], start)) in (["started_diverged"], ["all_nonfinite"])
    assert codes(with_losses(log, start + [2.3] * (200 - len(start)))) == ["started_diverged"]


@pytest.mark.parametrize(("rows", "code"), [(15, "started_diverged"), (16, "no_descent")])
def test_what_was_flat_for_long_enough_did_not_start_diverged(simulate, rows, code):
    assert codes(with_losses(simulate(rows + 1), [2.3] * rows + [NAN])) == [code]


def test_started_diverged_in_a_real_log(read_log):
    """The second loss is not a number any more."""
    assert codes(read_log("starts_diverged")) == ["started_diverged"]


def test_started_diverged_without_any_nan(simulate):
    for seed in SEEDS:
        log = simulate(60, start_lr=1.0, end_lr=1e3, breaks=0.3, noise=0.1, seed=seed)
        assert codes(log) == ["started_diverged"]


@pytest.mark.parametrize("rows", [1, 2, 5, 15])
def test_too_short(simulate, rows):
    assert codes(simulate()[:rows]) == ["too_short"]


def test_a_handful_of_losses_fell_by_more_than_three_of_their_steps():
    assert _fell([10.0, 9.0, 8.0, 7.0, 6.0])
    assert not _fell([10.0, 9.0, 8.0, 7.0])
    assert not _fell([10.0])


def test_too_short_because_of_an_early_end(simulate):
    """The loss did fall, so the test did not start diverged; but there is too little of it."""
    falling = [2.3, 2.2, 2.0, 1.7, 1.3, 0.8, 0.6, NAN]
    assert codes(with_losses(simulate(8), falling)) == ["too_short"]


def test_sixteen_rows_are_enough(simulate):
    log = simulate(16, start_lr=1e-4, end_lr=0.3)
    assert "too_short" not in codes(log)
    assert codes(log[:-1]) == ["too_short"]


def test_too_short_for_a_rule_that_drops_points():
    assert str(too_short_for("valley")) == (
        "too_short: The rule 'valley' is left with too few points. Record more iterations (200 is "
        "a good number), or, if the test diverged early, start lower."
    )


def test_no_descent(simulate):
    found = [codes(noisy(simulate(), seed=seed)) for seed in range(100)]
    assert found.count(["no_descent"]) >= 99, "by chance, noise falls as far in 1 test of 300"
    assert codes((lr, 2.3) for lr, _ in simulate()) == ["no_descent"]


@pytest.mark.parametrize(
    ("rows", "begins", "first", "width"),
    [
        *[(45, 3, 3, 9), (45, 19, 19, 5), (33, 28, 28, 5)],
        *[(209, 63, 63, 10), (209, 63, 63, 20), (209, 63, 63, 41), (209, 80, 63, 41)],
    ],
)
def test_a_dip_is_a_fall_where_it_is_clearer_than_its_noise(rows, begins, first, width):
    """4.5 sigma below the first 3, 4, 6, 9, 13, 19, 28, 42, 63, ... losses: each half as many more.

    Of a twentieth, a tenth or a fifth of the losses, at least five.
    """
    losses = [0.0] * begins + [-1.0] * width + [0.0] * (rows - begins - width)
    noise = 1 / (4.5 * math.sqrt(1 / first + 1 / width))
    assert _descends(losses, 0.99 * noise)
    assert not _descends(losses, 1.01 * noise)


def test_two_losses_are_no_level_to_fall_from():
    """The third has fallen already, so that less of the dip is left."""
    losses = [0.0] * 2 + [-1.0] * 10 + [0.0] * 33
    noise = (1 - 1 / 3) / (4.5 * math.sqrt(1 / 3 + 1 / 9))
    assert _descends(losses, 0.99 * noise)
    assert not _descends(losses, 1.01 * noise)


def test_a_few_high_losses_in_the_first_tenth_are_no_level_to_fall_from():
    assert not _descends([0.0] * 4 + [3.0] * 2 + [0.0] * 54, noise=0.1)


@pytest.mark.parametrize(("part", "is_flat"), [(0.98, False), (1.02, True)])
def test_of_a_smoothed_loss_the_noise_is_that_of_what_was_averaged(part, is_flat):
    """Neighbours differ by 0.954 sigma."""
    step = part * 0.954 / (4.5 * math.sqrt(1 / 28 + 1 / 6))
    losses = [step / 2 * (-1) ** i - (28 <= i < 34) for i in range(60)]
    averaged = [0.0]
    for loss in losses:
        averaged.append(0.5 * averaged[-1] + 0.5 * loss)
    log = SimpleNamespace(
        points=SimpleNamespace(lrs=range(1, 62), losses=averaged),
        curve=SimpleNamespace(edge=None, sign=1.0),
        smoothing=average(0.5),
    )
    assert (_no_descent(log) is not None) == is_flat


def test_no_descent_before_the_loss_blows_up(simulate):
    """As with a trained model: flat, then destroyed."""
    for seed in SEEDS:
        assert codes(simulate(fall=0.0, seed=seed)) == ["no_descent"]


@pytest.mark.parametrize("iterations", [100, 200, 400])
@pytest.mark.parametrize("smoothing", ["average of 0.8", "average of 0.95", "mean", "epochs"])
def test_no_descent_of_a_smoothed_loss(simulate, iterations, smoothing):
    """An average of noise wanders further than its neighbours differ; mostly that is seen."""
    found = []
    for seed in range(20):
        log = noisy(simulate(iterations), seed=seed)
        found.append(codes(with_losses(log, SMOOTHINGS[smoothing](log))))
    assert found.count(["no_descent"]) > 10


def test_a_loss_that_rises_and_comes_back_has_not_fallen(simulate):
    """By too little to be a divergence."""
    levels = [2.0] * 50 + [2.3] * 100 + [2.0] * 50
    for seed in SEEDS:
        draw = random.Random(seed)
        log = with_losses(simulate(), [level + draw.gauss(0, 0.1) for level in levels])
        assert codes(log) == ["no_descent"]


# --- cautions ---------------------------------------------------------------------------------


def test_no_edge(simulate):
    for seed in SEEDS:
        log = simulate(end_lr=0.05, seed=seed)
        assert codes(log) == ["no_edge"]
        assert codes([*log, (0.05, NAN)]) == [], "a loss that is not finite is an edge"


def test_no_edge_in_a_real_log(read_log):
    assert codes(read_log("never_diverges")) == ["no_edge"]


@pytest.mark.parametrize("sigma", [1.5, 2.0])
def test_too_noisy(simulate, sigma):
    """Either it can't be read at all, or it says how little it rests on."""
    for seed in SEEDS:
        found = codes(simulate(2000, noise=sigma, seed=seed, breaks=3.0))
        assert found[:1] in (["too_noisy"], ["no_descent"])


def test_too_noisy_to_tell_two_dips_apart(simulate):
    """The noise is small beside the fall, and yet decides which dip comes to nine tenths of it."""
    draw = random.Random(0)
    levels = [2.0] * 60 + [0.2] * 20 + [2.0] * 60 + [0.0] * 20 + [2.0] * 40
    log = with_losses(simulate(), [level + draw.gauss(0, 0.2) for level in levels])
    assert codes(log) == ["too_noisy"]


def test_the_noise_is_too_much_above_half_of_the_fall_or_a_wobble_of_0_8():
    def seen(wobble, fall):
        curve = SimpleNamespace(centred=[0.0, -fall, 0.0], noise=1.0)
        return _too_noisy(SimpleNamespace(evidence=SimpleNamespace(wobble=wobble, curve=curve)))

    assert seen(0.8, 2.0) is None
    assert seen(0.81, 2.0)
    assert seen(0.8, 1.99)


def test_lr_not_monotone(simulate):
    log = simulate()
    assert codes(log[:150] + log[140:]) == ["lr_not_monotone"]
    (reason,) = analyze(log[:150] + log[140:]).reasons
    assert reason.message == "The learning rate goes down instead of up in 1 of 210 rows."


@pytest.mark.parametrize("runs", [2, 3])
def test_several_tests_in_one_log_are_counted(simulate, runs):
    log = [row for seed in range(runs) for row in simulate(seed=seed)]
    reasons = {reason.code: reason.message for reason in analyze(log).reasons}
    assert reasons["lr_not_monotone"] == f"It looks like {runs} tests, one after the other."


def averages(log, keep):
    """Smooth as fastai records its losses."""
    total, smooth = 0.0, []
    for count, (_, loss) in enumerate(log, start=1):
        total = keep * total + (1 - keep) * loss
        smooth.append(total / (1 - keep**count))
    return smooth


def means(log, epoch=10**9):
    """Average as Keras does: since the start of the epoch."""
    total, smooth = 0.0, []
    for i, (_, loss) in enumerate(log):
        total = loss if i % epoch == 0 else total + loss
        smooth.append(total / (i % epoch + 1))
    return smooth


SMOOTHINGS = {
    "average of 0.8": lambda log: averages(log, 0.8),
    "average of 0.9": lambda log: averages(log, 0.9),
    "average of 0.95": lambda log: averages(log, 0.95),
    "mean of 10": lambda log: [
        sum(loss for _, loss in part) / len(part)
        for part in (log[max(0, end - 10) : end] for end in range(1, len(log) + 1))
    ],
    "mean": means,
    "epochs": lambda log: means(log, len(log) // 5),
}


def test_running_mean_loss_in_a_log_of_keras(read_log):
    """What Keras gave to a callback, in epochs of 57 batches."""
    assert codes(read_log("keras")) == ["running_mean_loss"]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("epoch", [25, 57, 10**9])
def test_running_mean_loss(real_logs, optimizer, epoch):
    log = real_logs[optimizer]
    assert codes(with_losses(log, means(log, epoch))) == ["running_mean_loss"]


@pytest.mark.parametrize("iterations", [100, 200, 400])
def test_running_mean_loss_in_simulated_logs(simulate, iterations):
    """In a short log the start of an exponential average looks the same."""
    for seed in SEEDS:
        log = simulate(iterations, seed=seed)
        found = codes(with_losses(log, means(log)))
        assert {"running_mean_loss", "pre_smoothed"} & {*found}
        assert found == ["running_mean_loss"] or iterations < 400


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("smoothing", ["average of 0.9", "average of 0.95", "mean of 10"])
def test_pre_smoothed(real_logs, optimizer, smoothing):
    log = real_logs[optimizer]
    assert codes(with_losses(log, SMOOTHINGS[smoothing](log))) == ["pre_smoothed"]


# The one of these logs whose loss may as well have begun to fall.
MISSED = 100, "average of 0.8", 0


@pytest.mark.parametrize("smoothing", ["average of 0.8", "average of 0.9", "mean of 10"])
@pytest.mark.parametrize("iterations", [100, 200, 400])
def test_pre_smoothed_in_simulated_logs(simulate, smoothing, iterations):
    for seed in SEEDS:
        log = simulate(iterations, seed=seed)
        found = codes(with_losses(log, SMOOTHINGS[smoothing](log)))
        assert found == ["pre_smoothed"] or (iterations, smoothing, seed) == MISSED


def test_a_short_log_tells_a_short_average_in_most_cases(simulate):
    logs = [simulate(100, seed=seed) for seed in range(100)]
    found = [codes(with_losses(log, SMOOTHINGS["average of 0.8"](log))) for log in logs]
    assert found.count(["pre_smoothed"]) > 90


FALLS = {
    "at once": lambda x: min(max((x - 0.1) / 0.3, 0.0), 1.0),
    "at once, then slower": lambda x: 1 - math.exp(-max(x - 0.1, 0.0) / 0.2),
    "by and by": lambda x: 1 - math.exp(-((x / 0.3) ** 2)),
    "late": lambda x: 1 - math.exp(-((x / 0.3) ** 6)),
}


@pytest.mark.parametrize(
    ("fall", "noise"),
    [
        *((fall, 0.01) for fall in FALLS),
        # Of less, what begins by and by is no line from anywhere on, and too smooth for noise.
        *((fall, 0.002) for fall in FALLS if fall != "by and by"),
    ],
)
@pytest.mark.parametrize("iterations", [200, 400])
@pytest.mark.parametrize("ramp", ["linear", "exponential"])
def test_a_loss_of_little_noise_is_not_taken_for_a_smoothed_one(fall, noise, iterations, ramp):
    """As of large batches: its fall, however it begins, is no average's lag."""
    for seed in SEEDS:
        draw = random.Random(seed)
        xs = [i / iterations for i in range(1, iterations + 1)]
        lrs = [0.02 * x if ramp == "linear" else 1e-6 * 2e4**x for x in xs]
        log = [
            (lr, 2 - FALLS[fall](x) + draw.gauss(0, noise)) for lr, x in zip(lrs, xs, strict=True)
        ]
        assert not {"pre_smoothed", "running_mean_loss", "no_descent"} & {*codes(log)}


def test_periodic_loss_in_a_real_log(read_log):
    """Digits in the order of the file, in 28 batches, again and again."""
    (reason,) = analyze(read_log("not_shuffled")).reasons
    assert (reason.code, reason.message) == (
        "periodic_loss",
        "The loss repeats itself every 28 points.",
    )


@pytest.mark.parametrize("period", [7, 20, 45])
def test_periodic_loss(simulate, period):
    """The same batches in the same order: some are harder than others."""
    draw = random.Random(0)
    hardness = [draw.gauss(0, 0.2) for _ in range(period)]
    for seed in SEEDS:
        log = simulate(400, seed=seed)
        repeated = [loss + hardness[i % period] for i, (_, loss) in enumerate(log)]
        assert codes(with_losses(log, repeated)) == ["periodic_loss"]


def period_of(noise):
    level = -8.0  # of the smoothed loss
    changes = [level + x for x in noise]
    return _period(SimpleNamespace(changes=changes, centred=[level] * len(noise)))


def test_a_period_is_seen_up_to_a_third_of_the_points():
    draw = random.Random(0)
    noise = [draw.gauss(0, 1) for _ in range(21)]
    assert period_of(noise[:20] * 3) == 20
    assert period_of(noise * 3) == 21
    assert period_of((noise * 3)[:62]) is None
    assert period_of([0.0] * 60) is None


def test_few_points_repeat_themselves_by_chance():
    """By less than 4 / sqrt(n), where the period itself counts for 0.8."""
    assert period_of([1.0, -1.0] * 3) is None
    assert period_of([1.0, -1.0] * 12 + [1.0]) is None, "25 points"
    assert period_of([1.0, -1.0] * 13) == 2


@pytest.mark.parametrize(("strength", "period"), [(0.28, None), (0.35, 300)])
def test_many_points_have_a_period_that_explains_more_than_five_sixteenths(strength, period):
    """Of their power; of which 0.8 counts, and must be 0.25."""
    draw = random.Random(0)
    hardness = [draw.gauss(0, math.sqrt(strength)) for _ in range(300)] * 3
    noise = [x + draw.gauss(0, math.sqrt(1 - strength)) for x in hardness]
    assert period_of(noise) == period


def test_what_is_like_its_neighbours_at_each_lag_has_no_period():
    """Of ones, and a minus one every so often, n, each lag has 1 - 4 / n; it may have 0.4."""
    assert period_of([-1.0, 1.0, 1.0, 1.0, 1.0, 1.0] * 20) == 6
    assert period_of([-1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0] * 20) is None


def test_what_is_like_its_next_neighbour_alone_has_no_period():
    draw = random.Random(0)
    noise = [draw.gauss(0, 1) for _ in range(401)]
    assert period_of([before + after for before, after in pairwise(noise)]) is None


def test_noise_counts_beside_what_is_usual_around_it():
    """In the tenth of the points whose middle it is, and three times the median at most."""
    step = _evened([0.0] * 20 + [2.0] * 80)
    assert step[:20] == [0.0] * 20
    assert step[20:25] == [pytest.approx(11 / twos) for twos in range(6, 11)]
    assert step[25:] == [1.0] * 75
    spike = _evened([1.0] * 50 + [-100.0] + [1.0] * 50)
    assert spike[44:51] == [1.0, *[pytest.approx(11 / 110)] * 5, -3.0]


def test_the_period_is_named(simulate):
    log = simulate(400)
    pattern = [loss + 0.3 * (i % 12 == 0) for i, (_, loss) in enumerate(log)]
    (reason,) = analyze(with_losses(log, pattern)).reasons
    assert reason.message == "The loss repeats itself every 12 points."


def test_already_descending(simulate):
    for seed in SEEDS:
        assert codes(simulate(start_lr=3e-3, seed=seed)) == ["already_descending"]


def descending(losses, rise=0.05):
    curve = Curve([0.5 * (1 + rise * i) for i in range(len(losses))], losses)
    evidence = SimpleNamespace(curve=curve, landmarks=Landmarks.of(curve))
    return _already_descending(SimpleNamespace(evidence=evidence)) is not None


def test_it_descends_already_if_the_fall_begins_within_three_times_the_first_rate():
    losses = [0.0] * 10 + [-1.0] * 90  # smoothed, the fall begins at the ninth rate
    assert descending(losses, rise=(3 - 1) / 8)
    assert not descending(losses, rise=(3.1 - 1) / 8)


def test_what_stays_where_it_is_does_not_descend():
    assert not descending([1.0] * 100)


def test_it_descends_already_if_its_second_tenth_is_clearly_below_the_first():
    """By four times what noise explains, and a tenth of the whole fall."""
    explained = 4 * STEP_TO_SIGMA * math.sqrt(2 / 10)  # of steps of 1
    for part, is_clear in [(0.98, True), (1.02, False)]:
        step = part / explained
        noise = [step / 2 * (-1) ** i for i in range(100)]
        losses = [x - (i >= 10) for i, x in enumerate(noise)]
        assert descending(losses) == is_clear
    for fall, is_clear in [(9.9, True), (10.1, False)]:
        assert descending([0.0] * 10 + [-1.0] * 10 + [-fall] * 80) == is_clear
    assert not descending([0.0] * 10 + [-2.0] * 2 + [0.0] * 8 + [-10.0] * 80), "as a whole"


def test_optimizer_unknown(real_log):
    assert codes(real_log, optimizer="lion") == ["optimizer_unknown"]
    named, unknown = (analyze(real_log, optimizer=name) for name in (None, "lion"))
    assert (named.max_lr, named.interval) == (unknown.max_lr, unknown.interval)
    assert "'lion'" in unknown.reasons[0].message


# --- the tables -------------------------------------------------------------------------------


def test_the_codes_are_those_of_the_contract():
    assert set(FAILURES) == {
        *("all_nonfinite", "lr_constant", "no_descent", "started_diverged", "too_short")
    }
    assert set(CAUTIONS) == {
        *("already_descending", "lr_not_monotone", "no_edge", "optimizer_unknown"),
        *("periodic_loss", "pre_smoothed", "running_mean_loss", "too_noisy"),
    }


@pytest.mark.parametrize("code", [*FAILURES, *CAUTIONS])
def test_each_code_has_a_test_that_gives_it(code):
    assert f"test_{code}" in globals()


@pytest.mark.parametrize(
    "advice", [advice for _, advice in [*FAILURES.values(), *CAUTIONS.values()]]
)
def test_advice_is_one_or_more_sentences(advice):
    assert advice[0].isupper()
    assert advice.endswith(".")


def test_no_check_can_change_what_the_next_is_told():
    for told in (Log(points=None, curve=None), Verdict(evidence=None, answer=None)):
        with pytest.raises(FrozenInstanceError):
            told.curve = told.answer = None


def test_an_inconclusive_test_reads_well_and_survives_pickling():
    reason = Reason("too_short", "There are 3 rows.", "Record more.")
    error = InconclusiveRangeTest([reason])
    assert isinstance(error, ValueError)
    assert str(error) == "too_short: There are 3 rows. Record more."
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.reasons, str(copied)) == (error.reasons, str(error)) == ((reason,), str(error))


def test_noise_that_resembles_itself_at_no_lag_has_no_period():
    draw = random.Random(7)
    rows = draw.randrange(16, 22)
    turn = draw.randrange(rows)
    loss, log = 0.0, []
    for i in range(rows):
        loss += draw.gauss(-0.3 if i < turn else 1.0, 1.0)
        log.append((1e-6 * 1.2**i, loss))
    assert "periodic_loss" not in [r.code for r in analyze(log, metric="accuracy").reasons]
