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


def calls(formula, iterations):
    """How often it takes the formula to list its values."""
    count = 0

    def counting(i):
        nonlocal count
        count += 1
        return formula(i)

    listing.listed(counting, iterations)
    return count


TWICE = 2  # once to check the iteration, and once to be written as a comprehension


@pytest.mark.parametrize(
    "schedule",
    [
        TRIANGULAR,
        cyclr.Triangular(0.001, 0.006, 3, step_size_down=5, cycles=2),
        cyclr.ExpRange(0.001, 0.006, 3, gamma=0.9),
        cyclr.ExpRange(0.001, 0.006, 3, gamma=0.9, decays="bounds"),
        cyclr.Triangular2(0.001, 0.006, 3, cycle_mult=2),
        *(cyclr.Cyclical(0, 1, 3, shape=shape) for shape in ("cosine", "parabolic", "1-sqrt")),
        cyclr.Cyclical(0, 1, 3, shape="polynomial", power=2.5),
        cyclr.CosineRestarts(0, 1, 3, cycle_mult=2, peak_decay=0.5),
        cyclr.OneCycle(0.1, 9),
        cyclr.WarmupStableDecay(0.1, 9, 3, 3),
        *(cyclr.Linear(0, 1, 9), cyclr.Linear(1, 0, 9), cyclr.Cosine(0, 1, 9)),
        *(cyclr.Polynomial(0, 1, 9, power=2), cyclr.Polynomial(1, 0, 9, power=2)),
        *(cyclr.Exponential(0.1, 1, 9), cyclr.Decay(0.1, 0.9), cyclr.InverseSqrt(0.1, 3)),
        *(cyclr.Steps(0.1, 3, 0.5), cyclr.Piecewise([3, 6], [0.3, 0.2, 0.1])),
        TRIANGULAR.warmup(3).then(cyclr.Constant(0.1), after=6),
        *(TRIANGULAR * 0.5, TRIANGULAR.clip(0.002, 0.003), TRIANGULAR.mirror(0.8, 0.9)),
        cyclr.Linear(0, 1, 9).then(math.cos),
    ],
)
def test_every_formula_is_written_as_a_comprehension(schedule):
    assert calls(schedule, range(20)) == TWICE
    assert schedule.tabulate(range(20)) == [schedule(i) for i in range(20)]


def test_a_few_values_are_not_worth_the_writing(monkeypatch):
    monkeypatch.setattr(listing, "FEW", 10)

    assert calls(TRIANGULAR, range(10)) == 10
    assert calls(TRIANGULAR, range(11)) == TWICE


def test_nor_is_a_formula_of_many_parts():
    def parts(n):
        return lambda i: i if n == 1 else 2 * parts(n - 1)(i)

    assert calls(parts(listing.DEEPEST), range(9)) == TWICE
    assert calls(parts(listing.DEEPEST + 1), range(9)) == 1 + 1 + 9


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        (range(2**63 - 5, 2**63), TWICE),
        (range(2**63 - 1, 2**63 - 6, -1), TWICE),
        (range(2**63 - 5, 2**63 + 1), 6),
        (range(2**63, 2**63 - 6, -1), 6),
    ],
)
def test_it_ends_with_the_64_bit_iterations(iterations, expected):
    assert calls(TRIANGULAR, iterations) == expected


@pytest.mark.parametrize(
    "iterations",
    [
        range(2**62, 2**64, 2**61),
        range(5, 2**64 + 1, 2**64 - 5),
        range(2**64, 4, 5 - 2**64),
        range(2**64, 2**62, -(2**61)),
    ],
)
def test_cycles_that_stretch_are_listed_farther_than_that(iterations):
    schedule = cyclr.CosineRestarts(0.0, 1.0, 2**62, cycle_mult=2)

    assert schedule.tabulate(iterations) == [schedule(i) for i in iterations]


SYMBOL = listing.Symbol("i")
DOUBLE = SYMBOL * 2
XP = listing.symbols


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 + SYMBOL, "(c0 + i)"),
        (abs(SYMBOL) // 2, "(c0(i) // c1)"),
        (XP.where(SYMBOL < 3, SYMBOL, 2), "(i if (i < c0) else c1)"),
        (XP.pick(SYMBOL, (3,), (0.1, 0.2)), "c0[c1(c2, i)]"),
        # What is used twice is computed once,
        (DOUBLE + DOUBLE, "((t0 := (i * c0)) + t0)"),
        (XP.where(DOUBLE < 3, DOUBLE, 1), "(t0 if ((t0 := (i * c0)) < c1) else c2)"),
        (
            XP.leg(SYMBOL, (0, 3), ((0, 3, 0), (6, -3, 0)))[0],
            "((i - (t0 := c0[(c1(c2, i) - c3)])[c4]) / t0[c5])",
        ),
        # but what one branch computes is not known in the other, nor after both.
        (
            XP.where(SYMBOL < 3, DOUBLE + DOUBLE, DOUBLE - 1),
            "(((t0 := (i * c1)) + t0) if (i < c0) else ((t1 := (i * c2)) - c3))",
        ),
        (
            XP.where(SYMBOL < 3, SYMBOL - DOUBLE, 0) + DOUBLE,
            "(((i - (t0 := (i * c1))) if (i < c0) else c2) + (t1 := (i * c3)))",
        ),
    ],
)
def test_the_text_of_a_comprehension(value, text):
    assert listing._Code(value).text == text


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
