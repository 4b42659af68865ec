"""Values that are known from the papers and from the peers that are right."""

import math
import sys

import pytest

import cyclr


def values(schedule, n):
    return [schedule(i) for i in range(n)]


def test_triangular():
    schedule = cyclr.Triangular(1, 5, 4)

    assert values(schedule, 11) == [1, 2, 3, 4, 5, 4, 3, 2, 1, 2, 3]


def test_unequal_halves():
    schedule = cyclr.Triangular(1, 5, 4, step_size_down=6)

    expected = [1, 2, 3, 4, 5, 13 / 3, 11 / 3, 3, 7 / 3, 5 / 3, 1]
    assert values(schedule, 11) == pytest.approx(expected, rel=1e-15)


def test_triangular2_halves_the_amplitude_each_cycle():
    schedule = cyclr.Triangular2(1, 5, 4)

    assert values(schedule, 9)[4:] == [5, 4, 3, 2, 1]
    assert [schedule(i) for i in range(8, 17)] == [1, 1.5, 2, 2.5, 3, 2.5, 2, 1.5, 1]
    assert schedule(20) == 2


def test_triangular2_with_unequal_halves():
    schedule = cyclr.Triangular2(1, 5, 2, step_size_down=6)

    expected = [1, 3, 5, 13 / 3, 11 / 3, 3, 7 / 3, 5 / 3, 1, 2, 3, 8 / 3]
    assert values(schedule, 12) == pytest.approx(expected, rel=1e-15)


def test_exp_range_with_the_amplitude_declining():
    schedule = cyclr.ExpRange(1, 5, 4, gamma=0.9)
    x = [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0.25, 0.5]

    expected = [1 + 4 * x * 0.9**i for i, x in enumerate(x)]
    assert values(schedule, 11) == pytest.approx(expected, rel=1e-15)


def test_exp_range_takes_gamma_after_the_step_size():
    assert cyclr.ExpRange(1, 5, 4, 0.9) == cyclr.ExpRange(1, 5, 4, gamma=0.9)


def test_exp_range_with_both_bounds_declining_as_the_paper_words_it():
    schedule = cyclr.ExpRange(1, 5, 4, gamma=0.9, decays="bounds")
    triangle = cyclr.Triangular(1, 5, 4)

    expected = [triangle(i) * 0.9**i for i in range(30)]
    assert values(schedule, 30) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("shape", "window"),
    [
        ("linear", lambda u: 1 - abs(2 * u - 1)),
        ("parabolic", lambda u: 1 - (2 * u - 1) ** 2),
        ("cosine", lambda u: 0.5 * (1 - math.cos(2 * math.pi * u))),
    ],
)
def test_the_windows_of_the_paper(shape, window):
    schedule = cyclr.Cyclical(0, 1, 50, shape=shape)

    expected = [window(i / 100 % 1) for i in range(250)]
    assert values(schedule, 250) == pytest.approx(expected, abs=1e-14)


def test_the_cooldown_1_sqrt_is_its_formula():
    expected = [1 - math.sqrt(i / 100) for i in range(101)]

    assert values(cyclr.Ramp(1, 0, 100, shape="1-sqrt"), 101) == pytest.approx(expected, abs=1e-15)
    assert values(cyclr.Ramp(0, 1, 100, shape="1-sqrt"), 101) == pytest.approx(
        expected[::-1], abs=1e-15
    )


def test_table_2_of_the_paper_is_a_composition():
    schedule = (
        cyclr.Triangular2(0.001, 0.005, 2000, cycles=4)
        .then(cyclr.Triangular2(0.0001, 0.0005, 1000, cycles=3))
        .then(cyclr.Triangular2(0.00001, 0.00005, 500, cycles=3))
    )

    assert schedule.length == 25_000
    assert [schedule(i) for i in (0, 2000, 16_000, 17_000, 22_000, 22_500, 25_000)] == [
        *(0.001, 0.005, 0.0001, 0.0005, 0.00001, 0.00005, 0.00001)
    ]
    assert schedule.cycle_ends(30_000) == [
        *range(4000, 16_001, 4000),
        *range(18_000, 22_001, 2000),
        *range(23_000, 25_001, 1000),
    ]


def test_cycles_end_up_to_and_including_an_iteration():
    schedule = cyclr.Triangular(0, 1, 2)

    assert [schedule.cycle_ends(i) for i in (0, 3, 4, 7, 8)] == [[], [], [4], [4], [4, 8]]


def test_the_papers_decay_control():
    schedule = cyclr.Linear(0.007, 0.001, 4000)

    assert [schedule(i) for i in (0, 2000, 4000, 25_000)] == [0.007, 0.004, 0.001, 0.001]


def test_one_cycle_in_two_linear_phases():
    schedule = cyclr.OneCycle(25, 9, warmup=2 / 9, final_divisor=2, shape="linear")

    expected = [1, 13, 25, 21.5, 18, 14.5, 11, 7.5, 4, 0.5]
    assert values(schedule, 10) == pytest.approx(expected, rel=1e-15)


def test_one_cycle_in_three_phases():
    schedule = cyclr.OneCycle(25, 9, warmup=3 / 9, final_divisor=4, shape="linear", phases=3)

    expected = [1, 9, 17, 25, 17, 9, 1, 0.75, 0.5, 0.25]
    assert values(schedule, 10) == pytest.approx(expected, rel=1e-15)


def test_one_cycle_ends_once():
    assert cyclr.OneCycle(1, 100).cycle_ends(99) == []
    assert cyclr.OneCycle(1, 100).cycle_ends(100) == [100]
    assert cyclr.OneCycle(1, 100).cycle_ends(300) == [100]


def test_one_cycle_as_optax_has_it():
    schedule = cyclr.OneCycle(1, 10)

    expected = [0.04, 0.28, 0.76, 1.0, 0.9505, 0.8117, 0.6113, 0.3887, 0.1883, 0.0495, 4e-6]
    assert values(schedule, 11) == pytest.approx(expected, abs=5e-5)


def test_smiths_one_cycle_is_a_composition():
    """The learning rates of the author's own logs: base 0.002, max 0.02, step size 2246."""
    base_lr, max_lr, step_size, iterations = 0.002, 0.02, 2246, 4882
    schedule = cyclr.Linear(base_lr, max_lr, step_size).then(
        cyclr.Linear(max_lr, 0.0, step_size).clip(base_lr / 1000, max_lr), after=step_size
    )

    logged = {200: 0.00360285, 2400: 0.0186287, 4400: 0.000819235, 4600: 2e-06, iterations: 2e-06}
    for i, lr in logged.items():
        assert schedule(i) == pytest.approx(lr, rel=5e-6)


def test_warmup_then_cosine():
    schedule = cyclr.Cosine(10, 0, 8).warmup(2)

    expected = [0, 5, 10, 9.61, 8.53, 6.91, 5, 3.08, 1.46, 0.38]
    assert values(schedule, 10) == pytest.approx(expected, abs=0.01)


def test_warmup_then_linear():
    schedule = cyclr.WarmupStableDecay(10, 10, warmup=2, decay=8)

    expected = [0, 5, 10, 8.75, 7.5, 6.25, 5, 3.75, 2.5, 1.25, 0]
    assert values(schedule, 11) == expected


def test_a_warmup_of_one_iteration_starts_at_its_start():
    assert values(cyclr.WarmupStableDecay(10, 4, warmup=1, decay=2), 5) == [0, 10, 10, 5, 0]


def test_momentum_mirrors_the_learning_rate():
    momentum = cyclr.Triangular(1, 5, 4).mirror(1, 5)

    assert values(momentum, 11) == [5, 4, 3, 2, 1, 2, 3, 4, 5, 4, 3]


def test_momentum_mirrors_triangular2():
    momentum = cyclr.Triangular2(1, 5, 4).mirror(1, 5)

    assert [momentum(i) for i in range(8, 13)] == [5, 4.5, 4, 3.5, 3]


def test_restarts_are_where_sgdr_has_them():
    schedule = cyclr.CosineRestarts(0, 1, 10, cycle_mult=2)

    assert [i for i in range(1, 200) if schedule(i) == 1] == [10, 30, 70, 150]
    assert schedule.cycle_ends(150) == [10, 30, 70, 150]
    assert schedule(5) == pytest.approx(0.5)


def test_peaks_decay_by_the_amplitude():
    schedule = cyclr.CosineRestarts(1, 5, 10, peak_decay=0.5)

    assert [schedule(i) for i in (0, 10, 20)] == [5, 3, 2]


@pytest.mark.parametrize("exponent", range(1, 40))
def test_no_restart_is_missed_however_far(exponent):
    """A restart that is found by a float logarithm is missed at 1210 = 10 (3^5 - 1) / 2."""
    schedule = cyclr.CosineRestarts(0, 1, 10, cycle_mult=3)
    restart = 10 * (3**exponent - 1) // 2

    assert schedule(restart) == 1
    assert schedule(restart - 1) < 1


def test_stretching_cycles_are_exact_beyond_64_bits():
    schedule = cyclr.Triangular(0, 1, 10, cycle_mult=2)
    start = 20 * (2**300 - 1)

    assert schedule(start) == 0
    assert schedule(start + 10 * 2**300) == 1
    assert schedule(start + 5 * 2**300) == 0.5


def test_stretching_cycles_are_listed_beyond_64_bits():
    schedule = cyclr.Triangular(0, 1, 10, cycle_mult=2)
    ends = schedule.cycle_ends(20 * (2**70 - 1))

    assert ends == [20 * (2**k - 1) for k in range(1, 71)]


def test_the_shortest_cycle_stretches():
    assert values(cyclr.Triangular(0, 1, 1, cycle_mult=2), 7) == [0, 1, 0, 0.5, 1, 0.5, 0]


def test_a_stretched_half_is_as_long_as_a_float_can_be():
    longest = int(sys.float_info.max)
    schedule = cyclr.Triangular(0, 1, 1, cycle_mult=longest, cycles=2)

    assert [schedule(i) for i in (1, 2, 2 + longest, 2 + 2 * longest)] == [1, 0, 1, 0]


def test_shrinking_cycles():
    schedule = cyclr.Triangular(0, 1, 8, cycle_mult=0.5, cycles=3)

    assert schedule.cycle_ends(100) == [16, 24, 28]
    assert [schedule(i) for i in (8, 20, 26, 28, 99)] == [1, 1, 1, 0, 0]


def test_a_stretched_half_is_rounded_to_whole_iterations():
    schedule = cyclr.Triangular(0, 1, 3, cycle_mult=1.5, cycles=2)

    assert schedule.cycle_ends(100) == [6, 14]  # halves of 4.5 iterations are 4
    assert schedule(10) == 1


def test_polynomial_and_exponential_ramps():
    assert values(cyclr.Polynomial(1, 0, 4, power=2), 5) == [1, 0.5625, 0.25, 0.0625, 0]
    assert values(cyclr.Polynomial(0, 1, 4, power=2), 5) == [0, 0.4375, 0.75, 0.9375, 1]
    assert values(cyclr.Exponential(1, 16, 4), 6) == pytest.approx([1, 2, 4, 8, 16, 16], rel=1e-15)


def test_a_power_may_be_any_and_is_1_unless_given():
    root = cyclr.Polynomial(1, 0, 4, power=0.5)
    between = cyclr.Polynomial(0, 1, 4, power=2.5)

    assert values(root, 5) == pytest.approx([math.sqrt(1 - i / 4) for i in range(5)], rel=1e-15)
    assert values(between, 5) == pytest.approx(
        [1 - (1 - i / 4) ** 2.5 for i in range(5)], rel=1e-15
    )
    assert values(cyclr.Polynomial(1, 0, 4), 5) == [1, 0.75, 0.5, 0.25, 0]


def test_inverse_sqrt_is_the_transformers():
    d_model, warmup = 512, 4000
    schedule = cyclr.InverseSqrt((d_model * warmup) ** -0.5, warmup)

    for step in (1, 100, 4000, 4001, 10**6):
        expected = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert schedule(step) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("schedule", "lowest", "highest"),
    [
        (cyclr.Constant(0.1), 0.1, 0.1),
        (cyclr.Triangular(0.001, 0.006, 10), 0.001, 0.006),
        (cyclr.ExpRange(1, 5, 10, gamma=0.9), 1, 5),
        (cyclr.ExpRange(1, 5, 10, gamma=0.5, decays="bounds"), 0, 5),
        (cyclr.ExpRange(1, 5, 2, gamma=0.5, decays="bounds", cycles=1), 1 / 16, 5),
        (cyclr.ExpRange(1, 5, 10, gamma=1, decays="bounds"), 1, 5),
        (cyclr.CosineRestarts(0.001, 0.006, 10), 0.001, 0.006),
        (cyclr.OneCycle(1, 100, initial_divisor=2, final_divisor=4), 1 / 8, 1),
        (cyclr.WarmupStableDecay(1, 100, 10, 10, start_lr=0.5, end_lr=0.25), 0.25, 1),
        (cyclr.Linear(1, -1, 10), -1, 1),
        (cyclr.Exponential(10, 0.1, 10), 0.1, 10),
        (cyclr.Decay(0.1, 0.9), 0, 0.1),
        (cyclr.Decay(0.1, 1), 0.1, 0.1),
        (cyclr.Steps(0.1, 10, 0.9), 0, 0.1),
        (cyclr.Steps(0.1, 10, 1), 0.1, 0.1),
        (cyclr.Piecewise([1, 2], [3, 1, 2]), 1, 3),
        (cyclr.InverseSqrt(1, 10, start_lr=0.5), 0, 1),
        (cyclr.Linear(1, 5, 10) * 2, 2, 10),
        (cyclr.Linear(1, 5, 10) * 0, 0, 0),
        (cyclr.Linear(1, 5, 10).clip(2, 4), 2, 4),
        (cyclr.Linear(1, 5, 10).clip(0, 9), 1, 5),
        (cyclr.Linear(1, 5, 10).clip(7, 9), 7, 7),
        (cyclr.Linear(1, 5, 10).clip(-3, 0), 0, 0),
        (cyclr.Linear(1, 5, 10).mirror(0.85, 0.95), 0.85, 0.95),
        (cyclr.Linear(1, 5, 10).then(cyclr.Constant(7)), 1, 7),
    ],
    ids=repr,
)
def test_the_bounds_that_it_never_leaves(schedule, lowest, highest):
    assert (schedule.lowest, schedule.highest) == (lowest, highest)


def test_the_step_size_rule():
    assert cyclr.step_size(50_000, 100) == 2000
    assert cyclr.step_size(50_000, 100, epochs=8) == 4000
    assert cyclr.step_size(50_001, 100, epochs=2) == 1002


def test_four_cycles_are_fitted_unless_told_otherwise():
    assert cyclr.Triangular.fit(0, 1, 80) == cyclr.Triangular(0, 1, 10, cycles=4)
    assert cyclr.CosineRestarts.fit(0, 1, 80) == cyclr.CosineRestarts(0, 1, 20, cycles=4)


def test_what_does_not_fit_comes_first():
    schedule = cyclr.Triangular2.fit(0.1, 1, 23, cycles=2)

    assert schedule == cyclr.Constant(0.1).then(
        cyclr.Triangular2(0.1, 1, 5, step_size_down=6, cycles=2), after=1
    )
    assert schedule.cycle_ends(23) == [12, 23]


def test_triangular2_goes_on_after_a_thousand_cycles():
    """Where 2.0 ** cycle overflows."""
    schedule = cyclr.Triangular2(0.001, 0.006, 1)

    assert schedule(2 * 1100 + 1) == 0.001
    assert schedule(10**400 + 1) == 0.001


def test_one_cycle_reaches_its_peak_and_its_end_however_short():
    for iterations in range(2, 40):
        for warmup in (0.01, 0.1, 0.25, 0.3, 0.5):
            peak = max(1, round(warmup * iterations))
            if peak < iterations:
                schedule = cyclr.OneCycle(1, iterations, warmup=warmup)
                assert schedule(0) == 1 / 25
                assert schedule(peak) == 1
                assert schedule(iterations) == schedule(iterations + 1) == 1 / 25 / 1e4


@pytest.mark.parametrize(("low", "high"), [(0.325, 0.87), (0.064, 0.864), (0.1, 0.2)])
def test_a_peak_is_exact_also_where_the_amplitude_is_rounded_up(low, high):
    """0.325 and what has to be added to it, to come to 0.87, are 0.8700000000000001."""
    assert cyclr.Triangular(low, high, 10)(10) == high
    assert cyclr.Triangular(low, high, 10, step_size_down=7)(10) == high
    assert cyclr.Linear(low, high, 10)(10) == cyclr.Linear(low, high, 10)(99) == high
    assert cyclr.Linear(high, low, 10)(0) == high
    assert cyclr.InverseSqrt(high, 4, start_lr=low)(4) == high
    assert cyclr.Linear(0, 1, 10).mirror(low, high)(0) == high
    assert cyclr.ExpRange(low, high, 10, gamma=0.5, decays="bounds")(10) == high / 2**10


def test_nothing_climbs_again_after_its_end():
    for schedule in (cyclr.Cosine(1, 0, 10), cyclr.OneCycle(1, 10), cyclr.Linear(1, 0, 10)):
        last = schedule(10)
        assert [schedule(i) for i in range(10, 40)] == [last] * 30
