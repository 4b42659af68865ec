"""What a picture shows, whoever draws it: names and numbers, no colours and no pixels."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Axis", "Band", "Line", "Mark", "Picture", "Points", "Pole", "limits", "short"]

Points = Sequence[tuple[float, float]]

MARGIN = 0.05  # of the height: room above and below the curves


@dataclass(frozen=True)
class Axis:
    """An axis: its name, and the values at its ends."""

    name: str
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Line:
    """A curve; it breaks where its y is not finite."""

    name: str
    points: Points


@dataclass(frozen=True)
class Mark:
    """A place on a curve; its name goes to the left of it, *below* the curve or above."""

    name: str
    x: float
    y: float
    below: bool


@dataclass(frozen=True)
class Pole:
    """A place on the x axis."""

    name: str
    x: float


@dataclass(frozen=True)
class Band:
    """A part of the x axis."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is shown.

    - *lines*, of one rank; *raw*, behind them, is what the first of them was made from.
    - *right*: a line with a y axis of its own, and that axis.
    - *top*: a second x axis, and how much of the first one counts 1 on it.
    - *bounds* and *marks* are named where they are, *edge* and *band* in the legend.
    - *words*: sentences, above everything.
    """

    x: Axis
    y: Axis
    lines: Sequence[Line] = ()
    raw: Line | None = None
    right: tuple[Axis, Line] | None = None
    top: tuple[str, float] | None = None
    band: Band | None = None
    bounds: Sequence[Pole] = ()
    edge: Pole | None = None
    marks: Sequence[Mark] = ()
    words: Sequence[str] = ()


def limits(values: Iterable[float]) -> tuple[float, float]:
    """Return the ends of an axis that shows all finite *values*, with some room.

    >>> limits([0.0, 1.0, float("nan")])
    (-0.05, 1.05)
    >>> limits([])
    (0.0, 1.0)
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    room = MARGIN * (high - low) or abs(high) / 2 or 1.0
    return low - room, high + room


def short(value: float) -> str:
    """Return *value* as labels show it.

    >>> short(0.0123), short(1e-6), short(12.3)
    ('0.012', '1e-06', '12')
    """
    return f"{value:.2g}"
