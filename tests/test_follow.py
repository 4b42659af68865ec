"""``cyclr analyze --follow``, and the line that says how far a long reading is."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import cyclr
from cyclr.cli import _progress, main
from cyclr.cli._progress import Progress
from cyclr.logs import read_log

LRS = [1e-4 * 1e7 ** (i / 199) for i in range(200)]
LOSSES = [
    2.3 - 1.8 / (1 + (3e-2 / lr) ** 1.5) + i % 7 / 100 + (lr / 3) ** 2 for i, lr in enumerate(LRS)
]
ROWS = [f"{lr!r},{loss!r}\n" for lr, loss in zip(LRS, LOSSES, strict=True)]

test = cyclr.RangeTest(LRS[0], LRS[-1], iterations=200)
for _, loss in zip(test, LOSSES, strict=False):
    test.record(loss)
LAST = len(test.points)  # the row at which it has diverged
assert test.diverged
assert LAST < 190

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(cyclr.__file__).parents[1])}
COMMAND = [sys.executable, "-m", "cyclr", "analyze"]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclr.logs._sources.PAUSE", 0.002)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def follow(path: object, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "--follow", str(path), *options],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what is in the background without it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_the_test_is_said_to_be_over_when_it_is(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By what a range test that one runs oneself stops, and not later."""
    log.write_text("lr,loss\n")
    with log.open("a", buffering=1) as file, follow(log, "--json") as process:
        for row in ROWS[:LAST]:
            assert process.poll() is None
            file.write(row)
        out, err = process.communicate(timeout=60)
    place = f"{log}: row {LAST}, lr {LRS[LAST - 1]:.2g}"
    assert err == f"{place}: the loss has diverged, the test can be stopped\n"
    assert process.returncode == 0
    log.write_text("lr,loss\n" + "".join(ROWS[:LAST]))
    assert main(["analyze", str(log), "--json"]) == 0
    assert json.loads(out) == json.loads(capsys.readouterr().out)


def test_a_log_that_is_already_over_is_seen_to_be(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_text("lr,loss\n0,nan\n" + "".join(ROWS))  # at 0 nothing can happen
    assert main(["analyze", "--follow", str(log)]) == 0
    captured = capsys.readouterr()
    assert f": row {LAST + 1}, lr " in captured.err
    assert f"{LAST + 1} rows of CSV" in captured.out


def test_an_accuracy_diverges_downwards(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{lr!r},{1 - loss / 3!r}\n" for lr, loss in zip(LRS, LOSSES, strict=True)]
    log.write_text("lr,accuracy\n" + "".join(rows))
    assert main(["analyze", "--follow", "--metric", "accuracy", str(log)]) == 0
    assert f": row {LAST}, lr " in capsys.readouterr().err


def test_an_interrupt_ends_it_with_what_there_is(log: Path) -> None:
    log.write_text("lr,loss\n" + "".join(ROWS[:120]) + "oops\n")
    with follow(log) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"{log}:122: only 1 of 2 fields: 'oops' (skipped)\n"
        time.sleep(0.3)  # it waits for more
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (0, "")
    assert out.startswith(f"{log}: 120 rows of CSV")
    assert "schedule = Triangular2(" in out


def test_a_pipe_is_followed_to_its_end(log: Path) -> None:
    with follow("-") as process:
        out, err = process.communicate("lr,loss\n" + "".join(ROWS[:120]), timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("<stdin>: 120 rows of CSV")


def test_a_log_that_is_written_anew_is_read_anew(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_text("lr,loss\n" + "".join(ROWS[:50]))

    def write() -> None:
        time.sleep(0.5)  # Lightning does so when there is a new column
        log.write_text("step,lr,loss\n" + "".join(f"{i},{row}" for i, row in enumerate(ROWS)))

    writer = threading.Thread(target=write)
    writer.start()
    status = main(["analyze", "--follow", str(log)])
    writer.join()
    captured = capsys.readouterr()
    assert status == 0
    assert (
        f"{log}: it was written anew while it was followed: from its beginning again"
        in captured.err
    )
    assert f"{LAST} rows of CSV" in captured.out


def test_only_one_log_can_be_followed(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_text("lr,loss\n1,2\n")
    assert main(["analyze", "--follow", str(log), str(log)]) == 2
    assert capsys.readouterr().err == "--follow takes one log: got 2\n"


# --- Progress -----------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        """What one would see, one after the other."""
        shown = [part.rstrip() for part in self.getvalue().split("\r") if part.strip()]
        return list(dict.fromkeys(shown))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass whenever the time is looked at."""
    seconds = iter(range(10**9))
    monkeypatch.setattr(_progress, "monotonic", lambda: float(next(seconds)))


@pytest.mark.usefixtures("clock")
def test_a_terminal_is_told_how_far_the_reading_is(log: Path) -> None:
    log.write_text("lr,loss\n" + "1,2\n" * 30_000)
    terminal = Terminal()
    assert len(list(Progress(terminal).watch(read_log(log)))) == 30_000
    lines = terminal.screen()
    assert lines[0].startswith("1 rows, 55%, ")
    assert lines[-1].startswith("30,000 rows, 100%, 0 s left")
    assert terminal.getvalue().endswith("\r" + " " * len(lines[-1]) + "\r")  # and it is gone


@pytest.mark.usefixtures("clock")
def test_where_the_size_is_not_known_the_latest_pair_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"lr,loss\n0.001,2\n0.01,1.5\n")))
    terminal = Terminal()
    list(Progress(terminal).watch(read_log("-")))
    assert terminal.screen() == ["1 rows, lr 0.001, loss 2", "2 rows, lr 0.01, loss 1.5"]


def test_what_is_no_terminal_or_takes_no_time_sees_nothing(log: Path) -> None:
    log.write_text("lr,loss\n1,2\n3,4\n")
    for stream in io.StringIO(), Terminal():
        assert list(Progress(stream).watch(read_log(log))) == [(1.0, 2.0), (3.0, 4.0)]
        assert stream.getvalue() == ""


def test_a_malformed_row_has_a_line_of_its_own_on_a_real_terminal() -> None:
    """And standard output is untouched."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "--json", "-"],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write("lr,loss\n" + "".join(ROWS[:150]) + "oops\n")
        process.stdin.flush()
        assert read_until(ours, b"(skipped)\r\n") == f"<stdin>:152: {OOPS}\r\n".encode()
        time.sleep(1.2 * _progress.PATIENCE)
        out, _ = process.communicate("".join(ROWS[150:]) + "oops\n", timeout=60)
        shown = read_until(ours, b"(skipped)\r\n")
        os.close(ours)
    assert json.loads(out)["bounds"]
    assert shown.startswith(b"\r151 rows, lr ")
    assert shown.endswith(f"\r<stdin>:203: {OOPS}\r\n".encode())


OOPS = "only 1 of 2 fields: 'oops' (skipped)"


def read_until(terminal: int, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        read += os.read(terminal, 1 << 16)
    return read
