"""A field of a row as a number."""

import math
import reprlib
from typing import Any

from cyclr.logs._errors import MalformedRow

__all__ = ["learning_rate", "number", "number_or_none", "show"]

_short = reprlib.Repr()
_short.maxstring = 60


def show(value: object) -> str:
    """Return a short `repr` of what a file holds: safe to print, whatever it is."""
    return _short.repr(value)


def number(column: str, field: Any, decimal: str = ".") -> float:
    """Return *field*, a JSON value or text, as a float; "nan" and "inf" are numbers.

    >>> number("loss", "2,5", decimal=",")
    2.5
    """
    if isinstance(field, str):
        field = field.strip()
        if decimal != ".":
            field = field.replace(decimal, ".")
    if field is None or field == "":
        raise MalformedRow(f"{column} is empty")
    if isinstance(field, (str, int, float)) and not isinstance(field, bool):
        try:
            return float(field)
        except (ValueError, OverflowError):
            pass
    raise MalformedRow(f"{column} is not a number: {show(field)}")


def number_or_none(field: Any, decimal: str = ".") -> float | None:
    """Return *field* as a float, `None` when it is not a number."""
    try:
        return number("", field, decimal)
    except MalformedRow:
        return None


def learning_rate(column: str, field: Any, decimal: str = ".") -> float:
    """Return *field* as a learning rate: a number, finite, not negative."""
    value = number(column, field, decimal)
    if not 0 <= value < math.inf:
        raise MalformedRow(f"{column} is not a learning rate: {show(field)}")
    return value
