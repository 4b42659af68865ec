"""What the commands share."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclr import Schedule

__all__ = ["FORMAT", "UNUSABLE", "complain", "extent", "logs_at"]

UNUSABLE = 2  # the exit status; argparse's own, for a command that it can't read, is 2, too
FORMAT = 1  # the version of what --json prints, of each command


def complain(message: object) -> None:
    """Print *message* to standard error."""
    print(message, file=sys.stderr, flush=True)


def logs_at(path: str) -> list[str]:
    """Return the logs at *path*; reading one that can't be opened will say why."""
    from cyclr.logs import UnusableLog, find_logs

    try:
        return find_logs(path)
    except (OSError, UnusableLog):
        return [path]


def extent(schedule: "Schedule") -> int:
    """Return iterations enough to see what *schedule* does: four cycles, eight steps, ..."""
    if schedule.length is not None:
        return max(schedule.length, 1)
    arguments = schedule.to_dict()
    del arguments["cyclr"]
    return 8 * max(_whole_numbers(arguments), default=125)


def _whole_numbers(arguments: Any) -> Iterator[int]:
    """Yield the whole numbers among a schedule's arguments: the lengths in it are."""
    if type(arguments) is int:
        yield arguments
    elif isinstance(arguments, dict):
        yield from _whole_numbers(list(arguments.values()))
    elif isinstance(arguments, list):
        for argument in arguments:
            yield from _whole_numbers(argument)
