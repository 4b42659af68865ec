"""Runs: several of one test, read together."""

import math
import statistics
from dataclasses import replace

import pytest

from cyclr.range_test import Bounds, InconclusiveRangeTest, Landmarks, Reason, analyze, combine
from cyclr.range_test.bounds import QUANTILE
from cyclr.range_test.curve import Curve
from cyclr.range_test.optimizers import SPREAD_UNNAMED
from cyclr.range_test.rules import Answer
from cyclr.range_test.runs import Reading, together


def flat(log):
    """A run that learned nothing: its loss stays where it started."""
    return [(lr, 2.3 + 0.01 * (i % 3)) for i, (lr, _) in enumerate(log)]


def width(bounds):
    return math.log10(bounds.interval[1] / bounds.interval[0])


def test_the_answer_is_the_median_of_the_runs(simulate):
    runs = [simulate(noise=0.2, seed=seed, learns=10**-seed) for seed in (1, 2, 3)]
    alone = [analyze(run, optimizer="adam").max_lr for run in runs]
    together = analyze(*runs, optimizer="adam")
    assert together.max_lr == pytest.approx(statistics.median(alone))
    assert together.base_lr == pytest.approx(together.max_lr / 4)


def test_of_two_runs_it_is_the_middle(simulate):
    runs = [simulate(seed=0, learns=1e-3), simulate(seed=0, learns=1e-2)]
    alone = [analyze(run).max_lr for run in runs]
    assert analyze(*runs).max_lr == pytest.approx(math.sqrt(math.prod(alone)))


def test_one_run_is_itself(simulate):
    run = simulate(noise=0.1)
    assert analyze(run, *[]) == analyze(run)


def reading(max_lr, wobble=0.1, edge=None, **answer):
    marks = Landmarks(max_lr / 10, max_lr, 2 * max_lr, edge)
    return Reading(Answer(max_lr, True, **answer), wobble, marks, (), Curve([max_lr], [1.0]))


def test_together_they_are_as_sure_as_the_formula_says():
    runs = [reading(0.01, 0.3), reading(0.1, 0.4), reading(1.0, 0.5)]
    variance, own = 1.0, (0.3**2 + 0.4**2 + 0.5**2) / 3
    assert together(runs).wobble == pytest.approx(math.sqrt((2 * variance + own) / 9))
    variance, own = 0.5, (0.3**2 + 0.4**2) / 2
    assert together(runs[:2]).wobble == pytest.approx(math.sqrt((variance + own) / 4))
    failure = Reason("too_short", "Only 3 learning rates can be judged.", "Record more.")
    assert together(runs[:1], [failure]).wobble == pytest.approx(0.3)


def test_the_curve_is_that_of_the_run_in_the_middle():
    runs = [reading(0.01), reading(0.1), reading(1.0)]
    assert together(runs).curve is runs[1].curve


def test_more_than_half_of_the_runs_decide_whether_there_is_an_edge():
    def edge_of(*edges):
        return together([reading(0.1, edge=edge) for edge in edges]).landmarks.edge

    assert edge_of(1.0, None) is None
    assert edge_of(1.0, 2.0, None) == pytest.approx(math.sqrt(2))
    assert edge_of(1.0, 2.0, None, None) is None
    assert edge_of(1.0, 2.0, 3.0, None, None) == 2.0


def test_what_only_some_rules_say_is_the_median_of_what_is_said():
    runs = [reading(0.1, base_lr=0.01, best=0.2), reading(0.1, base_lr=0.02), reading(0.1)]
    answer = together(runs).answer
    assert (answer.base_lr, answer.best) == (pytest.approx(math.sqrt(0.0002)), 0.2)
    assert together(runs[2:] * 2).answer.best is None


def test_the_order_of_the_runs_does_not_matter(simulate):
    runs = [simulate(noise=0.3, seed=seed) for seed in range(5)]
    first, last = analyze(*runs), analyze(*reversed(runs))
    assert first.max_lr == last.max_lr
    assert first.interval == pytest.approx(last.interval)


def test_the_interval_narrows_by_the_noise_of_a_run_and_no_further(simulate):
    """What differs between tasks stays, however many runs there are."""
    runs = [simulate(noise=0.6, seed=seed) for seed in range(9)]
    alone = statistics.fmean(width(analyze(run)) for run in runs)
    three = statistics.fmean(width(analyze(*runs[i : i + 3])) for i in (0, 3, 6))
    assert alone > three > width(analyze(*runs)) > 2 * QUANTILE * SPREAD_UNNAMED


def test_runs_that_disagree_widen_it(simulate):
    """The spread between runs counts, where their own noise does not explain it."""
    alike = [simulate(seed=seed) for seed in range(3)]
    apart = [[(10**seed * lr, loss) for lr, loss in run] for seed, run in enumerate(alike)]
    assert width(analyze(*apart)) > 1.2 * width(analyze(*alike))


def test_a_reason_says_in_how_many_runs(simulate):
    runs = [simulate(seed=0), simulate(seed=1), simulate(seed=2)[:140]]
    (reason,) = analyze(*runs).reasons
    assert reason.code == "no_edge"
    assert reason.message.startswith("1 of 3 runs: The test ended")
    (reason,) = analyze(*[run[:140] for run in runs]).reasons
    assert reason.message.startswith("The test ended")


def test_a_reason_is_told_in_the_words_of_the_first_run_that_has_it():
    first, second = (Reason("no_edge", message, f"{message} advice") for message in "ab")
    runs = [replace(reading(0.1), reasons=reasons) for reasons in ((), (first,), (second,))]
    (told,) = together(runs).reasons
    assert (told.message, told.advice) == ("2 of 3 runs: a", "a advice")


def test_a_run_that_cannot_be_read_becomes_a_reason(simulate):
    good = simulate(seed=0)
    found = analyze(good, flat(good))
    assert found.max_lr == analyze(good).max_lr
    assert [reason.code for reason in found.reasons] == ["no_descent"]
    assert found.reasons[0].message.startswith("1 of 2 runs: ")


def test_if_no_run_can_be_read_all_reasons_are_told(simulate):
    log = simulate()
    with pytest.raises(InconclusiveRangeTest) as caught:
        analyze(flat(log), log[:5], flat(log))
    assert [reason.code for reason in caught.value.reasons] == ["no_descent", "too_short"]


def test_the_edge_is_that_of_most_runs(simulate):
    ended, broken = simulate(seed=0)[:140], [simulate(seed=seed, breaks=0.05) for seed in (1, 2)]
    assert analyze(ended).landmarks.edge is None
    edges = [analyze(run).landmarks.edge for run in broken]
    assert analyze(ended, *broken).landmarks.edge == pytest.approx(math.sqrt(math.prod(edges)))
    assert analyze(ended, simulate(seed=3)[:140], broken[0]).landmarks.edge is None


def test_a_list_of_runs_is_not_a_run(simulate):
    with pytest.raises(ValueError, match=r"row 1 \(points\[0\]\) must be a pair \(lr, loss\)"):
        analyze([simulate(), simulate(seed=1)])


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_bounds_of_runs_combine_to_what_their_logs_say(simulate, count):
    runs = [simulate(noise=0.4, seed=seed, breaks=[0.5, 50][seed % 2]) for seed in range(count)]
    found, expected = combine([analyze(run) for run in runs]), analyze(*runs)
    assert found.interval == pytest.approx(expected.interval)
    assert found.max_lr == expected.max_lr
    assert found.base_lr == pytest.approx(expected.base_lr)
    assert found.reasons == expected.reasons
    assert found.landmarks == expected.landmarks
    assert found.curve == expected.curve


def test_what_wobbles_more_than_its_interval_says_combines(simulate):
    bounds = replace(analyze(simulate()), wobble=9.0)
    assert combine([bounds, bounds]).max_lr == pytest.approx(bounds.max_lr)


def test_combining_nothing_or_different_rules_is_refused(simulate):
    with pytest.raises(ValueError, match="bounds must be those of one run at least: got none"):
        combine([])
    log = simulate()
    with pytest.raises(ValueError, match="bounds must be read by one rule"):
        combine([analyze(log), analyze(log, rule="minimum")])
    with pytest.raises(TypeError, match="argument"):
        Bounds.of(reading(0.1), "family")
