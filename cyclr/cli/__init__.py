"""The command ``cyclr``: what it takes, prints and returns.

Each command is a module, whose `add` tells argparse about it, and imports what it needs when it
runs, so that none waits for another's imports.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from cyclr import __version__
from cyclr.cli import analyze, demo, diff, report, show

__all__ = ["main"]

COMMANDS = analyze, report, show, diff, demo

INTERRUPTED, BROKEN_PIPE = 130, 141  # 128 + the signal, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with *arguments*, by default the process's; return its exit status."""
    for stream in sys.stdout, sys.stderr:
        if isinstance(stream, io.TextIOWrapper):  # a name it can't write must not end the command
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            options = _parser().parse_args(arguments)
            status: int = options.run(options)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes both once more when it exits: to where that can't fail.
        for stream in sys.stdout, sys.stderr:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return BROKEN_PIPE
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "cyclr",
        description="Learning-rate bounds from a range test, and schedules to train with.",
        epilog="example: cyclr analyze log.csv --optimizer adam",
    )
    parser.add_argument("--version", action="version", version=f"cyclr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
