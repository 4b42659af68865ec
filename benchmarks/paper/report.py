"""The paper's tables and figures, from the results so far."""

import json
import statistics
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import cyclr
from benchmarks.paper.runs import RANGE_TEST, RUNS, Run

__all__ = ["report"]

GOAL = 81.4
"""The paper's headline, in percent: reached by `fixed` at 70,000, by triangular2 at 25,000."""

Result: TypeAlias = dict[str, Any]


def report(folder: Path) -> None:
    """Print the table of *folder*, and draw its figures there."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    results = {name: [r for r in found if r["run"] == name] for name in RUNS}
    tests = results.pop(RANGE_TEST.name)
    print(
        "Trained by", "; ".join(sorted({e for r in found for e in r["environments"]})), end="\n\n"
    )
    print(table(results))
    print(headline(results))
    for result in tests:
        print(f"\nThe range test, seed {result['seed']}, {_progress(result)}:\n")
        print(reading(result))
    _draw(folder / "figure_1.svg", figure_1, results)
    _draw(folder / "figure_3.svg", figure_3, tests)


def table(results: dict[str, list[Result]]) -> str:
    """Return the runs as a table in Markdown; the unfinished have rows of their own."""
    lines = [
        f"| run | from | iterations | paper, % | here, % | spread | to {GOAL} % at | seeds |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, found in results.items():
        done = [r for r in found if _finished(r)]
        if done or not found:
            seeds = ", ".join(str(r["seed"]) for r in done)
            lines.append(_row(RUNS[name], done, seeds or "not run"))
        lines += [
            _row(RUNS[name], [r], f"{r['seed']}, **{_progress(r)}**")
            for r in found
            if not _finished(r)
        ]
    by_assumption: dict[str, list[str]] = {}
    for name in results:
        by_assumption.setdefault(RUNS[name].assumed, []).append(f"`{name}`")
    assumed = [f"- {', '.join(names)}: {what}." for what, names in by_assumption.items() if what]
    return "\n".join([*lines, "", "Assumed, since the paper does not say it:", "", *assumed])


def headline(results: dict[str, list[Result]]) -> str:
    """Return how soon each run had what `fixed`, the paper's baseline, ends with here."""
    fixed = [r for r in results.get("fixed", []) if _finished(r)]
    if not fixed:
        return ""
    goal = statistics.fmean(r["points"][-1]["accuracy"] for r in fixed)
    lines = [f"\nIterations to the {goal:.2f} % with which `fixed` ends here:\n"]
    for name, found in results.items():
        reached = ", ".join(_reached(r, goal) for r in found if _finished(r))
        lines += [f"- `{name}`: {reached}"] if reached else []
    return "\n".join(lines)


def _row(run: Run, results: list[Result], seeds: str) -> str:
    """Return a row: the last accuracy of each result, and when each first got to the goal."""
    here = spread = goal = ""
    if results:
        last = [r["points"][-1]["accuracy"] for r in results]
        here, spread = f"{statistics.fmean(last):.1f}", f"{min(last):.1f} to {max(last):.1f}"
        goal = ", ".join(map(_reached, results))
    paper = "" if run.accuracy is None else f"{run.accuracy:.1f}"
    cells = (f"`{run.name}`", run.source, f"{run.iterations:,}", paper, here, spread, goal, seeds)
    return f"| {' | '.join(cells)} |"


def _finished(result: Result) -> bool:
    return bool(result["points"][-1]["iteration"] == result["iterations"])


def _progress(result: Result) -> str:
    """Return how far a run has come."""
    last = result["points"][-1]
    if _finished(result):
        return "finished"
    return f"{'diverged' if last['test_loss'] is None else 'unfinished'} at {last['iteration']:,}"


def _reached(result: Result, goal: float = GOAL) -> str:
    """Return the first iteration with at least the goal, or the best that there was."""
    for point in result["points"]:
        if point["accuracy"] >= goal:
            return f"{point['iteration']:,}"
    best = max(point["accuracy"] for point in result["points"])
    return f"{'never' if _finished(result) else 'not yet'} (best {best:.1f})"


def reading(result: Result) -> str:
    """Return what the analyzer reads from the range test: by the paper's rule, and by the loss."""
    answers = []
    for metric, column in (("accuracy", "accuracy"), ("loss", "test_loss")):
        pairs = [(p["lr"], p[column]) for p in result["points"] if p["test_loss"] is not None]
        try:
            answer = str(cyclr.analyze(pairs, optimizer="sgd", momentum=0.9, metric=metric))
        except cyclr.InconclusiveRangeTest as error:
            answer = str(error)
        answers.append(f"by the {metric}\n{answer}\n")
    return "\n".join(answers)


def figure_1(axes: Axes, results: dict[str, list[Result]]) -> None:
    """Draw the accuracy over the iterations, beside the paper's last values."""
    measured = [name for name, found in results.items() if found]
    for color, name in enumerate(measured):
        for n, result in enumerate(results[name]):
            x, y = _columns(result, "iteration", "accuracy")
            axes.plot(x, y, f"C{color}", linewidth=1, label=None if n else name)
        run = RUNS[name]
        if run.accuracy is not None:
            label = f"{name}, the paper's end"
            axes.plot(run.iterations, run.accuracy, f"C{color}x", label=label)
    axes.axhline(GOAL, color="grey", linestyle=":", linewidth=1)
    axes.set(xlabel="iteration", ylabel="accuracy on the test images, %", ylim=(40, 84))
    if measured:
        axes.legend(loc="lower right", fontsize="small")


def figure_3(axes: Axes, tests: list[Result]) -> None:
    """Draw the accuracy over the learning rate of the range test, and the author's bounds."""
    for result in tests:
        axes.plot(*_columns(result, "lr", "accuracy"), linewidth=1)
    for lr in (0.001, 0.006):
        axes.axvline(lr, color="grey", linestyle=":", linewidth=1)
    axes.set(xlabel="learning rate (dotted: the author's bounds)")
    axes.set(ylabel="accuracy on the test images, %")


def _columns(result: Result, *names: str) -> list[list[float]]:
    return [[point[name] for point in result["points"]] for name in names]


def _draw(path: Path, figure: Any, results: Any) -> None:
    """Draw a figure; the same results give the same file."""
    page = Figure(figsize=(8, 5), layout="constrained")
    figure(page.subplots(), results)
    with mpl.rc_context({"svg.hashsalt": "cyclr", "svg.fonttype": "none"}):
        page.savefig(path, metadata={"Date": None})
