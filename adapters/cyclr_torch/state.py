"""The state of a Scheduler: plain data, and what to do where it differs from the code."""

from collections.abc import Mapping
from typing import Any

from cyclr import Schedule, from_dict
from cyclr._checks import refuse, whole
from cyclr_torch.course import Schedules

__all__ = ["VERSION", "difference", "read", "taken", "written"]

VERSION = 1


def written(schedules: Schedules) -> Any:
    """Return schedules as data, and None for what can't be written: a function."""
    if isinstance(schedules, list):
        return [written(schedule) for schedule in schedules]
    try:
        return schedules.to_dict()
    except ValueError:
        return None


def read(state: Mapping[str, Any]) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Return the iteration, the schedules' data, and what of it `replace` has replaced."""
    missing = [key for key in ("version", "iteration", "schedules") if key not in state]
    if missing:
        raise ValueError(
            f"the state must be a Scheduler's: {', '.join(missing)} missing, got {', '.join(state)}"
        )
    if state["version"] != VERSION:
        refuse("the version of the state", f"be {VERSION}", state["version"])
    iteration = whole("iteration", state["iteration"])
    return iteration, dict(state["schedules"]), dict(state.get("replaced", {}))


def taken(name: str, data: Any, mine: Schedules | None) -> Schedules:
    """Return the checkpoint's schedule; where that is a function, the scheduler's own."""
    if isinstance(data, list):
        own = mine if isinstance(mine, list) else []
        return [
            _one_taken(f"{name}[{index}]", item, own[index] if index < len(own) else None)
            for index, item in enumerate(data)
        ]
    return _one_taken(name, data, None if isinstance(mine, list) else mine)


def _one_taken(name: str, data: Any, mine: Schedule | None) -> Schedule:
    if data is not None:
        return from_dict(data)
    if mine is None or written(mine) is not None:
        raise ValueError(
            f"{name} must be given: the checkpoint's was a function, which can't be written"
            '\n\nHint: give that function again, or on_change="new"'
        )
    return mine


def difference(theirs: dict[str, Any], mine: dict[str, Any]) -> str:
    """Return what the user reads where the schedules are not the checkpoint's."""
    lines = ["the schedules must be the checkpoint's:"]
    for name in dict.fromkeys([*theirs, *mine]):
        if (name in theirs, theirs.get(name)) != (name in mine, mine.get(name)):
            lines += [
                f"  {name} in the checkpoint: {_shown(name, theirs)}",
                f"  {name} here: {_shown(name, mine)}",
            ]
    return "\n".join(lines) + (
        '\n\nHint: Scheduler(..., on_change="checkpoint") goes on with the checkpoint\'s,'
        ' on_change="new" with these'
    )


def _shown(name: str, written: dict[str, Any]) -> str:
    if name not in written:
        return "not scheduled"
    data = written[name]
    if isinstance(data, list):
        return "[" + ", ".join(map(_one_shown, data)) + "]"
    return _one_shown(data)


def _one_shown(data: Any) -> str:
    return "a function" if data is None else repr(from_dict(data))
