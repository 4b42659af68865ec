"""Runs: a log, read and analysed, as the page shows it."""

import math
import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cyclr.logs import BadRow, Log, read_log
from cyclr.range_test import Bounds, InconclusiveRangeTest, Reason, analyze
from cyclr.range_test.curve import Curve, tenth
from cyclr.range_test.points import Points, is_finite

__all__ = ["Run"]

DIGITS = 6  # of what is drawn

Pairs = Iterable[tuple[float, float]]


@dataclass(frozen=True)
class Run:
    """One range test: its *points*, what they were read from, and what they tell.

    An inconclusive test has no *bounds*, and *reasons* that say why.
    """

    name: str
    source: str
    metric: str
    points: Points
    bounds: Bounds | None
    reasons: tuple[Reason, ...]

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        *,
        lr: str | int | None = None,
        loss: str | int | None = None,
        metric: str = "loss",
        on_bad_row: Callable[[BadRow], object] | None = None,
        optimizer: str | None = None,
        momentum: float | None = None,
        rule: str | None = None,
        watch: Callable[[Log], Pairs] = iter,
    ) -> "Run":
        """Read and analyse the log at *path*; the arguments are those of `read_log` and `analyze`.

        What they raise is raised here, but for `InconclusiveRangeTest`: that is a result. The log
        is read through *watch*, which may show how far that is.
        """
        log = read_log(path, lr=lr, loss=loss, metric=metric, on_bad_row=on_bad_row)
        points, bounds = Points(), None
        try:
            bounds = analyze(
                _kept(watch(log), points),
                optimizer=optimizer,
                momentum=momentum,
                metric=metric,
                rule=rule,
            )
            reasons = bounds.reasons
        except InconclusiveRangeTest as error:
            reasons = error.reasons
        return cls(log.name, log.read_as(metric), metric, points, bounds, reasons)

    def to_dict(self) -> dict[str, Any]:
        """Return what the page shows, ready for JSON, which has no NaN: that is `None`."""
        bounds, (low, high) = self.bounds, self._extent()
        return {
            "name": self.name,
            "source": self.source,
            "raw": _drawn(self.points.lrs, self.points.losses),
            "smooth": _drawn(*self._smooth()),
            "low": _short(low),
            "high": _short(high),
            "bounds": bounds
            and {
                "base_lr": float(f"{bounds.base_lr:.2g}"),  # as `cyclr analyze` prints them
                "max_lr": float(f"{bounds.max_lr:.2g}"),
                "interval": list(map(_short, bounds.interval)),
            },
            "landmarks": bounds
            and {k: v and _short(v) for k, v in asdict(bounds.landmarks).items()},
            # In the words of `cyclr analyze`; the reasons follow by themselves.
            "words": [line for line in str(bounds).splitlines() if line[0] != "-"]
            if bounds
            else [],
            "reasons": [asdict(reason) for reason in self.reasons],
        }

    def _smooth(self) -> tuple[list[float], list[float]]:
        """Return the smoothed curve up to the divergence, in the units of the log."""
        curve = (self.bounds and self.bounds.curve) or Curve.of(self.points, self.metric)
        if not curve.lrs:
            return [], []
        return list(curve.lrs), [curve.sign * (curve.start + change) for change in curve.centred]

    def _extent(self) -> tuple[float, float]:
        """Return the lowest and the highest value worth seeing."""
        values = [loss for loss in self.points.losses if is_finite(loss)] or [0.0, 1.0]
        low, high = min(values), max(values)
        if self.metric == "loss":
            # The explosion at the end would leave one line for all that comes before it. Where
            # nothing fell, noise is all there is to see, and as high as it is low.
            start = statistics.median(values[: tenth(values)])
            high = min(high, start + (start - low) * (0.5 if self.bounds else 2))
        return low, high


def _kept(pairs: Pairs, points: Points) -> Iterator[tuple[float, float]]:
    """Yield the *pairs*, and keep some thousands of *points* to draw."""
    for lr, loss in pairs:
        yield lr, loss  # first, as `analyze` refuses what can't be drawn
        points.add(lr, loss)


def _drawn(lrs: Iterable[float], losses: Iterable[float]) -> dict[str, list[float | None]]:
    return {
        "lr": [_short(lr) for lr in lrs],
        "loss": [_short(loss) if is_finite(loss) else None for loss in losses],
    }


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else value
