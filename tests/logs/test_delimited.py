"""CSV, TSV and what else has a delimiter."""

import math
from collections.abc import Callable

import pytest

from cyclr.logs import BadRow, Log, UnusableLog
from cyclr.logs._lines import LONGEST

PAIRS = [(0.001, 2.5), (0.01, 2.25), (0.1, 1.5)]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("lr,loss\n0.001,2.5\n0.01,2.25\n0.1,1.5\n", "CSV"),
        ("lr, loss\n0.001, 2.5\n0.01, 2.25\n0.1, 1.5\n", "CSV"),
        ("0.001,2.5\n0.01,2.25\n0.1,1.5", "CSV"),
        ("0.001, 2.5\n0.01, 2.25\n0.1, 1.5", "CSV"),
        ('"lr","loss"\r\n"0.001","2.5"\r\n"0.01","2.25"\r\n"0.1","1.5"\r\n', "CSV"),
        (",lr,loss,note\n0,1e-3,2.5,\n1,1e-2,2.25,a b\n2,1e-1,1.5,c\n", "CSV"),
        ('note,lr,loss\n"a, b",1e-3,2.5\n"c ""d""",1e-2,2.25\n"",1e-1,1.5\n', "CSV"),
        ("lr,loss,\n0.001,2.5,\n0.01,2.25,\n0.1,1.5,\n", "CSV"),
        ("lr,loss\n0.001,2.5,\n0.01,2.25,\n0.1,1.5,\n", "CSV"),
        ("lr\tloss\n0.001\t2.5\n0.01\t2.25\n0.1\t1.5\n", "TSV"),
        ("lr\tloss\n0,001\t2,5\n0,01\t2,25\n0,1\t1,5\n", "TSV"),
        ("lr;loss\n0,001;2,5\n0,01;2,25\n0,1;1,5\n", "CSV with semicolons"),
        ("lr;loss\n0.001;2.5\n0.01;2.25\n0.1;1.5\n", "CSV with semicolons"),
        ("0,001;2,5\n0,01;2,25\n0,1;1,5\n", "CSV with semicolons"),
        ("lr|loss\n0.001|2.5\n0.01|2.25\n0.1|1.5\n", "CSV with '|'"),
        ("lr | loss\n0,001 | 2,5\n0,01 | 2,25\n0,1 | 1,5\n", "CSV with '|'"),
        ("| lr | loss |\n| 0.001 | 2.5 |\n| 0.01 | 2.25 |\n| 0.1 | 1.5 |\n", "CSV with '|'"),
        ("lr:loss\n0.001:2.5\n0.01:2.25\n0.1:1.5\n", "CSV with ':'"),
        ("lr\x01loss\n0.001\x012.5\n0.01\x012.25\n0.1\x011.5\n", "CSV with '\\x01'"),
        ('"lr","loss"\n"0,001","2,5"\n"0,01","2,25"\n"0,1","1,5"\n', "CSV"),
        ("lr loss\n0.001 2.5\n0.01 2.25\n0.1 1.5\n", "columns between spaces"),
        ("  lr    loss\n 0.001  2.5 \n 0.01   2.25\n 0.1    1.5\n", "columns between spaces"),
        ("0,001 2,5\n0,01 2,25\n0,1 1,5\n", "columns between spaces"),
        ("# numpy.savetxt\n# lr loss\n0.001 2.5\n0.01 2.25\n0.1 1.5\n", "columns between spaces"),
        ("# loss lr\n2.5 0.001\n2.25 0.01\n1.5 0.1\n", "columns between spaces"),
        ("# lr loss\n# loss lr\n2.5 0.001\n2.25 0.01\n1.5 0.1\n", "columns between spaces"),
        ("# my loss by lr\n0.001 2.5\n0.01 2.25\n0.1 1.5\n", "columns between spaces"),
        ("#lr,loss\n0.001,2.5\n\n# half\n0.01,2.25\n   \n0.1,1.5\n", "CSV"),
        ("# by me, today\nlr,loss\n0.001,2.5\n0.01,2.25\n0.1,1.5\n", "CSV"),
        ("lr,loss\n0.001,2.5\nlr,loss\n0.01,2.25\n0.1,1.5\n", "CSV"),
    ],
)
def test_a_table_is_recognised_by_content(read: Callable[..., Log], text: str, form: str) -> None:
    log = read(text)
    assert (list(log), log.format) == (PAIRS, form)
    assert (log.rows, log.skipped) == (3, 0)


def test_the_columns_chosen_are_told(read: Callable[..., Log]) -> None:
    log = read("step, lr-SGD , train/loss\n0,1,2\n")
    assert (log.lr, log.loss) == ("lr-SGD", "train/loss")
    log = read("0.5,2\n")
    assert (log.lr, log.loss) == ("column 0", "column 1")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,oops", "loss is not a number: 'oops'"),
        ("oops,1", "lr is not a number: 'oops'"),
        ("1,", "loss is empty"),
        (" ,1", "lr is empty"),
        ("-0.1,1", "lr is not a learning rate: '-0.1'"),
        ("nan,1", "lr is not a learning rate: 'nan'"),
        ("inf,1", "lr is not a learning rate: 'inf'"),
        ("1", "only 1 of 2 fields: '1'"),
        ("1,2,3", "3 fields where there should be 2"),
        ("0,1,2,5", "4 fields where there should be 2"),  # 0,1 and 2,5
        ('1,"2', "not a row of fields: unexpected end of data"),
        ('1,"' + "2" * 200_000 + '"', "not a row of fields: field larger than field limit"),
        ("1," + "x" * 1000, "loss is not a number: 'xxxx"),
    ],
)
def test_a_malformed_row_is_named_and_the_rest_is_read(
    read: Callable[..., Log], row: str, reason: str
) -> None:
    bad: list[BadRow] = []
    log = read(f"lr,loss\n0.001,2.5\n{row}\n0.01,2.25\n0.1,1.5\n", on_bad_row=bad.append)
    assert list(log) == PAIRS
    assert (log.rows, log.skipped) == (3, 1)
    assert [found.line for found in bad] == [3]
    assert bad[0].reason.startswith(reason)
    assert len(str(bad[0])) < 300


def test_losses_that_are_not_finite_are_values(read: Callable[..., Log]) -> None:
    log = read("lr,loss\n1,nan\n2,inf\n3,-inf\n4,NaN\n5,Infinity\n")
    losses = [loss for _, loss in log]
    assert [math.isfinite(loss) for loss in losses] == [False] * 5
    assert log.skipped == 0


def test_a_decimal_comma_is_not_taken_for_a_thousands_separator(read: Callable[..., Log]) -> None:
    log = read("lr\tloss\n0.1\t1,234\n0.2\t2.5\n", on_bad_row=str)
    assert (list(log), log.skipped) == ([(0.2, 2.5)], 1)


def test_a_time_between_colons_is_a_field(read: Callable[..., Log]) -> None:
    log = read("time,lr,loss\n10:00:01,1,2\n10:00:02,3,4\n")
    assert (list(log), log.format) == ([(1.0, 2.0), (3.0, 4.0)], "CSV")


def test_what_a_line_has_too_much_is_no_row(read: Callable[..., Log]) -> None:
    bad: list[BadRow] = []
    log = read("lr,loss\n1,2\n" + "x" * LONGEST + "7,8\n3,4\n", on_bad_row=bad.append)
    assert list(log) == [(1.0, 2.0), (3.0, 4.0)]
    assert [row.line for row in bad] == [3]


def test_a_banner_above_the_header_is_one_malformed_row(read: Callable[..., Log]) -> None:
    bad: list[BadRow] = []
    assert list(read("Training\nlr,loss\n1,2\n", on_bad_row=bad.append)) == [(1.0, 2.0)]
    assert [row.line for row in bad] == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\nworld\n", "no learning rate and loss in 'hello'; expected rows of CSV such as"),
        ("to be or\nnot to be\n", "no learning rate and loss in 'to be or'"),
        ("1\n2\n3\n", "no learning rate and loss in '1'"),
        ("# only a comment\n", "no learning rate and loss in '# only a comment'"),
        ("lr,loss\n", "no row below the header"),
        ("lr,loss\nx,y\n", r"read as CSV, lr from 'lr', loss from 'loss'\): line 2: lr is not"),
        ("step,eta,loss\n1,2,3\n", "'step', 'eta', 'loss'"),
        ("lr,val\n1,2\n", "no column is named like loss or cost"),
    ],
)
def test_nothing_usable_says_what_was_found_and_expected(
    read: Callable[..., Log], text: str, message: str
) -> None:
    with pytest.raises(UnusableLog, match=message):
        list(read(text))
