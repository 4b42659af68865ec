"""Draw what `judge` found: docs/suggestion.svg.

    python -m benchmarks.suggestion.figure

Needs matplotlib.
"""

import json
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.suggestion.measure import RAMPS, RESULTS

PICTURE = Path(__file__).parents[2] / "docs" / "suggestion.svg"
COLOURS = ("#56b4e9", "#0072b2", "#000000")  # of Okabe and Ito: for every eye
ROW, SHIFT = 1.0, 0.22


def draw() -> Figure:
    found = json.loads((RESULTS.parent / "judgement.json").read_text())
    rows = {name: [each[str(n)] for n in RAMPS] for name, each in found["regret"].items()}
    confirmed = [found[f"confirmed, from {n}"]["5 of 120"] for n in (100, 200)]
    rows = {"family, named, confirmed": confirmed, **rows}
    rows = dict(sorted(rows.items(), key=lambda row: row[1][1]["mean"], reverse=True))
    figure = Figure(figsize=(7, 0.36 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    for place, summaries in enumerate(rows.values()):
        for shift, (summary, colour) in enumerate(zip(summaries, COLOURS, strict=False)):
            y = place * ROW + (1 - shift) * SHIFT
            axes.plot([summary["low"], summary["high"]], [y, y], color=colour, lw=1.5)
            axes.plot(summary["mean"], y, "o", color=colour, ms=5)
    for n, colour in zip(RAMPS, COLOURS, strict=True):
        axes.plot([], [], "o-", color=colour, ms=5, label=f"test of {n} iterations")
    floor = found["grid search with two seeds"]["mean regret"]
    axes.axvline(floor, color="#d55e00", ls="--", lw=1, label="grid search with two seeds")
    axes.set_xscale("log")
    axes.set_xlabel("mean regret: 0 is the best learning rate, 1 learns nothing")
    axes.set_yticks([place * ROW for place in range(len(rows))], list(rows))
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.legend(loc="lower left", fontsize="small")
    return figure


if __name__ == "__main__":
    # No date and no random names: the same result makes the same file.
    with mpl.rc_context({"svg.hashsalt": "cyclr", "svg.fonttype": "path"}):
        draw().savefig(PICTURE, metadata={"Date": None}, facecolor="white")
    print(PICTURE)
