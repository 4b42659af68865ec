"""cyclr for Lightning: the range test of a Trainer's model, and what to do where a cycle ends.

Schedules need no more than `cyclr_torch.Scheduler` in ``configure_optimizers``.
"""

from cyclr_lightning.cycles import AverageWeights, OnCycleEnd, SaveSnapshots, StopAfterCycles
from cyclr_lightning.range_test import RangeTest, range_test
from cyclr_torch import Scheduler

__all__ = [
    "AverageWeights",
    "OnCycleEnd",
    "RangeTest",
    "SaveSnapshots",
    "Scheduler",
    "StopAfterCycles",
    "range_test",
]
