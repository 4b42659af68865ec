"""What the picture of schedules shows."""

from collections import Counter
from collections.abc import Iterable, Mapping

from cyclr._checks import number, refuse, whole
from cyclr.plotting.picture import Axis, Line, Picture, Points, limits
from cyclr.plotting.samples import extent, spread, thinned
from cyclr.schedules import Schedule, ScheduleLike

__all__ = ["picture_of_schedules"]

COLUMNS = 1000  # more than a screen's half or a paper's column has


def picture_of_schedules(
    schedules: ScheduleLike | Iterable[ScheduleLike] | Mapping[str, ScheduleLike],
    iterations: int | None = None,
    *,
    iterations_per_epoch: float | None = None,
    momentum: ScheduleLike | None = None,
    columns: int = COLUMNS,
) -> Picture:
    """Return the picture of *schedules*; see `cyclr.plot` for the arguments."""
    named = _named(schedules)
    n = _iterations(iterations, named.values())
    lines = [Line(name, _curve(schedule, n, columns)) for name, schedule in named.items()]
    low, high = limits(_heights(lines))
    if 0 < 2 * low < high:  # what begins at 0 shows how much more the highest is than the lowest
        low, high = limits([0.0, *_heights(lines)])

    right = None
    if momentum is not None:
        line = Line("momentum", _curve(_called("momentum", momentum), n, columns))
        right = Axis("momentum", *limits(_heights([line]))), line
    top = None
    if iterations_per_epoch is not None:
        top = "epoch", number("iterations_per_epoch", iterations_per_epoch, above=0)
    return Picture(
        x=Axis("iteration", 0.0, float(n)),
        y=Axis("learning rate", low, high),
        lines=lines,
        right=right,
        top=top,
    )


def _named(
    schedules: ScheduleLike | Iterable[ScheduleLike] | Mapping[str, ScheduleLike],
) -> dict[str, ScheduleLike]:
    """Return the schedules by name: the given one, or the policy's; its code where two share it."""
    if isinstance(schedules, Mapping):
        named = {str(name): _called(str(name), each) for name, each in schedules.items()}
    elif callable(schedules):
        named = {_policy(schedules): schedules}
    elif isinstance(schedules, Iterable) and not isinstance(schedules, str):
        several = [_called("each of schedules", each) for each in schedules]
        count = Counter(map(_policy, several))
        named = {(_policy(s) if count[_policy(s)] == 1 else repr(s)): s for s in several}
    else:
        refuse("schedules", "be schedules, or functions of the iteration", schedules, TypeError)
    if not named:
        refuse("schedules", "be at least one", schedules)
    return named


def _called(name: str, schedule: ScheduleLike) -> ScheduleLike:
    if isinstance(schedule, type) or not callable(schedule):
        refuse(name, "be a schedule or a function of the iteration", schedule, TypeError)
    return schedule


def _policy(schedule: ScheduleLike) -> str:
    """Return the name of what a schedule is; of one that is composed, its code."""
    from cyclr.schedules.text import CONSTRUCTORS

    name = type(schedule).__name__
    if name in CONSTRUCTORS:
        return name
    return repr(schedule) if isinstance(schedule, Schedule) else getattr(schedule, "__name__", name)


def _iterations(iterations: int | None, schedules: Iterable[ScheduleLike]) -> int:
    if iterations is not None:
        return whole("iterations", iterations, at_least=1)
    extents = [extent(schedule) for schedule in schedules if isinstance(schedule, Schedule)]
    if not extents:
        raise ValueError(
            "iterations must be given for a function, whose length is not known"
            "\n\nHint: iterations=10_000"
        )
    return max(extents)


def _curve(schedule: ScheduleLike, n: int, columns: int) -> Points:
    return thinned([(float(i), float(schedule(i))) for i in spread(n)], columns)


def _heights(lines: Iterable[Line]) -> list[float]:
    return [y for line in lines for _, y in line.points]
