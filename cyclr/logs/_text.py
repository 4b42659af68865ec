"""Text with names and numbers somewhere in its lines: ``lr=0.001 loss=2.3``, printed dicts."""

import re
from collections.abc import Mapping, Sequence

from cyclr.logs._columns import ABOUT, AVERAGED, HELD_OUT, TRAINED, Columns
from cyclr.logs._formats import LineFormat

__all__ = ["Text"]

LONGEST = 10_000  # characters of a line that are looked at

# What belongs to the word after it: "train loss", "learning rate".
FIRST = "|".join(sorted({"best", "global", "learning"} | ABOUT | AVERAGED | HELD_OUT | TRAINED))
# Each part begins where the one before can't go on: a line is searched in linear time.
FIELD = re.compile(
    rf"""
    (?: (?P<quote>['"]) (?P<quoted>[^'"]{{1,100}}) (?P=quote)
      | (?<![\w/.@-]) (?P<bare>(?:(?:{FIRST})[ ])?[a-z_][\w/.@-]*) )
    (?: \s*[:=]\s* | [ \t]+ )
    ['"(\[]{{0,3}} (?: [a-z_][\w.]{{0,40}}\( )? ['"\[]?     # 'loss': tensor(2.3), lr=[0.001]
    (?P<number> [-+]?(?: (?:\d+(?:\.\d*|,\d+)?|\.\d+)(?:e[-+]?\d+)? | nan | inf(?:inity)? ) )
    (?! [\w.] | ,\d )
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Text(LineFormat):
    """Lines in which a name stands before its number, amid whatever else."""

    def __init__(self, head: Sequence[str], columns: Columns) -> None:
        super().__init__(head, columns)
        numbers = [value for line in head for value in _fields(line).values()]
        self.decimal = "." if any("." in value for value in numbers) else ","
        dicts = any(found["quoted"] for line in head for found in FIELD.finditer(line[:LONGEST]))
        self.name = "text with dictionaries" if dicts else "text with names and numbers"

    @staticmethod
    def recognises(head: Sequence[str]) -> bool:
        """Return whether there are names and numbers."""
        return any(map(_fields, head))

    def row(self, record: str) -> Mapping[str, str] | None:
        """Return the fields of one line, the first of each name; `None`: there are none."""
        return _fields(record) or None


def _fields(line: str) -> dict[str, str]:
    """Return the numbers in *line* by name.

    >>> _fields("[3/9] train loss: 2.3 (2.4), lr=1e-3 {'epoch': '0.1', 'acc': tensor(0.5)}")
    {'train loss': '2.3', 'lr': '1e-3', 'epoch': '0.1', 'acc': '0.5'}
    """
    fields: dict[str, str] = {}
    for found in FIELD.finditer(line[:LONGEST]):
        fields.setdefault(found["quoted"] or found["bare"], found["number"])
    return fields
