"""cyclr for TensorFlow and Keras 3: schedules that an optimizer follows, and the range test."""

from cyclr_tensorflow.convert import from_schedule
from cyclr_tensorflow.hyperparameters import HyperparameterScheduler
from cyclr_tensorflow.range_test import range_test
from cyclr_tensorflow.scheduler import Scheduler

__all__ = ["HyperparameterScheduler", "Scheduler", "from_schedule", "range_test"]
