"""A field of a row as a number."""

import math
import re
import reprlib
from typing import Any

from cyclr.logs._errors import MalformedRow

__all__ = ["flat", "is_missing", "learning_rate", "number", "number_or_none", "show"]

MISSING = {"", "NA", "N/A", "None", "null"}
MOST, DEEPEST = 1000, 8  # fields of a row, and levels that they are nested in
LONGEST = 8  # items of a list whose items are fields: a longer one is a history, and no field
# C's own words for what is no number, of different libraries.
NAN = re.compile(r"-?(nan\(\w*\)|1\.#(qnan|snan|ind)\d*)", re.IGNORECASE)

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
    if field is None:
        raise MalformedRow(f"{column} is missing")
    if field == "":
        raise MalformedRow(f"{column} is empty")
    if isinstance(field, (str, int, float)) and not isinstance(field, bool):
        try:
            return float(field)
        except (ValueError, OverflowError):
            if isinstance(field, str) and NAN.fullmatch(field):
                return math.nan
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


def is_missing(field: Any) -> bool:
    """Return whether there is nothing in *field*, as loggers have it."""
    return field is None or (isinstance(field, str) and field.strip() in MISSING)


def flat(row: dict[str, Any], depth: int = DEEPEST) -> dict[str, Any]:
    """Return *row* with what is nested in it, in *depth* levels, as fields of its own.

    >>> flat({"loss": 2.5, "optimizer": {"lr": [0.1, 0.01]}})
    {'loss': 2.5, 'optimizer.lr.0': 0.1, 'optimizer.lr.1': 0.01}
    """
    if not depth or not any(isinstance(value, (dict, list)) for value in row.values()):
        return row
    fields: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, list) and len(value) <= LONGEST:
            value = {str(index): item for index, item in enumerate(value)}
        if isinstance(value, dict):
            fields |= {f"{name}.{inner}": v for inner, v in flat(value, depth - 1).items()}
        elif not isinstance(value, list):
            fields[name] = value
        if len(fields) > MOST:
            break
    return fields
