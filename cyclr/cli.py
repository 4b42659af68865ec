"""The command ``cyclr``: what it takes, prints and returns.

Each command imports what it needs when it runs, so that none waits for another's imports.
"""

import argparse
import dataclasses
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cyclr import __version__

if TYPE_CHECKING:
    from cyclr import Bounds, Schedule
    from cyclr.logs import BadRow, Log
    from cyclr.range_test.points import Points

__all__ = ["main"]

# Exit statuses; argparse's own, for a command that it can't read, is 2, too.
FOUND, INCONCLUSIVE, UNUSABLE = 0, 1, 2
SAME, DIFFERENT = 0, 1
INTERRUPTED, BROKEN_PIPE = 130, 141  # 128 + the signal, as shells have it

FORMAT = 1  # the version of what --json prints, of each command
REPORTED = 10  # malformed rows of a log that are shown one by one
ROWS = 8  # of a schedule's values, after the first
SAMPLES = 50_000  # of a schedule's values, in a picture


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
    _add_analyze(commands)
    _add_show(commands)
    _add_diff(commands)
    _add_demo(commands)
    return parser


def _complain(message: object) -> None:
    print(message, file=sys.stderr, flush=True)


# --- cyclr analyze ----------------------------------------------------------------------------


def _add_analyze(commands: Any) -> None:
    parser = commands.add_parser(
        "analyze",
        help="the bounds that the log of a range test gives",
        description="Tell base_lr and max_lr from the log of a range test, and how sure they are. "
        "Exit status: 0 with bounds, 1 for an inconclusive test, 2 for an unusable log.",
        epilog="example: cyclr analyze log.csv --optimizer sgd --momentum 0.9",
    )
    add = parser.add_argument
    add("logs", nargs="+", metavar="LOG", help="CSV, TSV or JSON Lines; - is standard input")
    add("--optimizer", metavar="NAME", help="sgd, nesterov, adam, ...: narrows the interval")
    add("--momentum", type=float, metavar="M", help="the momentum of sgd or nesterov")
    add("--metric", choices=["loss", "accuracy"], default="loss", help="what the log holds")
    add("--rule", metavar="NAME", help="family (ours, the default), minimum, valley, ...")
    add("--lr", metavar="COLUMN", help="the learning rates, by name or by index from 0")
    add("--loss", metavar="COLUMN", help="the losses, or accuracies, likewise")
    add("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=_analyze)


def _analyze(options: argparse.Namespace) -> int:
    results = [_analyze_log(path, options) for path in options.logs]
    if options.json:
        import json

        data = [result for _, result in results]
        print(json.dumps(data if len(data) > 1 else data[0], indent=2))
    return max(status for status, _ in results)


def _analyze_log(path: str, options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Analyse one log; return the exit status and what --json prints; print the rest."""
    from cyclr import InconclusiveRangeTest, Reason, analyze
    from cyclr.logs import read_log
    from cyclr.range_test.points import Points

    points, bad_rows = Points(), _BadRows()
    log: Log | None = None
    bounds: Bounds | None = None
    reasons: Sequence[Reason]
    try:
        log = read_log(
            path, lr=options.lr, loss=options.loss, metric=options.metric, on_bad_row=bad_rows
        )
        bounds = analyze(
            log if options.json else _kept(log, points),
            optimizer=options.optimizer,
            momentum=options.momentum,
            metric=options.metric,
            rule=options.rule,
        )
        status, reasons = FOUND, bounds.reasons
    except InconclusiveRangeTest as error:
        status, reasons = INCONCLUSIVE, error.reasons
    except BrokenPipeError:
        raise
    except OSError as error:
        status, reasons = UNUSABLE, [Reason("unusable", f"{path}: {error.strerror}.", "")]
    except ValueError as error:
        status, reasons = UNUSABLE, [Reason("unusable", str(error), "")]
    bad_rows.close()
    if log and status != UNUSABLE and not options.json:
        _print_analysis(log, points, bounds, options.metric)
    if status != FOUND:
        for reason in reasons:
            _complain(f"{reason.message} {reason.advice}".rstrip())
    return status, {
        "version": FORMAT,
        "log": path,
        "bounds": bounds and bounds.to_dict(),
        "reasons": [dataclasses.asdict(reason) for reason in reasons],
    }


def _print_analysis(log: "Log", points: "Points", bounds: "Bounds | None", metric: str) -> None:
    from cyclr._terminal import Screen, draw_range_test

    curve = zip(points.lrs, points.losses, strict=True)
    print(
        f"{log.name}: {log.rows} rows of {log.format}, lr in {log.lr!r}, {metric} in {log.loss!r}"
    )
    print(draw_range_test(curve, bounds, metric=metric, screen=Screen.of(sys.stdout)))
    if bounds:
        base_lr, max_lr = f"{bounds.base_lr:.2g}", f"{bounds.max_lr:.2g}"
        print(
            f"{bounds}\n\n"
            "  from cyclr import Triangular2\n"
            f"  schedule = Triangular2(base_lr={base_lr}, max_lr={max_lr}, step_size=2000)\n"
            "  # step_size, half a cycle in iterations: cyclr.step_size(samples, batch_size)\n"
        )


def _kept(log: "Log", points: "Points") -> Iterator[tuple[float, float]]:
    """Yield the pairs of *log*, and keep some thousands of *points* to draw."""
    for lr, loss in log:
        points.add(lr, loss)
        yield lr, loss


class _BadRows:
    """Complain about the first malformed rows of a log, and count the others."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, row: "BadRow") -> None:
        self._count += 1
        if self._count <= REPORTED:
            _complain(f"{row} (skipped)")

    def close(self) -> None:
        if self._count > REPORTED:
            _complain(f"... and {self._count - REPORTED} more malformed rows (skipped)")


# --- cyclr show -------------------------------------------------------------------------------


def _add_show(commands: Any) -> None:
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
    parser.set_defaults(run=_show)


def _show(options: argparse.Namespace) -> int:
    from cyclr import parse
    from cyclr._checks import whole
    from cyclr._terminal import Screen, draw

    try:
        schedule = parse(options.schedule)
        n = _extent(schedule) if options.iterations is None else options.iterations
        n = whole("iterations", n, at_least=1)
        curve = [(float(i), schedule(i)) for i in _spread(n)]
    except (ValueError, OverflowError) as error:
        _complain(error)
        return UNUSABLE
    print(f"{schedule}\n\n{'iteration':>12}  value")
    for i in sorted({n * row // ROWS for row in range(ROWS + 1)}):
        print(f"{i:>12}  {schedule(i):.6g}")
    print(draw(curve, x="iteration", y="value", screen=Screen.of(sys.stdout)))
    return 0


def _extent(schedule: "Schedule") -> int:
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


def _spread(n: int) -> Iterator[int]:
    """Yield 0 to *n*, or SAMPLES of them."""
    stride = max(n // SAMPLES, 1)
    for start in range(0, n, stride):
        # Jittered: at even distances a cycle of as many iterations would look constant.
        yield start + start // stride * 7919 % stride
    yield n


# --- cyclr diff -------------------------------------------------------------------------------


def _add_diff(commands: Any) -> None:
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
            n = max(_extent(a), _extent(b)) + 1
        found = diff(a, b, n, tolerance=options.tolerance)
    except (ValueError, OverflowError) as error:
        _complain(error)
        return UNUSABLE
    if options.json:
        import json

        result = {"a": a.to_dict(), "b": b.to_dict(), "agree": not found}
        print(json.dumps({"version": FORMAT} | result | dataclasses.asdict(found), indent=2))
    else:
        print(f"a: {a}\nb: {b}\n{found}")
    return DIFFERENT if found else SAME


# --- cyclr demo -------------------------------------------------------------------------------


def _add_demo(commands: Any) -> None:
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
