"""Draw a curve as text: in braille dots, or in ASCII where a terminal can't show those."""

import math
import os
import shutil
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from cyclr import Bounds

__all__ = ["Screen", "draw", "draw_range_test", "number"]

HEIGHT = 10  # lines of curve: with its axis and labels it leaves room on a screen of 24
NARROWEST, WIDEST = 40, 100

# A character holds 2 x 4 dots; Unicode numbers its braille patterns by these bits.
ACROSS, DOWN = 2, 4
BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
BRAILLE = 0x2800
UPPER, MIDDLE, LOWER = 0x09, 0x36, 0xC0  # what ASCII can tell apart

Dot = tuple[int, int]  # column from the left, row from the top


class Screen(NamedTuple):
    """What is drawn on: its *width* in characters, and whether it shows more than ASCII."""

    width: int = 80
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO) -> "Screen":
        """Return the screen behind *stream*; what is not a terminal is 80 characters wide."""
        try:
            chr(BRAILLE).encode(stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            unicode = False
        else:
            # The Linux console takes braille and shows squares.
            unicode = os.environ.get("TERM") not in ("dumb", "linux")
        width = shutil.get_terminal_size().columns if stream.isatty() else 80
        return cls(max(NARROWEST, min(width, WIDEST)), unicode)


SCREEN = Screen()


def number(value: float) -> str:
    """Return *value* in few characters, as axes show it.

    >>> number(0.006), number(1e-6), number(12000), number(2.302585)
    ('0.006', '1e-06', '12000', '2.303')
    """
    short = f"{value:.4g}"
    return f"{value:.0f}" if "e+0" in short and float(value).is_integer() else short


def draw(
    points: Iterable[tuple[float, float]],
    *,
    x: str,
    y: str,
    log_x: bool = False,
    top: float = math.inf,
    marks: Mapping[str, float] | None = None,
    screen: Screen = SCREEN,
) -> str:
    """Return a picture of the curve through *points*, in lines as wide as the *screen*.

    *x* and *y* name the axes, whose ends carry the extreme values; above *top* the curve leaves
    the picture, and where y is not finite it breaks. *marks* points at values on the x axis, by
    name.

    >>> points = [(0, 0.0), (5, 1.0), (10, 0.0)]
    >>> picture = draw(points, x="iteration", y="rate", screen=Screen(width=40))
    >>> print(picture.splitlines()[-1])
       0            iteration             10
    """
    scale = math.log if log_x else float
    curve = [point for point in points if math.isfinite(point[0]) and (point[0] > 0 or not log_x)]
    heights = [min(v, top) for _, v in curve if math.isfinite(v)]
    if not heights:
        return f"(no finite {y} to draw)"
    low, high = min(heights), max(heights)
    left, right = min(u for u, _ in curve), max(u for u, _ in curve)
    levels = {0: number(high), HEIGHT - 1: number(low)}
    if low == high:
        levels = {HEIGHT // 2: number(low)}
    margin = max(map(len, levels.values())) + 1
    columns = screen.width - margin - 1

    def column(u: float, count: int) -> int:
        return round(_share(scale(u), scale(left), scale(right)) * (count - 1))

    def dot(u: float, v: float) -> Dot | None:
        if math.isnan(v) or v == -math.inf:
            return None
        # One row above the picture stands for all that is above its top.
        row = -1 if v > high else round((1 - _share(v, low, high)) * (HEIGHT * DOWN - 1))
        return column(u, columns * ACROSS), row

    patterns = _patterns(_joined(dot(u, v) for u, v in curve))
    flags = {name: column(u, columns) for name, u in (marks or {}).items() if left <= u <= right}
    return _framed(patterns, levels, flags, (y, x, number(left), number(right)), columns, screen)


def draw_range_test(
    points: Iterable[tuple[float, float]],
    bounds: "Bounds | None" = None,
    *,
    metric: str = "loss",
    screen: Screen = SCREEN,
) -> str:
    """Return a picture of the *metric* over a range test's learning rates, with its *bounds*."""
    curve = list(points)
    losses = [loss for _, loss in curve if math.isfinite(loss)]
    top = math.inf
    if metric == "loss" and losses:
        # The explosion at the end would leave one line for all that comes before it.
        start = statistics.median(losses[: max(5, len(losses) // 10)])
        top = start + (start - min(losses)) / 2
    lrs = {"base_lr": bounds.base_lr, "max_lr": bounds.max_lr} if bounds else {}
    marks = {f"{name} {lr:.2g}": lr for name, lr in lrs.items()}
    x = "learning rate (log scale)"
    return draw(curve, x=x, y=metric, log_x=True, top=top, marks=marks, screen=screen)


def _joined(dots: Iterable[Dot | None]) -> Iterator[Dot]:
    """Yield the dots of the lines from each dot to the next; `None` lifts the pen."""
    last = None
    for dot in dots:
        if dot is not None:
            column, row = last or dot
            across, down = dot[0] - column, dot[1] - row
            steps = max(abs(across), abs(down), 1)
            for step in range(steps + 1):
                yield column + round(across * step / steps), row + round(down * step / steps)
        last = dot


def _patterns(dots: Iterable[Dot]) -> Counter[Dot]:
    """Return the braille pattern of each character that has dots; a dot outside is dropped."""
    patterns: Counter[Dot] = Counter()
    for column, row in dots:
        patterns[column // ACROSS, row // DOWN] |= BITS[column % ACROSS][row % DOWN]
    return patterns


def _framed(
    patterns: Counter[Dot],
    levels: Mapping[int, str],
    flags: Mapping[str, int],
    words: tuple[str, str, str, str],  # y's name, x's name, and what is at x's ends
    columns: int,
    screen: Screen,
) -> str:
    """Return the picture with its axes: *levels* are labels by row, *flags* columns by label."""
    bar, tick, corner, dash, cross, pole = "│┤└─┴┊" if screen.unicode else "|++-+:"
    character = _braille if screen.unicode else _ascii
    y, x, left, right = words
    margin = max(map(len, levels.values())) + 1

    lines = [f"{'':{margin}}{y}"]
    for row in range(HEIGHT):
        poles = [pole if c in flags.values() else " " for c in range(columns)]
        cells = [character(patterns[c, row]) or empty for c, empty in enumerate(poles)]
        edge = tick if row in levels else bar
        lines.append(f"{levels.get(row, ''):>{margin - 1}} {edge}{''.join(cells)}")
    axis = "".join(cross if c in flags.values() else dash for c in range(columns))
    lines.append(f"{'':{margin}}{corner}{axis}")
    for name, place in flags.items():
        lines.append(f"{'':{margin + 1}}{_beside(name, place, columns)}")
    room = columns - len(left + right)
    lines.append(f"{'':{margin + 1}}{left}{x[:room]:^{room}}{right}")
    return "\n".join(map(str.rstrip, lines))


def _braille(pattern: int) -> str:
    return chr(BRAILLE + pattern) if pattern else ""


def _ascii(pattern: int) -> str:
    """Return the character that fills the same part of its place.

    >>> [_ascii(pattern) for pattern in (0x00, 0x01, 0x12, 0xC0, 0xFF)]
    ['', "'", '-', '.', '|']
    """
    thirds = bool(pattern & UPPER), bool(pattern & MIDDLE), bool(pattern & LOWER)
    if sum(thirds) > 1:
        return "|"
    return "'" * thirds[0] or "-" * thirds[1] or "." * thirds[2]


def _beside(name: str, place: int, columns: int) -> str:
    """Return a line that points up at *place*, its *name* on the side that has room."""
    if place + 2 + len(name) <= columns or place < len(name) + 1:
        return f"{'':{place}}^ {name}"
    return f"{name + ' ^':>{place + 1}}"


def _share(value: float, low: float, high: float) -> float:
    """Return how far *value* lies between *low* (0) and *high* (1); halfway when they meet."""
    if low == high:
        return 0.5
    if math.isinf(high - low):
        value, low, high = value / 2, low / 2, high / 2
    return (value - low) / (high - low)
