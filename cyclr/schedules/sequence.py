"""Sequence: schedules one after another, of which policies and compositions are made."""

from bisect import bisect_right
from typing import Any

from cyclr._arrays import evaluate, numbers
from cyclr.schedules.schedule import Schedule

__all__ = ["Sequence"]


class Sequence(Schedule):
    """Schedules one after another, each on its own clock."""

    _parts: tuple[Schedule, ...]
    _calls: tuple[Any, ...]
    _starts: tuple[int, ...]

    def _prepare(self, *parts: tuple[Schedule, int]) -> None:
        """Set the parts, each with the iteration at which the next one takes over."""
        schedules = tuple(schedule for schedule, _ in parts)
        self._set(
            _parts=schedules,
            _calls=tuple(schedule.__call__ for schedule in schedules),  # found once
            _starts=(0, *(end for _, end in parts[:-1])),
            lowest=min(schedule.lowest for schedule in schedules),
            highest=max(schedule.highest for schedule in schedules),
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is not int or i < 0:
            if xp is None:
                return evaluate(self, i)
            if xp is not numbers:
                return self._of_array(i, xp)
        k = bisect_right(self._starts, i) - 1
        return self._calls[k](i - self._starts[k])

    def _of_array(self, i: Any, xp: Any) -> Any:
        """Return every part's value where it is that part's turn; none sees a negative time."""
        value = self._parts[0](i)
        for start, part in zip(self._starts[1:], self._parts[1:], strict=True):
            if start <= xp.largest:
                value = xp.where(i < start, value, part(xp.maximum(i, start) - start))
        return value
