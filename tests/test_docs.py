"""The documentation: its code runs, and each reason has a log that shows it.

`tox -e docs` builds the pages, which runs the tutorial's cells and draws the pictures.
"""

import contextlib
import io
import json
import math
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import cyclr
from cyclr.cli import main
from cyclr.range_test.reasons import CAUTIONS, FAILURES

DOCS = Path(__file__).parents[1] / "docs"
LOGS = Path(__file__).parent / "logs" / "data"
LRS = [1e-6 * 1e7 ** (i / 199) for i in range(200)]
LOG = [(lr, 2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + (lr / 0.5) ** 4) for lr in LRS]
ELSEWHERE = {"conventions.md", "hosts.md"}  # whose code tests/adapters/ runs
PAGES = sorted(page for page in DOCS.rglob("*.md") if "generated" not in page.parts)
BLOCKS = {
    page: re.findall(
        r"^```(\S+) ?(\w*)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    for page in PAGES
    if page.name not in ELSEWHERE
}
CELLS = "{code-cell}"  # run by the build
DIRECTIVES = {"{toctree}", "{eval-rst}"}

by_page = pytest.mark.parametrize("page", BLOCKS, ids=lambda page: page.name)


@pytest.fixture(autouse=True)
def _logs(tmp_path, monkeypatch):
    """What a reader has in the current folder: logs of different tools."""
    monkeypatch.chdir(tmp_path)
    lightning = tmp_path / "lightning_logs" / "version_0"
    lightning.mkdir(parents=True)
    shutil.copy(LOGS / "lightning_metrics.csv", lightning / "metrics.csv")
    rows = [f"{lr},{lr},{i},{loss}\n" for i, (lr, loss) in enumerate(LOG)]
    (tmp_path / "log.csv").write_text("lr,eta,step,loss\n" + "".join(rows))
    nested = ({"optimizer": {"lr": [lr]}, "train": {"loss": loss}} for lr, loss in LOG)
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in nested))


def reader_names():
    """What a reader has before the first block: bounds, and a way to try a schedule."""
    return {
        "bounds": cyclr.analyze(LOG),
        "probe": lambda schedule: 1 + math.log10(schedule.highest / 0.03) ** 2,
    }


def run(page, framework):
    """Run the page's python blocks that need no framework or this one, in order."""
    names, ran = reader_names(), 0
    for language, needs, code in BLOCKS[page]:
        if language == "python" and needs in ("", framework):
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, str(page), "exec"), names)
            ran += 1
    return ran


@by_page
def test_the_blocks_without_a_framework(page):
    assert run(page, "") == sum(block[:2] == ("python", "") for block in BLOCKS[page])


@pytest.mark.framework("torch")
@pytest.mark.framework("sklearn")
@by_page
def test_the_blocks_for_torch(page):
    assert run(page, "torch") == sum(language == "python" for language, *_ in BLOCKS[page])


@by_page
def test_the_commands(page, capsys):
    """They end well, and print what is shown below them, whatever the numbers."""
    for language, _, code in BLOCKS[page]:
        if language == "console":
            for command in code.removeprefix("$ ").split("\n$ "):
                line, *shown = command.splitlines()
                name, *arguments = shlex.split(line)
                assert name == "cyclr"
                assert main(arguments) == 0
                printed = numberless("".join(capsys.readouterr()))
                assert printed
                assert all(numberless(text) in printed for text in shown if text != "...")


def numberless(text):
    return re.sub(r"\d[\d.]*", "0", text)


@by_page
def test_the_scripts_are_there(page):
    for language, _, code in BLOCKS[page]:
        for line in code.splitlines() if language == "sh" else ():
            python, option, module = shlex.split(line, comments=True)
            assert (python, option) == ("python", "-m")
            assert (DOCS.parent / module.replace(".", "/")).with_suffix(".py").exists()


def test_nothing_else_is_in_a_block():
    kinds = {(language, needs) for blocks in BLOCKS.values() for language, needs, _ in blocks}

    assert {language for language, _ in kinds} <= {"python", "console", "sh", CELLS} | DIRECTIVES
    assert {needs for _, needs in kinds} == {"", "torch"}
    assert sum(language == "python" for blocks in BLOCKS.values() for language, *_ in blocks) >= 4


def test_cells_are_where_the_build_runs_them():
    for page, blocks in BLOCKS.items():
        if CELLS in {language for language, *_ in blocks}:
            assert page.read_text().startswith("---\nfile_format: mystnb\n")


@pytest.fixture(scope="module")
def odd_logs():
    sys.path.insert(0, str(DOCS))
    import odd_logs

    sys.path.remove(str(DOCS))
    return odd_logs


@pytest.mark.parametrize("code", [*FAILURES, *CAUTIONS])
@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_each_reason_has_a_log_that_has_it_and_no_other(odd_logs, code, metric):
    odd = odd_logs.ODD[code]
    log = odd.log if metric == "loss" else [(lr, -loss) for lr, loss in odd.log]
    try:
        reasons = cyclr.analyze(log, metric=metric, **odd.arguments).reasons
    except cyclr.InconclusiveRangeTest as error:
        reasons = error.reasons

    assert [reason.code for reason in reasons] == [code]
    # What it says is of what was recorded, and so is what to do about it.
    said = str(reasons[0]).replace("learn at all: loss, labels", "").removeprefix(code)
    assert "{" not in said
    assert "loss" not in said or metric == "loss"


def test_no_log_is_of_a_reason_that_is_not_and_the_good_one_is_good(odd_logs):
    assert odd_logs.ODD.keys() == FAILURES.keys() | CAUTIONS.keys()
    assert cyclr.analyze(odd_logs.GOOD).reasons == ()
