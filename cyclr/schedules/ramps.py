"""Ramps: from one value to another in a number of iterations, then hold; and a constant."""

import copy
import math
from dataclasses import dataclass, field
from typing import Any

from cyclr._arrays import evaluate, numbers
from cyclr._checks import choice, number, whole
from cyclr.schedules.schedule import Schedule, amplitude, divisor, folds
from cyclr.schedules.shapes import RISES

__all__ = ["Constant", "Cosine", "Exponential", "Linear", "Polynomial", "Ramp"]


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Schedule):
    """The same learning rate at every iteration: the paper's ``fixed`` (its Table 1).

    lr(i) = lr. Endless. *lr* is finite and at least 0, otherwise a `ValueError` says so.

        >>> Constant(0.1)(0), Constant(0.1)(10**15)
        (0.1, 0.1)

    Use it as the control of an experiment, and between two other schedules.
    """

    lr: float

    def __post_init__(self) -> None:
        lr = number("lr", self.lr, at_least=0)
        self._set(lr=lr, lowest=lr, highest=lr)

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            return self.lr
        return evaluate(self, i) if xp is None else xp.pick(i, (), (self.lr,))


class _Way(Schedule):
    """What the ramps along a shape share: the formula."""

    start: float
    end: float
    iterations: int
    _origin: Any
    _length: Any
    _rise: Any
    _power: Any
    _folds: bool
    _folded: Any

    def _prepare(self, rise: Any, power: Any) -> None:
        low, high = sorted((self.start, self.end))
        n = self.iterations
        self._set(
            lowest=low,
            highest=high,
            _amplitude=amplitude(low, high),
            _folds=folds(high - low, rise),
            _folded=None,
            # Time runs from the lower value, backwards in a falling ramp.
            _origin=n if self.start > self.end else 0,
            _length=divisor(-n if self.start > self.end else n, low, high),
            _rise=rise,
            _power=power,
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        if xp is not numbers or i > self.iterations:
            i = xp.minimum(i, self.iterations)
        x = (i - self._origin) / self._length
        if self._rise is not None:
            x = self._rise(x, xp, self._power)
        value = self.lowest + self._amplitude * x
        if xp is numbers and value < self.highest:
            return value
        return xp.minimum(value, self.highest)

    def _in_float32(self) -> "_Way":
        if self._folds and self._folded is None:
            way = copy.copy(self)
            way._set(_amplitude=1.0, _length=self._length / self._amplitude, _folds=False)
            self._set(_folded=way)
        return self._folded or self

    @property
    def length(self) -> int:
        """The iterations until the ramp has come to its end."""
        return self.iterations


@dataclass(frozen=True, eq=False, repr=False)
class Ramp(_Way):
    """Move from *start* to *end* in *iterations* along a shape, then hold *end*.

    With t the part of the way that lies between iteration i and the lower of the two values,
    lr(i) = low + (high - low) rise(t). The rises are those of `Cyclical`; a falling ramp is a
    rising one mirrored in time. Exactly *start* at 0, exactly *end* at *iterations* and
    after. The values are finite, *iterations* at least 1, otherwise a `ValueError` says so.

        >>> Ramp(1.0, 0.0, 4, shape="1-sqrt")(1)
        0.5

    Use it for a shape that has no name of its own: `Linear` and `Cosine` have.
    """

    start: float
    end: float
    iterations: int
    shape: str = field(default="linear", kw_only=True)

    def __post_init__(self) -> None:
        start, end = number("start", self.start), number("end", self.end)
        iterations = whole("iterations", self.iterations, at_least=1)
        choice("shape", self.shape, [shape for shape in RISES if shape != "polynomial"])
        self._set(start=start, end=end, iterations=iterations)
        self._prepare(RISES[self.shape], None)


@dataclass(frozen=True, eq=False, repr=False)
class Linear(Ramp):
    """Move linearly from *start* to *end* in *iterations*, then hold *end*.

    lr(i) = start + (end - start) t, t = min(i, iterations) / iterations. Exactly *start* at
    0, exactly *end* at *iterations* and after. The values are finite, *iterations* at least
    1, otherwise a `ValueError` says so.

        >>> ramp = Linear(0.0, 1.0, 4)
        >>> [ramp(i) for i in range(6)]
        [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]

    ``Linear(max_lr, base_lr, step_size)`` is the paper's control ``decay`` (arXiv 1506.01186,
    section 4.1.1). Use it as a warm-up, or as the simplest decay to the end of a run.
    """

    shape: str = field(default="linear", init=False)


@dataclass(frozen=True, eq=False, repr=False)
class Cosine(Ramp):
    """Move from *start* to *end* in *iterations* along half a cosine, then hold *end*.

    lr(i) = start + (end - start) sin^2(pi t / 2), t = min(i, iterations) / iterations.
    Exactly *start* at 0, exactly *end* at *iterations* and after: it never climbs again. The
    values are finite, *iterations* at least 1, otherwise a `ValueError` says so.

        >>> ramp = Cosine(1.0, 0.0, 4)
        >>> [round(ramp(i), 4) for i in range(6)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]

    The annealing of one cycle of SGDR (arXiv 1608.03983, section 3). Use it as the decay of
    a whole run: it stays high longer than `Linear` and arrives more gently.
    """

    shape: str = field(default="cosine", init=False)


@dataclass(frozen=True, eq=False, repr=False)
class Polynomial(Ramp):
    """Move from *start* to *end* in *iterations* as a power of the time left, then hold *end*.

    lr(i) = end + (start - end) (1 - t)^power, t = min(i, iterations) / iterations. Exactly
    *start* at 0, exactly *end* at *iterations* and after. The values are finite, *power*
    above 0, *iterations* at least 1, otherwise a `ValueError` says so.

        >>> ramp = Polynomial(1.0, 0.0, 4, power=2)
        >>> [ramp(i) for i in range(6)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]

    Caffe's ``poly``. Use it, with a power from 0.9 to 2, where segmentation and detection
    recipes ask for it.
    """

    shape: str = field(default="polynomial", init=False)
    power: float = 1.0

    def __post_init__(self) -> None:
        self._set(
            start=number("start", self.start),
            end=number("end", self.end),
            iterations=whole("iterations", self.iterations, at_least=1),
            power=number("power", self.power, above=0),
        )
        falling = self.start > self.end
        self._prepare(RISES["polynomial"] if falling else _rise_of_fall, _whole(self.power))


def _rise_of_fall(t: Any, xp: Any, power: Any) -> Any:
    return xp.rise_of_fall(t, power)


def _whole(power: Any) -> Any:
    """Return a whole power as an int, which keeps a Fraction exact."""
    return int(power) if power == int(power) else power


@dataclass(frozen=True, eq=False, repr=False)
class Exponential(Schedule):
    """Move from *start* to *end* in *iterations* by a constant factor, then hold *end*.

    lr(i) = start (end / start)^t, t = min(i, iterations) / iterations. Exactly *start* at 0,
    exactly *end* at *iterations* and after. Both values are above 0, *iterations* at least 1,
    otherwise a `ValueError` says so.

        >>> ramp = Exponential(0.001, 10.0, 4)
        >>> [round(ramp(i), 6) for i in range(6)]
        [0.001, 0.01, 0.1, 1.0, 10.0, 10.0]

    Use it where orders of magnitude are crossed: the ramp of a range test, a decay whose
    last value is known. `Decay` is the same with the factor given.
    """

    start: float
    end: float
    iterations: int
    _middle: float = field(init=False, compare=False)
    _rate: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        start = number("start", self.start, above=0)
        end = number("end", self.end, above=0)
        low, high = sorted((start, end))
        middle = math.sqrt(low) * math.sqrt(high)
        rate = math.log(high) - math.log(low)
        # A hair more than the distance, and clipped: then both ends are exact.
        while middle * math.exp(rate / 2) < high or middle * math.exp(-rate / 2) > low:
            rate += math.ulp(max(rate, 1.0))
        self._set(
            start=start,
            end=end,
            iterations=whole("iterations", self.iterations, at_least=1),
            lowest=low,
            highest=high,
            _middle=middle,
            _rate=rate if start < end else -rate,
        )

    def at(self, i: Any, /, xp: Any = None) -> Any:  # noqa: D102
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        # From the middle of the way, which halves the exponent, and so its error.
        if xp is not numbers or i > self.iterations:
            i = xp.minimum(i, self.iterations)
        value = self._middle * xp.exp(self._rate * (i / self.iterations - 0.5))
        if xp is numbers and self.lowest < value < self.highest:
            return value
        return xp.clip(value, self.lowest, self.highest)

    @property
    def length(self) -> int:
        """The iterations until the ramp has come to its end."""
        return self.iterations
