"""What every schedule is: a pure function of the iteration, held in a frozen value."""

import math
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from cyclr._arrays import unwrapping
from cyclr._checks import is_fraction, refuse, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cyclr.schedules.compose import Clipped, Mirrored, Scaled, Then

__all__ = ["Schedule", "ScheduleLike", "amplitude", "divisor", "folds", "settings"]

Array = TypeVar("Array")


class ScheduleLike(Protocol):
    """Anything that gives the value at an iteration: a schedule, or a function of one's own."""

    def __call__(self, iteration: int, /) -> Any:
        """Return the value at the iteration."""


class Schedule:
    """A pure function of the iteration: the same input always gives the same value.

    Iterations count optimizer updates from 0: a run of n updates uses ``schedule(0)`` to
    ``schedule(n - 1)``. A Python number gives a `float`; an array of NumPy, torch,
    TensorFlow or JAX gives an array of the same kind and shape, inside ``jit`` and the like
    too. (Float32 holds iterations and lengths up to 2^24: count longer runs in integers.)
    Parameters that are a `Fraction` give exact values, as `Fraction`.

    A schedule has no state, so that resuming a run needs one integer. It can be compared,
    hashed, copied, pickled, printed as code (`repr`, read back by `cyclr.parse`) and written
    as JSON (`to_dict`, read back by `cyclr.from_dict`).

    To define one, derive a frozen dataclass that knows its `lowest` and `highest` value, and
    write the formula in ``at(self, i)``, which gets the number, or the array, that the schedule
    is called with. It can then be composed as all others:

        >>> from dataclasses import dataclass
        >>> from cyclr import Schedule
        >>> @dataclass(frozen=True)
        ... class Harmonic(Schedule):
        ...     lr: float
        ...     lowest = 0.0
        ...
        ...     @property
        ...     def highest(self):
        ...         return self.lr
        ...
        ...     def at(self, i):
        ...         return self.lr / (1 + i)
        >>> schedule = Harmonic(0.5).warmup(2)
        >>> [schedule(i) for i in range(5)]
        [0.0, 0.25, 0.5, 0.25, 0.16666666666666666]
        >>> schedule
        Linear(start=0.0, end=0.5, iterations=2).then(Harmonic(lr=0.5))
    """

    lowest: float
    """The value that the schedule never falls below."""
    highest: float
    """The value that the schedule never exceeds."""
    _amplitude: Any

    def __init_subclass__(cls) -> None:
        # The formula is the call itself: a template method would cost as much again.
        formula = cls.__dict__.get("at")
        if formula is not None:
            ours = "xp" in signature(formula).parameters
            cls.__call__ = formula if ours else unwrapping(formula)  # type: ignore[method-assign]

    @overload
    def __call__(self, iteration: float, /) -> float: ...
    @overload
    def __call__(self, iteration: Array, /) -> Array: ...
    def __call__(self, iteration: Any, /) -> Any:
        """Return the value at the iteration, a number at least 0, or an array of them."""
        raise NotImplementedError(f"{type(self).__name__} has no formula: define at(self, i)")

    def tabulate(self, iterations: int | range) -> list[float]:
        """Return the values at the iterations 0 to *iterations* - 1, or at those of a range.

        The same as ``[schedule(i) for i in range(iterations)]``, and of many values in less
        than half the time. *iterations* is whole and at least 0, what is in a range too;
        otherwise a `ValueError` says so. Use it for a table or a picture of a whole run where
        there is no NumPy; ``schedule(numpy.arange(iterations))`` is faster still.

            >>> from cyclr import Triangular
            >>> Triangular(1, 5, step_size=4).tabulate(7)
            [1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 3.0]
            >>> Triangular(1, 5, step_size=4).tabulate(range(0, 17, 4))
            [1.0, 5.0, 1.0, 5.0, 1.0]
        """
        from cyclr.schedules.listing import listed

        if not isinstance(iterations, range):
            iterations = range(whole("iterations", iterations))
        return listed(self, iterations)

    @property
    def length(self) -> int | None:
        """The iterations until the schedule has come to its end; None if it is endless."""
        return None

    def cycle_ends(self, iterations: int) -> list[int]:  # noqa: ARG002
        """Return where cycles end, up to and including *iterations*.

        At the end of a cycle the learning rate is at its lowest: there one stops training,
        keeps a snapshot, or averages weights (arXiv 1506.01186, section 3.2).

            >>> from cyclr import Triangular
            >>> Triangular(0.001, 0.006, step_size=500).cycle_ends(3000)
            [1000, 2000, 3000]
        """
        return []

    def then(self, schedule: ScheduleLike, after: int | None = None) -> "Then":
        """Follow this schedule by another, each on its own clock.

        The value at i is ``self(i)`` for i < *after*, then ``schedule(i - after)``. *after*,
        in iterations, is the length of this schedule unless given; an endless one needs it.

            >>> from cyclr import Constant, Linear
            >>> schedule = Linear(0.0, 1.0, 10).then(Constant(0.5))
            >>> schedule(0), schedule(9), schedule(10)
            (0.0, 0.9, 0.5)
        """
        from cyclr.schedules.compose import Then

        return Then(self, schedule, after)

    def warmup(self, n: int, start: float = 0.0) -> "Then":
        """Go linearly from *start* to this schedule's first value in *n* iterations, then on.

        The same as ``Linear(start, self(0), n).then(self)``: this schedule begins after the
        warm-up and keeps its own clock, so that nothing of it is lost.

            >>> from cyclr import Constant
            >>> schedule = Constant(1.0).warmup(4)
            >>> [schedule(i) for i in range(6)]
            [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
        """
        from cyclr.schedules.ramps import Linear

        return Linear(start, self(0), n).then(self)

    def clip(self, low: float, high: float) -> "Clipped":
        """Return this schedule, kept between *low* and *high*.

        >>> from cyclr import Linear
        >>> schedule = Linear(1.0, 0.0, 10).clip(0.2, 0.8)
        >>> schedule(0), schedule(5), schedule(10)
        (0.8, 0.5, 0.2)
        """
        from cyclr.schedules.compose import Clipped

        return Clipped(self, low, high)

    def mirror(self, low: float, high: float) -> "Mirrored":
        """Return the inverse of this schedule between *low* and *high*.

        The value is high - (high - low) (a - lowest) / (highest - lowest), where a is this
        schedule's value: *high* where it is lowest and *low* where it is highest, as
        momentum is cycled against the learning rate (arXiv 1803.09820, section 4.2).

            >>> from cyclr import Triangular
            >>> momentum = Triangular(0.001, 0.006, step_size=4).mirror(0.85, 0.95)
            >>> momentum(0), round(momentum(2), 12), momentum(4)
            (0.95, 0.9, 0.85)
        """
        from cyclr.schedules.compose import Mirrored

        return Mirrored(self, low, high)

    def __mul__(self, factor: float) -> "Scaled":
        """Return this schedule, its values times a factor that is at least 0."""
        from cyclr.schedules.compose import Scaled

        return Scaled(self, factor)

    __rmul__ = __mul__
    __array_ufunc__ = None  # so that numpy.float64(0.1) * schedule is a schedule, too

    def plot(
        self,
        iterations: int | None = None,
        *,
        iterations_per_epoch: float | None = None,
        momentum: ScheduleLike | None = None,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the schedule over the iterations 0 to *iterations*, and return matplotlib's Axes.

        *iterations* are the schedule's length unless given, or enough to see what an endless one
        does. The arguments are those of `cyclr.plot`, which draws several schedules:
        *iterations_per_epoch* adds an axis of epochs, *momentum* a second curve, and *ax* is
        where to draw. Needs matplotlib, which ``cyclr[plot]`` brings.

            schedule.plot(20_000, iterations_per_epoch=391, momentum=schedule.mirror(0.85, 0.95))
        """
        from cyclr.plotting import plot

        return plot(
            self,
            iterations,
            iterations_per_epoch=iterations_per_epoch,
            momentum=momentum,
            ax=ax,
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a picture, and the code."""
        from cyclr.plotting.schedules import picture_of_schedules
        from cyclr.plotting.svg import COLUMNS, captioned

        return captioned(picture_of_schedules(self, columns=COLUMNS), repr(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the schedule as data that JSON can write; `cyclr.from_dict` reads it back.

        Arguments that have their default value are left out.

            >>> from cyclr import Linear
            >>> Linear(0.0, 1.0, 10).to_dict()
            {'cyclr': 1, 'schedule': 'Linear', 'start': 0.0, 'end': 1.0, 'iterations': 10}
        """
        from cyclr.schedules.text import to_dict

        return to_dict(self)

    # Equality is of the arguments, as a dataclass's would be; written here once, it need not be
    # generated for each policy, which was a tenth of `import cyclr`.

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not is_dataclass(self):
            return NotImplemented
        return arguments(self) == arguments(other)

    def __hash__(self) -> int:
        return hash(tuple(arguments(self).values())) if is_dataclass(self) else id(self)

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in settings(self).items())
        return f"{type(self).__name__}({given})"

    def __reduce__(self) -> Any:
        # A copy, and what a pickle brings back, is made anew from the arguments: what else a
        # version keeps is its own affair. Nor must __dict__ be asked for: it takes Python 3.11
        # and 3.12 twice as long to read the attributes of an object whose __dict__ was.
        return _made, (type(self), arguments(self))

    def _in_float32(self) -> "Schedule":
        """Return the schedule that float32 takes in place of this one: see `folds`."""
        return self

    def _set(self, **values: Any) -> None:
        """Set attributes in ``__post_init__``, where the value is not frozen yet."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


def _made(kind: type[Schedule], given: dict[str, Any]) -> Schedule:
    return kind(**given)


def _arguments(schedule: Schedule) -> Iterator[tuple[str, Field[Any]]]:
    """Yield the name of each argument, and the field that keeps it."""
    for field in fields(schedule):  # type: ignore[arg-type]  # every schedule is a dataclass
        if field.init:
            name = field.name.rstrip("_")  # `warmup` is also a method: see `InverseSqrt`
            yield name if hasattr(Schedule, name) else field.name, field


def arguments(schedule: Schedule) -> dict[str, Any]:
    """Return the arguments by name."""
    return {name: getattr(schedule, field.name) for name, field in _arguments(schedule)}


def settings(schedule: Schedule) -> dict[str, Any]:
    """Return the arguments that differ from their defaults, by name."""
    given = arguments(schedule)
    defaults = {name: field.default for name, field in _arguments(schedule)}
    return {
        name: value
        for name, value in given.items()
        if defaults[name] is MISSING or value != defaults[name]
    }


def amplitude(low: Any, high: Any) -> Any:
    """Return the amplitude for which low + amplitude is *high*, or a last bit above.

    The difference itself misses *high* in one case of fifty. With this one, the smaller of
    *high* and low + amplitude * x, for x from 0 to 1, begins at *low*, ends at *high*, is
    monotone and never outside, to the last bit.
    """
    difference = high - low
    if is_fraction(difference):
        return difference
    if math.isinf(difference):
        refuse("the highest value", "be finite times above the lowest", (low, high))
    while low + difference < high:
        difference = math.nextafter(difference, math.inf)
    return difference


def folds(height: Any, rise: Any) -> bool:
    """Tell whether float32 takes height / length as one number, folded into the length.

    base + x / (length / height) is rounded once less than base + height (x / length), which
    alone hits the peak to the last bit. A shape needs x / length itself, and the quotient
    must be a normal number of float32, whatever the length.
    """
    return rise is None and height > 1e-18


def divisor(length: int, *values: Any) -> Any:
    """Return a length to divide by: a `Fraction` if a value is one, so that it stays exact."""
    return next((type(value) for value in values if is_fraction(value)), float)(length)
