"""Files, packed files, archives and folders."""

import bz2
import errno
import gzip
import io
import os
import sys
import threading
import time
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from cyclr.logs import BadRow, Log, RewrittenLog, UnusableLog, find_logs, read_log
from cyclr.logs._sources import CHUNK, Source

TEXT = b"lr,loss\n1,2\n3,4\n"
PAIRS = [(1.0, 2.0), (3.0, 4.0)]
ROWS = 30_000  # in several pieces, packed or not
LONG = b"lr,loss\n" + b"".join(b"%d,%d\n" % (i, i * 2654435761 % 10**9) for i in range(ROWS))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


# --- gzip ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(TEXT),
        gzip.compress(TEXT[:8]) + gzip.compress(TEXT[8:]),
        gzip.compress(TEXT) + b"\0" * 100,
        gzip.compress(TEXT, compresslevel=0),
        gzip.compress(b"") + gzip.compress(TEXT),
    ],
    ids=["whole", "as one appends", "as tapes are padded", "not compressed", "first empty"],
)
def test_gzip_is_told_by_content(read: Callable[..., Log], content: bytes) -> None:
    log = read(content)
    assert (list(log), log.skipped) == (PAIRS, 0)


def test_what_is_longer_than_a_piece_is_unpacked_whole(read: Callable[..., Log]) -> None:
    for content in (LONG, b"lr,loss\n1,2\n" + b"\n" * (4 * CHUNK - 12)):
        assert list(read(gzip.compress(content))) == list(read(content))


def test_standard_input_may_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT))))
    assert list(read_log("-")) == PAIRS


@pytest.mark.parametrize("lost", [1, 8, 1000])
def test_what_was_packed_before_an_accident_is_read(read: Callable[..., Log], lost: int) -> None:
    bad: list[BadRow] = []
    log = read(gzip.compress(LONG)[:-lost], on_bad_row=bad.append)
    pairs = list(log)
    assert 0.9 * ROWS < len(pairs) <= ROWS
    assert [lr for lr, _ in pairs[:-1]] == list(range(len(pairs) - 1))
    assert bad[-1].reason == "its compressed data end too early"
    assert log.skipped == len(bad)


def test_damage_is_told_where_it_is(read: Callable[..., Log]) -> None:
    content = bytearray(gzip.compress(LONG))
    content[len(content) // 2] ^= 0xFF
    bad: list[BadRow] = []
    assert len(list(read(bytes(content), on_bad_row=bad.append))) > 1000
    assert bad[-1].reason.startswith("its compressed data are damaged: ")
    assert bad[-1].line > 1000


def test_a_log_that_is_nothing_but_damage_says_so(read: Callable[..., Log]) -> None:
    with pytest.raises(UnusableLog, match=r"nothing in it.*\(its compressed data end too early\)"):
        read(gzip.compress(TEXT)[:10])
    with pytest.raises(UnusableLog, match=r"nothing in it.*\(its compressed data are damaged: "):
        read(b"\x1f\x8b" + b"x" * 100)


def test_a_bomb_takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    for packed in (gzip.compress(bytes(20_000_000)), zipped({"bomb": b" " * 20_000_000})):
        assert len(packed) < 30_000
        path.write_bytes(packed)
        tracemalloc.start()
        with pytest.raises(UnusableLog, match=r"not a text file|nothing in it"):
            read_log(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8_000_000


# --- zip ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_with_one_log_is_that_log(read: Callable[..., Log], method: int) -> None:
    members = {"run/": b"", "run/log.csv": TEXT, "__MACOSX/run/._log.csv": b"\0"}
    assert list(read(zipped(members, method))) == PAIRS
    assert list(read(zipped({"log.gz": gzip.compress(TEXT)}, method))) == PAIRS


def test_of_several_logs_in_a_zip_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.zip"
    path.write_bytes(zipped({"a/log.csv": TEXT, "b/log.csv": TEXT[:12]}))
    with pytest.raises(UnusableLog, match=r"there are 2 logs in it: '.*runs.zip/a/log.csv', "):
        read_log(path)
    assert find_logs(path) == [f"{path}/a/log.csv", f"{path}/b/log.csv"]
    assert [list(read_log(log)) for log in find_logs(path)] == [PAIRS, PAIRS[:1]]
    with pytest.raises(UnusableLog, match=r"no 'c/log.csv' in the archive"):
        read_log(f"{path}/c/log.csv")


def test_a_folder_may_be_called_like_an_archive(tmp_path: Path) -> None:
    folder = tmp_path / "runs.zip"
    folder.mkdir()
    (folder / "log.csv").write_bytes(TEXT)
    assert list(read_log(folder / "log.csv")) == PAIRS
    with pytest.raises(FileNotFoundError):
        read_log(folder / "other.csv")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_without_a_bound_is_refused(read: Callable[..., Log], method: int) -> None:
    with pytest.raises(UnusableLog, match="packed by another method"):
        read(zipped({"log.csv": TEXT}, method))


def test_an_encrypted_log_is_refused(read: Callable[..., Log]) -> None:
    content = bytearray(zipped({"log.csv": TEXT}))
    content[6] |= 1  # in its header, ...
    content[content.index(b"PK\x01\x02") + 8] |= 1  # ... and in the directory
    with pytest.raises(UnusableLog, match="it is encrypted"):
        read(bytes(content))


def test_a_damaged_zip_is_told_so(read: Callable[..., Log]) -> None:
    content = zipped({"log.csv": LONG})
    with pytest.raises(UnusableLog, match="a damaged zip archive: "):
        read(content[:-30])
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 0xFF
    bad: list[BadRow] = []
    list(read(bytes(damaged), on_bad_row=bad.append))
    assert bad[-1].reason.startswith("the archive is damaged: ")


# --- Folders ------------------------------------------------------------------------------------


def test_a_folder_stands_for_the_folders_with_event_files(tmp_path: Path) -> None:
    for name in ("runs/b", "runs/a/train", "runs/c", "other"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("runs/b", "runs/a/train"):
        (tmp_path / name / "events.out.tfevents.17.host").touch()
    (tmp_path / "other" / "log.csv").write_bytes(TEXT)
    runs = [str(tmp_path / "runs/a/train"), str(tmp_path / "runs/b")]
    assert find_logs(tmp_path) == runs
    assert find_logs(tmp_path / "runs/b") == runs[1:]
    with pytest.raises(UnusableLog, match=r"there are 2 logs in it: '.*runs/a/train', '.*runs/b'"):
        read_log(tmp_path)
    other = str(tmp_path / "other")
    assert find_logs(other) == [other]
    with pytest.raises(UnusableLog, match="other: a folder without TensorBoard's event files"):
        read_log(other)


def test_anything_else_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(TEXT)
    for path in ("-", str(tmp_path / "log.csv"), str(tmp_path / "nowhere")):
        assert find_logs(path) == [path]


def test_an_archive_that_cannot_be_read_is_not_said_to_be_damaged(
    read: Callable[..., Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped({"log.csv": TEXT})

    def fail(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(zipfile, "ZipFile", fail)
    with pytest.raises(OSError, match="Input/output error"):
        read(archive)


# --- Progress -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [LONG, gzip.compress(LONG), zipped({"log.csv": LONG})])
def test_progress_goes_from_0_to_1(read: Callable[..., Log], content: bytes) -> None:
    log = read(content)
    progress = [log.progress or 0.0 for lr, _ in log if lr % 100 == 0]
    assert 0 < progress[0] < 0.6
    assert progress == sorted(progress)
    assert log.progress == 1


def test_the_progress_of_a_pipe_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT)))
    assert read_log("-").progress is None


# --- Logs that grow -----------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at a log that grows more often than people want to."""
    monkeypatch.setattr("cyclr.logs._sources.PAUSE", 0.002)


class Writer(threading.Thread):
    """Write pieces to a file, each a moment after the one before."""

    def __init__(self, path: Path, pieces: list[bytes]) -> None:
        super().__init__()
        self._path, self._pieces = path, pieces
        path.touch()
        self.start()

    def run(self) -> None:
        for piece in self._pieces:
            time.sleep(0.02)
            with self._path.open("ab") as file:
                file.write(piece)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("pieces", "form"),
    [
        ([b"lr,", b"loss\n1", b",2\n3,4", b"\n5,6\n"], "CSV"),
        ([b"lr,loss\n1,2\n3,4\n5,6\n"], "CSV"),
        (
            [b'{"lr": 1, "loss": 2}\n', b'{"lr": 3, "loss": 4}\n{"lr": 5, "loss": 6}\n'],
            "JSON Lines",
        ),
        ([b"hello\n", b"lr=1 loss=2\n", b"lr=3 loss=4\nlr=5", b" loss=6\n"], "text with names"),
        ([b"step,lr,loss\n", b"0,1,\n", b"0,,2\n1,3,\n1,,4\n", b"2,5,\n2,,6\n"], "CSV, joined by"),
        ([gzip.compress(TEXT)[:9], gzip.compress(TEXT)[9:], gzip.compress(b"5,6\n")], "CSV"),
    ],
)
def test_a_log_is_read_as_it_grows(tmp_path: Path, pieces: list[bytes], form: str) -> None:
    writer = Writer(tmp_path / "log", pieces)
    log = read_log(tmp_path / "log", follow=True)
    assert [next(log) for _ in range(3)] == [*PAIRS, (5.0, 6.0)]
    assert log.format.startswith(form)
    assert log.progress is None
    writer.join()


@pytest.mark.usefixtures("soon")
def test_a_pair_is_there_as_soon_as_its_line_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(TEXT)
    log = read_log(path, follow=True)  # not before a hundred lines, though it is short
    assert [next(log), next(log)] == PAIRS
    with path.open("ab") as file:
        for i in range(10):
            file.write(b"%d,7\n" % i)
            file.flush()
            assert next(log) == (i, 7.0)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("content", [b"lr,loss\n1,2\n", b"step,lr,loss\n" + b"0,1,2\n" * 100])
def test_a_log_that_is_written_anew_is_not_read_on(
    tmp_path: Path, in_place: bool, content: bytes
) -> None:
    path = tmp_path / "log"
    path.write_bytes(TEXT)
    log = read_log(path, follow=True)
    assert [next(log), next(log)] == PAIRS
    new = path if in_place else tmp_path / "new"
    new.write_bytes(content)
    new.replace(path)
    with pytest.raises(RewrittenLog, match="log: it was written anew while it was followed"):
        next(log)


def test_what_can_not_grow_can_not_be_followed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'[\n{"lr": 1, "loss": 2},\n{"lr": 1, "loss": 2}\n]')
    with pytest.raises(UnusableLog, match="a JSON document can't be followed"):
        read_log(path, follow=True)
    path.write_bytes(zipped({"a": TEXT}))
    with pytest.raises(UnusableLog, match="a log in an archive can't be followed"):
        read_log(path, follow=True)
    with pytest.raises(FileNotFoundError):
        read_log(tmp_path / "nowhere", follow=True)


@pytest.mark.usefixtures("soon")
def test_standard_input_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    with open(read_end) as stdin, open(write_end, "wb", buffering=0) as pipe:
        monkeypatch.setattr(sys, "stdin", stdin)
        pipe.write(TEXT * 10)
        log = read_log("-", follow=True)
        assert [next(log), next(log)] == PAIRS
        pipe.write(b"5,6\n")
        pipe.close()
        assert list(log)[-1] == (5.0, 6.0)


# --- What is left behind ------------------------------------------------------------------------


@pytest.mark.parametrize("content", [LONG, gzip.compress(LONG), zipped({"log.csv": LONG})])
def test_a_log_that_is_dropped_leaves_nothing_open(
    read: Callable[..., Log], content: bytes
) -> None:
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log = read(content)
        next(log)
        del log
    after = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    assert after == before


def test_a_source_tells_what_it_is_made_of(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(zlib.compress(TEXT) + bz2.compress(TEXT))  # neither is a gzip file
    assert b"".join(Source(path).pieces()) == path.read_bytes()
