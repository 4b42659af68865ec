"""Where the time of ``schedule(i)`` goes, from the closure to the schedule, thing by thing."""

import math

import pytest

from benchmarks.cost.policies import HIGH, ITERATIONS, LOW, POLICIES, STEP
from benchmarks.cost.work import at_each

SCHEDULE, CLOSURE = POLICIES["Triangular"]
TIMES = 100


def checked():
    """Return the closure that checks its iteration, too, and never leaves the bounds."""
    period, amplitude, half = 2 * STEP, HIGH - LOW, float(STEP)

    def schedule(i):
        if type(i) is not int or i < 0:
            raise ValueError(f"iteration must be finite and at least 0: got {i}")
        r = i % period
        x = r / half if r < STEP else (period - r) / half
        value = LOW + amplitude * x
        return value if value < HIGH else HIGH

    return schedule


class Bare:
    """The closure as a class: its constants are attributes, and an instance is called."""

    def __init__(self):
        self.base_lr, self.amplitude = LOW, HIGH - LOW
        self.step_size, self.period = STEP, 2 * STEP

    def __call__(self, i):
        r = i % self.period
        height = r if r < self.step_size else self.period - r
        return self.base_lr + self.amplitude * height / self.step_size


STAGES = {
    "the closure, with checks": checked(),
    "the closure, as a class": Bare(),
    "`schedule.__call__`, looked up before": SCHEDULE.__call__,
    "`schedule`": SCHEDULE,
}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage(name, beside):
    stage = STAGES[name]
    assert all(math.isclose(stage(i), CLOSURE(i), rel_tol=1e-12) for i in ITERATIONS)

    beside(
        at_each("f(i)", TIMES, f=stage),
        at_each("f(i)", TIMES, f=CLOSURE),
        table="Where a call of `Triangular` spends its time",
        what=name,
        peer="closure",
        asked=None,
    )
