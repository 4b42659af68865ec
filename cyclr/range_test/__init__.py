"""The learning-rate range test: what the bounds should be, from (learning rate, loss) pairs.

One way through, each module knowing only what comes before it:

    points -> divergence -> curve -> landmarks -> optimizers -> rules -> reasons -> runs
        -> bounds -> analysis, confirmation -> ramp -> repeats

A new rule is one function in `rules` (`peers` has those of other libraries, `accuracy` the
paper's), a new reason one function in `reasons`, a new optimizer one number in `optimizers`.
"""

from cyclr.range_test.analysis import analyze
from cyclr.range_test.bounds import Bounds, combine
from cyclr.range_test.confirmation import confirm, confirmation_cost
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.ramp import RangeTest
from cyclr.range_test.reasons import InconclusiveRangeTest, Reason
from cyclr.range_test.repeats import Repeats, repeat

__all__ = [
    "Bounds",
    "InconclusiveRangeTest",
    "Landmarks",
    "RangeTest",
    "Reason",
    "Repeats",
    "analyze",
    "combine",
    "confirm",
    "confirmation_cost",
    "repeat",
]
