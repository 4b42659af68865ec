"""One training, in every framework: update k of its optimizer used schedule(k).

Read back from the weights, and compared with Python's own numbers, so that frameworks that can't
be installed together are compared with one another too.
"""

import importlib.util
from pathlib import Path

import pytest

import cyclr

FILE = Path(__file__).parents[2] / "benchmarks" / "used_rates.py"
spec = importlib.util.spec_from_file_location("used_rates", FILE)
used_rates = importlib.util.module_from_spec(spec)
spec.loader.exec_module(used_rates)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

in_each_framework = pytest.mark.parametrize(
    ("name", "run"),
    [
        pytest.param(name, run, marks=pytest.mark.framework(name))
        for name, run in used_rates.RUNS.items()
    ],
    ids=used_rates.RUNS,
)


@in_each_framework
@pytest.mark.parametrize("key", used_rates.SCHEDULES)
def test_update_k_used_the_schedule_at_k_however_often_the_run_was_resumed(name, run, key):
    assert used_rates.largest_difference(key, run) <= used_rates.allowed(name, key)


@in_each_framework
@pytest.mark.parametrize("stops", [(), (1,), (4, 8, 9)], ids=str)
def test_what_float32_holds_is_the_same_to_the_bit_in_all_of_them(name, run, stops):
    schedule = cyclr.Triangular2(0.25, 2.25, step_size=4)

    assert run(schedule, stops) == [schedule(k) for k in range(used_rates.UPDATES)]


def test_the_suite_has_every_schedule():
    kinds = {
        kind
        for kind in map(cyclr.__dict__.get, cyclr.__all__)
        if isinstance(kind, type) and issubclass(kind, cyclr.Schedule)
    }

    assert kinds - {type(s) for s in used_rates.SCHEDULES.values()} == {cyclr.Schedule}
