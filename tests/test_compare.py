"""`diff` says where two schedules disagree."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cyclr
from cyclr import Constant, Difference, Linear, Triangular, diff
from strategies import schedules


@given(schedules, st.integers(1, 300))
def test_a_schedule_agrees_with_itself(schedule, n):
    found = diff(schedule, cyclr.parse(repr(schedule)), n)

    assert not found
    assert (found.first, found.largest, found.relative) == (None, 0.0, 0.0)
    assert str(found) == f"They agree at iterations 0 to {n - 1}."


@given(schedules, schedules, st.integers(1, 200), st.just(0.0) | st.floats(0, 1))
def test_it_finds_what_a_search_through_all_values_finds(a, b, n, tolerance):
    pairs = [(a(i), b(i)) for i in range(n)]
    differences = [abs(x - y) for x, y in pairs]
    highest = max(map(abs, sum(pairs, ())))
    apart = [i for i, d in enumerate(differences) if d > tolerance * highest]

    found = diff(a, b, n, tolerance=tolerance)

    assert found.iterations == n
    assert found.first == (apart[0] if apart else None)
    assert bool(found) == bool(apart)
    assert found.largest == max(differences)
    assert found.at == differences.index(found.largest)
    assert found.values == pairs[found.at]
    assert found.relative == (found.largest / highest if highest else 0)


@given(schedules, schedules, st.integers(1, 100))
def test_the_order_of_the_two_does_not_matter(a, b, n):
    there, back = diff(a, b, n), diff(b, a, n)

    assert (there.first, there.at, there.largest) == (back.first, back.at, back.largest)
    assert there.values == back.values[::-1]


@given(st.integers(1, 500), st.integers(0, 100))
def test_it_finds_where_one_leaves_the_other(after, rest):
    schedule = Constant(0.1)
    other = schedule.then(Constant(0.2), after=after)

    assert not diff(schedule, other, after)
    assert diff(schedule, other, after + 1 + rest).first == after


def test_the_last_iteration_of_a_run_is_one_before_its_length():
    a, b = Linear(1.0, 0.0, 10), Linear(1.0, 0.0, 10).then(Constant(0.5))

    assert not diff(a, b, 10)
    assert diff(a, b, 11).first == 10


def test_any_function_of_the_iteration_will_do():
    class Number:
        def __float__(self):
            return 2.0

    assert not diff(lambda _: 2, lambda _: Number(), 5)
    assert diff(Constant(2.0), math.sqrt, 5).first == 0


def test_tolerance_is_a_part_of_the_highest_value_of_the_run():
    """What is near 0 needs no more digits than what is not."""
    a = Linear(1.0, 0.0, 10)

    def b(i):
        return a(i) + 1e-9

    assert not diff(a, b, 11, tolerance=1e-8)
    assert diff(a, b, 11, tolerance=1e-10).first == 0


@given(schedules, schedules, st.integers(1, 100))
def test_its_own_relative_difference_is_the_tolerance_that_suffices(a, b, n):
    found = diff(a, b, n)
    assume(found)

    assert not diff(a, b, n, tolerance=found.relative * (1 + 1e-9))
    assert diff(a, b, n, tolerance=found.relative * (1 - 1e-9))


@pytest.mark.parametrize(
    ("a", "b", "n", "tolerance", "sentence"),
    [
        (
            *(Triangular(0, 1, 4), Triangular(0, 1, 5), 100, 0),
            "differ from iteration 1 on, most at 20: 1 and 0, by 1, 100 % of the highest value.",
        ),
        (
            Constant(1),
            Constant(0.75),
            9,
            0,
            "from iteration 0 on, most at 0: 1 and 0.75, by 0.25, 25 %",
        ),
        (
            *(Constant(1), Constant(1 + 2**-52), 9, 0),
            "most at 0: 1.0 and 1.0000000000000002, by 2.22e-16",
        ),
        (
            *(Constant(1), Constant(1 + 2**-52), 9, 1e-12),
            "They agree at iterations 0 to 8, within 2.22e-16, 2.22e-14 % of the highest value.",
        ),
    ],
)
def test_it_prints_as_a_sentence(a, b, n, tolerance, sentence):
    assert sentence in str(diff(a, b, n, tolerance=tolerance))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0.1, Constant(1), 5), TypeError, "a must be a schedule or a function"),
        ((Constant(1), None, 5), TypeError, "b must be a schedule or a function"),
        ((Constant(1), Constant(1), 0), ValueError, "iterations must be at least 1: got 0"),
        ((Constant(1), Constant(1), 2.5), ValueError, "iterations must be a whole number: got 2.5"),
        ((Constant(1), lambda _: math.nan, 5), ValueError, r"b\(0\) must be finite: got nan"),
        ((lambda i: 1 / 0 if i > 3 else 1, Constant(1), 9), ZeroDivisionError, "division by zero"),
        ((lambda i: "x" * i, Constant(1), 5), TypeError, r"a\(0\) must be a number: got ''"),
    ],
)
def test_what_can_not_be_compared_is_told_so(arguments, error, message):
    with pytest.raises(error, match=message):
        diff(*arguments)
    with pytest.raises(ValueError, match="tolerance must be at least 0: got -1"):
        diff(Constant(1), Constant(1), 5, tolerance=-1)


def test_what_was_found_is_a_value():
    found = diff(Constant(1), Constant(2), 3)

    assert found == Difference(
        iterations=3, first=0, at=0, values=(1.0, 2.0), largest=1.0, relative=0.5
    )
    assert hash(found) == hash(diff(Constant(1), Constant(2), 3))
