"""Equality: of the arguments, among schedules of one kind."""

from dataclasses import dataclass
from fractions import Fraction

import pytest

import cyclr


@dataclass(frozen=True, eq=False)
class Waning(cyclr.Schedule):
    """A policy of a user's own, with the equality of all others."""

    lr: float

    def at(self, i):
        return self.lr / (1 + i)


class Plain(cyclr.Schedule):
    """One that is no dataclass: nothing says what its arguments are."""

    def at(self, i):
        return 1.0 + 0 * i


def test_equal_arguments_make_equal_schedules_however_they_are_written():
    a, b = cyclr.Linear(0, 1, 10), cyclr.Linear(start=0.0, end=Fraction(1), iterations=10)

    assert a == b
    assert hash(a) == hash(b)
    assert {a: "found"}[b] == "found"


@pytest.mark.parametrize(
    "other", [cyclr.Linear(0, 1, 11), cyclr.Cosine(0, 1, 10), (0.0, 1.0, 10), None]
)
def test_other_arguments_and_other_kinds_are_not_equal(other):
    schedule = cyclr.Linear(0, 1, 10)

    assert schedule != other
    assert other != schedule


def test_it_goes_into_the_parts_of_a_composition():
    def run(lr):
        return (cyclr.Constant(lr).warmup(5) * 2).clip(0.1, 1)

    assert run(0.3) == run(0.3)
    assert hash(run(0.3)) == hash(run(0.3))
    assert run(0.3) != run(0.4)


def test_a_policy_of_ones_own_has_it_too():
    assert Waning(0.5) == Waning(0.5) != Waning(0.25)
    assert len({Waning(0.5), Waning(0.5), Waning(0.25)}) == 2


def test_one_that_is_no_dataclass_is_equal_to_itself_alone():
    one, other = Plain(), Plain()

    assert one == one
    assert one != other
    assert {one: 1, other: 2}[one] == 1
