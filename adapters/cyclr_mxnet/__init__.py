"""cyclr for MXNet: schedules that an optimizer follows, and the range test of a Gluon network."""

from cyclr_mxnet.range_test import range_test
from cyclr_mxnet.scheduler import Scheduler

__all__ = ["Scheduler", "range_test"]
