"""``cyclr demo``: a range test and training, in plain Python."""

import argparse
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to *commands*, of argparse."""
    parser = commands.add_parser(
        "demo",
        help="a range test and training, in under a minute",
        description="Find the bounds of a small network's learning rate by a range test, then "
        "train it at fixed rates and with Triangular2: in plain Python, on handwritten digits.",
        epilog="example: cyclr demo",
    )
    parser.set_defaults(run=_demo)


def _demo(_: argparse.Namespace) -> int:
    from cyclr import demo

    demo.run()
    return 0
