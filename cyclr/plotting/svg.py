"""Paint a picture as SVG, by the standard library: what notebooks show.

It is written in the colour of the text around it, light or dark.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from cyclr.plotting.colours import ON_ANY
from cyclr.plotting.picture import Axis, Line, Picture

__all__ = ["COLUMNS", "captioned", "svg"]

Place = tuple[float, float]  # in pixels, from the left and from the top

WIDTH, HEIGHT = 640, 260  # in pixels, where there is room; less where there is not
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 24, 40  # what the axes need
COLUMNS = WIDTH - LEFT - RIGHT
TICKS = 8  # on an axis, or a few less
DASHES = ("", "7 3", "7 3 2 3", "2 2")
SYMBOLS = (
    "m-4,0a4,4 0 1 0 8,0a4,4 0 1 0 -8,0z",
    "m-4,-4h8v8h-8z",
    "m0,-5l4.5,8h-9z",
    "m0,-5l5,5l-5,5l-5,-5z",
)
EDGE = '<path stroke="currentColor" stroke-dasharray="2 3" d="{d}"/>'
FAR = 10.0  # heights, beyond which nothing need be told apart
VISIBLE = 0.2  # pixels
ROW, SAMPLE, LETTER = 20, 36, 7.4  # pixels of a legend: a row's height; widths, rather too much


def captioned(picture: Picture | None, text: str) -> str:
    """Return HTML of the *picture*, if there is one, and of the *text* below it."""
    drawn = svg(picture) if picture else ""
    return f'<div>{drawn}<pre style="white-space: pre-wrap">{escape(text)}</pre></div>'


def svg(picture: Picture) -> str:
    """Return *picture* as an element of SVG, to stand in HTML."""
    frame = _Frame(picture.x, picture.y)
    legend, rows = _laid_out(_legend(picture))
    box = f"{LEFT} {TOP} {frame.width} {frame.height}"
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + rows}" '
            f'role="img" fill="none" stroke-linejoin="round" '
            f'style="width: 100%; max-width: {WIDTH}px; font: 12px sans-serif">'
            f"<title>{escape(picture.y.name)} over {escape(picture.x.name)}</title>",
            *_axes(frame),
            # The inner element cuts off what is outside the axes.
            f'<svg x="{LEFT}" y="{TOP}" width="{frame.width}" height="{frame.height}" '
            f'viewBox="{box}">',
            *_inside(picture, frame),
            "</svg>",
            *_bounds_names(picture, frame),
            *legend,
            "</svg>",
        ]
    )


class _Frame:
    """Where on the picture a value is."""

    width, height = COLUMNS, HEIGHT - TOP - BOTTOM

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x, self.y = x, y

    def across(self, value: float) -> float:
        return LEFT + self.width * _share(value, self.x)

    def down(self, value: float) -> float:
        share = max(-FAR, min(_share(value, self.y), FAR))
        return TOP + self.height * (1 - share)


def _share(value: float, axis: Axis) -> float:
    if axis.log:
        return math.log(value / axis.low) / math.log(axis.high / axis.low)
    return (value - axis.low) / (axis.high - axis.low)


def ticks(axis: Axis) -> list[float]:
    """Return round values on *axis*, about as many as there is room for.

    >>> ticks(Axis("iteration", 0.0, 4000.0))
    [0.0, 500.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0, 3500.0, 4000.0]
    >>> ticks(Axis("learning rate", 2e-6, 12.0, log=True))
    [1e-05, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0]
    >>> ticks(Axis("learning rate", 0.003, 0.06, log=True))
    [0.005, 0.01, 0.02, 0.05]
    """
    if axis.log:
        first, last = math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high))
        steps = (1, 2, 5) if last - first <= 3 else (1,)
        every = math.ceil((last - first) / 10)
        values = [m * 10.0**e for e in range(first, last + 1, every) for m in steps]
    else:
        rough = (axis.high - axis.low) / TICKS
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough)
        first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
        values = [i * step for i in range(first, last + 1)]
    return [float(f"{value:.12g}") for value in values if axis.low <= value <= axis.high]


def _axes(frame: _Frame) -> Iterator[str]:
    """Yield the axes: their lines, ticks and names."""
    left, bottom = LEFT, TOP + frame.height
    yield f'<path stroke="currentColor" d="M{left},{TOP}V{bottom}H{left + frame.width}"/>'
    for value in ticks(frame.x):
        x = frame.across(value)
        yield f'<path stroke="currentColor" d="M{x:.1f},{bottom}v4"/>'
        yield _text(f"{value:g}", x, bottom + 17, "middle")
    for value in ticks(frame.y):
        y = frame.down(value)
        yield f'<path stroke="currentColor" d="M{left},{y:.1f}h-4"/>'
        yield _text(f"{value:g}", left - 7, y + 4, "end")
    yield _text(frame.x.name, left + frame.width / 2, HEIGHT - 5, "middle")
    middle = TOP + frame.height / 2
    yield _text(frame.y.name, 12, middle, "middle", turn=f"rotate(-90 12 {middle})")


def _inside(picture: Picture, frame: _Frame) -> Iterator[str]:
    """Yield what is drawn between the axes."""
    line, bound, *_ = ON_ANY
    bottom = TOP + frame.height
    if picture.band:
        x, end = frame.across(picture.band.low), frame.across(picture.band.high)
        yield (
            f'<rect x="{x:.1f}" y="{TOP}" width="{end - x:.1f}" height="{frame.height}" '
            f'fill="{bound}" opacity="0.2"/>'
        )
    for pole in picture.bounds:
        yield f'<path stroke="{bound}" d="M{frame.across(pole.x):.1f},{TOP}V{bottom}"/>'
    if picture.edge:
        yield EDGE.format(d=f"M{frame.across(picture.edge.x):.1f},{TOP}V{bottom}")
    if picture.raw:
        yield f'<path stroke="{line}" opacity="0.6" d="{_path(picture.raw, frame)}"/>'
    for index, each in enumerate(picture.lines):
        yield f'<path {_pen(index)} d="{_path(each, frame)}"/>'
    for index, mark in enumerate(picture.marks):
        x, y = frame.across(mark.x), frame.down(mark.y)
        yield _symbol(index, x, y)
        yield _text(mark.name, x - 7, y + (15 if mark.below else -5), "end")


def _pen(index: int) -> str:
    """Return how the line of that *index* is drawn."""
    dashes = DASHES[index % len(DASHES)]
    colour = ON_ANY[index % len(ON_ANY)]
    return f'stroke="{colour}" stroke-width="2"' + f' stroke-dasharray="{dashes}"' * bool(dashes)


def _symbol(index: int, x: float, y: float) -> str:
    shape = SYMBOLS[index % len(SYMBOLS)]
    return f'<path stroke="currentColor" stroke-width="1.5" d="M{x:.1f},{y:.1f}{shape}"/>'


def _path(line: Line, frame: _Frame) -> str:
    """Return the path of *line*, lifted where it is not finite."""
    strokes = []
    for finite, points in groupby(line.points, key=lambda point: math.isfinite(point[1])):
        if finite:
            places = [(frame.across(x), frame.down(y)) for x, y in points]
            strokes.append("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in _straightened(places)))
    return "".join(strokes)


def _straightened(places: Sequence[Place]) -> list[Place]:
    """Return as few of *places* as draw the same lines: Ramer, Douglas and Peucker's way.

    >>> _straightened([(0, 0), (1, 1), (2, 2), (3, 0), (4, -2)])
    [(0, 0), (2, 2), (4, -2)]
    """
    kept = {0, len(places) - 1}
    spans = [(0, len(places) - 1)]
    while spans:
        first, last = spans.pop()
        ends = places[first], places[last]
        distances = ((_distance(places[i], *ends), i) for i in range(first + 1, last))
        farthest, middle = max(distances, default=(0.0, first))
        if farthest > VISIBLE:
            kept.add(middle)
            spans += [(first, middle), (middle, last)]
    return [places[i] for i in sorted(kept)]


def _distance(place: Place, start: Place, end: Place) -> float:
    """Return how far *place* is from the line between *start* and *end*."""
    along, up = end[0] - start[0], end[1] - start[1]
    x, y = place[0] - start[0], place[1] - start[1]
    t = (x * along + y * up) / (along**2 + up**2 or 1.0)
    t = max(0.0, min(t, 1.0))
    return math.hypot(x - t * along, y - t * up)


def _bounds_names(picture: Picture, frame: _Frame) -> Iterator[str]:
    """Yield the names of the bounds, over them: the lower one's ends where the upper's begins."""
    sides = (("end", -3), ("start", 3))
    for pole, (anchor, aside) in zip(picture.bounds, sides, strict=False):
        yield _text(pole.name, frame.across(pole.x) + aside, TOP - 6, anchor, ON_ANY[1])


def _legend(picture: Picture) -> list[tuple[str, str]]:
    """Return what has no name where it is: how it is drawn, around (0, 0), and its name."""
    line, bound, *_ = ON_ANY
    entries = []
    if picture.band:
        sample = f'<rect x="-9" y="-6" width="18" height="12" fill="{bound}" opacity="0.2"/>'
        entries.append((sample, picture.band.name))
    if picture.raw:
        entries.append((f'<path stroke="{line}" opacity="0.6" d="M-9,0h18"/>', picture.raw.name))
    entries += [
        (f'<path {_pen(index)} d="M-9,0h18"/>', line.name)
        for index, line in enumerate(picture.lines)
    ]
    if picture.edge:
        entries.append((EDGE.format(d="M-9,0h18"), picture.edge.name))
    return entries if len(entries) > 1 else []


def _laid_out(entries: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
    """Return the *entries* of a legend, row below row from HEIGHT on, and how high they are."""
    drawn, x, y = [], float(LEFT), 0
    for sample, name in entries:
        width = SAMPLE + LETTER * len(name)
        if x + width > WIDTH and x > LEFT:
            x, y = float(LEFT), y + ROW
        at = f'transform="translate({x + 9:.0f} {HEIGHT + y + ROW / 2:.0f})"'
        drawn.append(f"<g {at}>{sample}{_text(name, 16, 4, 'start')}</g>")
        x += width
    return drawn, y + ROW if entries else 0


def _text(
    text: str, x: float, y: float, anchor: str, colour: str = "currentColor", turn: str = ""
) -> str:
    turned = f' transform="{turn}"' * bool(turn)
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{turned}>'
        f"{escape(text)}</text>"
    )
