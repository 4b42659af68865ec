"""A log, row after row: yield its pairs, report what is wrong."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cyclr._checks import choice, whole
from cyclr.logs._columns import METRICS, Columns
from cyclr.logs._errors import BadRow, MalformedRow, UnusableLog
from cyclr.logs._recognition import Reading, Records, recognised
from cyclr.logs._sources import Source, sources_of

__all__ = ["Log", "read_log"]


class Log(Iterator[tuple[float, float]]):
    """A log being read: iterate over it, once, for its pairs (lr, loss).

    ``name`` is the file's, ``format`` what it was taken for, ``lr`` and ``loss`` name the columns
    read. So far, ``rows`` pairs were yielded, ``skipped`` rows were malformed and ``others`` had
    neither (those of a validation, say); ``progress`` is the part of the file that was read.
    """

    def __init__(
        self,
        name: str,
        sources: Sequence[Source],
        reading: Reading,
        records: Records,
        on_bad_row: Callable[[BadRow], object] | None,
    ) -> None:
        self.name, self.format, self.lr, self.loss = name, reading.name, reading.lr, reading.loss
        self.rows = self.skipped = 0
        self._sources, self._reading, self._records = sources, reading, records
        self._on_bad_row = on_bad_row
        self._first_bad: BadRow | None = None
        self._line = 0
        self._ended = False

    def __next__(self) -> tuple[float, float]:
        try:
            for record in self._records:
                if record and (pair := self._pair(*record)) is not None:
                    self.rows += 1
                    return pair
        except UnusableLog as error:
            raise type(error)(f"{self.name}: {error}") from None
        if not self._ended:
            self._ended = True
            self._end()
        raise StopIteration

    @property
    def others(self) -> int:
        """How many rows had neither a learning rate nor a loss."""
        return self._reading.others

    @property
    def progress(self) -> float | None:
        """From 0 to 1; `None` where the size is not known."""
        if not all(source.size for source in self._sources):
            return None
        size = sum(source.size or 0 for source in self._sources)
        return min(sum(source.position for source in self._sources) / size, 1.0)

    def read_as(self, metric: str = "loss") -> str:
        """Return in words what the log was taken for, and what was read in it so far."""
        others = f", {self.others} rows with neither" if self.others else ""
        columns = f"lr in {self.lr!r}, {metric} in {self.loss!r}"
        return f"{self.rows} rows of {self.format}, {columns}{others}"

    def _pair(self, line: int, record: Any) -> tuple[float, float] | None:
        self._line = line
        try:
            return self._reading.pair(record)
        except MalformedRow as error:
            self._skip(str(error))
            return None

    def _skip(self, reason: str) -> None:
        row = BadRow(self.name, self._line, reason)
        self.skipped += 1
        self._first_bad = self._first_bad or row
        if self._on_bad_row:
            self._on_bad_row(row)

    def _end(self) -> None:
        for source in self._sources:
            if source.broken:
                self._skip(source.broken)
        first = self._first_bad
        if not self.rows:
            if first:
                why = f"line {first.line}: {first.reason}"
            elif self._reading.step:
                why = "no two belong to the same step"
            else:
                why = "no row holds both" if self.others else "no row below the header"
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
    follow: bool = False,
) -> Log:
    r"""Open the log of a range test, to be iterated over for its pairs (lr, loss).

    *path* is a file, whose format is told by content:

    - CSV, TSV and their like, with any delimiter, a decimal comma, a header or none: Keras's
      CSVLogger writes it, and Lightning's, whose rows have gaps
    - JSON Lines, and JSON: a list of objects or an object of lists, somewhere in it, such as a
      dumped history or Hugging Face's trainer_state.json
    - text with names and numbers in its lines: ``lr=0.001 loss=2.3``, or printed dictionaries
    - the log of Caffe's solver
    - TensorBoard's event files, if the package tensorboard is there (``cyclr[tensorboard]``); so
      is the folder that they are in

    It may be packed by gzip or zip: of several logs in a zip archive (or a folder) one is named as
    ``runs.zip/metrics.csv``. ``-`` is standard input.

    *lr* and *loss* are columns, by name or by index from 0; what is nested is named as
    ``optimizer.lr``. Without them the learning rate is looked for by its usual names (lr,
    learning_rate, lr-SGD, ...), and so is the loss (loss, train_loss, train/loss, ...; a validation
    loss only where there is no other). With ``metric="accuracy"`` it is an accuracy that *loss*
    names or that is looked for. Where they are in rows of their own, those of the same step belong
    together.

    The file is read as the pairs are taken, in constant memory, and never written to. A malformed
    row is skipped, counted in ``skipped`` and given to *on_bad_row*; where that is missing, a
    warning at the end says how many rows were skipped. A loss of NaN or infinity is a value.
    With *follow* the pairs go on as the file grows, until the loop over them is left.

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
    path = os.fspath(path)
    name = "<stdin>" if path == "-" else path
    sources: Sequence[Source] = ()
    try:
        sources = sources_of(path, follow=follow)
        reading, records = recognised(sources, columns)
    except UnusableLog as error:
        broken = "".join(f" ({source.broken})" for source in sources if source.broken)
        raise type(error)(f"{name}: {error}{broken}") from None
    return Log(name, sources, reading, records, on_bad_row)


def _column(option: str, column: str | int | None) -> str | int | None:
    if column is None or isinstance(column, str):
        return column
    return whole(option, column)
