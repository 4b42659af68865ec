"""Checks of arguments, all with one grammar: ``step_size must be at least 1: got 0``.

Every message names the argument, the rule and the value. A wrong kind of thing is a
`TypeError`, a wrong value a `ValueError`.
"""

import math
import numbers
from collections.abc import Collection
from typing import Any, NoReturn

__all__ = ["choice", "is_fraction", "number", "refuse", "whole"]


def is_fraction(value: object) -> bool:
    """Tell a `Fraction`, without the cost of importing it for everybody."""
    return isinstance(value, numbers.Rational) and not isinstance(value, numbers.Integral)


def refuse(name: str, rule: str, value: object, error: type[Exception] = ValueError) -> NoReturn:
    """Raise *error*, saying that the argument *name* must keep to the *rule*.

    >>> refuse("step_size", "be at least 1", 0)
    Traceback (most recent call last):
    ValueError: step_size must be at least 1: got 0
    """
    raise error(f"{name} must {rule}: got {value!r}") from None


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Any:
    """Return *value* as a finite `float`; a `Fraction` stays one.

    >>> number("max_lr", 1, above=0)
    1.0
    >>> number("max_lr", 0, above=0)
    Traceback (most recent call last):
    ValueError: max_lr must be above 0: got 0
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        refuse(name, "be a number", value, TypeError)
    result: Any = value
    if not is_fraction(value):
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
        if not math.isfinite(result):
            refuse(name, "be finite", value)
    if above is not None and not result > above:
        refuse(name, f"be above {above}", value)
    if at_least is not None and not result >= at_least:
        refuse(name, f"be at least {at_least}", value)
    if below is not None and not result < below:
        refuse(name, f"be below {below}", value)
    if at_most is not None and not result <= at_most:
        refuse(name, f"be at most {at_most}", value)
    return result


def whole(name: str, value: Any, *, at_least: int = 0) -> int:
    """Return *value* as an `int`; 2000.0 is a whole number, 2.5 is not.

    >>> whole("step_size", 2000.0)
    2000
    >>> whole("step_size", 2.5)
    Traceback (most recent call last):
    ValueError: step_size must be a whole number: got 2.5
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        refuse(name, "be a whole number", value, TypeError)
    number: Any = value
    if number != number or abs(number) == math.inf or number != int(number):
        refuse(name, "be a whole number", value)
    if number < at_least:
        refuse(name, f"be at least {at_least}", value)
    return int(number)


def choice(name: str, value: Any, choices: Collection[str]) -> str:
    """Return *value*, which must be one of the *choices*.

    >>> choice("shape", "round", ("linear", "cosine"))
    Traceback (most recent call last):
    ValueError: shape must be one of 'linear', 'cosine': got 'round'
    """
    if not isinstance(value, str):
        refuse(name, "be a string", value, TypeError)
    if value not in choices:
        refuse(name, "be one of " + ", ".join(map(repr, choices)), value)
    return value
