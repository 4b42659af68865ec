"""Paint a picture on matplotlib's Axes."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclr._checks import refuse
from cyclr.plotting.colours import ON_DARK, ON_LIGHT
from cyclr.plotting.picture import Axis, Line, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["check", "paint", "require", "save"]

DASHES = ("-", "--", "-.", ":")  # tell lines apart in print, and where one hides another
MARKERS = ("o", "s", "^", "D", "v")
OURS = "cyclr"  # what lines that take the next colour are known by
SMALL = "small"  # beside the style's own size

WIDTH, HEIGHT = 5.0, 3.2  # inches: read well on a screen, and at two thirds in a paper's column
SHORTEST = 20  # letters, of a line of words
NARROW = 300  # from end to end, where powers of ten are too few labels
DOTS = 200  # an inch, of a file of pixels


def require() -> None:
    """Raise an `ImportError` that says what to install, if matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "pictures need matplotlib, which comes with the extra cyclr[plot]"
            "\n\nHint: pip install 'cyclr[plot]'",
            name="matplotlib",
        ) from error


def check(path: str) -> None:
    """Refuse the name of a file that `save` could not write: before the work, not after it."""
    require()
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix.lower().removeprefix(".") not in formats:
        refuse("the picture's file", f"end in one of .{', .'.join(sorted(formats))}", path)


def save(pictures: Sequence[Picture], path: str) -> None:
    """Write the *pictures*, one below the other, to a file whose name `check` has passed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT * len(pictures)), layout="constrained")
    panels = figure.subplots(len(pictures), squeeze=False)
    for picture, ax in zip(pictures, panels.flat, strict=True):
        paint(picture, ax)
    figure.savefig(path, dpi=DOTS)


def paint(picture: Picture, ax: "Axes | None" = None) -> "Axes":
    """Paint *picture* on *ax*, or on a figure of its own by pyplot, and return the Axes."""
    require()
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(WIDTH, HEIGHT), layout="constrained")
    x, y = _beside_what_is_shown(ax, picture)
    colours = _colours(ax)
    before = sum(line.get_gid() == OURS for line in ax.get_lines())
    if picture.band:
        name, low, high = picture.band.name, picture.band.low, picture.band.high
        ax.axvspan(low, high, color=colours[1], alpha=0.2, linewidth=0, label=name)
    if picture.raw:
        _line(ax, picture.raw, color=colours[before % len(colours)], alpha=0.5, linewidth=0.8)
    for index, line in enumerate(picture.lines, start=before):
        colour, dash = colours[index % len(colours)], DASHES[index % len(DASHES)]
        _line(ax, line, color=colour, linestyle=dash, linewidth=1.8, gid=OURS)
    _places(ax, picture)
    if picture.right:
        _right(ax, *picture.right)
    _scale(ax, x, y)
    if picture.top:
        _top(ax, *picture.top)
    if len(ax.get_legend_handles_labels()[1]) > 1:
        ax.legend(fontsize=SMALL)
    _above(ax, picture)
    return ax


def _beside_what_is_shown(ax: "Axes", picture: Picture) -> tuple[Axis, Axis]:
    """Return the axes of *picture*, widened to show what *ax* shows already."""
    x, y = picture.x, picture.y
    if ax.has_data():
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        x = replace(x, low=min(x.low, left), high=max(x.high, right))
        y = replace(y, low=min(y.low, bottom), high=max(y.high, top))
    return x, y


def _line(ax: "Axes", line: Line, **style: Any) -> None:
    ax.plot([x for x, _ in line.points], [y for _, y in line.points], label=line.name, **style)


def _ink(ax: "Axes") -> Any:
    """Return the colour in which the style writes."""
    return ax.xaxis.label.get_color()


def _colours(ax: "Axes") -> Sequence[str]:
    """Return the colours for what is light on dark, or dark on light."""
    from matplotlib.colors import to_rgb

    return ON_DARK if sum(to_rgb(_ink(ax))) > 1.5 else ON_LIGHT


def _places(ax: "Axes", picture: Picture) -> None:
    """Show where the bounds, the edge and the landmarks are."""
    if picture.edge:
        ax.axvline(
            picture.edge.x, color=_ink(ax), linestyle=":", linewidth=1.2, label=picture.edge.name
        )
    for pole in picture.bounds:
        ax.axvline(pole.x, color=_colours(ax)[1], linewidth=1.2)
    for index, mark in enumerate(picture.marks):
        ax.plot(
            [mark.x],
            [mark.y],
            linestyle="none",
            marker=MARKERS[index % len(MARKERS)],
            markersize=5,
            markerfacecolor=ax.get_facecolor(),
            markeredgecolor=_ink(ax),
            zorder=3,
        )
        ax.annotate(
            mark.name,
            (mark.x, mark.y),
            xytext=(-5, -4 if mark.below else 3),
            textcoords="offset points",
            horizontalalignment="right",
            verticalalignment="top" if mark.below else "bottom",
            fontsize=SMALL,
        )


def _scale(ax: "Axes", x: Axis, y: Axis) -> None:
    """Give *ax* its scales and limits, which what is drawn on it later may widen."""
    ax.set(xlabel=x.name, ylabel=y.name)
    if x.log:
        from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
        if x.high < NARROW * x.low:
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set_xlim(x.low, x.high, auto=None)
    ax.set_ylim(y.low, y.high, auto=None)


def _right(ax: "Axes", axis: Axis, line: Line) -> None:
    """Draw *line* on an axis of its own, on the right."""
    twin = ax.twinx()
    twin.set_ylim(axis.low, axis.high)
    twin.set_ylabel(f"{axis.name} (dotted)")
    _line(twin, line, color=_ink(ax), linestyle=":", linewidth=1.5)


def _top(ax: "Axes", name: str, unit: float) -> None:
    """Add a second x axis, on the top, on which *unit* of the first one counts 1."""

    def count(x: Any) -> Any:
        return x / unit

    def length(counted: Any) -> Any:
        return counted * unit

    ax.secondary_xaxis("top", functions=(count, length)).set_xlabel(name)


def _above(ax: "Axes", picture: Picture) -> None:
    """Write the words, and the names of the bounds, over the picture."""
    sides = (("right", -2), ("left", 2))  # the lower bound's name ends where the upper's begins
    for pole, (side, offset) in zip(picture.bounds, sides, strict=False):
        ax.annotate(
            pole.name,
            (pole.x, 1),
            xycoords=ax.get_xaxis_transform(),
            xytext=(offset, 3),
            textcoords="offset points",
            horizontalalignment=side,
            color=_colours(ax)[1],
            fontsize=SMALL,
        )
    if picture.words:
        title = ax.set_title("", loc="left", fontsize=SMALL)
        size: Any = title.get_fontsize()  # in points
        width = ax.get_window_extent().width / ax.figure.dpi * 72
        letters = max(int(width / (size / 2)), SHORTEST)
        lines = [line for words in picture.words for line in textwrap.wrap(words, letters)]
        above = 2 * size if picture.bounds else size / 2
        ax.set_title("\n".join(lines), loc="left", fontsize=SMALL, pad=above)
