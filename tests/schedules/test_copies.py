"""Copies and pickles: made anew from the arguments, whatever else a version keeps."""

import copy
import pickle
from dataclasses import dataclass
from fractions import Fraction

import pytest

import cyclr


@dataclass(frozen=True, repr=False)
class Waning(cyclr.Schedule):
    """A policy of a user's own: its argument has a name of an odd kind."""

    scale_: float

    def __post_init__(self):
        self._set(lowest=0.0, highest=self.scale_, _kept=object())

    def at(self, i):
        return self.scale_ / (1 + i)


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda schedule: pickle.loads(pickle.dumps(schedule)),
}


@pytest.mark.parametrize("how", COPIES)
def test_arguments_stay_what_they_are(how):
    schedule = COPIES[how](cyclr.InverseSqrt(Fraction(1, 3), warmup=4, start_lr=Fraction(0)))

    assert type(schedule.start_lr) is Fraction  # equal to the default, which is a float
    assert schedule.max_lr == Fraction(1, 3)


@pytest.mark.parametrize("how", COPIES)
def test_a_policy_of_ones_own_is_copied_by_its_arguments(how):
    schedule = COPIES[how](Waning(0.5))

    assert schedule == Waning(0.5)
    assert schedule(4) == 0.1
    assert repr(schedule) == "Waning(scale_=0.5)"


def test_a_pickle_has_the_arguments_alone():
    schedule = cyclr.Triangular(0.001, 0.006, 2000)
    pickled = pickle.dumps(schedule)

    assert b"step_size" in pickled
    assert b"_amplitude" not in pickled
    assert b"lowest" not in pickled


def test_a_function_of_ones_own_is_copied_with_what_it_is_in():
    schedule = cyclr.Constant(1.0).then(len, after=3) * 2

    assert copy.deepcopy(schedule) == schedule
