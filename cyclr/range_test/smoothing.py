"""Smoothing: whether losses were averaged before they were recorded, and how.

Every usual average moves by a share w of the way to the newest loss,

    average(t) = average(t - 1) + w(t) * (loss(t) - average(t - 1))

with w(t) = 1 - k for an exponential one, (1 - k) / (1 - k^t) for one corrected for its start, and
1 / t for a running mean, t counting from the start of the epoch. So each can be undone, and what
it was can be told: the right w makes independent losses of the averages. Their likelihood is that
of normal noise around a trend, divided by the w.
"""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import count, islice, pairwise, takewhile
from operator import mul

from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.points import Points

__all__ = ["RAW", "Smoothing", "smoothing_of", "sound_losses"]

Weights = Callable[[], Iterator[float]]  # w(2), w(3), ...

KEEPS = (0.7, 0.8, 0.9, 0.95, 0.98)
EPOCHS = 6  # lengths of an epoch that are tried
SHORTEST = 5  # losses in an epoch
PIECE = 15  # losses in one of the pieces in which anything may be a trend
FLAT = 20  # losses before the fall that show how they scatter
FALLEN = 10.0  # deviations of the first ones, below which the fall has begun
BENDS = 10  # parts of the losses before the fall: at the start of each a trend may begin
CLEARLY = 5.0  # in logarithms of the likelihood: by how much more likely than none
SCATTER = 0.7  # von Neumann's ratio: 2 for noise, less for a loss without any
SPIKE = 10.0  # times the median deviation
LONGEST = 512  # losses that are looked at: enough to tell, and the cost stays bounded


@dataclass(frozen=True)
class Smoothing:
    """How losses were smoothed: *kind* is "none", "average" (exponential) or "mean" (running)."""

    kind: str
    weights: Weights

    def undo(self, averages: Sequence[float]) -> list[float]:
        """Return the losses, from the second on, of which these are the averages."""
        return [
            before + (after - before) / weight
            for (before, after), weight in zip(pairwise(averages), self.weights(), strict=False)
        ]


def average(keep: float) -> Smoothing:
    """Return an exponential average that starts at the first loss."""
    return Smoothing("average", lambda: (1 - keep for _ in count()))


def corrected(keep: float) -> Smoothing:
    """Return an exponential average that starts at 0, divided by the sum of its weights."""
    return Smoothing("average", lambda: ((1 - keep) / (1 - keep**t) for t in count(2)))


def mean(epoch: int | None = None) -> Smoothing:
    """Return the mean of all losses so far, or of those of an epoch."""
    if epoch is None:
        return Smoothing("mean", lambda: (1 / t for t in count(2)))
    return Smoothing("mean", lambda: (1 / (t % epoch + 1) for t in count(1)))


RAW = Smoothing("none", lambda: (1.0 for _ in count()))
AVERAGES = [make(keep) for make in (average, corrected) for keep in KEEPS]


def smoothing_of(points: Points, curve: Curve) -> Smoothing:
    """Return how the losses were smoothed before they were recorded; `RAW` unless it is clear.

    Before the onset there is noise, and the beginning of the fall. Where there is no such part,
    noise must explain all of the log better than any course of a loss would.
    """
    losses = sound_losses(points, curve)[:LONGEST]
    level = [0.0] * len(losses)
    onset = Landmarks.of(curve).onset
    before = sum(1 for _ in takewhile(lambda lr: lr <= onset, points.lrs[: len(losses)]))
    flat = _not_fallen(losses[:before])
    if flat >= FLAT:
        seen, trend = losses[:flat], points.lrs[:flat]  # a first fall grows as the rates do
        usual = _without_spikes(seen)
        later = max(steady(usual, bent) for bent in _bent(trend))
        unsmoothed = max(steady(usual, trend), later - 1) + CLEARLY  # its start is a parameter
    else:
        seen, trend = losses, level
        unsmoothed = piecewise(_without_spikes(seen)) + 2 * CLEARLY
    smoothing, likelihood = likeliest(seen, trend)
    if likelihood <= unsmoothed or _scatter(smoothing.undo(seen), trend[1:]) < SCATTER:
        return RAW
    if smoothing.kind == "mean":
        whole, _ = likeliest(losses, level)  # which sees more epochs
        return whole if whole.kind == "mean" else smoothing
    return smoothing


def sound_losses(points: Points, curve: Curve) -> list[float]:
    """Return the recorded losses before the test diverged; accuracies are turned over."""
    rows = zip(points.lrs, points.losses, strict=True)
    return [curve.sign * loss for _, loss in takewhile(lambda row: row[0] != curve.edge, rows)]


def _not_fallen(losses: Sequence[float]) -> int:
    """Return how many of *losses* there are before the last ones, which noise does not explain."""
    first = losses[: len(losses) // 2 + 1]
    lowest = statistics.median(first) - FALLEN * statistics.pstdev(first)
    fallen = sum(1 for _ in takewhile(lambda loss: loss < lowest, reversed(losses)))
    return len(losses) - fallen


def _bent(trend: Sequence[float]) -> list[list[float]]:
    """Return the same *trend* from later and later on: where little is noise, bends show."""
    starts = [trend[i * len(trend) // BENDS] for i in range(1, BENDS)]
    return [[max(x - start, 0.0) for x in trend] for start in starts]


def _without_spikes(losses: Sequence[float]) -> list[float]:
    """Return *losses*, none farther from their median than ten times as far as most are."""
    middle = statistics.median(losses)
    farthest = SPIKE * statistics.median(abs(loss - middle) for loss in losses)
    return [max(middle - farthest, min(loss, middle + farthest)) for loss in losses]


def likeliest(losses: Sequence[float], trend: Sequence[float]) -> tuple[Smoothing, float]:
    """Return the likeliest smoothing of *losses* that do not fall yet, and its log-likelihood."""
    candidates = [RAW, *AVERAGES, mean(), *map(mean, _epochs(losses))]
    scores = [steady(losses, trend, smoothing) for smoothing in candidates]
    best = max(scores)
    return candidates[scores.index(best)], best


def _epochs(losses: Sequence[float]) -> list[int]:
    """Return how many losses an epoch may have: a mean jumps where a new one starts."""
    jumps = [(after - before) ** 2 for before, after in pairwise(losses)]
    typical = sum(jumps) / len(jumps)

    def above_typical(epoch: int) -> float:
        starts = jumps[epoch - 1 :: epoch]
        return sum(starts) - typical * len(starts)

    return nlargest(EPOCHS, range(SHORTEST, len(jumps)), key=above_typical)


def steady(losses: Sequence[float], trend: Sequence[float], smoothing: Smoothing = RAW) -> float:
    """Return the log-likelihood of *losses*, up to a constant, if they were smoothed so.

    What they were before is taken for independent around a constant plus a multiple of *trend*.
    Without any noise, it is infinite.
    """
    values = smoothing.undo(losses)
    n = len(values)
    return _likelihood(values, trend[1 : n + 1]) - sum(
        map(math.log, islice(smoothing.weights(), n))
    )


def piecewise(losses: Sequence[float]) -> float:
    """Return the log-likelihood of *losses* as they are, if anything may happen to them.

    Each piece of some losses has its own straight line and its own noise, which costs three
    parameters a piece (Akaike's criterion).
    """
    values = losses[1:]
    n = len(values)
    pieces = max(1, round(n / PIECE))
    total = 0.0
    for begin, end in pairwise(round(i * n / pieces) for i in range(pieces + 1)):
        size = end - begin
        total += _likelihood(values[begin:end], range(size)) - 3 * size / (size - 4)
    return total


def _likelihood(values: Sequence[float], trend: Sequence[float]) -> float:
    """Return the log-likelihood of normal noise around a straight line in *trend*."""
    n = len(values)
    variance = _power(_rest(values, trend)) / n
    return -n / 2 * math.log(variance) if variance > 0 else math.inf


def _scatter(values: Sequence[float], trend: Sequence[float]) -> float:
    """Return how *values* differ from their neighbours, beside how from a line in *trend*.

    Von Neumann's ratio: 2 for independent values, nearly 0 where there is no noise.
    """
    rest = _rest(values, trend)
    power = _power(rest)
    return _power([after - before for before, after in pairwise(rest)]) / power if power else 0.0


def _rest(values: Sequence[float], trend: Sequence[float]) -> list[float]:
    """Return what the best straight line in *trend* leaves of *values*."""
    values, trend = _centred(values), _centred(trend)
    power = _power(trend)
    slope = sum(map(mul, values, trend)) / power if power else 0.0
    return [y - slope * x for x, y in zip(trend, values, strict=True)]


def _power(values: Sequence[float]) -> float:
    return float(sum(map(mul, values, values)))


def _centred(values: Sequence[float]) -> list[float]:
    middle = sum(values) / len(values)
    return [value - middle for value in values]
