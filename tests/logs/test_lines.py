"""Files as numbered lines of text."""

import codecs
import io
import sys
import tracemalloc
from pathlib import Path

import pytest

from cyclr.logs._lines import LONGEST, Line, numbered_lines
from cyclr.logs._sources import Source


def lines_of(path: Path, content: bytes) -> list[Line | None]:
    path.write_bytes(content)
    return list(numbered_lines(Source(path).pieces()))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_ends_a_line(tmp_path: Path, end: str, last: bool) -> None:
    text = end.join(["a", "", "b"]) + end * last
    assert lines_of(tmp_path / "log", text.encode()) == [(1, "a"), (2, ""), (3, "b")]


@pytest.mark.parametrize(
    "content",
    [
        "é,1\n".encode(),
        codecs.BOM_UTF8 + "é,1\n".encode(),
        "é,1\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "é,1\n".encode("utf-16-be"),
        "é,1\n".encode("utf-32"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, content: bytes) -> None:
    assert lines_of(tmp_path / "log", content) == [(1, "é,1")]


def test_bytes_that_are_no_text_spoil_only_themselves(tmp_path: Path) -> None:
    assert lines_of(tmp_path / "log", b"1,2,caf\xe9\n3,4,\n") == [(1, "1,2,caf�"), (2, "3,4,")]
    assert lines_of(tmp_path / "log", b"1,2,caf\xc3") == [(1, "1,2,caf�")]  # half of an é


def test_lines_may_straddle_the_pieces_that_are_read(tmp_path: Path) -> None:
    content = "".join(f"{number:07}é\r\n" for number in range(20_000))
    lines = lines_of(tmp_path / "log", content.encode())
    assert lines == [(number + 1, f"{number:07}é") for number in range(20_000)]


def test_a_long_line_comes_in_parts_of_which_the_first_has_its_number(tmp_path: Path) -> None:
    content = b"x" * (2 * LONGEST + 1) + b"\n" + b"y" * LONGEST + b"\nz"
    lines = [line for line in lines_of(tmp_path / "log", content) if line]
    assert [(number, len(text)) for number, text in lines] == [
        *((1, LONGEST), (0, LONGEST), (0, 1)),
        (2, LONGEST),
        (3, 1),
    ]
    assert "".join(text for _, text in lines) == content.decode().replace("\n", "")


def test_an_endless_line_takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        for _ in range(64):
            file.write(b"x" * 1_000_000)
        file.write(b"\nnext")
    tracemalloc.start()
    count = sum(1 for _ in numbered_lines(Source(path).pieces()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 65
    assert peak < 10 * LONGEST


def test_standard_input_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is there as soon as its end is, though the pipe is still open."""

    class Pipe(io.RawIOBase):
        pieces = iter([b"lr,", b"loss\n1", b",2\n", b"3,4"])
        asked = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            self.asked += 1
            piece = next(self.pieces, b"")
            buffer[: len(piece)] = piece
            return len(piece)

    pipe = Pipe()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(pipe)))
    lines = numbered_lines(Source(None).pieces())
    assert (next(lines), pipe.asked) == ((1, "lr,loss"), 2)
    assert (next(lines), pipe.asked) == ((2, "1,2"), 3)
    assert list(lines) == [(3, "3,4")]
