"""Course: the schedules that an optimizer follows, written into its parameter groups."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias
from weakref import ReferenceType, WeakKeyDictionary, ref

import torch
from torch import Tensor
from torch.optim import Optimizer

from cyclr import Schedule
from cyclr._checks import number

__all__ = [
    "Course",
    "Schedules",
    "course_of",
    "is_number",
    "place",
    "set_value",
    "suspended",
    "unwrapped",
    "value_at",
    "wrapped",
]

Schedules: TypeAlias = Schedule | list[Schedule]
"""One schedule for every parameter group, or one for each."""

BETAS = {"momentum": 0, "beta1": 0, "beta2": 1}
"""Where a group that has betas keeps what it has no name of its own for."""

HOOKS = "_optimizer_load_state_dict_post_hooks"


class Course:
    """The schedules that an optimizer follows, by hyper-parameter, and how far it has come.

    The optimizer's hooks own it, and hand it the optimizer: it needs no reference back, which
    is why an optimizer is freed as soon as nobody uses it.
    """

    def __init__(self, schedules: dict[str, Schedules]):
        self.schedules = schedules
        self.iteration = 0
        self.suspended = False
        self.watchers: OrderedDict[int, Callable[[Course], None]] = OrderedDict()
        self._stepping = False
        self._handles: list[Any] = []
        self._parts: list[_Part] = []
        self._known = 0  # groups
        self._undecayed: list[bool] = []  # groups whose weight decay was 0 when they were new

    def follow(
        self, groups: list[dict[str, Any]], schedules: dict[str, Schedules], iteration: int
    ) -> None:
        """Take up *schedules* at *iteration*, once all of it is known to be in order."""
        # A schedule may come to 0 itself, so what it has written is not asked.
        new = groups[len(self._undecayed) :]
        undecayed = [*self._undecayed, *(group.get("weight_decay") == 0 for group in new)]
        parts = [
            part for name, s in schedules.items() for part in _parts(name, s, groups, undecayed)
        ]
        for part in parts:
            value_at(iteration, part.name, part.schedule)
        self.schedules, self.iteration = schedules, iteration
        self._parts, self._undecayed, self._known = parts, undecayed, len(groups)

    def apply(self, groups: list[dict[str, Any]]) -> None:
        """Set the current iteration's values: all of them, or none."""
        if len(groups) != self._known:
            self.follow(groups, self.schedules, self.iteration)
        values = [value_at(self.iteration, part.name, part.schedule) for part in self._parts]
        for (_, _, key, slot, members), value in zip(self._parts, values, strict=True):
            old = new = None
            for member in members:
                group = groups[member]
                if slot is not None:
                    if group[key] is not old:  # groups mostly share one tuple
                        old = group[key]
                        new = _replaced(old, slot, value)
                    group[key] = new
                elif type(group[key]) is float:
                    group[key] = value
                else:
                    set_value(group, key, value)

    def advance(self, groups: list[dict[str, Any]]) -> None:
        """Count one more, and set its values."""
        self.iteration += 1
        self.apply(groups)
        for watcher in tuple(self.watchers.values()):
            watcher(self)

    def attach(self, optimizer: Optimizer, *, counting: bool) -> None:
        """Have the optimizer follow this course, in place of the one that it followed before."""
        before = course_of(optimizer)
        if before is not None:
            self._undecayed = before._undecayed
        self.follow(optimizer.param_groups, self.schedules, self.iteration)
        for course in (before, self):
            if course is not None:
                course.detach()
        self._handles = [
            optimizer.register_step_pre_hook(self._before_update),
            optimizer.register_load_state_dict_post_hook(self._after_loading),
        ]
        if counting:
            # Not to be traced into a compiled training step, which would recompile at each value.
            hook: Any = torch.compiler.disable(self._after_update)  # type: ignore[no-untyped-call]
            self._handles.append(optimizer.register_step_post_hook(hook))
        _courses[optimizer] = ref(self)
        self.apply(optimizer.param_groups)

    def detach(self) -> None:
        """Let the optimizer go."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        for optimizer in [o for o, course in _courses.items() if course() is self]:
            del _courses[optimizer]

    @property
    def attached(self) -> bool:
        """Whether an optimizer follows this course."""
        return bool(self._handles)

    def _before_update(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        if self.suspended:
            return
        self._stepping = True
        if len(optimizer.param_groups) != self._known:
            self.apply(optimizer.param_groups)

    def _after_update(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        # A step that calls its base class's step runs the hooks twice, but updates once.
        if not self._stepping:
            return
        self._stepping = False
        # GradScaler has a fused optimizer itself skip an update, and leaves the reason there.
        found_inf = getattr(optimizer, "found_inf", None)
        if found_inf is None or not found_inf:
            self.advance(optimizer.param_groups)

    def _after_loading(self, optimizer: Optimizer) -> None:
        # The optimizer's checkpoint has brought its own groups, with its own values.
        self.follow(optimizer.param_groups, self.schedules, self.iteration)
        self.apply(optimizer.param_groups)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handles": [], "watchers": OrderedDict()}


_courses: WeakKeyDictionary[Optimizer, ReferenceType[Course]] = WeakKeyDictionary()


def course_of(optimizer: Optimizer) -> Course | None:
    """Return what the optimizer follows."""
    course = _courses.get(optimizer)
    return None if course is None else course()


def wrapped(optimizer: Optimizer) -> list[Optimizer]:
    """Return the optimizer and those that it wraps."""
    inner = [value for value in vars(optimizer).values() if isinstance(value, Optimizer)]
    return [optimizer, *(deeper for each in inner for deeper in wrapped(each))]


def unwrapped(optimizer: Any) -> Optimizer | None:
    """Return the optimizer, or the one for which a wrapper stands, as Accelerate's does.

    It has the wrapper's groups, and the hooks that a wrapper may not have.
    """
    for each in wrapped(optimizer) if isinstance(optimizer, Optimizer) else []:
        if hasattr(each, HOOKS) and each.param_groups is optimizer.param_groups:
            return each
    return None


@contextmanager
def suspended(optimizer: Optimizer) -> Iterator[None]:
    """Have what the optimizer follows take no notice of the updates in the block."""
    courses = [course for each in wrapped(optimizer) if (course := course_of(each)) is not None]
    for course in courses:
        course.suspended = True
    try:
        yield
    finally:
        for course in courses:
            course.suspended = False


def value_at(iteration: int, name: str, schedule: Schedule) -> float:
    """Return the schedule's value, which a function of one's own may get wrong."""
    value: Any = schedule(iteration)
    if type(value) is float and -math.inf < value < math.inf:
        return value
    value = value.item() if isinstance(value, Tensor) else value
    return float(number(f"{name} at iteration {iteration}", value))


class _Part(NamedTuple):
    """Groups, by their indices, that keep the same schedule's value in the same place."""

    name: str
    schedule: Schedule
    key: str
    slot: int | None  # within betas
    members: list[int]


def _parts(
    name: str, schedules: Schedules, groups: list[dict[str, Any]], undecayed: list[bool]
) -> list[_Part]:
    """Return which groups get which schedule's value, and where."""
    if isinstance(schedules, list) and len(schedules) != len(groups):
        rule = f"{name} must be one schedule, or one for each of the {len(groups)} parameter groups"
        n = len(schedules)
        if n > len(groups):
            raise ValueError(f"{rule}: got {n}")
        raise ValueError(
            f"{rule}: got {n}, none for group {n}"
            f"\n\nHint: {name}=schedule, not in a list, serves groups that are added later, too"
        )
    parts: dict[Any, _Part] = {}
    for index, group in enumerate(groups):
        key, slot = place(name, group, index)
        if isinstance(schedules, list):
            schedule = schedules[index]
        elif key == "weight_decay" and undecayed[index]:
            continue
        else:
            schedule = schedules
        part = _Part(name, schedule, key, slot, [])
        parts.setdefault((id(schedule), key, slot), part).members.append(index)
    return list(parts.values())


def place(name: str, group: dict[str, Any], index: int) -> tuple[str, int | None]:
    """Return the key of a group's hyper-parameter, and where it is within betas."""
    key, slot = name, None
    if name not in group and name in BETAS and "betas" in group:
        key, slot = "betas", BETAS[name]
    if key not in group:
        names = ", ".join(key for key, value in group.items() if is_number(value))
        raise ValueError(f"{name} must be in every parameter group: group {index} has {names}")
    value = group[key] if slot is None else group[key][slot]
    if not is_number(value):
        rule = f"{name} must be a number in every parameter group"
        raise ValueError(f"{rule}: group {index} has {type(value).__name__}")
    return key, slot


def is_number(value: object) -> bool:
    """Tell what a schedule can set: a number, or a tensor of one."""
    return isinstance(value, (int, float, Tensor)) and not isinstance(value, bool)


def set_value(group: dict[str, Any], key: str, value: float) -> None:
    """Set a hyper-parameter; a tensor is filled, as a compiled training step may hold it."""
    if isinstance(group[key], Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


def _replaced(values: Any, slot: int, value: float) -> Any:
    """Return betas with another value in the slot; a tensor stays, and is filled."""
    if isinstance(values[slot], Tensor):
        values[slot].fill_(value)
        return values
    return (*values[:slot], value, *values[slot + 1 :])
