"""The runs: the paper's settings as cyclr's schedules, and what the paper reports for each."""

from dataclasses import dataclass
from typing import Any

from cyclr import (
    Constant,
    Decay,
    ExpRange,
    Linear,
    OneCycle,
    Piecewise,
    Schedule,
    Triangular,
    Triangular2,
)

__all__ = ["RUNS", "Run", "table2"]


@dataclass(frozen=True)
class Run:
    """One row of a table: a schedule, a number of iterations, and the paper's accuracy in percent.

    *assumed* is what the paper does not say, and was decided here. With *own_bounds* the bounds
    of the schedule stand for those that our analyzer finds (`bounds.py`).
    """

    name: str
    schedule: Schedule
    iterations: int
    source: str
    accuracy: float | None = None
    assumed: str = ""
    solver: str = "SGD"
    test_every: int = 500
    own_bounds: bool = False


def table2(base_lr: float, max_lr: float, **options: Any) -> Schedule:
    """Return the three stages of the paper's Table 2, each with a tenth of the rates before."""

    def stage(factor: float, step_size: int, cycles: int) -> Schedule:
        bounds = base_lr * factor, max_lr * factor
        return Triangular2(*bounds, step_size, cycles=cycles, **options)

    return stage(1, 2000, 4).then(stage(0.1, 1000, 3)).then(stage(0.01, 500, 3))


GAMMA = 0.99994
EXP_RANGE = "the bounds, and a step size of 1,500, with which 42,000 ends a cycle"
CYCLES = "cycles of about 4,000, the last of which ends with the run"

TABLE_1 = [
    Run(
        "fixed",
        Piecewise([60_000, 65_000], [0.001, 0.0001, 0.00001]),
        70_000,
        "Table 1",
        81.4,
        "the drops at the end, as Caffe's example has them",
    ),
    Run("triangular2", table2(0.001, 0.005), 25_000, "Tables 1, 2", 81.4),
    Run("decay", Linear(0.007, 0.001, 4000), 25_000, "Table 1", 78.5),
    Run("exp", Decay(0.001, GAMMA), 70_000, "Table 1, Figure 4", 79.1, "the first rate"),
    Run(
        "exp_range",
        ExpRange(0.001, 0.006, 1500, GAMMA, decays="bounds"),
        42_000,
        "Table 1, Figure 4",
        82.2,
        EXP_RANGE,
    ),
    Run(
        "exp_range_amplitude",
        ExpRange(0.001, 0.006, 1500, GAMMA),
        42_000,
        "Table 1, Figure 4",
        82.2,
        f"{EXP_RANGE}; only the amplitude declines, as every port reads it",
    ),
]

BOUNDS = {
    "Nesterov": (0.001, 0.006),
    "Adam": (0.0005, 0.002),
    "RMSprop": (0.0001, 0.0003),
    "AdaGrad": (0.003, 0.035),
    "AdaDelta": (0.01, 0.1),
}
REPORTED: dict[str, dict[str, float]] = {
    "Nesterov": {"fixed 70,000": 82.1, "triangular 25,000": 81.3},
    "Adam": {"fixed 70,000": 81.4, "triangular 25,000": 79.8, "triangular 70,000": 81.1},
    "RMSprop": {"fixed 70,000": 75.2, "triangular 25,000": 72.8, "triangular 70,000": 75.1},
    "AdaGrad": {"fixed 70,000": 74.6, "triangular 25,000": 76.0},
    "AdaDelta": {"fixed 70,000": 67.3, "triangular 25,000": 67.3},
}


def _table3(solver: str, setting: str, accuracy: float) -> Run:
    policy, _, count = setting.partition(" ")
    iterations = int(count.replace(",", ""))
    base_lr, max_lr = BOUNDS[solver]
    fixed = policy == "fixed"  # at the lower bound
    cycles = iterations // 4000
    return Run(
        f"{solver.lower()}_{policy}_{iterations}",
        Constant(base_lr) if fixed else Triangular.fit(base_lr, max_lr, iterations, cycles=cycles),
        iterations,
        "Table 3",
        accuracy,
        "" if fixed else CYCLES,
        solver,
    )


TABLE_3 = [
    _table3(solver, setting, accuracy)
    for solver, settings in REPORTED.items()
    for setting, accuracy in settings.items()
]

# "Numerous functional forms ... all produced equivalent results" (section 3.1), without numbers.
LEFT_OUT = [
    Run("welch", table2(0.001, 0.005, shape="parabolic"), 25_000, "section 3.1, no number"),
    Run("hann", table2(0.001, 0.005, shape="cosine"), 25_000, "section 3.1, no number"),
    # The control that the paper lacks: no cycles, and the rates divided when triangular2's are.
    Run(
        "fixed_25000",
        Piecewise([16_000, 22_000], [0.001, 0.0001, 0.00001]),
        25_000,
        "not in the paper",
    ),
    Run("one_cycle", OneCycle(0.005, 25_000), 25_000, "not in the paper"),
    Run("our_bounds", table2(0.001, 0.005), 25_000, "not in the paper", own_bounds=True),
]

RANGE_TEST = Run(
    "range_test",
    Linear(0.0, 0.02, 4000),
    4000,
    "Figure 3",
    assumed="the end of the axis, 0.02",
    test_every=100,
)

RUNS: dict[str, Run] = {run.name: run for run in (RANGE_TEST, *TABLE_1, *TABLE_3, *LEFT_OUT)}
