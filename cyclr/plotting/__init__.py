"""Pictures of schedules and range tests: with matplotlib, or as SVG by the standard library.

What a picture shows is told once, in names and numbers, and drawn by either of two painters:

    schedules, range_tests -> picture -> axes (matplotlib), svg (notebooks)

matplotlib comes with the extra ``cyclr[plot]`` and is imported when something is drawn with it.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cyclr.schedules import ScheduleLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot"]


def plot(
    schedules: ScheduleLike | Iterable[ScheduleLike] | Mapping[str, ScheduleLike],
    iterations: int | None = None,
    *,
    iterations_per_epoch: float | None = None,
    momentum: ScheduleLike | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw *schedules* over the iterations, and return matplotlib's Axes.

    One schedule, several, or a dict of them with the names that the legend shows. Any function
    of the iteration will do. Drawn are the iterations 0 to *iterations*; unless given, as many
    as the longest one needs to show what it does. With *iterations_per_epoch* a second axis
    counts epochs; *momentum*, a schedule too, is drawn dashed, with an axis of its own.

        ax = cyclr.plot([Triangular(0.001, 0.006, 500), OneCycle(0.006, 4000)])
        ax.figure.savefig("schedules.pdf")

    It is drawn on *ax* if that is given, and pyplot is left alone then; otherwise on a figure of
    its own, made by pyplot, which notebooks and ``pyplot.show()`` show. No setting of matplotlib
    is changed.

    Raises `ValueError` or `TypeError` for what is no schedule or length, and `ImportError` where
    matplotlib is missing: it comes with ``cyclr[plot]``. Use it to compare schedules;
    `cyclr.diff` says where they disagree.
    """
    from cyclr.plotting.axes import paint
    from cyclr.plotting.schedules import picture_of_schedules

    picture = picture_of_schedules(
        schedules,
        iterations,
        iterations_per_epoch=iterations_per_epoch,
        momentum=momentum,
    )
    return paint(picture, ax)
