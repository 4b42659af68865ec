"""cyclr: learning-rate schedules and the range test, for any framework.

A schedule is a pure function of the iteration, ``schedule(iteration)``; `RangeTest` and
`analyze` say between which learning rates to cycle. Nothing but the standard library is
imported.
"""

from typing import TYPE_CHECKING, Any

from cyclr.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclical,
    Decay,
    Exponential,
    ExpRange,
    InverseSqrt,
    Linear,
    OneCycle,
    Piecewise,
    Polynomial,
    Ramp,
    Schedule,
    ScheduleLike,
    Steps,
    Triangular,
    Triangular2,
    WarmupStableDecay,
    step_size,
)

if TYPE_CHECKING:
    from cyclr.compare import Difference, diff
    from cyclr.conversion import ConversionWarning
    from cyclr.logs import BadRow, Log, UnusableLog, read_log
    from cyclr.plotting import plot
    from cyclr.range_test import (
        Bounds,
        InconclusiveRangeTest,
        Landmarks,
        RangeTest,
        Reason,
        Repeats,
        analyze,
        combine,
        confirm,
        confirmation_cost,
        repeat,
    )
    from cyclr.schedules.text import from_dict, parse

__version__ = "0.1.0"

__all__ = [
    "BadRow",
    "Bounds",
    "Constant",
    "ConversionWarning",
    "Cosine",
    "CosineRestarts",
    "Cyclical",
    "Decay",
    "Difference",
    "ExpRange",
    "Exponential",
    "InconclusiveRangeTest",
    "InverseSqrt",
    "Landmarks",
    "Linear",
    "Log",
    "OneCycle",
    "Piecewise",
    "Polynomial",
    "Ramp",
    "RangeTest",
    "Reason",
    "Repeats",
    "Schedule",
    "ScheduleLike",
    "Steps",
    "Triangular",
    "Triangular2",
    "UnusableLog",
    "WarmupStableDecay",
    "analyze",
    "combine",
    "confirm",
    "confirmation_cost",
    "diff",
    "from_dict",
    "parse",
    "plot",
    "read_log",
    "repeat",
    "step_size",
]

# Training calls schedules only, and starts faster without the rest.
_LATER = {
    **dict.fromkeys(("Difference", "diff"), "cyclr.compare"),
    "ConversionWarning": "cyclr.conversion",
    **dict.fromkeys(
        (
            *("Bounds", "InconclusiveRangeTest", "Landmarks", "RangeTest", "Reason", "Repeats"),
            *("analyze", "combine", "confirm", "confirmation_cost", "repeat"),
        ),
        "cyclr.range_test",
    ),
    **dict.fromkeys(("BadRow", "Log", "UnusableLog", "read_log"), "cyclr.logs"),
    "plot": "cyclr.plotting",
    **dict.fromkeys(("from_dict", "parse"), "cyclr.schedules.text"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'cyclr' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
