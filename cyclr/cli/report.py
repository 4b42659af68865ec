"""``cyclr report``: a page to look at, of one or more range tests."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclr.cli._common import UNUSABLE, complain, logs_at

if TYPE_CHECKING:
    from cyclr.report import Run

__all__ = ["add"]

FOUND, INCONCLUSIVE = 0, 1  # exit statuses


def add(commands: Any) -> None:
    """Add the command to *commands*, of argparse."""
    parser = commands.add_parser(
        "report",
        usage="%(prog)s [options] LOG ...",
        help="a page with the range test, bounds to drag, and code to copy",
        description="Write one file to open in a browser, offline: the range tests, bounds to "
        "drag, the schedule that results, and its code. Exit status: as that of analyze.",
        epilog="example: cyclr report log.csv --optimizer adam -o report.html",
    )
    add = parser.add_argument
    add("logs", nargs="+", metavar="LOG", help="as for analyze; several are overlaid")
    add("-o", "--output", default="report.html", metavar="FILE", help="report.html by default")
    add("--optimizer", metavar="NAME", help="sgd, nesterov, adam, ...: narrows the interval")
    add("--momentum", type=float, metavar="M", help="the momentum of sgd or nesterov")
    add("--metric", choices=["loss", "accuracy"], default="loss", help="what the logs hold")
    add("--rule", metavar="NAME", help="family (ours, the default), minimum, valley, ...")
    add("--lr", metavar="COLUMN", help="the learning rates, by name or by index from 0")
    add("--loss", metavar="COLUMN", help="the losses, or accuracies, likewise")
    parser.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from cyclr.report import Page, plotly_js
    from cyclr.report.code import snippets

    output = Path(options.output)
    try:
        plotly_js()
        _check_free(output)
        paths = [log for path in options.logs for log in logs_at(path)]
        runs = [run for path in paths if (run := _read(path, options))]
        if runs:
            page = Page(runs, snippets(options.optimizer, options.momentum)).html()
            output.write_text(page, encoding="utf-8", newline="\n")
    except ModuleNotFoundError as error:
        complain(error)
        return UNUSABLE
    except OSError as error:
        complain(f"{output}: {error.strerror or error}.")
        return UNUSABLE
    for run in runs:
        print(f"{run.name}: {run.source}\n{_told(run)}\n")
    if runs:
        print(f"The page is {output}: open it in a browser.")
    if len(runs) < len(paths):
        return UNUSABLE
    return FOUND if all(run.bounds for run in runs) else INCONCLUSIVE


def _read(path: str, options: argparse.Namespace) -> "Run | None":
    """Read one log, or say why it can't be."""
    from cyclr.cli._progress import Progress
    from cyclr.cli.analyze import BadRows
    from cyclr.report import Run

    progress = Progress(sys.stderr)
    bad_rows = BadRows(progress)
    try:
        return Run.read(
            path,
            lr=options.lr,
            loss=options.loss,
            metric=options.metric,
            on_bad_row=bad_rows,
            optimizer=options.optimizer,
            momentum=options.momentum,
            rule=options.rule,
            watch=progress.watch,
        )
    except OSError as error:
        complain(f"{path}: {error.strerror or error}.")
    except ValueError as error:
        complain(error)
    finally:
        bad_rows.close()
    return None


def _check_free(output: Path) -> None:
    """Raise `FileExistsError` if there is a file at *output* that is not a page of ours.

    A log that is named in the wrong place must not be lost.
    """
    from cyclr.report.page import MARK

    if not output.exists():
        return
    with output.open("rb") as file:
        start = file.read(len(MARK))
    if start and start != MARK.encode():
        raise FileExistsError(
            None, "there is a file of that name, which is not a report; -o names another"
        )


def _told(run: "Run") -> str:
    if run.bounds:
        return str(run.bounds)
    return "\n".join(f"{reason.message} {reason.advice}" for reason in run.reasons)
