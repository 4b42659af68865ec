"""Bytes as numbered lines of text, whatever their encoding, line ends and lengths."""

import codecs
import io
from collections.abc import Iterator

from cyclr.logs._sources import peeked

__all__ = ["LONGEST", "Line", "numbered_lines"]

LONGEST = 1_000_000  # characters of a line that come at once, so that memory stays bounded

# UTF-32's mark comes before UTF-16's, which it begins with.
ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

Line = tuple[int, str]


def numbered_lines(pieces: Iterator[bytes]) -> Iterator[Line | None]:
    """Yield (number from 1, line without its end); `None` where there is no more at present.

    What a line has beyond `LONGEST` characters comes after it, numbered 0. Bytes that are not text
    become U+FFFD, which no number contains.
    """
    number, line, more = 1, "", False
    for text in _decoded(pieces):
        if text is None:
            yield None
            continue
        first, *others = text.split("\n")
        line += first
        while len(line) > LONGEST:
            yield 0 if more else number, line[:LONGEST]
            line, more = line[LONGEST:], True
        for other in others:
            yield 0 if more else number, line
            number, line, more = number + 1, other, False
    if line:
        yield 0 if more else number, line


def _decoded(pieces: Iterator[bytes]) -> Iterator[str | None]:
    """Yield the text of *pieces*, every line end in it a ``\\n``; `None` for an empty piece."""
    start, pieces = peeked(pieces, 4)
    encoding = next((e for mark, e in ENCODINGS.items() if start.startswith(mark)), "utf-8")
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors="replace"), translate=True
    )
    for piece in pieces:
        yield decoder.decode(piece) if piece else None
    yield decoder.decode(b"", final=True)
