"""The closures that schedules are measured beside have the same values, and misses are shown."""

import math

import pytest

from benchmarks.cost.bulk import BULK, MANY
from benchmarks.cost.peers import LIBRARIES
from benchmarks.cost.policies import COMPOSITIONS, ITERATIONS, POLICIES
from benchmarks.cost.report import report
from cyclr.schedules.text import CONSTRUCTORS

PAIRS = {**POLICIES, **{f"composed: {name}": pair for name, pair in COMPOSITIONS.items()}}
CORNERS = (0, 1, 499, 500, 1999, 2000, 4000, 7999, 8000, 15_999, 16_000, 16_500, 19_999, 20_000)


@pytest.mark.parametrize("name", PAIRS)
def test_a_closure_has_the_schedules_values(name):
    schedule, closure = PAIRS[name]
    for i in (*CORNERS, *ITERATIONS):
        assert math.isclose(closure(i), schedule(i), rel_tol=1e-9, abs_tol=1e-15), i


@pytest.mark.parametrize("name", BULK)
def test_a_closure_has_the_schedules_values_over_a_million(name):
    schedule, closure, _ = BULK[name]
    for i in (0, 1, 299_999, 300_000, 300_001, MANY - 1, MANY, *range(0, MANY, 9973)):
        assert math.isclose(closure(i), schedule(i), rel_tol=1e-9), i


def test_every_policy_is_measured():
    measured = {type(schedule).__name__ for schedule, _ in POLICIES.values()}

    assert set(CONSTRUCTORS) - measured == {"Ramp"}  # which `Linear` and `Cosine` are


def test_other_libraries_are_measured_beside_policies_that_are():
    assert {name for library in LIBRARIES.values() for name in library.policies} <= set(POLICIES)


def test_the_report_shows_what_was_missed():
    row = {"table": "A", "what": "x", "seconds": 2e-9, "beside": "y", "its seconds": 1e-9}
    rows = [row | {"asked": 3, "got": 2.0}, row | {"asked": 3, "got": 3.25}]
    text = report({"environment": "here", "rows": rows})

    assert "| x | 2 ns | y | 1 ns | 3 | 2.00 |" in text
    assert "| 3 | **3.25** |" in text
    assert "1 of 2 as asked; the others in bold." in text
