"""``cyclr analyze``: the bounds that the log of a range test gives."""

import argparse
import dataclasses
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cyclr.cli._common import FORMAT, UNUSABLE, add_plot, complain, drawable, drawn, logs_at
from cyclr.cli._progress import Progress

if TYPE_CHECKING:
    from cyclr import Bounds, Reason
    from cyclr.logs import BadRow, Log
    from cyclr.plotting.picture import Picture
    from cyclr.range_test.points import Points

__all__ = ["BadRows", "add"]

FOUND, INCONCLUSIVE = 0, 1  # exit statuses
REPORTED = 10  # malformed rows of a log that are shown one by one

Pairs = Iterable[tuple[float, float]]


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
    logs = "CSV, JSON, text, event files, ...; - is standard input"
    add("logs", nargs="+", metavar="LOG", help=logs)
    add("--optimizer", metavar="NAME", help="sgd, nesterov, adam, ...: narrows the interval")
    add("--momentum", type=float, metavar="M", help="the momentum of sgd or nesterov")
    metrics = {"choices": ["loss", "accuracy"], "default": "loss", "metavar": "NAME"}
    add("--metric", **metrics, help="what the log holds: loss (the default) or accuracy")
    add("--rule", metavar="NAME", help="family (ours, the default), minimum, valley, ...")
    add("--lr", metavar="COLUMN", help="the learning rates, by name or by index from 0")
    add("--loss", metavar="COLUMN", help="the losses, or accuracies, likewise")
    add("--repeats", action="store_true", help="the logs are runs of one test: one answer")
    add("--follow", action="store_true", help="read on as the log grows, until it diverges")
    add("--json", action="store_true", help="print the result as JSON")
    add_plot(parser)
    parser.set_defaults(run=_analyze)


@dataclasses.dataclass
class Run:
    """What became of the log at *path*, or of those at several."""

    path: "str | list[str]"
    status: int
    reasons: "Sequence[Reason]"
    bounds: "Bounds | None" = None
    log: "Log | None" = None
    points: "Points | None" = None  # some thousands of its pairs, to draw

    def to_dict(self) -> dict[str, Any]:
        """Return what --json prints."""
        return {
            "version": FORMAT,
            "log": self.path,
            "bounds": self.bounds and self.bounds.to_dict(),
            "reasons": [dataclasses.asdict(reason) for reason in self.reasons],
        }


def _analyze(options: argparse.Namespace) -> int:
    if not drawable(options.plot):
        return UNUSABLE
    paths = [log for path in options.logs for log in logs_at(path)]
    if options.follow and len(paths) > 1:
        complain(f"--follow takes one log: got {len(paths)}")
        return UNUSABLE
    runs = []
    for path in paths:
        runs.append(run := _run(path, options))
        if run.status != FOUND:
            for reason in run.reasons:
                name = f"{path}: " if len(paths) > 1 and run.status == INCONCLUSIVE else ""
                complain(f"{name}{reason.message} {reason.advice}".rstrip())
    together = _combined(runs) if options.repeats else None
    if options.json:
        import json

        data = [(together or run).to_dict() for run in runs][: 1 if together else None]
        print(json.dumps(data if len(data) > 1 else data[0], indent=2))
    elif len(runs) > 1:
        _print_table(runs, options.metric)
        if together:
            print(f"\n{together.bounds}")
    elif runs[0].status != UNUSABLE:
        _print_analysis(runs[0], options.metric)
    written = drawn(_pictures(runs, options), options.plot)
    status = together.status if together else max(run.status for run in runs)
    return status if written else UNUSABLE


def _combined(runs: "Sequence[Run]") -> "Run | None":
    """Return what several runs of one test say together, if one can be read."""
    from cyclr import combine

    found = [run.bounds for run in runs if run.bounds]
    if not found:
        return None
    bounds = combine(found)
    return Run([f"{run.path}" for run in runs], FOUND, bounds.reasons, bounds)


def _run(path: str, options: argparse.Namespace) -> Run:
    """Analyse one log."""
    from cyclr import InconclusiveRangeTest, Reason, analyze
    from cyclr.logs import RewrittenLog, read_log
    from cyclr.range_test.points import Points

    progress, points = Progress(sys.stderr), Points()
    bad_rows = BadRows(progress)
    log: Log | None = None
    bounds: Bounds | None = None
    reasons: Sequence[Reason]
    try:
        log = read_log(
            path,
            lr=options.lr,
            loss=options.loss,
            metric=options.metric,
            on_bad_row=bad_rows,
            follow=options.follow,
        )
        pairs = progress.watch(log)
        if options.follow:
            pairs = _until_divergence(pairs, log, options.metric)
        bounds = analyze(
            _kept(pairs, points),
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
    except RewrittenLog as error:
        complain(f"{error}: from its beginning again")
        return _run(path, options)
    except OSError as error:
        message = f"{path}: {error.strerror or error}."
        status, reasons = UNUSABLE, [Reason("unusable", message, "")]
    except ValueError as error:
        status, reasons = UNUSABLE, [Reason("unusable", str(error), "")]
    bad_rows.close()
    return Run(path, status, reasons, bounds, log, points)


def _pictures(runs: Sequence[Run], options: argparse.Namespace) -> "list[Picture]":
    """Return the pictures of the logs, with their names where there are several."""
    if options.plot is None:
        return []
    from cyclr.plotting.range_tests import picture_of_bounds, picture_of_points

    pictures = []
    for run in runs:
        if run.log is None or run.points is None or run.status == UNUSABLE:
            continue
        picture = (
            picture_of_bounds(run.bounds)
            if run.bounds
            else picture_of_points(run.points, run.reasons, options.metric)
        )
        named = [run.log.name] if len(runs) > 1 else []
        pictures.append(dataclasses.replace(picture, words=[*named, *picture.words]))
    return pictures


def _print_analysis(run: Run, metric: str) -> None:
    from cyclr._terminal import Screen, draw_range_test

    assert run.log is not None
    assert run.points is not None
    curve = zip(run.points.lrs, run.points.losses, strict=True)
    print(f"{run.log.name}: {run.log.read_as(metric)}")
    print(draw_range_test(curve, run.bounds, metric=metric, screen=Screen.of(sys.stdout)))
    if run.bounds:
        base_lr, max_lr = f"{run.bounds.base_lr:.2g}", f"{run.bounds.max_lr:.2g}"
        print(
            f"{run.bounds}\n\n"
            "  from cyclr import Triangular2\n"
            f"  schedule = Triangular2(base_lr={base_lr}, max_lr={max_lr}, step_size=2000)\n"
            "  # step_size, half a cycle in iterations: cyclr.step_size(samples, batch_size)\n"
        )


def _print_table(runs: Sequence[Run], metric: str) -> None:
    table: list[tuple[str, ...]] = [("log", "rows", "base_lr", "max_lr", "80 % sure", "reasons")]
    for run in runs:
        numbers = ["-", "-", "-"]
        if run.bounds:
            low, high = run.bounds.interval
            numbers = [f"{run.bounds.base_lr:.2g}", f"{run.bounds.max_lr:.2g}"]
            numbers.append(f"{low:.2g} to {high:.2g}")
        rows = "-" if run.status == UNUSABLE or not run.log else f"{run.log.rows}"
        codes = ", ".join(reason.code for reason in run.reasons)
        table.append((f"{run.path}", rows, *numbers, codes))
        if run.log and run.status != UNUSABLE:
            print(f"{run.log.name}: {run.log.read_as(metric)}")
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print()
    for log, *numbers, codes in table:
        aligned = (f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:-1], strict=True))
        print("  ".join([f"{log:{widths[0]}}", *aligned, codes]).rstrip())


def _kept(pairs: Pairs, points: "Points") -> Iterator[tuple[float, float]]:
    """Yield *pairs*, and keep *points* to draw."""
    for lr, loss in pairs:
        points.add(lr, loss)
        yield lr, loss


def _until_divergence(pairs: Pairs, log: "Log", metric: str) -> Iterator[tuple[float, float]]:
    """Yield *pairs* until the test can be stopped, and say so; an interrupt ends them, too."""
    from cyclr.range_test.divergence import Divergence

    divergence = Divergence()
    try:
        for lr, loss in pairs:
            yield lr, loss
            # At 0 nothing can happen; of an accuracy, less is worse.
            if lr > 0 and divergence.add(loss if metric == "loss" else -loss):
                complain(
                    f"{log.name}: row {log.rows}, lr {lr:.2g}: the {metric} has diverged, "
                    "the test can be stopped"
                )
                return
    except KeyboardInterrupt:
        complain("")  # after the terminal's ^C


class BadRows:
    """Complain about the first malformed rows of a log, and count the others."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress or Progress(sys.stderr)
        self._count = 0

    def __call__(self, row: "BadRow") -> None:
        """Complain about one *row*, or count it."""
        self._count += 1
        if self._count <= REPORTED:
            self._progress.clear()
            complain(f"{row} (skipped)")

    def close(self) -> None:
        """Complain about those that were only counted."""
        if self._count > REPORTED:
            complain(f"... and {self._count - REPORTED} more malformed rows (skipped)")
