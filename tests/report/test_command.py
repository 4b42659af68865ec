"""``cyclr report``, as a person uses it."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import cyclr
from cyclr.cli import main
from cyclr.report.page import MARK

from .conftest import LOSSES, LRS, Write

pytestmark = pytest.mark.usefixtures("plotly")
Report = Callable[..., tuple[int, str, str]]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "page.html"


@pytest.fixture
def report(output: Path, capsys: pytest.CaptureFixture[str]) -> Report:
    """Run the command; return its exit status, standard output and standard error."""

    def report(*arguments: object, to: Path = output) -> tuple[int, str, str]:
        status = main(["report", *map(str, arguments), "-o", str(to)])
        out, err = capsys.readouterr()
        return status, out, err

    return report


def test_it_writes_the_page_and_says_what_it_found(report: Report, log: Path, output: Path) -> None:
    status, out, err = report(log, "--optimizer", "adam")
    bounds = cyclr.analyze(zip(LRS, LOSSES, strict=True), optimizer="adam")
    assert (status, err) == (0, "")
    assert out.startswith(f"{log}: 200 rows of CSV, lr in 'lr', loss in 'loss'\n{bounds}\n")
    assert str(output) in out.splitlines()[-1]
    text = output.read_text(encoding="utf-8")
    assert text.startswith(MARK)
    assert "optax.adam(schedule)" in text


def test_an_inconclusive_log_is_shown_and_told(report: Report, log: Path, flat: Path) -> None:
    status, out, err = report(log, flat)
    assert (status, err) == (1, "")
    assert "The loss never improved by more than its noise explains. Raise end_lr" in out
    assert report(log, log)[0] == 0


def test_an_unusable_log_is_left_out_and_told(report: Report, log: Path, output: Path) -> None:
    missing = log.with_name("missing.csv")
    status, out, err = report(missing, log)
    assert (status, err) == (2, f"{missing}: No such file or directory.\n")
    assert str(log) in out
    assert "missing.csv" not in output.read_text()


def test_an_archive_is_its_logs(report: Report, log: Path, flat: Path, output: Path) -> None:
    archive = log.with_name("runs.zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in (log, flat):
            file.write(path, path.name)
    status, out, _ = report(archive)
    assert status == 1
    assert [f"{archive}/{path.name}: 200 rows" in out for path in (log, flat)] == [True, True]
    archive.write_bytes(b"PK\3\4 and no more")
    status, out, err = report(archive, log)
    assert (status, out.count("200 rows")) == (2, 1)
    assert err.startswith(f"{archive}: a damaged zip archive: ")


def test_without_a_usable_log_there_is_no_page(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a,b,c\n1,2,3\n")
    status, out, err = report(path)
    assert (status, out) == (2, "")
    assert "log.csv" in err
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_page_replaces_a_page(report: Report, log: Path, flat: Path, output: Path) -> None:
    report(flat)
    assert report(log)[0] == 0
    assert "flat.csv" not in output.read_text()
    output.write_text("")  # as mktemp leaves it
    assert report(log)[0] == 0


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_a_log_is_never_overwritten(
    report: Report, write: Write, log: Path, tmp_path: Path, link: Callable[..., None] | None
) -> None:
    other = write("other.csv")
    before = other.read_bytes()
    to = other
    if link:
        to = tmp_path / "link.html"
        link(other, to)
    status, out, err = report(log, to=to)
    assert (status, out) == (2, "")
    assert err.startswith(f"{to}: there is a file of that name, which is not a report")
    assert report(other, to=to)[0] == 2  # the log itself
    assert other.read_bytes() == before


def test_what_can_not_be_written_is_told(report: Report, log: Path, tmp_path: Path) -> None:
    assert report(log, to=tmp_path) == (2, "", f"{tmp_path}: Is a directory.\n")
    nowhere = tmp_path / "no" / "page.html"
    assert report(log, to=nowhere)[::2] == (2, f"{nowhere}: No such file or directory.\n")


@pytest.mark.usefixtures("no_plotly")
def test_without_plotly_nothing_is_read_or_written(
    report: Report, tmp_path: Path, output: Path
) -> None:
    status, out, err = report(tmp_path / "missing.csv")
    assert (status, out) == (2, "")
    assert err.endswith('Hint: pip install "cyclr[report]"\n')
    assert "missing.csv" not in err
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rule", "guess"], "rule must be one of 'family'"),
        (["--momentum", "1"], "momentum must be below 1: got 1.0"),
        (["--lr", "rate"], "no column 'rate': there are 'lr', 'loss'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    report: Report, log: Path, output: Path, options: list[str], message: str
) -> None:
    status, out, err = report(log, *options)
    assert (status, out) == (2, "")
    assert message in err
    assert not output.exists()


def test_malformed_rows_are_named(report: Report, log: Path) -> None:
    lines = log.read_text().splitlines()
    lines[50:50] = ["oops"]
    log.write_text("\n".join(lines))
    status, _, err = report(log)
    assert status == 0
    assert err == f"{log}:51: only 1 of 2 fields: 'oops' (skipped)\n"


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    out = capsys.readouterr().out
    assert "example: cyclr report log.csv" in out
    assert len(out.splitlines()) <= 24
