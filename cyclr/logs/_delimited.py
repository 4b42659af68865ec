"""Rows of fields with a delimiter between them: CSV, TSV and their like, with a header or not."""

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import takewhile

from cyclr.logs._columns import Columns, index_names
from cyclr.logs._errors import MalformedRow, UnusableLog
from cyclr.logs._fields import learning_rate, number, number_or_none, show

__all__ = ["Delimited"]

# In a tie the first wins: "1, 2" is split at its comma, not at its space.
DELIMITERS = {"\t": "TSV", ";": "CSV with semicolons", ",": "CSV", " ": "columns between spaces"}
COMMENT = "#"

Row = list[str]


class Delimited:
    """A table; the *head*, its first lines, tells its delimiter, its header and its columns."""

    def __init__(self, head: Sequence[str], columns: Columns) -> None:
        lines = [line for line in head if not line.startswith(COMMENT)]
        comments = [line.lstrip(COMMENT) for line in head if line.startswith(COMMENT)]
        self._delimiter = max(DELIMITERS, key=lambda delimiter: _fit(lines, delimiter))
        self.name = DELIMITERS[self._delimiter]
        table = _table(lines, self._delimiter)
        if not table:
            raise UnusableLog(
                f"no columns in {show(head[0])}; "
                "expected a learning rate and a loss in each row, such as 0.001,2.3"
            )
        self._decimal = _decimal(table, self._delimiter)
        self._header = self._find_header(table, comments, columns)
        if self._header:
            names = _stripped(self._header)
            self._lr, self._loss = columns.named(names)
        else:
            data = [self._numbers(row) for row in table if self._is_data(row)] or [[]]
            names = index_names(len(data[0]))
            alike = [row for row in data if len(row) == len(names)]
            self._lr, self._loss = columns.unnamed(alike)
        self._width = len(names)
        self.lr, self.loss = names[self._lr], names[self._loss]

    def pair(self, line: str) -> tuple[float, float] | None:
        """Return the learning rate and the loss of one line; `None`: a comment or the header."""
        if line.startswith(COMMENT):
            return None
        row = _split(line, self._delimiter)
        if row == self._header:  # as often as runs were appended
            return None
        if len(row) > self._width and any(map(str.strip, row[self._width :])):
            raise MalformedRow(f"{len(row)} fields where there should be {self._width}")
        if len(row) <= max(self._lr, self._loss):
            raise MalformedRow(f"only {len(row)} of {self._width} fields: {show(line)}")
        return (
            learning_rate(self.lr, row[self._lr], self._decimal),
            number(self.loss, row[self._loss], self._decimal),
        )

    def _find_header(self, table: list[Row], comments: list[str], columns: Columns) -> Row | None:
        """Return the row that names the columns, above the first that holds data."""
        titles = list(takewhile(lambda row: not any(map(self._is_number, row)), table))
        width = next((len(row) for row in table if self._is_data(row)), 0)
        # numpy.savetxt writes its header as a comment, below any others.
        notes = [row for row in _table(reversed(comments), self._delimiter) if len(row) == width]
        for row in titles + notes:
            with suppress(UnusableLog):
                columns.named(_stripped(row))
                return row
        return titles[0] if titles else None

    def _is_number(self, field: str) -> bool:
        return number_or_none(field, self._decimal) is not None

    def _is_data(self, row: Row) -> bool:
        return sum(map(self._is_number, row)) > 1

    def _numbers(self, row: Row) -> list[float | None]:
        return [number_or_none(field, self._decimal) for field in row]


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
    fields = (field for row in table for field in row)
    point = any("." in field and number_or_none(field) is not None for field in fields)
    return "." if delimiter == "," or point else ","
