"""Cycles between two learning rates: the policies of "Cyclical Learning Rates" and their kin."""

import copy
import sys
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from cyclr._arrays import evaluate, numbers
from cyclr._checks import choice, number, refuse, whole
from cyclr.schedules.ramps import Constant
from cyclr.schedules.schedule import Schedule, amplitude, divisor, folds
from cyclr.schedules.shapes import RISES

__all__ = ["CosineRestarts", "Cyclical", "ExpRange", "Triangular", "Triangular2", "step_size"]

FARTHEST = 2**63
"""Cycles that stretch are listed up to here: every 64-bit iteration."""


def step_size(samples: int, batch_size: int, epochs: int = 4) -> int:
    """Return half a cycle, in iterations: *epochs* times the iterations of an epoch.

    step_size = epochs ceil(samples / batch_size). The last batch of an epoch may be smaller,
    so the epoch is rounded up. All three are whole and at least 1, otherwise a `ValueError`
    says so.

        >>> step_size(50_000, 100)
        2000
        >>> step_size(50_001, 100, epochs=2)
        1002

    arXiv 1506.01186, section 3.2: 2 to 10 epochs are good, and the result is robust to it.
    """
    samples = whole("samples", samples, at_least=1)
    batch_size = whole("batch_size", batch_size, at_least=1)
    return whole("epochs", epochs, at_least=1) * -(-samples // batch_size)


class _Cycle(Schedule):
    """What all cycles share: the clock, the formula and the ends."""

    base_lr: float
    max_lr: float
    cycle_mult: float
    cycles: int | None
    peak_decay: float
    _rise: Any
    _power: Any
    _gamma: Any
    _peak_decay: Any
    _folds: bool
    _folded: Any
    _shrinks: bool
    _both_decay: bool
    _up: int
    _down: int
    _period: int
    _rising: Any
    _falling: Any
    _edges: tuple[int, ...]
    _legs: tuple[tuple[int, Any, int], ...]
    _end: int | None

    def _prepare(
        self,
        up: int,
        down: int,
        *,
        shape: str,
        power: float,
        gamma: float,
        peak_decay: float,
        decays: str,
    ) -> None:
        """Set what the formula needs, of cycles that rise for *up* and fall for *down*."""
        base_lr = number("base_lr", self.base_lr, at_least=0)
        max_lr = number("max_lr", self.max_lr, at_least=0)
        if base_lr > max_lr:
            refuse("base_lr", f"be at most max_lr, {self.max_lr!r}", self.base_lr)
        cycles = None if self.cycles is None else whole("cycles", self.cycles, at_least=1)
        cycle_mult = _cycle_mult(self.cycle_mult, cycles)
        choice("shape", shape, RISES)
        power = number("power", power, above=0)
        if power != 1 and shape != "polynomial":
            refuse("shape", f"be 'polynomial' where power is given, {power!r}", shape)
        gamma = number("gamma", gamma, above=0, at_most=1)
        peak_decay = number("peak_decay", peak_decay, above=0, at_most=1)
        choice("decays", decays, ("amplitude", "bounds"))

        self._set(
            base_lr=base_lr,
            max_lr=max_lr,
            cycle_mult=cycle_mult,
            cycles=cycles,
            peak_decay=peak_decay,
            lowest=base_lr,
            highest=max_lr,
            _amplitude=amplitude(base_lr, max_lr),
            _rise=RISES[shape],
            _folds=folds(max_lr - base_lr, RISES[shape]),
            _folded=None,
            _power=int(power) if power == int(power) else power,
            _gamma=None if gamma == 1 else gamma,
            _peak_decay=None if peak_decay == 1 else peak_decay,
            _shrinks=gamma != 1 or peak_decay != 1,
            _both_decay=gamma != 1 and decays == "bounds",
            _up=up,
            _down=down,
            _period=up + down,
            _rising=divisor(max(up, 1), base_lr, max_lr),
            _falling=divisor(down, base_lr, max_lr),
            _edges=(),
            _legs=(),
            _end=None if cycles is None else cycles * (up + down),
        )
        # Cycles that stretch, or that end where the next one would begin at its peak, are listed.
        if cycle_mult != 1 or (up == 0 and cycles is not None):
            self._list_up_to(FARTHEST)
            self._set(_end=None if cycles is None else self._edges[-1])
        if self._both_decay:
            self._set(lowest=0.0)  # what it tends to, unless it stops before
            if self._end is not None:
                self._set(lowest=self(self._end))

    def at(self, i: Any, /, xp: Any = None) -> Any:
        if type(i) is int and i >= 0:
            xp = numbers
        elif xp is None:
            return evaluate(self, i)
        if self._end is not None:
            i = xp.minimum(i, self._end)

        # x is the height within the cycle. The iteration is reduced by the period in integers
        # and taken from the nearest base before the division, so that no digit is lost at any
        # iteration and in any precision.
        cycle = None
        if self._edges:
            if xp is numbers and self._end is None and i >= self._edges[-1]:
                self._list_up_to(i)
            x, cycle = xp.leg(i, self._edges, self._legs)
        else:
            r = i % self._period
            if xp is numbers:  # the last of these lines, without its call
                x = r / self._rising if r < self._up else (self._period - r) / self._falling
            elif self._up == self._down <= 2**24:
                x = (self._up - abs(r - self._up)) / self._rising
            else:
                x = xp.where(r < self._up, r / self._rising, (self._period - r) / self._falling)
        if self._rise is not None:
            x = self._rise(x, xp, self._power)
        if self._shrinks:
            if self._peak_decay is not None:
                x = x * xp.power(self._peak_decay, cycle if self._edges else i // self._period)
            if self._gamma is not None:
                factor = xp.power(self._gamma, i)
                if self._both_decay:
                    value = xp.minimum(self.base_lr + self._amplitude * x, self.max_lr)
                    return xp.maximum(value * factor, self.lowest)
                x = x * factor
        value = self.base_lr + self._amplitude * x
        if xp is numbers and value < self.max_lr:
            return value
        return xp.minimum(value, self.max_lr)

    def _in_float32(self) -> "_Cycle":
        if self._folds and self._folded is None:
            height = self._amplitude
            cycle = copy.copy(self)
            cycle._set(
                _amplitude=1.0,
                _rising=self._rising / height,
                _falling=self._falling / height,
                _legs=tuple((origin, length / height, k) for origin, length, k in self._legs),
                _folds=False,
            )
            self._set(_folded=cycle)
        return self._folded or self

    def _list_up_to(self, iteration: float) -> None:
        edges, legs = _legs(self._up, self._down, self.cycle_mult, self.cycles, int(iteration))
        divisible = ((o, divisor(n, self.base_lr, self.max_lr), k) for o, n, k in legs)
        self._set(_edges=edges, _legs=tuple(divisible))

    @property
    def length(self) -> int | None:
        """The iterations of all cycles; None if they go on for ever."""
        return self._end

    def cycle_ends(self, iterations: int) -> list[int]:
        """Return where cycles end, up to and including *iterations*."""
        iterations = whole("iterations", iterations)
        last = iterations if self._end is None else min(iterations, self._end)
        if not self._edges:
            return list(range(self._period, last + 1, self._period))
        if self._end is None and last >= self._edges[-1]:
            self._list_up_to(last)
        cycles = [cycle for _, _, cycle in self._legs]
        starts = [
            edge
            for edge, cycle, before in zip(self._edges[1:], cycles[1:], cycles, strict=False)
            if cycle > before
        ]
        return [start for start in starts if start <= last]

    @classmethod
    def _fitted(
        cls, base_lr: float, max_lr: float, iterations: int, cycles: int, **arguments: Any
    ) -> "Schedule":
        """Return cycles of this class that end at *iterations*, after a rest at base_lr."""
        iterations = whole("iterations", iterations, at_least=1)
        cycles = whole("cycles", cycles, at_least=1)
        period, rest = divmod(iterations, cycles)
        if period < 2:
            raise ValueError(
                f"iterations must be at least 2 a cycle: got {iterations} for {cycles} cycles"
                f"\n\nHint: cycles={max(iterations // 2, 1)} is the most that fit"
            )
        schedule: _Cycle = cls._of(
            period, base_lr=base_lr, max_lr=max_lr, cycles=cycles, **arguments
        )
        if rest == 0:
            return schedule
        return Constant(schedule.base_lr).then(schedule, after=rest)

    @classmethod
    def _of(cls, period: int, **arguments: Any) -> "_Cycle":
        """Return cycles of *period* iterations."""
        raise NotImplementedError


def _cycle_mult(value: Any, cycles: int | None) -> Any:
    """Return the factor from one cycle's length to the next's: an int, or a float with *cycles*."""
    value = number("cycle_mult", value, above=0)
    if value == int(value):
        return int(value)
    if cycles is None:
        raise ValueError(
            f"cycle_mult must be a whole number unless cycles is given: got {value!r}"
            f"\n\nHint: cycle_mult={value!r}, cycles=5"
        )
    return value


def _legs(
    up: int, down: int, mult: Any, cycles: int | None, farthest: int
) -> tuple[tuple[int, ...], tuple[tuple[int, int, int], ...]]:
    """Return where the legs of stretching cycles start, and each leg as (origin, length, cycle).

    Its height is (i - origin) / length: a rise is measured from its start, a fall backwards
    from its end. All are whole numbers: restarts are never found by a float logarithm.
    """
    edges, legs = [], []
    start, cycle, scale = 0, 0, 1
    while start <= farthest if cycles is None else cycle < cycles:
        rise, fall = (_stretched(half, scale, cycle) for half in (up, down))
        if rise > 0:
            edges.append(start)
            legs.append((start, rise, cycle))
        edges.append(start + rise)
        start += rise + fall
        legs.append((start, -fall, cycle))
        cycle += 1
        scale *= mult
    edges.append(start)
    legs.append((start, 1, cycle))  # the end, at base_lr; of endless cycles it is never reached
    return tuple(edges), tuple(legs)


def _stretched(half: int, scale: Any, cycle: int) -> int:
    """Return half a cycle's length, stretched, which must have an iteration left and a float."""
    if half == 0:
        return 0
    if half * scale > sys.float_info.max:
        raise ValueError(
            f"cycle_mult must leave every half cycle at most {sys.float_info.max:.3g} iterations:"
            f" got more in cycle {cycle + 1}"
        )
    length: int = round(half * scale)
    if length < 1:
        raise ValueError(
            f"cycle_mult must leave every half cycle at least 1 iteration:"
            f" got {half * scale:.3g} in cycle {cycle + 1}"
        )
    return length


@dataclass(frozen=True, eq=False, repr=False)
class Cyclical(_Cycle):
    """Cycle between *base_lr* and *max_lr*: every cyclical policy, by its parts.

    In iterations: a cycle rises for *step_size* and falls for *step_size_down* (the same
    unless given), again and again. With t in [0, 1] the time from the nearest base in halves,

        lr(i) = base_lr + (max_lr - base_lr) rise(t) peak_decay^cycle gamma^i

    where the cycle counts from 0, and the *shape* is one of

    ================  ==================  =======================
    "linear"          t                   the paper's triangle
    "cosine"          sin^2(pi t / 2)     Hann's window
    "parabolic"       1 - (1-t)^2         Welch's window
    "polynomial"      t^power
    "1-sqrt"          1 - sqrt(1-t)
    ================  ==================  =======================

    *peak_decay* is the factor on the amplitude from one cycle to the next, *gamma* from one
    iteration to the next; with ``decays="bounds"`` both bounds decline by gamma^i, not the
    amplitude alone. *cycle_mult* is the factor on the length from one cycle to the next: a
    whole number, or any with *cycles*, each half rounded to whole iterations. ``cycles=n``
    stops at the end of cycle n, at base_lr. Rates are at least 0 and base_lr at most max_lr,
    lengths whole and at least 1, gamma and peak_decay in (0, 1]; otherwise a `ValueError`
    names the argument.

        >>> cycle = Cyclical(1, 5, 4, step_size_down=6)
        >>> [round(cycle(i), 3) for i in range(11)]
        [1.0, 2.0, 3.0, 4.0, 5.0, 4.333, 3.667, 3.0, 2.333, 1.667, 1.0]
        >>> cycle = Cyclical(0, 1, 2, shape="parabolic", cycle_mult=2, cycles=2)
        >>> [cycle(i) for i in range(14)]
        [0.0, 0.75, 1.0, 0.75, 0.0, 0.4375, 0.75, 0.9375, 1.0, 0.9375, 0.75, 0.4375, 0.0, 0.0]

    arXiv 1506.01186, section 3, which found the windows equivalent. Use it for what the named
    policies leave out.
    """

    base_lr: float
    max_lr: float
    step_size: int
    _: KW_ONLY
    step_size_down: int | None = None
    shape: str = "linear"
    power: float = 1.0
    gamma: float = 1.0
    peak_decay: float = 1.0
    decays: str = "amplitude"
    cycle_mult: float = 1
    cycles: int | None = None

    def __post_init__(self) -> None:
        up = down = whole("step_size", self.step_size, at_least=1)
        if self.step_size_down is not None:
            down = whole("step_size_down", self.step_size_down, at_least=1)
        self._set(step_size=up, step_size_down=None if down == up else down)
        self._prepare(
            up,
            down,
            shape=self.shape,
            power=self.power,
            gamma=self.gamma,
            peak_decay=self.peak_decay,
            decays=self.decays,
        )
        self._set(power=number("power", self.power), gamma=number("gamma", self.gamma))

    @classmethod
    def fit(
        cls, base_lr: float, max_lr: float, iterations: int, cycles: int = 4, **arguments: Any
    ) -> Schedule:
        """Return this policy with training's end, at *iterations*, where a cycle ends.

        As the paper advises (section 3.2), which also finds 3 cycles good and 4 or more
        better. What is left over, fewer than *cycles* iterations, comes first, at base_lr.
        Further arguments are the policy's own. Fewer than two iterations a cycle raise a
        `ValueError`.

            >>> Triangular.fit(0.001, 0.006, iterations=1000)
            Triangular(base_lr=0.001, max_lr=0.006, step_size=125, cycles=4)
            >>> Triangular2.fit(0.001, 0.006, iterations=1002).cycle_ends(1002)
            [252, 502, 752, 1002]
        """
        return cls._fitted(base_lr, max_lr, iterations, cycles, **arguments)

    @classmethod
    def _of(cls, period: int, **arguments: Any) -> _Cycle:
        return cls(step_size=period // 2, step_size_down=period - period // 2, **arguments)


@dataclass(frozen=True, eq=False, repr=False)
class Triangular(Cyclical):
    """Rise linearly from *base_lr* to *max_lr* in *step_size* iterations, fall back, and repeat.

        cycle = floor(1 + i / (2 step_size))
        x     = |i / step_size - 2 cycle + 1|
        lr(i) = base_lr + (max_lr - base_lr) max(0, 1 - x)

    so base_lr at 0, max_lr at step_size, base_lr at 2 step_size. Further arguments are those
    of `Cyclical`. Rates are at least 0 and base_lr at most max_lr, step_size whole and at
    least 1, otherwise a `ValueError` names the argument.

        >>> schedule = Triangular(1, 5, 4)
        >>> [schedule(i) for i in range(11)]
        [1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 3.0, 2.0, 1.0, 2.0, 3.0]

    arXiv 1506.01186, section 3.1. Use it to find out whether cycling helps; the bounds come
    from a range test, the step size from `cyclr.step_size`.
    """

    gamma: float = field(default=1.0, init=False)
    peak_decay: float = field(default=1.0, init=False)
    decays: str = field(default="amplitude", init=False)


@dataclass(frozen=True, eq=False, repr=False)
class Triangular2(Cyclical):
    """`Triangular`, with the amplitude cut in half at the end of each cycle.

    lr(i) = base_lr + (max_lr - base_lr) max(0, 1 - x) / 2^(cycle - 1), with x and cycle as in
    `Triangular`. Further arguments are those of `Cyclical`. Errors are those of `Triangular`.

        >>> schedule = Triangular2(1, 5, 4)
        >>> [schedule(i) for i in (0, 4, 8, 12, 16, 20)]
        [1.0, 5.0, 1.0, 3.0, 1.0, 2.0]

    arXiv 1506.01186, section 3.1. Use it to train to the end: it explores first and settles
    later. Three of them, joined by `then` with bounds ten times lower each, are the paper's
    Table 2.
    """

    gamma: float = field(default=1.0, init=False)
    peak_decay: float = field(default=0.5, init=False)
    decays: str = field(default="amplitude", init=False)


@dataclass(frozen=True, eq=False, repr=False)
class ExpRange(Cyclical):
    """`Triangular`, declining by *gamma* at each iteration.

    lr(i) = base_lr + (max_lr - base_lr) max(0, 1 - x) gamma^i, with x as in `Triangular`: the
    amplitude declines, as in every port. ``decays="bounds"`` is the paper's wording, "each
    boundary value declines": lr(i) = (base_lr + (max_lr - base_lr) max(0, 1 - x)) gamma^i.
    *gamma* is in (0, 1]. Further arguments are those of `Cyclical`; errors as there.

        >>> schedule = ExpRange(1, 5, 2, gamma=0.5)
        >>> [schedule(i) for i in range(5)]
        [1.0, 2.0, 2.0, 1.25, 1.0]
        >>> schedule = ExpRange(1, 5, 2, gamma=0.5, decays="bounds")
        >>> [schedule(i) for i in range(5)]
        [1.0, 1.5, 1.25, 0.375, 0.0625]

    arXiv 1506.01186, section 3.1, where gamma is 0.99994 for 70,000 iterations. Use it in
    place of an exponential decay.
    """

    gamma: float = field(kw_only=False)
    peak_decay: float = field(default=1.0, init=False)


@dataclass(frozen=True, eq=False, repr=False)
class CosineRestarts(_Cycle):
    """Fall from *max_lr* to *base_lr* along half a cosine, restart at *max_lr*, and repeat: SGDR.

        lr = base_lr + (max_lr - base_lr) peak_decay^k (1 + cos(pi T_cur / T_k)) / 2

    k counts the restarts, T_cur the iterations since the last one, and cycle k lasts T_k =
    *first_cycle* *cycle_mult*^k iterations. base_lr is approached, and reached only where
    ``cycles=n`` ends the schedule. *cycle_mult* is a whole number, or any with *cycles*.
    *peak_decay*, in (0, 1], is the factor on the amplitude from one cycle to the next. Rates
    are at least 0 and base_lr at most max_lr, lengths whole and at least 1; otherwise a
    `ValueError` names the argument.

        >>> schedule = CosineRestarts(0.0, 1.0, 2, cycle_mult=2, peak_decay=0.5)
        >>> [round(schedule(i), 4) for i in range(7)]
        [1.0, 0.5, 0.5, 0.4268, 0.25, 0.0732, 0.25]

    arXiv 1608.03983, section 3. Use it with snapshots or weight averages, taken at
    `cycle_ends`.
    """

    base_lr: float
    max_lr: float
    first_cycle: int
    cycle_mult: float = 1
    peak_decay: float = 1.0
    cycles: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        first_cycle = whole("first_cycle", self.first_cycle, at_least=1)
        self._set(first_cycle=first_cycle)
        self._prepare(
            0,
            first_cycle,
            shape="cosine",
            power=1.0,
            gamma=1.0,
            peak_decay=self.peak_decay,
            decays="amplitude",
        )

    @classmethod
    def fit(
        cls, base_lr: float, max_lr: float, iterations: int, cycles: int = 4, **arguments: Any
    ) -> Schedule:
        """Return this policy with training's end, at *iterations*, where a cycle ends.

        As `Cyclical.fit`: equal cycles, what is left over comes first, at base_lr.

            >>> CosineRestarts.fit(0.001, 0.006, iterations=1000)
            CosineRestarts(base_lr=0.001, max_lr=0.006, first_cycle=250, cycles=4)
        """
        return cls._fitted(base_lr, max_lr, iterations, cycles, **arguments)

    @classmethod
    def _of(cls, period: int, **arguments: Any) -> _Cycle:
        return cls(first_cycle=period, **arguments)
