"""``cyclr diff``: where two schedules disagree, and by how much."""

import argparse
import dataclasses
from typing import Any

from cyclr.cli._common import FORMAT, UNUSABLE, complain, extent

__all__ = ["add"]

SAME, DIFFERENT = 0, 1  # exit statuses


def add(commands: Any) -> None:
    """Add the command to *commands*, of argparse."""
    parser = commands.add_parser(
        "diff",
        help="where two schedules disagree, and by how much",
        description="Compare two schedules, each written as in Python, at iterations 0 to N - 1. "
        "Exit status: 0 if they agree, 1 if they differ, 2 if one can't be read.",
        epilog="example: cyclr diff 'Cosine(0.1, 0.0, 2000)' 'CosineRestarts(0.0, 0.1, 2000)' "
        "--iterations 2000",
    )
    add = parser.add_argument
    add("schedules", nargs=2, metavar="SPEC", help="what print(schedule) prints")
    add("--iterations", type=int, metavar="N", help="how many; to both ends, by default")
    tolerance = "differences to ignore, as a part of the highest value; 0 by default"
    add("--tolerance", type=float, default=0.0, metavar="T", help=tolerance)
    add("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=_diff)


def _diff(options: argparse.Namespace) -> int:
    from cyclr import diff, parse

    try:
        a, b = map(parse, options.schedules)
        n = options.iterations
        if n is None:  # an end is the value after the last iteration
            n = max(extent(a), extent(b)) + 1
        found = diff(a, b, n, tolerance=options.tolerance)
    except (ValueError, OverflowError) as error:
        complain(error)
        return UNUSABLE
    if options.json:
        import json

        result = {"a": a.to_dict(), "b": b.to_dict(), "agree": not found}
        print(json.dumps({"version": FORMAT} | result | dataclasses.asdict(found), indent=2))
    else:
        print(f"a: {a}\nb: {b}\n{found}")
    return DIFFERENT if found else SAME
