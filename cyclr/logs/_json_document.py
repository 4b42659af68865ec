"""A JSON document: an object of lists or a list of objects, wherever it is in the document."""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from cyclr.logs._columns import Columns
from cyclr.logs._errors import MalformedRow, UnusableLog
from cyclr.logs._fields import show
from cyclr.logs._formats import Format
from cyclr.logs._json_lines import JsonLines, fields
from cyclr.logs._lines import Line
from cyclr.logs._pairs import Pairs

__all__ = ["JsonDocument"]

LARGEST = 32_000_000  # characters: a document is read whole, and parsed it is up to 25 times larger
ENOUGH = 100  # rows of a table, which tell whether it has the columns
MOST, DEEPEST = 1000, 8  # values in a document that are looked at, and how deep they may lie
WHITE = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder()
TOO_DEEP = UnusableLog("JSON that is nested too deeply; expected a list of rows")

Path = tuple[str | int, ...]  # the keys and indices that lead to a value
Records = Iterator[tuple[int, Any]]


class JsonDocument(Format):
    """The first table in a document that has the columns asked for.

    A table is a list of rows, or an object of lists that are its columns. A list may be an object
    whose keys are the indices, as pandas has it.
    """

    name = "JSON"
    names = ()
    decimal = "."

    @staticmethod
    def recognises(head: Sequence[str]) -> bool:
        """Return whether a log begins as a document does, and is not made of lines."""
        if not head or not re.match(r"\s*(\{\s*([\"}]|$)|\[\s*([\[{]|$))", head[0]):
            return False
        if len(head) > 1:
            return not JsonLines.recognises(head)
        try:
            value = json.loads(head[0])
        except (ValueError, RecursionError):
            return True  # and it will be told why it is none
        return any(_tables(value)) or not fields(value)

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def records(self, lines: Iterable[Line | None], /) -> Records:
        """Return the rows of the table, with the line on which each begins."""
        text = _whole(lines)
        try:
            document = json.loads(text)
        except RecursionError:
            raise TOO_DEEP from None
        except ValueError as error:
            raise UnusableLog(f"it begins like JSON, but: {error}") from None
        table = self._table(text, document)
        self.name = table.name
        return table.records(text)

    def row(self, record: Any) -> Mapping[str, Any]:
        """Return the fields of one row of the table."""
        row = fields(record)
        if row is None:
            raise MalformedRow(f"not a JSON object: {show(record)}")
        return row

    def _table(self, text: str, document: Any) -> "Table":
        """Return the first table that has the columns."""
        errors = []
        for table in _tables(document):
            records = islice(table.records(text), ENOUGH)
            try:
                Pairs(self, [fields(record) or {} for _, record in records], self._columns)
            except UnusableLog as error:
                errors.append(error)
            else:
                return table
        raise (
            errors[0]
            if errors
            else UnusableLog(
                "JSON without a table; expected a list of objects, or an object of lists"
            )
        )


@dataclass(frozen=True)
class Rows:
    """A list of rows, at *path*."""

    path: Path

    @property
    def name(self) -> str:
        """What a user is told; Hugging Face's Trainer keeps a log_history."""
        return "trainer_state.json" if self.path == ("log_history",) else "JSON, a list of rows"

    def records(self, text: str) -> Records:
        """Yield the rows, with their lines."""
        return ((line, item) for line, _, item in _located(text, self.path))


@dataclass(frozen=True)
class Lists:
    """Lists that are the columns of a table, by their names."""

    paths: Mapping[str, Path]
    name = "JSON, a list for each column"

    def records(self, text: str) -> Records:
        """Yield the rows, with the line of their first field."""
        columns = [_located(text, path) for path in self.paths.values()]
        for items in zip_longest(*columns):
            line = next(item[0] for item in items if item)
            values = (item and item[2] for item in items)
            yield line, dict(zip(self.paths, values, strict=True))


Table = Rows | Lists


def _whole(lines: Iterable[Line | None]) -> str:
    parts: list[str] = []
    size = last = 0
    for line in lines:
        if line is None:
            continue
        number, part = line
        if number:  # empty lines were left out, and count
            part = "\n" * min(number - last, LARGEST) + part
            last = number
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise UnusableLog(
                f"JSON of more than {LARGEST:,} characters"
                "\n\nHint: as JSON Lines, an object on each line, it may have any size"
            )
    return "".join(parts)[1:]


def _tables(document: Any) -> Iterator[Table]:
    """Yield the tables in a document, the outermost first."""
    places: deque[tuple[Path, Any]] = deque([((), document)])
    while places:
        path, value = places.popleft()
        if _is_list(value):
            inner = list(islice(_items(value), ENOUGH))
            if _holds_rows(value):
                yield Rows(path)
        else:
            inner = list(islice(_items(value), MOST))
            lists = {".".join(map(str, end)): (*path, *end) for end in _lists_in(value)}
            if len(lists) > 1:
                yield Lists(lists)
        places.extend(
            ((*path, key), item)
            for key, item in inner
            if isinstance(item, (dict, list)) and len(places) < MOST and len(path) < DEEPEST
        )


def _lists_in(value: Any, depth: int = DEEPEST) -> Iterator[Path]:
    for key, item in islice(_items(value), MOST):
        if _is_list(item):
            if not _holds_rows(item):
                yield (key,)
        elif isinstance(item, dict) and depth:
            yield from ((key, *end) for end in _lists_in(item, depth - 1))


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    return value.items() if isinstance(value, dict) else enumerate(value)


def _is_list(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(map(str.isdecimal, value))
    return isinstance(value, list)


def _holds_rows(value: Any) -> bool:
    return any(isinstance(item, (dict, list)) for _, item in islice(_items(value), ENOUGH))


def _located(text: str, path: Path) -> Iterator[tuple[int, str | int, Any]]:
    """Yield the line, the key and the value of each item in the object or array at *path*."""
    place = _after_white(text, 0)
    for key in path:
        (place,) = deque(
            (begin for begin, found, _ in _scanned(text, place) if found == key), maxlen=1
        )  # of equal keys, JSON's last counts
    line, last = 1, 0
    for begin, key, value in _scanned(text, place):
        line, last = line + text.count("\n", last, begin), begin
        yield line, key, value


def _scanned(text: str, place: int) -> Iterator[tuple[int, str | int, Any]]:
    """Yield where each value begins, its key or index, and the value, in what begins at *place*."""
    index, is_object = 0, text[place] == "{"
    place = _after_white(text, place + 1)
    while text[place] not in "]}":
        key: str | int = index
        if is_object:
            key, place = _decoded(text, place)
            place = _after_white(text, _after_white(text, place) + 1)  # the colon
        value, end = _decoded(text, place)
        yield place, key, value
        place, index = _after_white(text, end), index + 1
        if text[place] == ",":
            place = _after_white(text, place + 1)


def _decoded(text: str, place: int) -> tuple[Any, int]:
    try:
        return DECODER.raw_decode(text, place)
    except RecursionError:  # it went well before, with less of a stack
        raise TOO_DEEP from None


def _after_white(text: str, place: int) -> int:
    found = WHITE.match(text, place)
    return found.end() if found else place
