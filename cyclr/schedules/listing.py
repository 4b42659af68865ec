"""Listing: the values at many iterations, without an array library.

A formula is run once, on a symbol in place of the iteration, as JAX would trace it. What comes
of it is written as one list comprehension, which knows the constants and calls no formula: half
the time of a closure's, or less, and the very same values.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from cyclr._arrays import Lanes, numbers

__all__ = ["listed"]

FEW = 4096
"""Up to so many values it takes longer to write the comprehension than to call the formula."""

DEEPEST, FARTHEST = 50, 2**63
"""How deep a symbol may nest, for Python's parser; and the last iteration that powers take."""


def listed(formula: Callable[[Any], Any], iterations: range) -> list[Any]:
    """Return the formula's value at each of the iterations."""
    if len(iterations) > FEW and max(iterations[0], iterations[-1]) < FARTHEST:
        formula(min(iterations[0], iterations[-1]))  # which is checked there, if anywhere
        try:
            value = formula(Symbol("i"))
        except Exception:  # a formula of the user's own that looks into its argument
            value = None
        if isinstance(value, Symbol) and value.depth <= DEEPEST:
            return _comprehension(value)(iterations)
    return [formula(i) for i in iterations]


def _operation(sign: str) -> Any:
    return lambda self, other: Symbol(sign, self, other)


def _reflected(sign: str) -> Any:
    return lambda self, other: Symbol(sign, other, self)


class Symbol(Lanes):
    """What is still to be computed: a kind of operation, and what it is done to."""

    __slots__ = ("depth", "kind", "operands")

    def __init__(self, kind: str, *operands: Any):
        self.kind, self.operands = kind, operands
        self.depth: int = 1 + max((o.depth for o in operands if isinstance(o, Symbol)), default=0)
        self.array, self.xp = self, symbols  # type: ignore[assignment]  # as `Lanes` has them

    __add__, __radd__ = _operation("+"), _reflected("+")
    __sub__, __rsub__ = _operation("-"), _reflected("-")
    __mul__, __rmul__ = _operation("*"), _reflected("*")
    __truediv__, __rtruediv__ = _operation("/"), _reflected("/")
    __pow__, __rpow__ = _operation("**"), _reflected("**")
    __floordiv__, __mod__ = _operation("//"), _operation("%")
    __lt__, __gt__ = _operation("<"), _operation(">")

    def __abs__(self) -> "Symbol":
        return Symbol("call", abs, self)

    def _unknown(self, *_: object) -> NoReturn:
        raise TypeError("what a symbol stands for is not known")

    __bool__ = __eq__ = __ne__ = __int__ = __float__ = __index__ = _unknown
    __hash__ = object.__hash__


class symbols(numbers):  # noqa: N801  (a namespace, as `numbers` is)
    """The functions of a formula, for symbols."""

    largest = float("inf")

    @staticmethod
    def where(condition: Any, x: Any, y: Any) -> Any:
        """Return x where the condition holds, otherwise y."""
        return Symbol("where", condition, x, y)

    @staticmethod
    def minimum(x: Any, limit: Any) -> Any:
        """Return x, but at most the limit."""
        return Symbol("where", x < limit, x, limit)

    @staticmethod
    def maximum(x: Any, limit: Any) -> Any:
        """Return x, but at least the limit."""
        return Symbol("where", x > limit, x, limit)

    @staticmethod
    def clip(x: Any, low: Any, high: Any) -> Any:
        """Return x, but at least *low* and at most *high*."""
        return Symbol("where", x < low, low, symbols.minimum(x, high))

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        """Return base ** exponent."""
        return Symbol("**", base, exponent)

    @staticmethod
    def pick(i: Any, edges: Sequence[int], values: Sequence[Any]) -> Any:
        """Return values[k], where k of the sorted edges are not after *i*."""
        return (
            Symbol("item", values, Symbol("call", bisect_right, edges, i)) if edges else values[0]
        )

    @staticmethod
    def leg(i: Any, edges: Sequence[int], legs: Sequence[tuple[int, Any, int]]) -> tuple[Any, Any]:
        """Return (i - origin) / length and the cycle, of the leg that *i* is in."""
        leg = Symbol("item", legs, Symbol("call", bisect_right, edges, i) - 1)
        origin, length, cycle = (Symbol("item", leg, k) for k in range(3))
        return (i - origin) / length, cycle


def _calling(function: Any) -> Any:
    return staticmethod(lambda *operands: Symbol("call", function, *operands))


for _name in ("exp", "sin", "sqrt", "rise_of_fall", "call"):
    setattr(symbols, _name, _calling(getattr(numbers, _name)))


def _comprehension(value: Symbol) -> Callable[[range], list[Any]]:
    """Return the function that lists a symbol's value for each i."""
    code = _Code(value)
    return _compiled(code.text, tuple(code.constants))(*code.constants.values())  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def _compiled(text: str, constants: tuple[str, ...]) -> Any:
    """Return what makes the comprehension from its constants; policies of a kind share it."""
    made: dict[str, Any] = {}
    exec(
        f"def make({', '.join(constants)}):\n"
        f"    return lambda iterations: [{text} for i in iterations]",
        made,
    )
    return made["make"]


class _Code:
    """The text of a symbol; what is used twice is given a name where it is first computed."""

    def __init__(self, value: Symbol):
        self.constants: dict[str, Any] = {}
        self._names = 0
        self._uses: dict[int, int] = {}
        self._count(value)
        self.text = self._written(value, {})

    def _count(self, value: Any) -> None:
        if isinstance(value, Symbol):
            self._uses[id(value)] = self._uses.get(id(value), 0) + 1
            if self._uses[id(value)] == 1:
                for operand in value.operands:
                    self._count(operand)

    def _written(self, value: Any, known: dict[int, str]) -> str:
        """Return the text, where the values that are *known* have a name already."""
        if not isinstance(value, Symbol):
            name = f"c{len(self.constants)}"
            self.constants[name] = value
            return name
        if value.kind == "i":
            return "i"
        if id(value) in known:
            return known[id(value)]
        first, *rest = value.operands
        text = self._written(first, known)
        if value.kind == "where":
            # What only one of two branches names is not known after them.
            yes, no = (self._written(branch, dict(known)) for branch in rest)
            text = f"({yes} if {text} else {no})"
        else:
            others = [self._written(operand, known) for operand in rest]
            if value.kind == "call":
                text = f"{text}({', '.join(others)})"
            elif value.kind == "item":
                text = f"{text}[{others[0]}]"
            else:
                text = f"({text} {value.kind} {others[0]})"
        if self._uses[id(value)] > 1:
            known[id(value)] = f"t{self._names}"
            self._names += 1
            text = f"({known[id(value)]} := {text})"
        return text
