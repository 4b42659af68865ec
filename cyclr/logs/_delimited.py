"""Rows of fields with a delimiter between them: CSV, TSV and their like, with a header or not."""

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import takewhile

from cyclr.logs._columns import Columns, index_names
from cyclr.logs._errors import MalformedRow, UnusableLog
from cyclr.logs._fields import number_or_none, show
from cyclr.logs._formats import LineFormat

__all__ = ["Delimited"]

# In a tie the first wins: "1, 2" is split at its comma, not at its space.
DELIMITERS = {"\t": "TSV", ";": "CSV with semicolons", ",": "CSV", " ": "columns between spaces"}
IN_FIELDS = "+-._\"'"  # no delimiters
COMMENT = "#"
ENOUGH = 100  # lines, to tell them

Row = list[str]


class Delimited(LineFormat):
    """A table; the *head* tells its delimiter, its decimal mark and its header."""

    @staticmethod
    def recognises(head: Sequence[str]) -> bool:
        """Return whether it is worth trying: nothing tells without."""
        return bool(head)

    def __init__(self, head: Sequence[str], columns: Columns) -> None:
        head = head[:ENOUGH]
        lines = [line for line in head if not line.startswith(COMMENT)]
        comments = [line.lstrip(COMMENT) for line in head if line.startswith(COMMENT)]
        others = dict.fromkeys(c for line in lines[-1:] for c in line if _may_delimit(c))
        self._delimiter = max([*DELIMITERS, *others], key=lambda mark: _fit(lines, mark))
        self.name = DELIMITERS.get(self._delimiter, f"CSV with {self._delimiter!r}")
        table = _table(lines, self._delimiter)
        self.decimal = _decimal(table, self._delimiter)
        data = [row for row in table if self._is_data(row)]
        width = len(data[0]) if data else 0
        self._header = self._find_header(table, comments, columns, width)
        if not data and not self._header:
            raise UnusableLog(
                f"no learning rate and loss in {show(head[0])}; expected rows of CSV such as "
                "0.001,2.3, JSON, text such as lr=0.001 loss=2.3 or TensorBoard's event files"
            )
        self.names = _stripped(self._header) if self._header else index_names(width)

    def row(self, record: str) -> Row | None:
        """Return the fields of one line; `None`: a comment or the header."""
        if record.startswith(COMMENT):
            return None
        row = _split(record, self._delimiter)
        if row == self._header:  # as often as runs were appended
            return None
        width = len(self.names)
        if len(row) > width and any(map(str.strip, row[width:])):
            raise MalformedRow(f"{len(row)} fields where there should be {width}")
        return row

    def _find_header(
        self, table: list[Row], comments: list[str], columns: Columns, width: int
    ) -> Row | None:
        """Return the row that names the columns, above the first with data, which has *width*."""
        titles = list(takewhile(lambda row: not any(map(self._is_number, row)), table))
        # numpy.savetxt writes its header as a comment, below any others.
        notes = [row for row in _table(reversed(comments), self._delimiter) if len(row) == width]
        for row in titles + notes:
            with suppress(UnusableLog):
                columns.named(_stripped(row))
                return row
        return titles[0] if titles and width else None

    def _is_number(self, field: str) -> bool:
        return number_or_none(field, self.decimal) is not None

    def _is_data(self, row: Row) -> bool:
        return sum(map(self._is_number, row)) > 1


def _stripped(row: Row) -> Row:
    return [field.strip() for field in row]


def _split(line: str, delimiter: str) -> Row:
    """Return the fields of one line.

    Line by line, since a quotation mark that is never closed must not swallow the rest of a file.

    >>> _split('1;"a; b"; 2', ";"), _split(" 1   2", " ")
    (['1', 'a; b', '2'], ['1', '2'])
    """
    if delimiter == " ":
        line = " ".join(line.split())
    if '"' not in line:
        return line.split(delimiter)
    try:
        reader = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
        return next(reader)
    except csv.Error as error:
        raise MalformedRow(f"not a row of fields: {error}") from None


def _table(lines: Iterable[str], delimiter: str) -> list[Row]:
    """Return those of *lines* that are rows of two fields or more."""
    rows = []
    for line in lines:
        with suppress(MalformedRow):
            rows.append(_split(line, delimiter))
    return [row for row in rows if len(row) > 1]


def _fit(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Return how well *delimiter* splits *lines*: into how many rows, how much of it numbers."""
    table = _table(lines, delimiter)
    fields = [field for row in table for field in row]
    decimal = "." if delimiter == "," else ","
    numbers = sum(number_or_none(field, decimal) is not None for field in fields)
    return len(table), 2 * numbers - len(fields)


def _decimal(table: list[Row], delimiter: str) -> str:
    """Return the decimal mark: a comma, where nothing speaks against it."""
    fields = [field for row in table for field in row]
    point = any("." in field and number_or_none(field) is not None for field in fields)
    # Between commas, only quotation marks can hold one: "0,001","2,5".
    comma = any("," in field and number_or_none(field, ",") is not None for field in fields)
    return "." if point or (delimiter == "," and not comma) else ","


def _may_delimit(character: str) -> bool:
    return not character.isalnum() and character not in IN_FIELDS and character not in DELIMITERS
