"""A file as numbered lines of text, whatever its encoding, line ends and lengths."""

import codecs
import io
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

__all__ = ["LONGEST", "numbered_lines"]

LONGEST = 1_000_000  # characters: a longer line is cut there, so that memory stays bounded
CHUNK = 1 << 16  # bytes

# UTF-32's mark comes before UTF-16's, which it begins with.
ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def numbered_lines(path: Path | None) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line without its end); *path* `None` is standard input.

    Bytes that are not text become U+FFFD, which no number contains. The file is closed when the
    iterator is exhausted, or dropped.
    """
    number, line = 1, ""
    with _opened(path) as file:
        for text in _decoded(file):
            first, *others = text.split("\n")
            line = (line + first)[:LONGEST]
            for other in others:
                yield number, line
                number, line = number + 1, other[:LONGEST]
    if line:
        yield number, line


def _opened(path: Path | None) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path is None else path.open("rb")


def _decoded(file: BinaryIO) -> Iterator[str]:
    """Yield the text of *file* in pieces, every line end in it a ``\\n``."""
    start = file.read(4)
    encoding = next((e for mark, e in ENCODINGS.items() if start.startswith(mark)), "utf-8")
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors="replace"), translate=True
    )
    piece = start
    while piece:
        yield decoder.decode(piece)
        # A pipe's bytes are taken as they come: a log may still be growing.
        piece = file.read1(CHUNK)  # type: ignore[attr-defined]
    yield decoder.decode(b"", final=True)
