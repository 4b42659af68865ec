"""cyclr for PyTorch: schedules that an optimizer follows, and the range test of a model."""

from cyclr import ConversionWarning
from cyclr_torch.convert import from_scheduler
from cyclr_torch.cycles import on_cycle_end
from cyclr_torch.range_test import range_test
from cyclr_torch.scheduler import Scheduler

__all__ = ["ConversionWarning", "Scheduler", "from_scheduler", "on_cycle_end", "range_test"]
