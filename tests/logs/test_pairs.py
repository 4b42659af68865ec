"""Rows with gaps, whose halves are joined by their step."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from cyclr.logs import BadRow, Log, UnusableLog, read_log
from cyclr.logs._columns import Columns

PAIRS = [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]


@pytest.mark.parametrize(
    "rows",
    [
        ["0,1,", "0,,2", "1,3,", "1,,4", "2,5,", "2,,6"],
        ["0,,2", "0,1,", "1,,4", "1,3,", "2,,6", "2,5,"],
        ["0,1,", "1,3,", "2,5,", "0,,2", "1,,4", "2,,6"],
        ["0,1,", "0,,2", "1,3,4", "2,5,", "2,,6"],  # the two of a step may also be together
        ["0,1,NA", "0,NA,2", "1,3,NA", "1,,4", "2,5,None", "2,None,6"],
        ["0,1,", "0,,2", "7,,9", "1,3,", "8,9,", "1,,4", "2,5,", "2,,6"],  # what has no partner
        ["0,1,", "0,,2", "0,,9", "1,3,", "1,,4", "2,5,", "2,,6"],  # and what is left over
        ["0,1,", "0,,2", "0,,", "1,3,", "1,,4", ",,", "2,5,", "2,,6"],
    ],
)
def test_what_has_the_same_step_belongs_together(read: Callable[..., Log], rows: list[str]) -> None:
    log = read("\n".join(["step,lr,loss", *rows]))
    assert (list(log), log.skipped) == (PAIRS, 0)
    assert log.format == "CSV, joined by 'step'"


@pytest.mark.parametrize(
    ("names", "step"),
    [
        (["epoch", "step", "train_loss_step"], "step"),
        (["epoch", "trainer/global_step", "batch"], "trainer/global_step"),
        (["Epoch", "Iteration"], "Iteration"),
        (["epoch", "iters"], "iters"),
        (["lr", "loss", "epoch"], "epoch"),
        (["step_size", "steps_per_second", "loss_epoch"], None),
    ],
)
def test_the_step_is_found_by_its_usual_names(names: list[str], step: str | None) -> None:
    found = Columns.step(names)
    assert (None if found is None else names[found]) == step


def test_a_gap_in_a_log_without_gaps_is_an_accident(read: Callable[..., Log]) -> None:
    bad: list[BadRow] = []
    log = read("step,lr,loss\n0,1,2\n1,3,\n1,,4\n2,5,6\n", on_bad_row=bad.append)
    assert list(log) == [PAIRS[0], PAIRS[2]]
    assert [(row.line, row.reason) for row in bad] == [(3, "loss is empty"), (4, "lr is empty")]


def test_a_half_that_is_no_number_is_named(read: Callable[..., Log]) -> None:
    bad: list[BadRow] = []
    rows = "0,1,\n0,,2\n1,x,\n1,,4\n2,5,\n2,,6\nx,7,\n"
    log = read(f"step,lr,loss\n{rows}", on_bad_row=bad.append)
    assert list(log) == [PAIRS[0], PAIRS[2]]
    reasons = ["lr is not a number: 'x'", "step is not a number: 'x'"]
    assert [row.reason for row in bad] == reasons


def test_halves_of_a_run_do_not_meet_those_of_the_next(read: Callable[..., Log]) -> None:
    """The second has what the first lacks: the latest rate of a step counts."""
    log = read("step,lr,loss\n0,1,\n0,,2\n1,9,\n0,1,\n0,,2\n1,3,\n1,,4\n2,5,\n2,,6\n")
    assert list(log) == [PAIRS[0], *PAIRS]


def test_without_a_step_nothing_is_joined(read: Callable[..., Log]) -> None:
    with pytest.raises(UnusableLog, match=r"no usable row.*line 2: loss is empty"):
        list(read("lr,loss\n1,\n,2\n3,\n,4\n", on_bad_row=str))


def test_what_never_meets_is_told_so(read: Callable[..., Log]) -> None:
    with pytest.raises(UnusableLog, match=r"joined by 'step', .*no two belong to the same step"):
        list(read("step,lr,loss\n0,1,\n1,,2\n2,1,\n3,,2\n"))


def test_waiting_halves_take_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,lr,loss\n0,1,\n0,,2\n" + "".join(f"{i},1,\n" for i in range(1, 40_000)))
    tracemalloc.start()
    assert list(read_log(path)) == [(1.0, 2.0)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000  # all of them would take 6 MB
