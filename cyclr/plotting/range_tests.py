"""What the picture of a range test shows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from cyclr.plotting.picture import Axis, Band, Line, Mark, Picture, Pole, limits, short
from cyclr.range_test import Bounds, InconclusiveRangeTest, Landmarks, RangeTest, Reason
from cyclr.range_test.curve import Curve
from cyclr.range_test.points import Points

__all__ = ["picture_of_bounds", "picture_of_points", "picture_of_range_test"]

FEWEST = 3  # points: of fewer there is nothing to smooth
BEFORE = 2.0  # a factor: where the curve comes from
NAMES = 0.06  # of the height: room below the curve
SIDE = 1.3  # a factor: room on either side
HEADROOM = 0.75  # of the fall: how far above its start a loss is followed
SPIKES = 0.05  # of the losses may be above the picture


def picture_of_bounds(bounds: Bounds) -> Picture:
    """Return the picture of *bounds* and of the curve that they were read from."""
    if bounds.curve is None:
        raise ValueError(
            "bounds must have the curve that they were read from, to be drawn: got none"
            "\n\nHint: analyze(points).plot()"
        )
    return _picture(bounds.curve, bounds.reasons, bounds)


def picture_of_points(points: Points, reasons: Sequence[Reason], metric: str = "loss") -> Picture:
    """Return the picture of *points* that give no bounds, as recorded, and the *reasons* why."""
    picture = _picture(Curve.of(points, metric), reasons)
    raw = Line(metric, list(zip(points.lrs, points.losses, strict=True)))
    y = picture.y if picture.lines else Axis(metric, *limits(points.losses))
    return replace(picture, raw=raw, x=_rates(points.lrs), y=y)


def picture_of_range_test(test: RangeTest, metric: str = "loss", **named: Any) -> Picture:
    """Return the picture of *test*: with its bounds, or with the reasons why it has none."""
    if not test.points:
        raise ValueError(
            "the test must have losses, to be drawn: got none"
            "\n\nHint: for lr in test: test.record(train_one_batch(lr))"
        )
    try:
        return picture_of_bounds(test.bounds(metric=metric, **named))
    except InconclusiveRangeTest as error:
        recorded = test.accuracies if metric == "accuracy" else test.points
        return picture_of_points(Points.read(recorded), error.reasons, metric)


def _picture(curve: Curve, reasons: Sequence[Reason], bounds: Bounds | None = None) -> Picture:
    metric = curve.metric
    recorded = [curve.sign * loss for loss in curve.losses]
    raw = Line(metric, list(zip(curve.lrs, recorded, strict=True)))
    lines = []
    if len(recorded) >= FEWEST:
        smooth = [curve.sign * (curve.start + change) for change in curve.centred]
        lines = [Line("smoothed", list(zip(curve.lrs, smooth, strict=True)))]
    low, high = limits(_followed(curve, recorded) if metric == "loss" else recorded)
    if bounds and metric == "loss":  # the landmarks are named below the curve
        low -= NAMES * (high - low)
    edge = bounds.landmarks.edge if bounds else curve.edge
    shown = [*curve.lrs, *([edge] if edge else [])]
    poles = []
    if bounds:
        poles = [
            Pole(f"{name} {short(lr)}", lr)
            for name, lr in (("base_lr", bounds.base_lr), ("max_lr", bounds.max_lr))
        ]
        shown += [pole.x for pole in poles]
    return Picture(
        x=Axis(
            "learning rate", min(shown, default=0.1) / SIDE, max(shown, default=1.0) * SIDE, True
        ),
        y=Axis(metric, low, high),
        lines=lines,
        raw=raw,
        band=Band("80 % interval", *bounds.interval) if bounds else None,
        bounds=poles,
        edge=Pole(f"edge {short(edge)}", edge) if edge else None,
        marks=list(_marks(bounds.landmarks, lines[0])) if bounds else [],
        words=[reason.message for reason in reasons],
    )


def _rates(lrs: Sequence[float]) -> Axis:
    low, high = min(lrs, default=0.1), max(lrs, default=1.0)
    return Axis("learning rate", low / SIDE, high * SIDE, log=True)


def _followed(curve: Curve, losses: Sequence[float]) -> list[float]:
    """Return the losses that the y axis is made for: the explosion would flatten the rest."""
    if len(losses) < FEWEST:
        return list(losses)
    most = sorted(losses)[math.ceil((1 - SPIKES) * len(losses)) - 1]
    top = max(most, curve.start - HEADROOM * min(curve.centred))
    return [min(loss, top) for loss in losses]


def _marks(landmarks: Landmarks, smooth: Line) -> Iterator[Mark]:
    """Yield the landmarks on the smoothed curve; the edge lies behind its end."""
    for name, lr in asdict(landmarks).items():
        if name != "edge" and lr is not None:
            height = _height(smooth, lr)
            yield Mark(name, lr, height, below=_height(smooth, lr / BEFORE) > height)


def _height(line: Line, lr: float) -> float:
    _, height = min(line.points, key=lambda point: abs(math.log(point[0] / lr)))
    return height
