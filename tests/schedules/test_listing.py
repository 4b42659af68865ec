"""The list of many values is what they are one by one, to the bit."""

import math
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cyclr
import strategies as any_
from cyclr.schedules import listing

TRIANGULAR = cyclr.Triangular(0.001, 0.006, 2000)

ranges = st.builds(
    lambda start, step, length: range(start, start + step * length, step),
    st.integers(0, 10**5) | st.integers(0, 2**62),
    st.integers(1, 10**4) | st.integers(1, 2**60),
    st.integers(1, 30),
)


@pytest.fixture(scope="module", autouse=True)
def _always_written_as_a_comprehension():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "FEW", 0)
        yield


@given(any_.schedules, ranges)
@example(cyclr.Constant(0.1), range(3))
@example(cyclr.Decay(0.1, 0.9), range(2**1100, 2**1100 + 3))  # no float holds it
def test_every_schedule_gives_the_values_of_the_scalars(schedule, iterations):
    values = schedule.tabulate(iterations)

    assert values == [schedule(i) for i in iterations]
    assert all(type(value) is float for value in values)


@pytest.mark.parametrize("iterations", [range(9, -1, -1), range(7, 8), range(0), range(5, 5)])
def test_every_range_gives_its_own_length_and_order(iterations):
    assert TRIANGULAR.tabulate(iterations) == [TRIANGULAR(i) for i in iterations]


def test_a_number_is_how_many_there_are_from_0():
    assert TRIANGULAR.tabulate(5000) == [TRIANGULAR(i) for i in range(5000)]
    assert TRIANGULAR.tabulate(0) == []


@pytest.mark.parametrize("iterations", [-1, 2.5, True, "3"])
def test_anything_else_is_refused(iterations):
    with pytest.raises((TypeError, ValueError), match="iterations must be"):
        TRIANGULAR.tabulate(iterations)


@pytest.mark.parametrize("iterations", [range(-1, 5), range(5, -2, -1)])
def test_a_negative_iteration_anywhere_is_refused(iterations):
    with pytest.raises(ValueError, match="iteration must be finite and at least 0: got -1"):
        TRIANGULAR.tabulate(iterations)


def test_fractions_stay_exact():
    schedule = cyclr.Triangular(Fraction(1, 3), Fraction(1, 2), 7)

    assert schedule.tabulate(range(30)) == [schedule(i) for i in range(30)]
    assert type(schedule.tabulate(range(1, 5))[0]) is Fraction


def test_endless_cycles_are_listed_as_far_as_is_asked():
    schedule = cyclr.CosineRestarts(0.0, 1.0, 10, cycle_mult=3)

    assert schedule.tabulate(range(0, 2**62, 2**58)) == [
        schedule(i) for i in range(0, 2**62, 2**58)
    ]


def test_a_function_of_ones_own_is_called_with_each_iteration():
    schedule = cyclr.Linear(0.0, 1.0, 4).then(lambda i: math.cos(i), after=4) * 2

    assert schedule.tabulate(9) == [schedule(i) for i in range(9)]


@dataclass(frozen=True, repr=False)
class Looking(cyclr.Schedule):
    """A policy of a user's own, which looks into the iteration."""

    lr: float

    def __post_init__(self):
        self._set(lowest=0.0, highest=self.lr)

    def at(self, i):
        return self.lr if i < 3 else 0.0


class Comparing(Looking):
    def at(self, i):
        return self.lr if i == 3 else i * 0.0


class Indexing(Looking):
    def at(self, i):
        return [self.lr, 0.0][i % 2]


@pytest.mark.parametrize("policy", [Looking, Comparing, Indexing])
def test_a_formula_that_looks_into_the_iteration_is_called_with_each(policy):
    schedule = TRIANGULAR.then(policy(0.1), after=2)

    assert schedule.tabulate(9) == [schedule(i) for i in range(9)]


def test_a_chain_too_long_for_pythons_parser_is_called_with_each():
    schedule = cyclr.Constant(0.0)
    for k in range(200):
        schedule = schedule.then(cyclr.Constant(float(k)), after=k)

    assert schedule.tabulate(250) == [schedule(i) for i in range(250)]


def test_policies_of_a_kind_are_compiled_once():
    listing._compiled.cache_clear()
    for max_lr in (0.1, 0.2, 0.3):
        cyclr.Triangular(0.01, max_lr, 77).tabulate(10)

    assert listing._compiled.cache_info().misses == 1


def test_a_symbol_is_neither_true_nor_false():
    with pytest.raises(TypeError):
        bool(listing.Symbol("i") < 3)


def test_what_both_branches_use_is_computed_in_each():
    i = listing.Symbol("i")
    twice = i * 2
    value = listing.symbols.where(i < 3, twice + twice, twice - 1)

    assert listing._comprehension(value)(range(5)) == [0, 4, 8, 5, 7]
