"""What a log is taken for: of the formats that fit its first records, the one that reads most."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from cyclr.logs._caffe import Caffe
from cyclr.logs._columns import Columns
from cyclr.logs._delimited import Delimited
from cyclr.logs._errors import MalformedRow, UnusableLog
from cyclr.logs._events import Events
from cyclr.logs._formats import Format, LineFormat
from cyclr.logs._json_document import JsonDocument
from cyclr.logs._json_lines import JsonLines
from cyclr.logs._lines import Line, numbered_lines
from cyclr.logs._pairs import Pairs
from cyclr.logs._sources import Source
from cyclr.logs._text import Text

__all__ = ["Reading", "recognised"]

FORMATS: Sequence[type[LineFormat]] = (JsonLines, Caffe, Delimited, Text)  # the strictest first

HEAD = 100  # records from which format and columns are told, ...
HEADS = (HEAD, 1000, 20_000)  # ... or more, if there is no pair among them
LARGEST = 4_000_000  # characters of them

Record = tuple[int, Any]
Records = Iterator[Record | None]


class Reading:
    """A *form*, and the pairs that its rows make; *head*, its first records, tell the columns."""

    def __init__(self, form: Format, head: Iterable[Record | None], columns: Columns) -> None:
        self.form = form
        rows = []
        for record in filter(None, head):
            with suppress(MalformedRow):
                rows.append(form.row(record[1]))
        found = [row for row in rows if row is not None]
        self._pairs = Pairs(form, found, columns)
        self.name = form.name
        self.lr, self.loss, self.step = self._pairs.lr, self._pairs.loss, self._pairs.step
        self.named = self._pairs.named
        if self.step is not None:
            self.name += f", joined by {self.step!r}"
        self.found = 0
        for row in found:
            with suppress(MalformedRow):
                self.found += self._pairs.pair(row) is not None
        self._pairs = Pairs(form, found, columns)  # what has met will have to meet again

    @property
    def others(self) -> int:
        """How many rows had neither so far."""
        return self._pairs.others

    def pair(self, record: Any) -> tuple[float, float] | None:
        """Return the pair in a record, or completed by it; `None`: there is none."""
        row = self.form.row(record)
        return None if row is None else self._pairs.pair(row)


def recognised(sources: Sequence[Source], columns: Columns) -> tuple[Reading, Records]:
    """Return how the log in *sources* is read, and its records."""
    is_events, pieces = Events.recognises(sources[0].pieces())
    if is_events:
        events = Events()
        streams = chain([pieces], (source.pieces() for source in sources[1:]))
        records = chain.from_iterable(map(events.records, streams))
        return _begun(records, lambda head: Reading(events, head, columns))
    lines: Iterator[Line | None] = filter(_is_not_blank, numbered_lines(pieces))
    head = list(_first(lines))
    lines = chain(head, [None], lines)
    if JsonDocument.recognises(_texts(head)):
        if sources[0].follow:
            raise UnusableLog("a JSON document can't be followed; expected a log of lines")
        document = JsonDocument(columns)
        return _begun(document.records(lines), lambda head: Reading(document, head, columns))
    reading, lines = _begun(lines, lambda head: _best(head, columns))
    return reading, reading.form.records(lines)


def _begun(records: Records, read: Callable[[list[Record]], Reading]) -> tuple[Reading, Records]:
    """Return the reading of the first records that hold a pair, and all records.

    Where none does, it is the reading of those that say what the columns are.
    """
    head: list[Record] = []
    reading: Reading | None = None
    error = UnusableLog("nothing in it; expected rows of a learning rate and a loss")
    tried = size = 0
    for record in chain(records, [None]):
        if record is not None:
            head.append(record)
            size += len(record[1]) if isinstance(record[1], str) else 0
        full = len(head) >= HEADS[-1] or size > LARGEST
        # No record: there is no more, at present (in a log that is followed) or for ever.
        if len(head) > tried and (record is None or len(head) in HEADS or full):
            tried = len(head)
            try:
                reading = read(head)
            except UnusableLog as unusable:
                error = unusable
            if reading and reading.found:
                break
        if full:
            break
    if reading is None:
        raise error
    return reading, chain(head, records)


def _best(head: Sequence[Line], columns: Columns) -> Reading:
    """Return the reading by the strictest format that reads nearly as much as any."""
    texts = _texts(head)
    if any("\0" in text for text in texts):
        raise UnusableLog("not a text file; expected CSV, JSON, text or TensorBoard's event files")
    readings: list[Reading] = []
    errors: dict[type[LineFormat], UnusableLog] = {}
    for form in FORMATS:
        if form.recognises(texts):
            try:
                fitted = form(texts, columns)
                readings.append(Reading(fitted, fitted.records(head), columns))
            except UnusableLog as error:
                errors[form] = error
    if not readings:  # that it is no table can be said of anything
        raise min(errors.items(), key=lambda item: item[0] is Delimited)[1]
    most = max(reading.found for reading in readings)
    good = [reading for reading in readings if 2 * reading.found >= most]
    # Where words name the columns, they are not to be guessed.
    return next((reading for reading in good if reading.named), good[0])


def _first(lines: Iterator[Line | None]) -> Iterator[Line]:
    """Yield the first of *lines*, as far as they are there."""
    size = 0
    for line in islice(lines, HEAD):
        if line is None:
            return
        yield line
        size += len(line[1])
        if size > LARGEST:
            return


def _texts(head: Iterable[Line]) -> list[str]:
    return [text for number, text in head if number]


def _is_not_blank(line: Line | None) -> bool:
    return line is None or bool(line[1].strip())
