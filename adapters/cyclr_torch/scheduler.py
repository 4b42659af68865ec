"""Scheduler: an optimizer's hyper-parameters follow schedules, update by update."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from cyclr import ScheduleLike
from cyclr._checks import choice, refuse, whole
from cyclr.schedules.compose import scheduled
from cyclr_torch import state
from cyclr_torch.course import Course, Schedules, unwrapped, value_at

__all__ = ["Scheduler"]

Given: TypeAlias = ScheduleLike | Sequence[ScheduleLike]
"""One schedule, or function, for every parameter group, or one for each."""


class Scheduler(LRScheduler):
    """Let an optimizer's learning rate, and any other hyper-parameter, follow a schedule.

    Update k of the optimizer, from 0, is made with ``lr(k)``: the value for the first is set
    at once, the next one after each ``optimizer.step()``. There is nothing else to call.

        >>> import torch
        >>> from cyclr import Triangular
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)
        >>> lr = Triangular(0.001, 0.005, step_size=4)
        >>> scheduler = Scheduler(optimizer, lr, momentum=lr.mirror(0.85, 0.95))
        >>> for _ in range(4):
        ...     optimizer.step()
        >>> optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]
        (0.005, 0.85)

    *lr* and the other hyper-parameters, each by its name in the optimizer's parameter groups,
    are cyclr schedules or functions of the iteration, one for all groups or a list with one for
    each group. A *momentum* that the groups don't have is the first of their betas. Groups
    added later follow the schedules too, unless there is a list: then the next update raises
    a `ValueError` that names the group. Groups whose *weight_decay* is 0 keep it, unless a list
    says otherwise. Values that are tensors are filled in place.

    *unit* is what is counted: "update", the updates of the optimizer, however often `step` is
    called, so that neither gradient accumulation, nor a host that steps once a process, nor an
    update that a `GradScaler` skips miscounts; or "call", the calls of `step`, for a schedule
    in epochs, and where updates are made without ``optimizer.step()``, as a CUDA graph does.

    The state is the iteration and the schedules, as plain data. *on_change* says what
    `load_state_dict` does about schedules that differ from the checkpoint's: "error" raises a
    `ValueError` that shows the difference, "checkpoint" goes on with the checkpoint's, "new"
    with this scheduler's. A function of one's own can't be written; it has to be given again.
    `replace` is for changes that are meant.

    The optimizer keeps what it follows alive, and a later Scheduler on it takes over. Anything
    wrong is a `TypeError` or a `ValueError` before the optimizer is touched.

    Use it with any training loop, and with any host that takes a torch ``LRScheduler``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr: Given,
        *,
        momentum: Given | None = None,
        weight_decay: Given | None = None,
        on_change: str = "error",
        unit: str = "update",
        **others: Given | None,
    ) -> None:
        # LRScheduler's own __init__ is not run: it wraps optimizer.step and counts for itself.
        self.on_change = choice("on_change", on_change, ("error", "checkpoint", "new"))
        self.unit = choice("unit", unit, ("update", "call"))
        given = {"momentum": momentum, "weight_decay": weight_decay, **others}
        schedules = {"lr": _schedules("lr", lr)}
        schedules |= {name: _schedules(name, v) for name, v in given.items() if v is not None}
        self._replaced: dict[str, Any] = {}  # by name: the data of what it was made with
        self._step_count = 1  # hosts read it, and count in it
        self._course = Course(schedules)
        self.optimizer = optimizer

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer. A host that replaces it by another may set it."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Optimizer) -> None:
        within = unwrapped(optimizer)
        if within is None:
            _refuse(optimizer)
        self._course.attach(within, counting=self.unit == "update")
        self._optimizer = optimizer

    @property
    def _groups(self) -> list[dict[str, Any]]:
        if not self._course.attached:
            raise RuntimeError("a later Scheduler has taken this one's optimizer over")
        return self.optimizer.param_groups

    @property
    def iteration(self) -> int:
        """The number of updates made, or of calls; setting it sets the values, too."""
        return self._course.iteration

    @iteration.setter
    def iteration(self, iteration: int) -> None:
        iteration = whole("iteration", iteration)
        self._go_on(self._course.schedules, iteration)

    last_epoch = iteration  # torch's name for it

    def step(self, epoch: int | None = None) -> None:
        """Set the values of the current iteration; with ``unit="call"``, of the next one.

        Where updates are counted, calling it changes nothing, however often a host does. *epoch*
        is of torch's signature and must be left out: set `iteration` instead.
        """
        if epoch is not None:
            raise ValueError(
                f"epoch must be left out: got {epoch!r}\n\nHint: scheduler.iteration = {epoch!r}"
            )
        if self.unit == "call":
            self._course.advance(self._groups)
        else:
            self._course.apply(self._groups)
        self._step_count += 1

    def replace(
        self,
        *,
        lr: Given | None = None,
        momentum: Given | None = None,
        weight_decay: Given | None = None,
        **others: Given | None,
    ) -> None:
        """Follow other schedules from here on: the current iteration is their iteration 0.

        To cool down from here:

            >>> import torch
            >>> from cyclr import Linear, Triangular
            >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
            >>> scheduler = Scheduler(optimizer, Triangular(0.001, 0.005, step_size=4))
            >>> scheduler.iteration = 3
            >>> [now] = scheduler.get_last_lr()
            >>> scheduler.replace(lr=Linear(now, 0.0, iterations=1000))
            >>> scheduler.iteration = 503
            >>> scheduler.get_last_lr()
            [0.002]

        The state keeps it: a run that resumes goes on with it, though its program still makes the
        scheduler with the first schedule. (A function of one's own can't be kept.) What is not
        scheduled is a `ValueError`. Use it for a change that is meant; *on_change* is for those
        that may not be.
        """
        given = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, **others}
        new = {name: _schedules(name, value) for name, value in given.items() if value is not None}
        before = self._course.schedules
        for name in new.keys() - before.keys():
            raise ValueError(f"{name} must be scheduled to be replaced: got {', '.join(before)}")
        replaced = {
            name: _then(name, before[name], schedules, self.iteration)
            for name, schedules in new.items()
        }
        self._go_on({**before, **replaced}, self.iteration)
        self._replaced = {name: state.written(before[name]) for name in new} | self._replaced

    def get_last_lr(self) -> list[float | Tensor]:
        """Return each group's learning rate at the current iteration, as numbers."""
        return self._lrs(self.iteration)

    get_lr = get_last_lr
    _last_lr = property(get_last_lr)  # pyright: ignore[reportAssignmentType]

    @property
    def base_lrs(self) -> list[float | Tensor]:  # type: ignore[override]
        """Each group's learning rate at iteration 0."""
        return self._lrs(0)

    def _lrs(self, iteration: int) -> list[float | Tensor]:
        lr = self._course.schedules["lr"]
        if isinstance(lr, list):
            return [value_at(iteration, "lr", schedule) for schedule in lr]
        return [value_at(iteration, "lr", lr)] * len(self.optimizer.param_groups)

    def state_dict(self) -> dict[str, Any]:
        """Return the iteration and the schedules, as data that JSON and `torch.save` can write.

        ``{"version": 1, "iteration": int, "schedules": {name: data}}``, where the data is that
        of `Schedule.to_dict`, `None` for a function, and a list where the groups have one. After
        `replace`, ``"replaced": {name: data}`` says what had been there at first.
        """
        written = {name: state.written(s) for name, s in self._course.schedules.items()}
        plain = {"version": state.VERSION, "iteration": self.iteration, "schedules": written}
        return plain | ({"replaced": self._replaced} if self._replaced else {})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where *state_dict* says, and set the values of that iteration.

        What becomes of a schedule that is not the checkpoint's, the scheduler's *on_change*
        says. Whatever else is wrong with the state is a `ValueError`, and changes nothing.
        """
        iteration, theirs, their_replaced = state.read(state_dict)
        schedules, replaced = self._course.schedules, self._replaced
        mine = self.state_dict()["schedules"]
        if theirs != mine and self.on_change != "new":
            # What was changed on purpose is no difference, if both began with the same.
            if theirs | their_replaced != mine | replaced and self.on_change == "error":
                raise ValueError(state.difference(theirs, mine))
            replaced = their_replaced
            schedules = {
                name: state.taken(name, data, schedules.get(name)) for name, data in theirs.items()
            }
        self._go_on(schedules, iteration)
        self._replaced = replaced

    def _go_on(self, schedules: dict[str, Schedules], iteration: int) -> None:
        self._course.follow(self._groups, schedules, iteration)
        self._course.apply(self._groups)
        self._step_count = iteration + 1

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self.optimizer = self._optimizer  # a copied optimizer has lost its hooks

    def __repr__(self) -> str:
        schedules = ", ".join(f"{name}={s!r}" for name, s in self._course.schedules.items())
        optimizer = type(self.optimizer).__name__
        return f"<Scheduler of {optimizer} at {self.unit} {self.iteration}: {schedules}>"


def _then(name: str, before: Schedules, after: Schedules, iteration: int) -> Schedules:
    """Return what is followed before the iteration, and after it."""
    if not isinstance(before, list) and not isinstance(after, list):
        return before.then(after, after=iteration)
    groups = max(len(one) for one in (before, after) if isinstance(one, list))
    firsts, seconds = (one if isinstance(one, list) else [one] * groups for one in (before, after))
    if len(seconds) != len(firsts):
        rule = f"be one schedule, or one for each of the {len(firsts)} parameter groups"
        refuse(name, rule, len(seconds))
    return [one.then(two, after=iteration) for one, two in zip(firsts, seconds, strict=True)]


def _refuse(optimizer: Any) -> NoReturn:
    """Say that it is no optimizer of torch's, or doesn't call what it has registered."""
    attributes = getattr(optimizer, "__dict__", {}).items()
    inner = [name for name, value in attributes if isinstance(value, Optimizer)]
    hint = f"\n\nHint: Scheduler(optimizer.{inner[0]}, ...), which it wraps" if inner else ""
    kind = f"a {type(optimizer).__name__}" if inner else repr(optimizer)
    raise TypeError(f"optimizer must be a torch.optim.Optimizer: got {kind}{hint}")


def _schedules(name: str, value: Any) -> Schedules:
    """Return the argument as a schedule, or as one for each group."""
    if isinstance(value, (list, tuple)):
        return [scheduled(f"{name}[{index}]", item) for index, item in enumerate(value)]
    return scheduled(name, value)
