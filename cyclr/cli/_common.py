"""What the commands share."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cyclr.plotting.samples import extent

if TYPE_CHECKING:
    from cyclr.plotting.picture import Picture

__all__ = ["FORMAT", "UNUSABLE", "add_plot", "complain", "drawable", "drawn", "extent", "logs_at"]

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


def add_plot(parser: Any) -> None:
    """Add the option --plot to *parser*."""
    parser.add_argument(
        "--plot", metavar="FILE", help="draw it: .png, .svg, .pdf, ... (needs cyclr[plot])"
    )


def drawable(file: str | None) -> bool:
    """Tell whether a picture can be written to *file*, or none is asked for; complain if not."""
    if file is None:
        return True
    from cyclr.plotting.axes import check

    try:
        check(file)
    except (ImportError, ValueError) as error:
        complain(error)
        return False
    return True


def drawn(pictures: "Sequence[Picture]", file: str | None) -> bool:
    """Write the *pictures* to *file*, if it is asked for; complain and return False if it fails."""
    if file is None or not pictures:
        return True
    from cyclr.plotting.axes import save

    try:
        save(pictures, file)
    except OSError as error:
        complain(f"{file}: {error.strerror}.")
        return False
    return True
