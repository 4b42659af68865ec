"""The command, as a person or a program uses it."""

import contextlib
import io
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import cyclr
from cyclr import cli
from cyclr.cli import main

Run = Callable[..., tuple[int, str, str]]

LRS = [1e-6 * 1e7 ** (i / 199) for i in range(200)]
noise = random.Random(0).gauss
LOSSES = [2.3 - 1.8 / (1 + (3e-3 / lr) ** 1.5) + noise(0, 0.02) + (lr / 0.3) ** 2 for lr in LRS]
FLAT = [2.3 + noise(0, 0.02) for _ in LRS]


def written(path: Path, losses: list[float] = LOSSES) -> Path:
    rows = [f"{lr!r},{loss!r}\n" for lr, loss in zip(LRS, losses, strict=True)]
    path.write_text("lr,loss\n" + "".join(rows))
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return written(tmp_path / "log.csv")


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return written(tmp_path / "flat.csv", FLAT)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; return its exit status, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


# --- cyclr analyze ----------------------------------------------------------------------------


def test_analyze_prints_bounds_a_picture_and_code(run: Run, log: Path) -> None:
    status, out, err = run("analyze", log, "--optimizer", "adam")
    bounds = cyclr.analyze(zip(LRS, LOSSES, strict=True), optimizer="adam")
    assert (status, err) == (0, "")
    assert out.startswith(f"{log}: 200 rows of CSV, lr in 'lr', loss in 'loss'\n")
    assert str(bounds) in out
    assert f"^ max_lr {bounds.max_lr:.2g}" in out
    code = next(line for line in out.splitlines() if "schedule = " in line)
    schedule = cyclr.parse(code.split("=", 1)[1].strip())
    assert schedule.highest == pytest.approx(bounds.max_lr, rel=0.05)
    assert schedule.lowest == pytest.approx(bounds.base_lr, rel=0.05)


def test_json_holds_what_python_would_have_returned(run: Run, log: Path) -> None:
    options = ["--optimizer", "sgd", "--momentum", "0.9", "--rule", "valley"]
    status, out, err = run("analyze", "--json", log, *options)
    bounds = cyclr.analyze(
        zip(LRS, LOSSES, strict=True), optimizer="sgd", momentum=0.9, rule="valley"
    )
    expected = bounds.to_dict()
    assert json.loads(out) == {
        "version": 1,
        "log": str(log),
        "bounds": expected,
        "reasons": expected["reasons"],
    }
    assert (status, err) == (0, "")


def test_an_inconclusive_test_says_why(run: Run, flat: Path) -> None:
    with pytest.raises(cyclr.InconclusiveRangeTest) as error:
        cyclr.analyze(zip(LRS, FLAT, strict=True))
    reason = error.value.reasons[0]
    status, out, err = run("analyze", flat)
    assert status == 1
    assert "200 rows of CSV" in out
    assert "schedule" not in out
    assert reason.message in err
    assert reason.advice in err

    status, out, err = run("analyze", flat, "--json")
    data = json.loads(out)
    assert (status, data["bounds"]) == (1, None)
    assert data["reasons"] == [
        {"code": reason.code, "message": reason.message, "advice": reason.advice}
    ]
    assert reason.message in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "log: No such file or directory."),
        ("", "log: nothing in it; expected rows of a learning rate and a loss"),
        ("step,eta,loss\n1,2,3\n", "there are 'step', 'eta', 'loss'"),
        ("lr,loss\nx,y\n", "log: no usable row"),
    ],
)
def test_an_unusable_log_is_told_so(
    run: Run, tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "log"
    if content is not None:
        path.write_text(content)
    status, out, err = run("analyze", path)
    assert (status, out) == (2, "")
    assert message in err

    status, out, err = run("analyze", "--json", path)
    data = json.loads(out)
    assert (status, data["bounds"], data["log"]) == (2, None, str(path))
    assert message in data["reasons"][0]["message"]
    assert message in err


def test_a_folder_of_something_else_is_no_log(run: Run, tmp_path: Path) -> None:
    status, out, err = run("analyze", tmp_path)
    assert (status, out) == (2, "")
    assert f"{tmp_path}: a folder without TensorBoard's event files" in err


def test_a_damaged_archive_is_told_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "runs.zip"
    path.write_bytes(b"PK\3\4 and no more")
    status, out, err = run("analyze", path)
    assert (status, out) == (2, "")
    assert err.startswith(f"{path}: a damaged zip archive: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rule", "guess"], "rule must be one of 'family'"),
        (["--momentum", "1"], "momentum must be below 1: got 1.0"),
        (["--lr", "rate"], "no column 'rate': there are 'lr', 'loss'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    run: Run, log: Path, options: list[str], message: str
) -> None:
    status, out, err = run("analyze", log, *options)
    assert (status, out) == (2, "")
    assert message in err


def test_several_logs_are_a_list_and_the_worst_counts(run: Run, log: Path, flat: Path) -> None:
    missing = log.with_name("missing.csv")
    status, out, _ = run("analyze", "--json", log, flat, missing)
    data = json.loads(out)
    assert status == 2
    assert [item["log"] for item in data] == [str(log), str(flat), str(missing)]
    assert [item["bounds"] is None for item in data] == [False, True, True]
    assert run("analyze", flat, log)[0] == 1
    assert run("analyze", log, log)[0] == 0


def test_several_logs_are_a_table(run: Run, log: Path, flat: Path) -> None:
    missing = log.with_name("missing.csv")
    status, out, err = run("analyze", log, flat, missing, "--optimizer", "sgd")
    assert status == 2
    taken, table = out.split("\n\n")
    assert taken.splitlines() == [
        f"{path}: 200 rows of CSV, lr in 'lr', loss in 'loss'" for path in (log, flat)
    ]
    bounds = cyclr.analyze(zip(LRS, LOSSES, strict=True), optimizer="sgd")
    low, high = bounds.interval
    numbers = f"{bounds.base_lr:.2g} {bounds.max_lr:.2g} {low:.2g} to {high:.2g}"
    codes = ", ".join(reason.code for reason in bounds.reasons)
    assert [line.split() for line in table.splitlines()] == [
        ["log", "rows", "base_lr", "max_lr", "80", "%", "sure", "reasons"],
        [str(log), "200", *numbers.split(), *codes.split()],
        [str(flat), "200", "-", "-", "-", "no_descent"],
        [str(missing), "-", "-", "-", "-", "unusable"],
    ]
    assert (
        len(
            {
                line.index(cell)
                for line, cell in zip(table.splitlines()[2:], ("no_", "un"), strict=True)
            }
        )
        == 1
    )
    assert [line.split(": ")[0] for line in err.splitlines()] == [str(flat), str(missing)]


def test_the_logs_in_an_archive_are_several(run: Run, log: Path, flat: Path) -> None:
    archive = log.with_name("runs.zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.write(log, "a.csv")
        file.write(flat, "b.csv")
    status, out, _ = run("analyze", "--json", archive)
    data = json.loads(out)
    assert status == 1
    assert [item["log"] for item in data] == [f"{archive}/a.csv", f"{archive}/b.csv"]
    assert data[0]["bounds"] == json.loads(run("analyze", "--json", log)[1])["bounds"]
    assert run("analyze", f"{archive}/a.csv")[0] == 0


def test_what_a_log_was_taken_for_is_told(run: Run, log: Path) -> None:
    rows = [{"rate": lr, "train": {"loss": x}} for lr, x in zip(LRS, LOSSES, strict=True)]
    log.write_text("".join(f"{json.dumps(row)}\n{{}}\n" for row in rows))
    out = run("analyze", log, "--lr", "rate")[1]
    taken = "200 rows of JSON Lines, lr in 'rate', loss in 'train.loss', 200 rows with neither"
    assert out.startswith(f"{log}: {taken}\n")


def test_malformed_rows_are_named_and_the_rest_is_read(run: Run, log: Path) -> None:
    good = run("analyze", log)[1]
    lines = log.read_text().splitlines()
    lines[50:50] = ["oops"] * 12
    log.write_text("\n".join(lines))
    status, out, err = run("analyze", log)
    assert (status, out) == (0, good)
    assert err.splitlines()[0] == f"{log}:51: only 1 of 2 fields: 'oops' (skipped)"
    assert err.splitlines()[10:] == ["... and 2 more malformed rows (skipped)"]


def test_columns_can_be_named(run: Run, log: Path) -> None:
    good = json.loads(run("analyze", "--json", log)[1])
    log.write_text(log.read_text().replace("lr,loss", "eta,value"))
    for columns in (["--lr", "eta", "--loss", "value"], ["--lr", "0", "--loss", "1"]):
        assert json.loads(run("analyze", "--json", log, *columns)[1]) == good


def test_accuracies_are_read_by_their_own_rule(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    accuracies = [1 - loss / 3 for loss in LOSSES]
    rows = [f"{lr!r},{a!r},9\n" for lr, a in zip(LRS, accuracies, strict=True)]
    path.write_text("lr,accuracy,loss\n" + "".join(rows))
    status, out, _ = run("analyze", "--json", "--metric", "accuracy", path)
    bounds = cyclr.analyze(zip(LRS, accuracies, strict=True), metric="accuracy")
    assert (status, json.loads(out)["bounds"]) == (0, bounds.to_dict())
    out = run("analyze", "--metric", "accuracy", path)[1]
    assert "accuracy in 'accuracy'" in out


def test_standard_input_is_a_log(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = json.loads(run("analyze", "--json", log)[1])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log.read_bytes())))
    status, out, _ = run("analyze", "--json", "-")
    assert (status, json.loads(out)) == (0, good | {"log": "-"})


def test_the_log_is_left_alone(run: Run, log: Path) -> None:
    before = log.read_bytes(), log.stat().st_mtime_ns, sorted(log.parent.iterdir())
    log.chmod(0o400)
    run("analyze", log)
    assert (log.read_bytes(), log.stat().st_mtime_ns, sorted(log.parent.iterdir())) == before


def test_repeats_are_one_answer(run: Run, tmp_path: Path) -> None:
    shifted = [[loss + noise(0, 0.02) for loss in LOSSES] for _ in range(3)]
    logs = [written(tmp_path / f"{i}.csv", losses) for i, losses in enumerate(shifted)]
    runs = [list(zip(LRS, losses, strict=True)) for losses in shifted]
    together = cyclr.analyze(*runs, optimizer="adam")
    status, out, _ = run("analyze", "--repeats", "--optimizer", "adam", *logs)
    assert status == 0
    assert out.endswith(f"\n\n{together}\n")
    status, out, _ = run("analyze", "--repeats", "--optimizer", "adam", "--json", *logs)
    result = json.loads(out)
    assert result["log"] == [str(log) for log in logs]
    assert result["bounds"]["max_lr"] == pytest.approx(together.max_lr)


def test_repeats_of_which_one_is_flat_are_an_answer_and_a_complaint(
    run: Run, log: Path, flat: Path
) -> None:
    status, out, err = run("analyze", "--repeats", log, flat)
    assert status == 0
    assert "flat.csv" in err
    assert out.endswith(f"{cyclr.analyze(zip(LRS, LOSSES, strict=True))}\n")
    assert run("analyze", log, flat)[0] == 1
    assert run("analyze", "--repeats", flat, flat)[0] == 1


# --- cyclr show -------------------------------------------------------------------------------


def test_show_prints_values_and_a_picture(run: Run) -> None:
    status, out, err = run("show", "Triangular2(1e-3, max_lr=6e-3, step_size=2000)")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Triangular2(base_lr=0.001, max_lr=0.006, step_size=2000)"
    rows = [line.split() for line in lines[3:12]]
    values = ["0.001", "0.006", "0.001", "0.0035", "0.001", "0.00225", "0.001", "0.001625", "0.001"]
    assert rows == [[str(2000 * i), value] for i, value in enumerate(values)]
    assert lines[13].startswith("0.006 ")
    assert lines[-1].split() == ["0", "iteration", "16000"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("Linear(0.1, 0.0, 300)", 300),
        ("Constant(0.1)", 1000),
        ("Steps(0.1, every=30, gamma=0.1)", 240),
        ("Constant(0.1).warmup(50)", 400),
        ("Linear(0.0, 1.0, 10).then(Triangular(0.1, 1.0, 50, cycles=2))", 210),
    ],
)
def test_show_goes_as_far_as_there_is_something_to_see(run: Run, text: str, last: int) -> None:
    assert run("show", text)[1].splitlines()[-1].split()[-1] == str(last)


def test_show_goes_as_far_as_one_likes(run: Run) -> None:
    out = run("show", "Constant(0.1)", "--iterations", "3")[1]
    assert [line.split() for line in out.splitlines()[3:7]] == [[str(i), "0.1"] for i in range(4)]


def test_a_long_picture_is_not_a_lie(run: Run) -> None:
    """Samples at even distances would hit the same place in each of these cycles."""
    out = run("show", "Triangular(0.0, 1.0, 10)", "--iterations", 1_000_000)[1]
    picture = out.splitlines()[-12:-2]
    assert picture[0].startswith("1 ")
    assert all(len(set(line[3:])) == 1 for line in picture[1:-1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Triangle(1, 2, 3)"], "Triangle"),
        (["Triangular(2.0, 1.0, 10)"], "base_lr must be at most max_lr"),
        (["__import__('os')"], "__import__"),
        (["(" * 300], "not a schedule"),
        ([""], "not a schedule"),
        (["Constant(1)", "--iterations", "0"], "iterations must be at least 1: got 0"),
        (["Linear(0, 1, 1" + "0" * 400 + ")"], "too large"),
    ],
)
def test_what_is_no_schedule_is_told_so(run: Run, arguments: list[str], message: str) -> None:
    status, out, err = run("show", *arguments)
    assert (status, out) == (2, "")
    assert message in err


# --- cyclr diff -------------------------------------------------------------------------------


def test_diff_says_where_two_schedules_disagree(run: Run) -> None:
    a, b = "Triangular(1.0, 5.0, 4)", "Triangular2(1.0, 5.0, 4)"
    status, out, err = run("diff", a, b)
    found = cyclr.diff(cyclr.parse(a), cyclr.parse(b), 8 * 4 + 1)
    assert (status, err) == (1, "")
    assert out.splitlines() == [f"a: {cyclr.parse(a)}", f"b: {cyclr.parse(b)}", str(found)]


def test_diff_has_exit_status_0_where_they_agree(run: Run) -> None:
    status, out, err = run("diff", "Linear(0, 1, 10)", "Ramp(0.0, 1.0, 10)")
    assert (status, err) == (0, "")
    assert out.endswith("\nThey agree at iterations 0 to 10.\n")


def test_diff_goes_to_both_ends_or_as_far_as_one_likes(run: Run) -> None:
    ramp = "Linear(1.0, 0.0, 10)"
    later = f"{ramp}.then(Constant(0.0), after=300).then(Constant(0.5), after=400)"
    assert run("diff", ramp, later)[0] == 1
    assert run("diff", later, ramp)[0] == 1
    assert run("diff", ramp, later, "--iterations", 400)[0] == 0
    assert run("diff", ramp, later, "--iterations", 401)[0] == 1


def test_diff_takes_a_tolerance(run: Run) -> None:
    pair = ["Constant(1.0)", "Constant(1.001)"]
    assert run("diff", *pair, "--tolerance", 1e-4)[0] == 1
    assert run("diff", *pair, "--tolerance", 1e-2)[0] == 0


def test_diff_prints_json(run: Run) -> None:
    status, out, err = run("diff", "Constant(1.0)", "Linear(1.0, 0.0, 2)", "--json")
    assert (status, err) == (1, "")
    assert json.loads(out) == {
        "version": 1,
        "a": cyclr.Constant(1.0).to_dict(),
        "b": cyclr.Linear(1.0, 0.0, 2).to_dict(),
        "agree": False,
        "iterations": 1001,
        "first": 1,
        "at": 2,
        "values": [1.0, 0.0],
        "largest": 1.0,
        "relative": 1.0,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Constant(1)", "Constant(-1)"], "lr must be at least 0"),
        (["Triangle(1, 2, 3)", "Constant(1)"], "Triangle"),
        (["Constant(1)", "Constant(1)", "--iterations", "0"], "iterations must be at least 1"),
        (["Constant(1)", "Constant(1)", "--tolerance", "-1"], "tolerance must be at least 0"),
    ],
)
def test_what_diff_can_not_compare_is_told_so(run: Run, arguments: list[str], message: str) -> None:
    status, out, err = run("diff", *arguments)
    assert (status, out) == (2, "")
    assert message in err


# --- The command itself -----------------------------------------------------------------------

COMMANDS: list[list[str]] = [[], *([module.__name__.rpartition(".")[2]] for module in cli.COMMANDS)]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_help_fits_a_screen_and_has_an_example(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert len(out.splitlines()) < 24  # and the prompt
    assert max(map(len, out.splitlines())) <= 80
    assert "example: cyclr " in out


# The demonstration has tests of its own, and so has the page, which needs an extra.
@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c not in (["demo"], ["report"])], ids=str
)
def test_the_examples_of_the_help_run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    log: Path,
    command: list[str],
) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    _, example = capsys.readouterr().out.split("example: cyclr ")
    monkeypatch.chdir(log.parent)
    assert main(shlex.split(example)) == 0


def test_the_version_is_the_library_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"cyclr {cyclr.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["guess"], ["analyze"], ["analyze", "--metric", "x", "y"]]
)
def test_misuse_is_exit_status_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: cyclr")


# A process of its own finds the installed package, or this checkout, and buffers its output.
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(cyclr.__file__).parents[1]),
    "PYTHONUNBUFFERED": "",
    "PYTHONWARNINGS": "error",
}
COMMAND = [sys.executable, "-m", "cyclr"]


@pytest.mark.parametrize("arguments", [["--help"], ["show", "Constant(0.1)"], ["analyze", *"aaaa"]])
def test_a_closed_pipe_ends_it_quietly(arguments: list[str], log: Path) -> None:
    log.rename(log.with_name("a"))
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.run(
        [*COMMAND, *arguments],
        env=ENVIRONMENT,
        cwd=log.parent,
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write_end)
    assert (process.stderr, process.returncode) == (b"", 141)


def test_a_closed_standard_error_ends_it_too(log: Path) -> None:
    log.write_text(log.read_text() + "oops\n")
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.run(
        [*COMMAND, "analyze", str(log)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=write_end,
        check=False,
    )
    os.close(write_end)
    assert (process.stdout, process.returncode) == (b"", 141)


def test_it_writes_to_any_stream() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        assert main(["show", "Constant(0.1)"]) == 0
    assert stream.getvalue().startswith("Constant(lr=0.1)")


def test_an_interrupt_ends_it_quietly() -> None:
    with subprocess.Popen(
        [*COMMAND, "analyze", "-"],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Tests that run in the background may have been told to ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        # A malformed row among more than the first lines: its report says that rows are read.
        process.stdin.write(b"lr,loss\n" + b"1,2\n" * 200 + b"oops\n" + b"1,2\n" * 20_000)
        process.stdin.flush()
        assert b"oops" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert (process.stderr.read(), process.wait(60)) == (b"", 130)


def test_a_terminal_that_knows_ascii_only_is_enough(tmp_path: Path) -> None:
    path = written(tmp_path / "journal-été.csv")
    process = subprocess.run(
        [*COMMAND, "analyze", path],
        env=ENVIRONMENT | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
    )
    assert process.stdout.isascii()
    assert b"journal-\\xe9t\\xe9.csv" in process.stdout
    assert process.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], ["cyclr.logs", "cyclr.demo", "cyclr._terminal", "json"]),
        (["analyze", "log.csv"], ["cyclr.demo"]),
        (["show", "Constant(0.1)"], ["cyclr.logs", "cyclr.demo"]),
        (["diff", "Constant(0.1)", "Constant(1)"], ["cyclr.logs", "cyclr._terminal", "json"]),
    ],
)
def test_no_command_imports_what_it_does_not_need(
    log: Path, arguments: list[str], unwanted: list[str]
) -> None:
    program = (
        "import sys\n"
        "from cyclr.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        # What coverage imports is not the command's.
        env={name: it for name, it in ENVIRONMENT.items() if not name.startswith("COVERAGE")},
        cwd=log.parent,
        capture_output=True,
        check=True,
        text=True,
    )
    imported = set(process.stderr.split())
    assert "cyclr.cli" in imported
    assert not imported & set(unwanted)
