"""``cyclr show``: the values and the picture of a schedule."""

import argparse
import sys
from dataclasses import replace
from typing import Any

from cyclr.cli._common import UNUSABLE, add_plot, complain, drawable, drawn, extent

__all__ = ["add"]

ROWS = 8  # of a schedule's values, after the first


def add(commands: Any) -> None:
    """Add the command to *commands*, of argparse."""
    parser = commands.add_parser(
        "show",
        help="the values and the picture of a schedule",
        description="Print values of a schedule and draw it. A schedule is written as in Python.",
        epilog="example: cyclr show 'Triangular2(base_lr=1e-3, max_lr=6e-3, step_size=2000)'",
    )
    parser.add_argument("schedule", metavar="SPEC", help="what print(schedule) prints")
    parser.add_argument(
        "--iterations", type=int, metavar="N", help="how far; to its end, if it has one, by default"
    )
    add_plot(parser)
    parser.set_defaults(run=_show)


def _show(options: argparse.Namespace) -> int:
    from cyclr import parse
    from cyclr._checks import whole
    from cyclr._terminal import Screen, draw
    from cyclr.plotting.samples import spread

    if not drawable(options.plot):
        return UNUSABLE
    try:
        schedule = parse(options.schedule)
        n = extent(schedule) if options.iterations is None else options.iterations
        n = whole("iterations", n, at_least=1)
        curve = [(float(i), schedule(i)) for i in spread(n)]
    except (ValueError, OverflowError) as error:
        complain(error)
        return UNUSABLE
    print(f"{schedule}\n\n{'iteration':>12}  value")
    for i in sorted({n * row // ROWS for row in range(ROWS + 1)}):
        print(f"{i:>12}  {schedule(i):.6g}")
    print(draw(curve, x="iteration", y="value", screen=Screen.of(sys.stdout)))
    if options.plot is None:
        return 0
    from cyclr.plotting.schedules import picture_of_schedules

    picture = replace(picture_of_schedules(schedule, n), words=[repr(schedule)])
    return 0 if drawn([picture], options.plot) else UNUSABLE
