"""Scheduler: a schedule in the place where MXNet's optimizers look for one."""

import math

from mxnet.lr_scheduler import LRScheduler

from cyclr import ScheduleLike
from cyclr._checks import number
from cyclr.schedules.compose import scheduled

__all__ = ["Scheduler"]

SMALLEST = 2.0**-126  # of float32's normal numbers: MXNet raises where a rate is nearer to 0


class Scheduler(LRScheduler):  # type: ignore[misc]  # MXNet has no types
    """Let an optimizer's learning rate follow a schedule.

    Update k of the optimizer, from 0, is made with ``schedule(k)``. MXNet counts updates from 1
    and asks with its count, so that

        lr(num_update) = schedule(max(num_update - 1, 0))

    Give it to the optimizer as *lr_scheduler*, with Gluon's ``Trainer`` or with ``Module``:

        >>> import mxnet as mx
        >>> from cyclr import Triangular
        >>> scheduler = Scheduler(Triangular(0.001, 0.005, step_size=4))
        >>> optimizer = mx.optimizer.SGD(lr_scheduler=scheduler)
        >>> optimizer.learning_rate  # before the first update: that of the first
        0.001
        >>> scheduler(1), scheduler(5), scheduler(9)
        (0.001, 0.005, 0.001)

    *schedule* is a cyclr schedule or a function of the iteration; anything else is a
    `TypeError`. However many devices there are, an update counts once. The optimizer's own
    *learning_rate* has no effect: Adam and others, which have a default, print that it has
    overwritten the scheduler's, which is not so; ``learning_rate=None`` keeps them quiet. MXNet
    refuses rates between 0 and 2^-126, float32's smallest: for those it is given 0.

    ``Trainer.save_states`` writes the schedule and the count along with the optimizer, and
    ``load_states`` goes on with both, in the middle of a cycle too; a function that can't be
    pickled can't be written. A ``Module`` doesn't save the count: give the optimizer of
    a resumed one ``begin_num_update=k``, the updates that it has made.

    Use it with any optimizer of MXNet 1.x except LBSGD, which asks before it counts.
    """

    def __init__(self, schedule: ScheduleLike) -> None:
        super().__init__()
        self.schedule = scheduled("schedule", schedule)
        self.base_lr = self(0)  # optimizers overwrite it, and nothing here reads it

    def __call__(self, num_update: int) -> float:
        """Return the learning rate of update *num_update*, of which the first is 1."""
        iteration = max(num_update - 1, 0)
        value = self.schedule(iteration)
        if type(value) is not float or not -math.inf < value < math.inf:
            value = float(number(f"the learning rate at iteration {iteration}", value))
        return 0.0 if abs(value) < SMALLEST else value

    def __repr__(self) -> str:
        return f"Scheduler({self.schedule!r})"
