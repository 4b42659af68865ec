"""Names and numbers in lines of text."""

import math
import time
from collections.abc import Callable

import pytest

from cyclr.logs import BadRow, Log, UnusableLog

PAIRS = [(0.001, 2.5), (0.01, 2.25), (0.1, 1.5)]


def lines(template: str) -> str:
    return "".join(template.format(i=i, lr=lr, loss=loss) for i, (lr, loss) in enumerate(PAIRS))


@pytest.mark.parametrize(
    "template",
    [
        "lr={lr} loss={loss}\n",
        "loss={loss}, lr={lr}\n",
        "step {i}: lr = {lr}, loss = {loss}\n",
        "lr {lr} loss {loss}\n",
        "Learning rate: {lr}; Training loss: {loss}; Validation loss: 9\n",
        "val loss: 9 train loss: {loss} lr: {lr}\n",
        "min loss 0.1 loss {loss} lr {lr}\n",
        "2024-01-01 10:00:0{i},123 INFO:trainer: lr={lr} loss={loss} (avg loss 9)\n",
        "[2024-01-01 10:00:0{i}] lr={lr} loss={loss}\n",
        "| epoch   1 |   {i}/ 2983 batches | lr {lr:.3f} | ms/batch 15.10 | loss  {loss} |\n",
        " 10%|#  | {i}/9 [00:00<00:01, 9.5it/s, loss={loss}, lr={lr}]\r",
        "Epoch: [0][ {i}/9]\tTime 0.5 (1.1)\tLoss {loss} (7.0)\tlr {lr}\n",
        "lr=[{lr}] loss=tensor({loss}, grad_fn=<NllLossBackward0>)\n",
        "{{'lr': np.float64({lr}), 'loss': array({loss}, dtype=float32)}}\n",
        "{{'loss': {loss}, 'learning_rate': {lr}, 'epoch': 0.{i}}}\n",
        "eta: 9.5s {{'loss': '{loss}', 'learning_rate': '{lr}'}} {{'loss': 7}}\n",
        'INFO {{"optimizer": {{"lr": {lr}}}, "loss": {loss}}}\n',
        "hello\nlr={lr} loss={loss}\nworld\n\n",
    ],
)
def test_numbers_are_found_by_their_names(read: Callable[..., Log], template: str) -> None:
    log = read(lines(template))
    assert (list(log), log.skipped) == (PAIRS, 0)
    assert log.format.startswith("text with ")


def test_a_decimal_comma_is_no_separator(read: Callable[..., Log]) -> None:
    assert list(read("lr=0,001 loss=2,5\nlr=0,01 loss=2\n")) == [(0.001, 2.5), (0.01, 2.0)]
    assert list(read("lr=1,loss=2\nlr=3,loss=4\n")) == [(1.0, 2.0), (3.0, 4.0)]
    bad: list[BadRow] = []
    text = "lr=0.1 loss=2.5\nlr=0.1 loss=1,234\nlr=0.1 loss=1,234.5\nlr=0.2 loss=1.5.0\n"
    assert list(read(text, on_bad_row=bad.append)) == [(0.1, 2.5)]
    assert [(row.line, row.reason) for row in bad] == [
        (2, "loss is not a number: '1,234'"),
        (3, "loss is missing"),
        (4, "loss is missing"),
    ]


def test_what_is_not_finite_is_a_value(read: Callable[..., Log]) -> None:
    log = read(
        "".join(f"lr=1 loss={loss}\n" for loss in ("nan", "-nan", "inf", "-inf", "Infinity"))
    )
    assert [math.isfinite(loss) for _, loss in log] == [False] * 5


def test_names_can_be_given(read: Callable[..., Log]) -> None:
    text = "eta=1 err=2 lr=7 loss=8\neta=3 err=4 lr=7 loss=8\n"
    assert list(read(text, lr="eta", loss="err")) == [(1.0, 2.0), (3.0, 4.0)]
    with pytest.raises(UnusableLog, match="there are 'eta', 'err', 'lr', 'loss'"):
        read(text, lr="rate")


def test_halves_of_a_step_are_joined(read: Callable[..., Log]) -> None:
    log = read(lines("step {i}: lr={lr}\nstep {i}: loss={loss}\n"))
    assert (list(log), log.format) == (PAIRS, "text with names and numbers, joined by 'step'")


def test_much_may_come_before(read: Callable[..., Log]) -> None:
    for line in ("loading {}\n", "layer {}: dropout=0.1 (lr 1)\n", "{},{}\n"):
        text = "".join(line.format(i, i) for i in range(1500))
        log = read(text + lines("lr={lr} loss={loss}\n"), on_bad_row=str)
        assert list(log) == PAIRS


def test_a_table_with_a_text_in_it_is_a_table(read: Callable[..., Log]) -> None:
    log = read("lr,loss,note\n1,2,lr=7 loss=8\n3,4,lr=7 loss=8\n")
    assert (list(log), log.format) == ([(1.0, 2.0), (3.0, 4.0)], "CSV")


def test_the_strictest_format_that_reads_nearly_all_is_taken(read: Callable[..., Log]) -> None:
    config = '{"lr": 9, "loss": 9}\n'
    assert list(read(config + lines("lr={lr} loss={loss}\n")))[1:] == PAIRS
    rows = '{"lr": 1, "loss": 2}\n' * 5
    log = read(rows + '{"lr": 1, "loss": 2\n', on_bad_row=str)
    assert (log.format, len(list(log)), log.skipped) == ("JSON Lines", 5, 1)


@pytest.mark.parametrize(
    "line",
    ["x" * 10**6, "lr=" * 10**4, "lr " * 10**4, "1" * 10**6, "lr=" + "1" * 10**6, "'" * 10**5],
)
def test_no_line_takes_long(read: Callable[..., Log], line: str) -> None:
    start = time.process_time()
    list(read(f"lr=1 loss=2\n{line}\n" * 3, on_bad_row=str))
    assert time.process_time() - start < 5  # a second try at each character would take hours
