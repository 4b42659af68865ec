"""Reading a log, whatever its format."""

import io
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr.logs import BadRow, Log, UnusableLog, read_log


def test_malformed_rows_are_given_with_file_line_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("lr,loss\n1,2\n\n3,\n")
    bad: list[BadRow] = []
    assert list(read_log(path, on_bad_row=bad.append)) == [(1.0, 2.0)]
    assert list(map(str, bad)) == [f"{path}:4: loss is empty"]


def test_without_a_callback_skipping_is_not_silent(read: Callable[..., Log]) -> None:
    with pytest.warns(UserWarning, match=r"skipped 2 of 3 rows, the first: .*:3: loss is empty"):
        assert list(log := read("lr,loss\n1,2\n3,\n4,\n")) == [(1.0, 2.0)]
    assert list(log) == []  # and once is enough


def test_a_callback_may_stop_the_reading(read: Callable[..., Log]) -> None:
    def stop(row: BadRow) -> None:
        raise RuntimeError(str(row))

    with pytest.raises(RuntimeError, match=":3: loss is empty"):
        list(read("lr,loss\n1,2\n3,\n", on_bad_row=stop))


def test_counts_grow_as_the_log_is_read(read: Callable[..., Log]) -> None:
    log = read("lr,loss\n1,2\nx,\n3,4\n", on_bad_row=str)
    assert next(log) == (1.0, 2.0)
    assert (log.rows, log.skipped) == (1, 0)
    assert next(log) == (3.0, 4.0)
    assert (log.rows, log.skipped) == (2, 1)
    assert next(log, None) is None
    assert next(log, None) is None


def test_standard_input_is_a_log_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"lr,loss\n1,2\nx,1\n")))
    bad: list[BadRow] = []
    log = read_log("-", on_bad_row=bad.append)
    assert list(log) == [(1.0, 2.0)]
    assert str(bad[0]) == "<stdin>:3: lr is not a number: 'x'"


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_log(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "nothing in it; expected rows of a learning rate and a loss"),
        (b"\n \n\t\n", "nothing in it"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file; expected CSV, JSON, text"),
    ],
)
def test_what_is_no_log_is_told_so(
    read: Callable[..., Log], tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(UnusableLog, match=message) as error:
        read(content)
    assert str(error.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metric": "f1"}, ValueError, "metric must be one of 'loss', 'accuracy': got 'f1'"),
        ({"lr": -1}, ValueError, "lr must be at least 0: got -1"),
        ({"loss": True}, TypeError, "loss must be a whole number: got True"),
    ],
)
def test_arguments_are_checked(
    read: Callable[..., Log], options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read("lr,loss\n1,2\n", **options)


def test_reading_takes_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("lr,loss\n" + "0.0001,2.3\n" * 100_000)
    tracemalloc.start()
    assert sum(1 for _ in read_log(path)) == 100_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000  # its rows in a list would take 20 MB


def test_the_file_is_closed_when_the_log_is_dropped(tmp_path: Path) -> None:
    """A forgotten file would be a ResourceWarning, which is an error here."""
    path = tmp_path / "log.csv"
    path.write_text("lr,loss\n" + "1,2\n" * 1000)
    log = read_log(path)
    next(log)
    del log
    path.unlink()


@given(
    pairs=st.lists(
        st.tuples(
            st.floats(min_value=0, allow_infinity=False), st.floats(allow_nan=False, width=32)
        ),
        min_size=1,
    ),
    delimiter=st.sampled_from([",", ";", "\t", " "]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    pairs: list[tuple[float, float]],
    delimiter: str,
    end: str,
    encoding: str,
) -> None:
    path = tmp_path_factory.getbasetemp() / "written"
    rows = [delimiter.join(["lr", "loss"])] + [delimiter.join(map(repr, pair)) for pair in pairs]
    path.write_bytes(end.join(rows).encode(encoding))
    assert list(read_log(path)) == pairs
