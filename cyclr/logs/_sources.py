"""Where the bytes of a log come from: a file, standard input, a folder, an archive."""

import os
import sys
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from cyclr.logs._errors import RewrittenLog, UnusableLog
from cyclr.logs._fields import show

__all__ = ["Source", "find_logs", "peeked", "sources_of"]

CHUNK = 1 << 16  # bytes
PAUSE = 0.2  # seconds between two looks at a log that is followed
BEGINNING = 1 << 12  # bytes, which tell a log that is written anew from one that grows
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
ENCRYPTED = 1  # the flag of a zip's member
GUNZIP = 16 + zlib.MAX_WBITS  # as zlib is asked for gzip's header
EVENTS = "tfevents"  # in the name of each of TensorBoard's files


class Source:
    """The bytes of a log, unpacked, in pieces; its file is closed after the last, or when dropped.

    ``position`` of ``size`` bytes have been taken; the size is None where it is not known. Bytes
    that end too early say why in ``broken``. A log that is followed has no last piece: an empty
    one says that there are no more at present.
    """

    def __init__(self, path: Path | None, member: str | None = None, *, follow: bool = False):
        self.path, self.member, self.follow = path, member, follow
        self.position, self.size = 0, None if path is None or follow else path.stat().st_size
        self.broken: str | None = None

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, piece by piece."""
        if self.path is None:
            raw = self._piped(sys.stdin.buffer)
        elif self.member is not None:
            raw = self._zipped(self.path, self.member)
        else:
            raw = self._growing(self.path) if self.follow else self._filed(self.path)
        start, raw = peeked(raw, len(GZIP))
        return self._gunzipped(raw) if start == GZIP else raw

    def _filed(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                self.position += len(piece)
                yield piece

    def _piped(self, file: BinaryIO) -> Iterator[bytes]:
        # Taken as they come: what writes them may still be training.
        while piece := file.read1(CHUNK):  # type: ignore[attr-defined]
            yield piece
            if self.follow:
                yield b""

    def _growing(self, path: Path) -> Iterator[bytes]:
        beginning = b""
        with path.open("rb", buffering=0) as file:
            while True:
                piece = file.read(CHUNK)
                if not piece and _is_rewritten(path, file, beginning):
                    raise RewrittenLog("it was written anew while it was followed")
                beginning += piece[: BEGINNING - len(beginning)]
                yield piece
                if not piece:
                    time.sleep(PAUSE)

    def _zipped(self, path: Path, member: str) -> Iterator[bytes]:
        with _archive(path) as archive:
            try:
                info = archive.getinfo(member)
            except KeyError:
                raise UnusableLog(f"no {show(member)} in the archive") from None
            # What bzip2 and LZMA unpack at a time is bounded by nothing.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise UnusableLog("packed by another method than zip's deflate, expected that")
            if info.flag_bits & ENCRYPTED:
                raise UnusableLog("it is encrypted; expected what can be read")
            self.size = info.file_size
            try:
                with archive.open(info) as file:
                    while piece := file.read(CHUNK):
                        self.position += len(piece)
                        yield piece
            except Exception as error:  # zipfile raises what its parts raise
                self.broken = f"the archive is damaged: {error or 'it ends too early'}"

    def _gunzipped(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        unpack = zlib.decompressobj(GUNZIP)
        try:
            for piece in pieces:
                if not piece:
                    yield piece
                while piece:
                    if unpack.eof:
                        piece = piece.lstrip(b"\0")  # as tapes are padded
                        if not piece:
                            break
                        unpack = zlib.decompressobj(GUNZIP)  # more was appended
                    if data := unpack.decompress(piece, CHUNK):
                        yield data
                    piece = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        except zlib.error as error:
            self.broken = f"its compressed data are damaged: {error}"
        else:
            if not unpack.eof:
                self.broken = "its compressed data end too early"


def peeked(pieces: Iterator[bytes], length: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first *length* bytes of *pieces*, as far as there are any, and all of them."""
    taken = b""
    while len(taken) < length and (piece := next(pieces, None)) is not None:
        taken += piece
    return taken[:length], chain([taken] if taken else [], pieces)


def sources_of(path: str, *, follow: bool = False) -> Sequence[Source]:
    """Return the sources of the one log at *path*; that in a folder may have several files.

    A member of a zip archive is named as if the archive were a folder: ``runs.zip/metrics.csv``.
    """
    logs = find_logs(path)
    if len(logs) > 1:
        raise UnusableLog(
            f"there are {len(logs)} logs in it: {', '.join(map(show, logs[:10]))}"
            f"{', ...' if len(logs) > 10 else ''}\n\nHint: name one of them"
        )
    (log,) = logs
    place = Path(log)
    if log == "-":
        return [Source(None, follow=follow)]
    if place.is_dir():
        files = _event_files(place)
        if not files:
            raise UnusableLog(
                "a folder without TensorBoard's event files; expected those, or the file of a log"
            )
        return [
            *(Source(file) for file in files[:-1]),
            Source(files[-1], follow=follow),
        ]
    if not place.exists():
        for end in (end for end, character in enumerate(log) if character == "/"):
            if Path(log[:end]).is_file() and _is_zip(Path(log[:end])):
                if follow:
                    raise UnusableLog("a log in an archive can't be followed; expected a file")
                return [Source(Path(log[:end]), log[end + 1 :])]
    return [Source(place, follow=follow)]


def find_logs(path: str | os.PathLike[str]) -> list[str]:
    """Return the paths of the logs at *path*, each for `read_log`.

    A folder stands for the folders in it that hold event files of TensorBoard (one run each),
    a zip archive for its files; anything else for itself.
    """
    path = os.fspath(path)
    place = Path(path)
    if path != "-" and place.is_dir():
        folders = [folder for folder, _, names in os.walk(place) if any(map(_is_events, names))]
        return sorted(folders) or [path]
    if path != "-" and place.is_file() and _is_zip(place):
        with _archive(place) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
        # A Mac adds its own.
        return [f"{path}/{name}" for name in names if not name.startswith("__MACOSX/")] or [path]
    return [path]


def _is_events(name: str) -> bool:
    return EVENTS in name


def _event_files(folder: Path) -> list[Path]:
    # Their names begin alike and go on with the time.
    return sorted(file for file in folder.iterdir() if _is_events(file.name))


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(ZIP)) == ZIP


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError:
        raise
    except Exception as error:  # zipfile raises what its parts raise
        raise UnusableLog(f"a damaged zip archive: {error}") from None


def _is_rewritten(path: Path, file: BinaryIO, beginning: bytes) -> bool:
    """Tell whether *file* is another one than that which had this *beginning*, or a new one."""
    position = file.tell()
    now, then = path.stat(), os.fstat(file.fileno())
    if (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino) or then.st_size < position:
        return True
    file.seek(0)
    same = file.read(len(beginning)) == beginning
    file.seek(position)
    return not same
