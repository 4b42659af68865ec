"""Python numbers and the arrays of every library, behind the few names that a formula needs.

A formula is written once, with operators and the functions of a namespace `xp`. It starts with ::

    if type(i) is int and i >= 0:
        xp = numbers
    elif xp is None:
        return evaluate(self, i)

so that the usual call, a count of updates, pays two comparisons, and everything else comes back
from `evaluate` checked, or wrapped, with the namespace that goes with it. Nothing is imported: an
array can only reach us when its library has been imported already, so `sys.modules` has it.
"""

import functools
import math
import sys
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

__all__ = ["Lanes", "evaluate", "numbers", "unwrapping"]

BLOCK = 16_384
"""A long array of NumPy's is evaluated by so many at a time, which the processor's cache holds."""


class numbers:  # noqa: N801  (a namespace, like the array libraries it stands beside)
    """The functions of a formula, for Python's own numbers."""

    in_float32 = False
    in_blocks = False
    exp = staticmethod(math.exp)
    sin = staticmethod(math.sin)
    sqrt = staticmethod(math.sqrt)

    @staticmethod
    def where(condition: Any, x: Any, y: Any) -> Any:
        """Return x where the condition holds, otherwise y."""
        return x if condition else y

    @staticmethod
    def minimum(x: Any, limit: Any) -> Any:
        """Return x, but at most the limit, which is a Python number."""
        return x if x < limit else limit

    @staticmethod
    def clip(x: Any, low: Any, high: Any) -> Any:
        """Return x, but at least *low* and at most *high*, which are Python numbers."""
        return low if x < low else high if x > high else x

    @staticmethod
    def maximum(x: Any, limit: Any) -> Any:
        """Return x, but at least the limit, which is a Python number."""
        return x if x > limit else limit

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        """Return base ** exponent, for 0 < base < 1 and an exponent that may be huge."""
        try:
            return base**exponent
        except OverflowError:  # the exponent has no float, so the power has none above 0
            return 0.0

    @staticmethod
    def rise_of_fall(t: Any, power: Any) -> Any:
        """Return 1 - (1-t)^power, without the cancellation near 0."""
        if t < 0.5 and type(t) is float:
            return -math.expm1(power * math.log1p(-t))
        return 1 - (1 - t) ** power

    @staticmethod
    def pick(i: Any, edges: Sequence[int], values: Sequence[Any]) -> Any:
        """Return values[k], where k of the sorted edges are not after *i*."""
        return values[bisect_right(edges, i)]

    @staticmethod
    def call(function: Any, i: Any) -> Any:
        """Return what a function of the user's own gives."""
        return function(i)

    @staticmethod
    def leg(i: Any, edges: Sequence[int], legs: Sequence[tuple[int, Any, int]]) -> tuple[Any, Any]:
        """Return (i - origin) / length and the cycle, of the leg that *i* is in.

        A leg is (origin, length, cycle) and lasts from its edge to the next one.
        """
        origin, length, cycle = legs[bisect_right(edges, i) - 1]
        return (i - origin) / length, cycle


class Arrays:
    """The functions of a formula, for the arrays of one library and one kind of number.

    In `where`, an array comes first and a Python number second: TensorFlow's graphs take the
    type of the first.
    """

    def __init__(
        self,
        module: Any,
        constant: type[int] | type[float],
        largest: float,
        in_float32: bool,
        in_blocks: bool,
    ):
        self.constant = constant  # what a length becomes before the library sees it
        self.largest = largest  # the largest length that these arrays hold
        self.in_float32 = in_float32  # whether that is what a quotient of them is
        self.in_blocks = in_blocks  # whether a long one takes less time in parts
        more = module if hasattr(module, "expm1") else module.math  # TensorFlow's place for them
        self.sin = module.sin
        self.sqrt = module.sqrt
        self.exp = module.exp
        self.expm1 = more.expm1
        self.log1p = more.log1p
        self.where = module.where
        # NumPy's own take half the time. JAX's lose the gradient where a ramp ends, and torch's
        # take no numbers.
        of_numpy = module.__name__ == "numpy"
        self.least = module.minimum if of_numpy else self._least
        self.greatest = module.maximum if of_numpy else self._greatest

    def _least(self, x: Any, limit: Any) -> Any:
        return self.where(x < limit, x, limit)

    def _greatest(self, x: Any, limit: Any) -> Any:
        return self.where(x > limit, x, limit)

    def minimum(self, x: Any, limit: Any) -> Any:
        """Return x, but at most the limit, which is a Python number."""
        if not isinstance(x, Lanes):
            return self.least(x, limit)
        if limit > self.largest:
            return x
        return Lanes(self.least(x.array, self.constant(limit)), self)

    def maximum(self, x: Any, limit: Any) -> Any:
        """Return x, but at least the limit, which is a Python number."""
        if not isinstance(x, Lanes):
            return self.greatest(x, limit)
        if limit > self.largest:
            return Lanes(x.array * 0 / 1 + float(limit), self)
        return Lanes(self.greatest(x.array, self.constant(limit)), self)

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        """Return x, but at least *low* and at most *high*, which are Python numbers."""
        return self.minimum(self.maximum(x, low), high)

    def power(self, base: Any, exponent: Any) -> Any:
        """Return base ** exponent, for 0 < base < 1.

        In float32 a base like 0.99994 has lost what its power to 10^5 depends on, so that
        the logarithm is taken before; a power of two loses nothing.
        """
        exponent = exponent / 1
        if math.frexp(base)[0] == 0.5:
            return base**exponent
        return self.exp(exponent * math.log(base))

    def call(self, function: Any, i: "Lanes") -> Any:
        """Return what a function of the user's own gives."""
        return function(i.array)

    def rise_of_fall(self, t: Any, power: Any) -> Any:
        """Return 1 - (1-t)^power, without the cancellation near 0."""
        early = -self.expm1(power * self.log1p(-self.minimum(t, 0.5)))
        return self.where(t < 0.5, early, 1 - (1 - t) ** power)

    # The next two are chains of choices, not look-ups: they serve every library, traced or
    # not, and the edges that the integers can't hold are left out of them.

    def pick(self, i: "Lanes", edges: Sequence[int], values: Sequence[Any]) -> Any:
        """Return values[k], where k of the sorted edges are not after *i*."""
        value = i.array * 0 / 1 + values[0]
        for edge, other in zip(edges, values[1:], strict=True):
            if edge <= self.largest:
                value = self.where(i < edge, value, other)
        return value

    def leg(
        self, i: "Lanes", edges: Sequence[int], legs: Sequence[tuple[int, Any, int]]
    ) -> tuple[Any, Any]:
        """Return (i - origin) / length and the cycle, of the leg that *i* is in.

        The origin of the last leg may be out of reach; the excess is then added in floats.
        """
        origin = i.array * 0
        excess = length = cycle = origin / 1
        for edge, (o, n, k) in zip(edges, legs, strict=True):
            if edge <= self.largest:
                reached = min(o, self.largest)
                origin = self.where(i < edge, origin, self.constant(reached))
                excess = self.where(i < edge, excess, float(reached - o))
                length = self.where(i < edge, length, float(n))
                cycle = self.where(i < edge, cycle, float(k))
        return ((i.array - origin) / 1 + excess) / length, cycle


class Lanes:
    """An array of iterations, whose numbers behave as Python's do.

    Lengths that it can't hold, as 2^31 in JAX's int32, are never given to the library; a
    quotient is the library's own floating-point array.
    """

    __slots__ = ("array", "xp")

    def __init__(self, array: Any, xp: Arrays):
        self.array = array
        self.xp = xp

    def __mod__(self, n: int) -> "Lanes":
        return self if n > self.xp.largest else Lanes(self.array % self.xp.constant(n), self.xp)

    def __floordiv__(self, n: int) -> "Lanes":
        if n > self.xp.largest:
            return Lanes(self.array * 0, self.xp)
        return Lanes(self.array // self.xp.constant(n), self.xp)

    def __sub__(self, n: int) -> Any:
        if n > self.xp.largest:
            return -(n - self)
        return Lanes(self.array - self.xp.constant(n), self.xp)

    def __rsub__(self, n: int) -> Any:
        if n <= self.xp.largest:
            return Lanes(self.xp.constant(n) - self.array, self.xp)
        reached = int(self.xp.largest)
        return (reached - self.array) / 1 + float(n - reached)

    def __abs__(self) -> "Lanes":
        return Lanes(abs(self.array), self.xp)

    def __truediv__(self, n: float) -> Any:
        if self.xp.in_float32 and (n > 2**24 or n % 1 != 0):
            return self.array / 1 * (1 / n)  # float32 rounds n, too, and XLA takes its inverse
        if n > self.xp.largest:
            return self.array / 1 / float(n)
        return self.array / self.xp.constant(n)

    def __rtruediv__(self, n: int) -> Any:
        return float(n) / (self.array / 1)

    def __lt__(self, n: int) -> Any:
        if n > self.xp.largest:
            return self.array == self.array
        return self.array < self.xp.constant(n)


def evaluate(schedule: Any, iteration: Any) -> Any:
    """Return the value at a number, which is checked, or at an array, which is wrapped."""
    if _is_number(iteration):
        return schedule.at(_checked(iteration), numbers)
    lanes = iteration if isinstance(iteration, Lanes) else _wrapped(iteration)
    xp = lanes.xp
    if xp.in_blocks and lanes.array.size > BLOCK:
        return _in_blocks(schedule, lanes)
    if xp.in_float32:
        schedule = schedule._in_float32()
    return schedule.at(lanes, xp)


def _in_blocks(schedule: Any, lanes: "Lanes") -> Any:
    """Return the values, found part by part: what lies between stays in the cache."""
    numpy = sys.modules["numpy"]
    iterations = lanes.array.reshape(-1)
    values: Any = None
    for start in range(0, len(iterations), BLOCK):
        part = slice(start, start + BLOCK)
        value = evaluate(schedule, Lanes(iterations[part], lanes.xp))
        if values is None:
            values = numpy.empty(iterations.shape, numpy.result_type(value))
        values[part] = value
    return values.reshape(lanes.array.shape)


def unwrapping(formula: Any) -> Any:
    """Return a formula of the user's own, which takes a checked number or the array itself."""

    @functools.wraps(formula)
    def at(self: Any, i: Any, /) -> Any:
        if type(i) is not int or i < 0:
            i = i.array if isinstance(i, Lanes) else _checked(i) if _is_number(i) else i
        return formula(self, i)

    return at


def _is_number(iteration: Any) -> bool:
    """Tell whether it is one of Python's numbers."""
    return isinstance(iteration, (int, float)) or type(iteration).__module__ == "fractions"


def _wrapped(iteration: Any) -> "Lanes":
    """Return an array as the formulas take it; it is not looked into."""
    module = _module(iteration)
    numpy = sys.modules.get("numpy")
    in_blocks = numpy is not None and type(iteration) is numpy.ndarray
    dtype = str(iteration.dtype)
    if "float" in dtype:
        return Lanes(iteration, Arrays(module, float, math.inf, "float32" in dtype, in_blocks))
    if "int32" in dtype and "uint" not in dtype:
        largest = 2**31 - 1
    else:
        if "int64" not in dtype or "uint" in dtype:
            iteration = _widened(iteration, module)
        largest = 2**31 - 1 if "int32" in str(iteration.dtype) else 2**63 - 1
    # NumPy's would be found in vain, and takes as long as a step of the formula.
    in_float32 = not in_blocks and "float32" in str((iteration / 1).dtype)
    return Lanes(iteration, Arrays(module, int, largest, in_float32, in_blocks))


def _checked(iteration: Any) -> Any:
    """Return a Python number that can be an iteration."""
    if isinstance(iteration, bool):
        raise TypeError(f"iteration must be a number or an array: got {iteration}")
    if not 0 <= iteration < math.inf:
        raise ValueError(f"iteration must be finite and at least 0: got {iteration}")
    if isinstance(iteration, float):
        return float(iteration)  # NumPy's float64 is a float, too
    return iteration


def _widened(array: Any, module: Any) -> Any:
    """Return an array of small, unsigned or truth values with the library's own integers."""
    if hasattr(array, "astype"):
        return array.astype(int)
    if hasattr(array, "long"):
        return array.long()
    return module.cast(array, module.int64)


_MODULES = {
    "numpy": "numpy",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "jax": "jax.numpy",
    "jaxlib": "jax.numpy",
}


def _module(array: Any) -> Any:
    """Return the module whose functions take this array."""
    for base in type(array).__mro__:
        name = _MODULES.get(base.__module__.partition(".")[0])
        if name is not None:
            return sys.modules[name]
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    raise TypeError(
        f"iteration must be a number or an array: got {type(array).__name__}"
        "\n\nHint: [schedule(i) for i in iterations] or schedule(numpy.asarray(iterations))"
    )
