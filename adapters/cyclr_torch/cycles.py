"""What to do where a cycle ends: save a snapshot, average the weights, stop."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from torch.utils.hooks import RemovableHandle

from cyclr import Schedule
from cyclr._checks import refuse
from cyclr.schedules.compose import Custom
from cyclr_torch.course import Course
from cyclr_torch.scheduler import Scheduler

__all__ = ["on_cycle_end"]


def on_cycle_end(scheduler: Scheduler, do: Callable[[int], Any]) -> RemovableHandle:
    """Call ``do(cycle)`` right after each update that ends a cycle: with 1, 2, 3, ....

    There, at iteration k of ``schedule.cycle_ends``, the learning rate is at its lowest. In
    most loops one of these three is what to do:

        on_cycle_end(scheduler, lambda cycle: torch.save(model.state_dict(), f"{cycle}.pt"))
        on_cycle_end(scheduler, lambda cycle: average.update_parameters(model))
        on_cycle_end(scheduler, lambda cycle: stop.set() if cycle == 5 else None)

    where average is ``torch.optim.swa_utils.AveragedModel(model)``, for which
    ``torch.optim.swa_utils.update_bn`` renews the statistics of batch normalization after the
    training, and stop anything that the loop asks, a ``threading.Event`` here.

        >>> import torch
        >>> from cyclr import Triangular
        >>> model = torch.nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> scheduler = Scheduler(optimizer, Triangular(0.001, 0.005, step_size=2))
        >>> ends = []
        >>> handle = on_cycle_end(scheduler, lambda cycle: ends.append(scheduler.iteration))
        >>> for _ in range(9):
        ...     optimizer.step()
        >>> ends
        [4, 8]

    Counted is what the scheduler counts: an update that a `GradScaler` skips and those of a
    range test end nothing, nor does loading a state. Where each parameter group has a learning
    rate of its own, the first one's cycles count. A learning rate that is a function of one's
    own has no cycles, which is a `ValueError`. The calls end with the scheduler's, or by
    ``handle.remove()``; a copy of the scheduler does not make them.

    G. Huang et al., *Snapshot Ensembles*, arXiv 1704.00109, save there; P. Izmailov et al.,
    *Averaging Weights Leads to Wider Optima and Better Generalization*, arXiv 1803.05407,
    average. Stopping there is the advice of arXiv 1506.01186, section 3.2.
    """
    if not isinstance(scheduler, Scheduler):
        refuse("scheduler", "be a cyclr_torch.Scheduler", scheduler, TypeError)
    if not callable(do):
        refuse("do", "be a function of the cycle's number", do, TypeError)
    if isinstance(_leading(scheduler._course), Custom):
        refuse("lr", "be a schedule, which has cycles", _leading(scheduler._course))
    ends = _Ends()

    def watcher(course: Course) -> None:
        cycle = ends.cycle(course)
        if cycle:
            do(cycle)

    watchers = scheduler._course.watchers
    handle = RemovableHandle(watchers)
    watchers[handle.id] = watcher
    return handle


def _leading(course: Course) -> Schedule:
    lr = course.schedules["lr"]
    return lr[0] if isinstance(lr, list) else lr


class _Ends:
    """Where a schedule's cycles end, listed ahead as far as the run has come, and as far again."""

    def __init__(self) -> None:
        self._schedule: Schedule | None = None
        self._until = 0
        self._ends: list[int] = []

    def cycle(self, course: Course) -> int:
        """Return which cycle ends at the course's iteration, or 0."""
        schedule, iteration = _leading(course), course.iteration
        if schedule is not self._schedule or iteration > self._until:
            self._schedule, self._until = schedule, 2 * iteration + 1000
            self._ends = schedule.cycle_ends(self._until)
        index = bisect_left(self._ends, iteration)
        return index + 1 if self._ends[index : index + 1] == [iteration] else 0
