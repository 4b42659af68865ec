"""What the learning rate is at an iteration."""

from cyclr.schedules.cycles import (
    CosineRestarts,
    Cyclical,
    ExpRange,
    Triangular,
    Triangular2,
    step_size,
)
from cyclr.schedules.decays import Decay, InverseSqrt, Piecewise, Steps
from cyclr.schedules.policies import OneCycle, WarmupStableDecay
from cyclr.schedules.ramps import Constant, Cosine, Exponential, Linear, Polynomial, Ramp
from cyclr.schedules.schedule import Schedule, ScheduleLike

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclical",
    "Decay",
    "ExpRange",
    "Exponential",
    "InverseSqrt",
    "Linear",
    "OneCycle",
    "Piecewise",
    "Polynomial",
    "Ramp",
    "Schedule",
    "ScheduleLike",
    "Steps",
    "Triangular",
    "Triangular2",
    "WarmupStableDecay",
    "step_size",
]
