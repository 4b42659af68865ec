"""Schedules made of schedules: one after another, scaled, clipped, mirrored."""

import math
from dataclasses import dataclass, field
from typing import Any

from cyclr._arrays import evaluate, numbers
from cyclr._checks import number, refuse, whole
from cyclr.schedules.schedule import Schedule, ScheduleLike, amplitude
from cyclr.schedules.sequence import Sequence

__all__ = ["Clipped", "Custom", "Mirrored", "Scaled", "Then", "scheduled"]


@dataclass(frozen=True, eq=False, repr=False)
class Custom(Schedule):
    """A user's own function of the iteration, in the place of a schedule.

    Nothing is known of it but its values: it is endless, its bounds are infinite, and it
    can't be written out.
    """

    function: Any

    def __post_init__(self) -> None:
        self._set(lowest=-math.inf, highest=math.inf)

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        return evaluate(self, i) if xp is None else xp.call(self.function, i)

    def __repr__(self) -> str:
        return repr(self.function)


def scheduled(name: str, value: Any) -> Schedule:
    """Return the argument as a schedule; a function becomes one."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, type) or not callable(value):
        refuse(name, "be a schedule or a function of the iteration", value, TypeError)
    return Custom(value)


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Then(Sequence):
    """One schedule, then another, each on its own clock: what `Schedule.then` returns.

    lr(i) = first(i) for i < after, second(i - after) from there on. *after* is whole and at
    least 0, and the first schedule's length if not given; otherwise a `ValueError` says so.

        >>> from cyclr import Constant
        >>> schedule = Constant(0.1).then(Constant(0.01), after=100)
        >>> schedule(99), schedule(100)
        (0.1, 0.01)
    """

    first: Schedule
    second: Schedule
    after: int

    def __init__(self, first: ScheduleLike, second: ScheduleLike, after: int | None = None) -> None:
        first, second = scheduled("first", first), scheduled("second", second)
        if after is None:
            after = first.length
            if after is None:
                raise ValueError(
                    f"after must be given, because the schedule before is endless: {first!r}"
                    "\n\nHint: .then(schedule, after=10_000)"
                )
        after = whole("after", after)
        self._set(first=first, second=second, after=after)
        # A chain is one list of parts, however long, and each is one call away.
        before = [
            (part, min(end, after)) for part, start, end in _spans(first, after) if start < after
        ]
        later = [(part, after + end) for part, _, end in _spans(second, math.inf)]
        self._prepare(*before, *later)

    @property
    def length(self) -> int | None:
        """The iterations of both; None if the second is endless."""
        length = self.second.length
        return None if length is None else self.after + length

    def cycle_ends(self, iterations: int) -> list[int]:
        """Return where the cycles of both end, up to and including *iterations*."""
        iterations = whole("iterations", iterations)
        ends = self.first.cycle_ends(min(self.after, iterations))
        if iterations > self.after:
            ends += [self.after + end for end in self.second.cycle_ends(iterations - self.after)]
        return ends

    def __repr__(self) -> str:
        after = "" if self.after == self.first.length else f", after={self.after}"
        return f"{_receiver(self.first)}.then({self.second!r}{after})"


def _spans(schedule: Schedule, end: float) -> list[tuple[Schedule, int, Any]]:
    """Return (part, start, end) of a sequence's parts; another schedule is its own only part."""
    if not isinstance(schedule, Sequence):
        return [(schedule, 0, end)]
    starts = schedule._starts
    return list(zip(schedule._parts, starts, (*starts[1:], end), strict=True))


def _receiver(schedule: Schedule) -> str:
    """Return the code of a schedule whose method is called next."""
    return f"({schedule!r})" if isinstance(schedule, Scaled) else repr(schedule)


class _Wrapper(Schedule):
    """A schedule made from one other, which keeps the time."""

    inner: Schedule
    _inner_call: Any  # TensorFlow takes an attribute `_call` for a function that it may trace

    @property
    def length(self) -> int | None:
        """The iterations until the schedule has come to its end; None if it is endless."""
        return self.inner.length

    def cycle_ends(self, iterations: int) -> list[int]:
        """Return where cycles end, up to and including *iterations*."""
        return self.inner.cycle_ends(iterations)


@dataclass(frozen=True, eq=False, repr=False)
class Scaled(_Wrapper):
    """A schedule times a number: what ``schedule * factor`` returns.

    lr(i) = schedule(i) factor. *factor* is finite and at least 0, otherwise a `ValueError`
    says so.

        >>> from cyclr import Linear
        >>> (Linear(1.0, 0.0, 4) * 0.1)(2)
        0.05
    """

    inner: Schedule
    factor: float

    def __post_init__(self) -> None:
        schedule = scheduled("schedule", self.inner)
        factor = number("factor", self.factor, at_least=0)
        self._set(
            inner=schedule,
            _inner_call=schedule.__call__,
            factor=factor,
            lowest=schedule.lowest * factor if factor else 0.0,
            highest=schedule.highest * factor if factor else 0.0,
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: ARG002, D102
        return self._inner_call(i) * self.factor

    def __repr__(self) -> str:
        return f"{self.inner!r} * {self.factor!r}"


@dataclass(frozen=True, eq=False, repr=False)
class Clipped(_Wrapper):
    """A schedule kept between two values: what `Schedule.clip` returns.

    lr(i) = min(max(schedule(i), low), high). *low* is at most *high*, both finite, otherwise a
    `ValueError` says so.

        >>> from cyclr import Linear
        >>> Linear(1.0, 0.0, 4).clip(0.3, 1.0)(4)
        0.3
    """

    inner: Schedule
    low: float
    high: float

    def __post_init__(self) -> None:
        schedule = scheduled("schedule", self.inner)
        low, high = _bounds(self.low, self.high)
        self._set(
            inner=schedule,
            _inner_call=schedule.__call__,
            low=low,
            high=high,
            lowest=min(max(schedule.lowest, low), high),
            highest=min(max(schedule.highest, low), high),
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        value = self._inner_call(i)
        if xp is numbers and self.low <= value <= self.high:
            return value
        return xp.clip(value, self.low, self.high)

    def __repr__(self) -> str:
        return f"{_receiver(self.inner)}.clip({self.low!r}, {self.high!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Mirrored(_Wrapper):
    """The inverse of a schedule, between two values: what `Schedule.mirror` returns.

    lr(i) = high - (high - low) (a - lowest) / (highest - lowest), where a = schedule(i), and
    lowest and highest are its bounds. *low* is at most *high*, and the schedule's own bounds
    are finite and differ, otherwise a `ValueError` says so.

        >>> from cyclr import Linear
        >>> momentum = Linear(0.0, 1.0, 4).mirror(0.85, 0.95)
        >>> momentum(0), momentum(4)
        (0.95, 0.85)
    """

    inner: Schedule
    low: float
    high: float
    _top: float = field(init=False, compare=False)
    _range: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        schedule = scheduled("schedule", self.inner)
        low, high = _bounds(self.low, self.high)
        if not schedule.lowest < schedule.highest:
            refuse("schedule", "change, to be mirrored", schedule)
        if math.isinf(schedule.highest - schedule.lowest):
            raise ValueError(
                f"schedule must have known bounds, to be mirrored: got {schedule!r}"
                "\n\nHint: .clip(low, high).mirror(low, high)"
            )
        self._set(
            inner=schedule,
            _inner_call=schedule.__call__,
            low=low,
            high=high,
            lowest=low,
            highest=high,
            _amplitude=amplitude(low, high),
            _top=schedule.highest,
            _range=schedule.highest - schedule.lowest,
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        x = (self._top - self._inner_call(i)) / self._range
        value = self.low + self._amplitude * x
        if xp is numbers and self.low <= value <= self.high:
            return value
        return xp.clip(value, self.low, self.high)

    def __repr__(self) -> str:
        return f"{_receiver(self.inner)}.mirror({self.low!r}, {self.high!r})"


def _bounds(low: Any, high: Any) -> tuple[Any, Any]:
    """Return two numbers, the first at most the second."""
    checked = number("low", low), number("high", high)
    if checked[0] > checked[1]:
        refuse("low", f"be at most high, {high!r}", low)
    return checked
