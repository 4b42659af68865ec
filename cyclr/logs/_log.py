"""A log, row after row: recognise its format, yield its pairs, report what is wrong."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

from cyclr._checks import choice, whole
from cyclr.logs._columns import METRICS, Columns
from cyclr.logs._delimited import Delimited
from cyclr.logs._errors import BadRow, MalformedRow, UnusableLog
from cyclr.logs._json_lines import JsonLines
from cyclr.logs._lines import numbered_lines

__all__ = ["Log", "read_log"]

HEAD = 100  # lines, from which the format and the columns are told


class Format(Protocol):
    """How the lines of a log are read; made from its first lines and the columns asked for."""

    name: str
    lr: str
    loss: str

    def pair(self, line: str) -> tuple[float, float] | None:
        """Return the learning rate and the loss of *line*, or `None` if it is not a row."""


class Log(Iterator[tuple[float, float]]):
    """A log being read: iterate over it, once, for its pairs (lr, loss).

    ``name`` is the file's, ``format`` what it was taken for, ``lr`` and ``loss`` name the columns
    read; ``rows`` and ``skipped`` count the pairs yielded and the malformed rows so far.
    """

    def __init__(
        self,
        name: str,
        form: Format,
        lines: Iterator[tuple[int, str]],
        on_bad_row: Callable[[BadRow], object] | None,
    ) -> None:
        self.name, self.format, self.lr, self.loss = name, form.name, form.lr, form.loss
        self.rows = self.skipped = 0
        self._form, self._lines, self._on_bad_row = form, lines, on_bad_row
        self._first_bad: BadRow | None = None

    def __next__(self) -> tuple[float, float]:
        for number, line in self._lines:
            if (pair := self._pair(number, line)) is not None:
                self.rows += 1
                return pair
        self._end()
        raise StopIteration

    def _pair(self, number: int, line: str) -> tuple[float, float] | None:
        try:
            return self._form.pair(line)
        except MalformedRow as error:
            row = BadRow(self.name, number, str(error))
        self.skipped += 1
        self._first_bad = self._first_bad or row
        if self._on_bad_row:
            self._on_bad_row(row)
        return None

    def _end(self) -> None:
        first, self._first_bad = self._first_bad, None
        if not self.rows:
            why = f"line {first.line}: {first.reason}" if first else "no row below the header"
            raise UnusableLog(
                f"{self.name}: no usable row (read as {self.format}, "
                f"lr from {self.lr!r}, loss from {self.loss!r}): {why}"
            )
        if first and not self._on_bad_row:
            warnings.warn(
                f"skipped {self.skipped} of {self.rows + self.skipped} rows, the first: {first}",
                stacklevel=3,
            )


def read_log(
    path: str | os.PathLike[str],
    *,
    lr: str | int | None = None,
    loss: str | int | None = None,
    metric: str = "loss",
    on_bad_row: Callable[[BadRow], object] | None = None,
) -> Log:
    r"""Open the log of a range test, to be iterated over for its pairs (lr, loss).

    *path* is a file of CSV, TSV or JSON Lines, which is told by content; ``-`` is standard input.
    *lr* and *loss* are columns, by name or by index from 0; without them the learning rate is
    looked for by its usual names (lr, learning_rate, lr-SGD, ...), and so is the loss (loss,
    train_loss, train/loss, ...; a validation loss only where there is no other). With
    ``metric="accuracy"`` it is an accuracy that *loss* names or that is looked for.

    The file is read as the pairs are taken, in constant memory. A malformed row is skipped,
    counted in ``skipped`` and given to *on_bad_row*; where that is missing, a warning at the end
    says how many rows were skipped. A loss of NaN or infinity is a value.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "log.csv")
    ...     _ = path.write_text("step,lr,loss\n0,1e-4,2.3\n1,1e-3,oops\n2,1e-2,nan\n")
    ...     list(read_log(path, on_bad_row=lambda row: print(row.line, row.reason)))
    3 loss is not a number: 'oops'
    [(0.0001, 2.3), (0.01, nan)]

    A file in which there is nothing to read raises `UnusableLog`, a `ValueError` that says what was
    found and what was expected: here, or at the end of the rows. A file that can't be opened raises
    `OSError`.

    Use it to give a log of your own to `analyze`.
    """
    columns = Columns(_column("lr", lr), _column("loss", loss), choice("metric", metric, METRICS))
    standard_input = path == "-"
    name = "<stdin>" if standard_input else os.fspath(path)
    lines = filter(_is_not_blank, numbered_lines(None if standard_input else Path(path)))
    head = list(islice(lines, HEAD))
    try:
        form = _recognise([line for _, line in head], columns)
    except UnusableLog as error:
        raise UnusableLog(f"{name}: {error}") from None
    return Log(name, form, chain(head, lines), on_bad_row)


def _is_not_blank(numbered: tuple[int, str]) -> bool:
    return bool(numbered[1].strip())


def _column(option: str, column: str | int | None) -> str | int | None:
    if column is None or isinstance(column, str):
        return column
    return whole(option, column)


def _recognise(head: Sequence[str], columns: Columns) -> Format:
    if not head:
        raise UnusableLog("nothing in it; expected rows of a learning rate and a loss")
    if any("\0" in line for line in head):
        raise UnusableLog("not a text file; expected CSV, TSV or JSON Lines")
    return JsonLines(head, columns) if JsonLines.recognises(head) else Delimited(head, columns)
