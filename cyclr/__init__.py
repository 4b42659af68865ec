"""cyclr: learning-rate schedules and the range test, for any framework."""

from cyclr.schedules import *  # noqa: F403
from cyclr.schedules import __all__ as _schedules

__version__ = "0.1.0"
__all__ = [*_schedules]
