"""What a format is: a log is cut into records, and a record read as a row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from cyclr.logs._columns import Columns
from cyclr.logs._lines import Line

__all__ = ["Format", "LineFormat", "Row"]

Row = Mapping[str, Any] | Sequence[str]
"""Fields by the name of their column, or in the order of the format's `names`."""


class Format(Protocol):
    """How a log is read.

    ``name`` is what a user is told that the log was taken for; ``names`` are those of the columns
    where a header gives them, otherwise the rows name their fields; ``decimal`` is the mark in
    numbers that are text.
    """

    name: str
    names: Sequence[str]
    decimal: str

    def records(self, data: Iterator[Any], /) -> Iterator[tuple[int, Any] | None]:
        """Yield the numbered records in *data*: the lines of a text, the bytes of another file.

        `None` in either says that there is no more at present.
        """
        raise NotImplementedError

    def row(self, record: Any) -> Row | None:
        """Return the fields of one record; `None` if there are none in it."""


class LineFormat(Format):
    """A format whose records are lines; made from the first of them and the columns asked for."""

    names: Sequence[str] = ()
    decimal = "."

    @staticmethod
    def recognises(head: Sequence[str]) -> bool:
        """Return whether the *head*, the first lines of a log, looks like this format."""
        raise NotImplementedError

    def __init__(self, head: Sequence[str], columns: Columns) -> None: ...

    def records(self, lines: Iterable[Line | None], /) -> Iterator[tuple[int, Any] | None]:
        """Yield the records of *lines*, numbered."""
        for line in lines:
            if line is None or line[0]:  # what a line has too much is no line
                yield line
