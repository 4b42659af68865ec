"""``cyclr analyze``: the bounds that the log of a range test gives."""

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cyclr.cli._common import FORMAT, UNUSABLE, add_plot, complain, drawable, drawn

if TYPE_CHECKING:
    from cyclr import Bounds, Reason
    from cyclr.logs import BadRow, Log
    from cyclr.plotting.picture import Picture
    from cyclr.range_test.points import Points

__all__ = ["add"]

FOUND, INCONCLUSIVE = 0, 1  # exit statuses
REPORTED = 10  # malformed rows of a log that are shown one by one


def add(commands: Any) -> None:
    """Add the command to *commands*, of argparse."""
    parser = commands.add_parser(
        "analyze",
        usage="%(prog)s [options] LOG ...",
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
    add_plot(parser)
    parser.set_defaults(run=_analyze)


def _analyze(options: argparse.Namespace) -> int:
    if not drawable(options.plot):
        return UNUSABLE
    pictures: list[Picture] = []
    results = [_analyze_log(path, options, pictures) for path in options.logs]
    if options.json:
        import json

        data = [result for _, result in results]
        print(json.dumps(data if len(data) > 1 else data[0], indent=2))
    written = drawn(pictures, options.plot)
    return max(status for status, _ in results) if written else UNUSABLE


def _analyze_log(
    path: str, options: argparse.Namespace, pictures: "list[Picture]"
) -> tuple[int, dict[str, Any]]:
    """Analyse one log; return the exit status and what --json prints; print and draw the rest."""
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
            log if options.json and options.plot is None else _kept(log, points),
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
    if log and status != UNUSABLE and options.plot is not None:
        pictures.append(_picture(log, points, bounds, reasons, options))
    if status != FOUND:
        for reason in reasons:
            complain(f"{reason.message} {reason.advice}".rstrip())
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


def _picture(
    log: "Log",
    points: "Points",
    bounds: "Bounds | None",
    reasons: "Sequence[Reason]",
    options: argparse.Namespace,
) -> "Picture":
    """Return the picture of a log, with its name where there are several."""
    from cyclr.plotting.range_tests import picture_of_bounds, picture_of_points

    picture = (
        picture_of_bounds(bounds) if bounds else picture_of_points(points, reasons, options.metric)
    )
    named = [log.name] if len(options.logs) > 1 else []
    return dataclasses.replace(picture, words=[*named, *picture.words])


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
            complain(f"{row} (skipped)")

    def close(self) -> None:
        if self._count > REPORTED:
            complain(f"... and {self._count - REPORTED} more malformed rows (skipped)")
