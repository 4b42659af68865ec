"""One unit curve is enough for every schedule of a policy."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cyclr
from cyclr.report.policies import POLICIES, RUN, STEP, Argument, Policy

every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
rates = st.floats(1e-8, 10.0)
INVISIBLE = 1e-5  # of the height: a hundredth of a pixel


def unit(policy: Policy) -> cyclr.Schedule:
    return policy.of(base_lr=0.0, max_lr=1.0, step_size=STEP, iterations=RUN)


def ends(policy: Policy) -> list[int]:
    length = STEP if policy.unit == "step_size" else RUN
    return [round(end * length) for end in policy.ends]


@every_policy
@given(rates=st.tuples(rates, rates).map(sorted), times=st.integers(1, 50), i=st.integers(0, RUN))
def test_a_schedule_is_its_unit_curve_scaled(
    policy: Policy, rates: list[float], times: int, i: int
) -> None:
    base_lr, max_lr = rates
    schedule = policy.of(
        base_lr=base_lr, max_lr=max_lr, step_size=times * STEP, iterations=times * RUN
    )
    low = base_lr if "base_lr" in policy.arguments else 0
    scaled = low + (max_lr - low) * unit(policy)(i)
    assert schedule(times * i) == pytest.approx(scaled, rel=1e-9, abs=1e-13)


@every_policy
def test_the_legs_are_the_schedule_from_end_to_end(policy: Policy) -> None:
    schedule, legs = unit(policy), policy.legs()
    assert [leg["end"] for leg in legs] == list(policy.ends)
    for (start, end), leg in zip(pairwise([0, *ends(policy)]), legs, strict=True):
        values = leg["values"]
        assert len(values) == policy.samples + 1
        for k, value in enumerate(values[:-1]):
            i = start + k * (end - start) // policy.samples
            assert value == pytest.approx(schedule(i), abs=1e-12)
        before = schedule(math.nextafter(end, 0))  # at the end itself it may restart
        assert values[-1] == pytest.approx(before, abs=1e-9)


@every_policy
def test_straight_lines_between_the_values_are_close_enough(policy: Policy) -> None:
    schedule, legs = unit(policy), policy.legs()
    for (start, end), leg in zip(pairwise([0, *ends(policy)]), legs, strict=True):
        for k, (a, b) in enumerate(pairwise(leg["values"])):
            middle = start + (k + 0.5) * (end - start) / policy.samples
            assert schedule(middle) == pytest.approx((a + b) / 2, abs=INVISIBLE)


@every_policy
def test_what_follows_the_curve_repeats_or_holds(policy: Policy) -> None:
    schedule, last = unit(policy), ends(policy)[-1]
    for i in range(0, 10 * STEP, 7):
        if policy.repeats:
            assert schedule(last + i) == schedule(i % last)
        else:
            held = policy.legs()[-1]["values"][-1]
            assert schedule(last + i) == pytest.approx(held, abs=INVISIBLE)


@every_policy
@given(step=st.integers(1, 10**6), iterations=st.integers(10, 10**6))
def test_every_setting_makes_a_schedule_that_code_can_say(
    policy: Policy, step: int, iterations: int
) -> None:
    schedule = policy.of(base_lr=0.001, max_lr=0.006, step_size=step, iterations=iterations)
    assert cyclr.parse(repr(schedule)) == schedule
    assert schedule.highest == 0.006


def test_gamma_halves_a_cycle() -> None:
    policy = next(policy for policy in POLICIES if policy.name == "ExpRange")
    schedule = policy.of(base_lr=0.0, max_lr=1.0, step_size=500, iterations=5000)
    peaks = [schedule(500 + 1000 * cycle) for cycle in range(4)]
    assert [b / a for a, b in pairwise(peaks)] == pytest.approx([0.5] * 3)


@given(iterations=st.integers(1, 10**9))
def test_where_a_stable_part_ends_is_where_the_decay_begins(iterations: int) -> None:
    assert round(0.8 * iterations) == iterations - round(0.2 * iterations)


def test_lengths_are_whole_and_half_goes_to_even() -> None:
    settings = {"iterations": 2345, "step_size": 10, "max_lr": 0.1}
    assert Argument("iterations", 0.3).value(settings | {"iterations": 15}) == 4
    assert Argument("iterations", 0.3).value(settings) == 704
    assert Argument("max_lr").value(settings) == 0.1


def test_the_page_is_told_all_of_it_once() -> None:
    names = [policy.to_dict()["name"] for policy in POLICIES]
    assert len(names) == len(set(names))
    assert all(hasattr(cyclr, name) for name in names)
