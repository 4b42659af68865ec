"""The stop: in units of noise, tolerant of a spike, the same live and in a log."""

import math
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr.range_test.divergence import FIRST, PATIENCE, Divergence, ceiling
from cyclr.range_test.points import CAPACITY

INF, NAN = math.inf, math.nan


def stop(losses, **known):
    """How many losses were taken until the test had diverged (None if it has not)."""
    divergence = Divergence(**known)
    for count, loss in enumerate(losses, start=1):
        if divergence.add(loss):
            return count
    return None


def noisy(levels, sigma=0.1, seed=0):
    draw = random.Random(seed)
    return [level + draw.gauss(0, sigma) for level in levels]


FALLING = [2.0] * 50 + [2.0 - 0.03 * i for i in range(50)]  # down to 0.53
RISING = [0.5 + 0.3 * i for i in range(40)]  # past the start at 5, past the ceiling at 13


@pytest.mark.parametrize("bad", [NAN, INF, -INF, 1e100])
@pytest.mark.parametrize("before", [0, 1, 3, 100])
def test_a_loss_that_is_not_finite_is_a_divergence_at_once(bad, before):
    assert stop([*noisy(FALLING)[:before], bad]) == before + 1


def test_losing_all_that_was_won_and_as_much_again_is_a_divergence():
    losses = noisy(FALLING + RISING)
    # 2.0 + (2.0 - 0.5) + 6 * 0.1 = 4.1 is reached after 12 of the rising losses.
    assert stop(losses) == pytest.approx(len(FALLING) + 12 + 1 + PATIENCE, abs=2)


def test_five_losses_in_a_row_are_above_with_a_median_that_lags_by_one():
    assert stop([1.0, 1.1] * 20 + [50.0] * 10) == 40 + 1 + 5


def test_the_ceiling_is_six_sigma_above_where_it_started():
    # Neighbours differ by 1, and by 0.954 sigma: it started at 1, and won nothing.
    assert stop([1.0, 2.0] * 20 + [1 + 6 / 0.954 - 0.01] * 15) is None
    assert stop([1.0, 2.0] * 20 + [1 + 6 / 0.954 + 0.01] * 15) is not None


def test_the_noise_is_known_from_all_differences_the_first_one_too():
    """1, 1, 8, 1 and 8 for ever: the middle difference is 0, and 8 too much, from the eighth on."""
    assert stop([1.0, 1.0, 8.0, 1.0] + [8.0] * 20) == 7 + PATIENCE


def test_what_rises_first_has_won_nothing():
    assert ceiling(start=1.0, best=3.0, sigma=0.0) == 1.0


def test_it_started_at_the_median_of_five_losses():
    assert stop([10.0] * 3 + [0.0] * 30 + [15.0] * 9) is None, "from 10 down to 0: up to 20"
    assert stop([10.0] * 2 + [0.0] * 30 + [5.0] * 9) == 32 + 1 + 5, "from 0"
    assert stop([0.0] * 3 + [1.0] * 9) == 5 + 4, "and the fifth may be the first above"


def test_a_loss_that_stays_where_it_is_is_none():
    assert stop([1.0] * 100) is None


def test_losing_what_was_won_is_none():
    assert stop(noisy(FALLING + [2.0] * 100)) is None


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_spike_that_comes_back_is_none(length):
    spike = [1e6] * length
    assert stop(noisy(FALLING) + spike + noisy([0.5] * 50)) is None


def test_noise_alone_is_none():
    assert all(stop(noisy([1.0] * 200, seed=seed)) is None for seed in range(200))


@given(
    st.lists(st.integers(-1000, 1000), max_size=100),
    st.integers(-1000, 1000),
    st.sampled_from([2.0**-30, 0.5, 1.0, 8.0, 2.0**30]),
)
def test_neither_the_scale_nor_the_zero_of_the_loss_matters(losses, zero, scale):
    rising = [*losses, *(10 * 2**i for i in range(15))]
    assert stop([scale * (loss + zero) for loss in rising]) == stop(rising)


@pytest.mark.parametrize("shift", [0.0, -3.0, -1000.0])
def test_negative_losses_diverge_like_others(shift):
    losses = noisy(FALLING + RISING)
    assert stop([loss + shift for loss in losses]) == stop(losses)


def test_after_the_divergence_nothing_counts():
    divergence = Divergence()
    for loss in [*noisy(FALLING), NAN, 1.0, 1.0]:
        divergence.add(loss)
    assert divergence.diverged
    assert divergence.add(1.0)
    assert divergence.sound == len(FALLING)


def test_before_the_first_loss_there_is_none():
    divergence = Divergence()
    assert (divergence.diverged, divergence.sound) == (False, 0)
    assert divergence.add(NAN)
    assert divergence.sound == 0


def test_the_sound_losses_end_where_the_streak_began():
    losses = [1.0, 1.1] * 20 + [50.0] * 10
    divergence = Divergence()
    for loss in losses:
        divergence.add(loss)
    assert divergence.diverged
    assert divergence.sound == 40


@pytest.mark.parametrize("high", range(2, PATIENCE))
def test_an_end_in_a_streak_says_the_same_with_and_without_nan(high):
    """A loss that is not finite, after losses that are too high, moves the edge nowhere."""
    losses = [1.0, 1.1] * 20 + [50.0] * high
    sound = []
    for end in ([], [NAN]):
        divergence = Divergence()
        for loss in losses + end:
            divergence.add(loss)
        sound.append(divergence.sound)
    assert sound == [40, 40]


def test_who_knows_how_far_the_loss_came_down_waits_for_a_recovery():
    """What looks like a divergence is none if the test came back from it later."""
    hill = [2.0] * 20 + [5.0] * 10 + [2.0 - 0.1 * i for i in range(120)]
    assert stop(noisy(hill)) == pytest.approx(20 + 1 + PATIENCE, abs=1)
    assert stop(noisy(hill), best=-9.9) is None


def test_it_needs_some_losses_to_know_where_it_started():
    assert stop([1.0, 10.0, 100.0, 1000.0][:FIRST]) is None


def test_a_long_test_stops_where_a_short_one_would():
    """Of very many differences some are kept: the noise stays known."""
    highest = 1.0 + 6 * 0.1
    for seed in range(3):
        flat = noisy([1.0] * 10 * CAPACITY, seed=seed)
        assert stop(flat + [highest - 0.1] * 20) is None
        assert stop(flat + [highest + 0.4] * 20) == len(flat) + 1 + PATIENCE


def test_what_a_long_test_scattered_long_ago_counts_as_much():
    """Three in four differences are large: so is their median."""
    loud = noisy([0.0] * 6 * CAPACITY, sigma=1.0)
    quiet = noisy([0.0] * 2 * CAPACITY, sigma=0.01)
    assert stop([*loud, *quiet, *[4.0] * 20]) is None
    assert stop([*quiet, *quiet, *[4.0] * 20]) is not None


@pytest.mark.parametrize(("quiet", "stops"), [(CAPACITY - 600, False), (CAPACITY + 200, True)])
def test_of_a_long_test_early_and_late_differences_count_the_same(quiet, stops):
    """Their median is that of the larger part: 1, of which the noise explains 6.3, or 0."""
    losses = [0.0, 1.0] * (CAPACITY // 2) + [0.0] * quiet + [3.0] * 20
    assert (stop(losses) is not None) == stops


def test_memory_is_bounded():
    draw = random.Random(0)
    divergence = Divergence()
    tracemalloc.start()
    for _ in range(10 * CAPACITY):
        divergence.add(draw.random())
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 60 * CAPACITY
