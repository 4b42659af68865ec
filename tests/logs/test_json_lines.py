"""JSON Lines."""

import json
import math
from collections.abc import Callable

import pytest

from cyclr.logs import BadRow, Log
from cyclr.logs._fields import MOST, flat


def test_objects_are_read_by_their_names(read: Callable[..., Log]) -> None:
    rows = [{"step": i, "lr": 10.0**-i, "loss": 2.0 - i, "val_loss": 9} for i in range(3)]
    log = read("\n".join(map(json.dumps, rows)))
    assert list(log) == [(row["lr"], row["loss"]) for row in rows]
    assert (log.format, log.lr, log.loss) == ("JSON Lines", "lr", "loss")


def test_columns_may_be_named(read: Callable[..., Log]) -> None:
    assert list(read('{"rate": 1, "train": 2}\n', lr="rate", loss="train")) == [(1.0, 2.0)]


def test_rows_of_something_else_are_counted(read: Callable[..., Log]) -> None:
    log = read('{"event": "start"}\n{"lr": 1, "loss": 2}\n{"val_loss": 3}\n[4, 5]\n')
    assert (list(log), log.skipped, log.others) == ([(1.0, 2.0)], 0, 3)


@pytest.mark.parametrize(
    ("row", "lr", "loss"),
    [
        ({"optimizer": {"lr": 1}, "train": {"loss": 2}, "val": {"loss": 9}}, "optimizer.lr", None),
        ({"lr": [1, 9], "loss": 2}, "lr.0", "loss"),
        ({"a": {"b": [{"lr": 1}]}, "loss": 2}, "a.b.0.lr", "loss"),
    ],
)
def test_what_is_nested_has_the_names_on_the_way(
    read: Callable[..., Log], row: dict[str, object], lr: str, loss: str | None
) -> None:
    log = read(f"{json.dumps(row)}\n" * 2)
    assert list(log) == [(1.0, 2.0)] * 2
    assert (log.lr, log.loss) == (lr, loss or "train.loss")
    log = read(f"{json.dumps(row)}\n" * 2, lr=lr, loss=log.loss)
    assert list(log) == [(1.0, 2.0)] * 2


def test_of_a_row_with_very_many_fields_the_first_are_read(read: Callable[..., Log]) -> None:
    weights = {f"weight {i}": [0.5] for i in range(2 * MOST)}
    assert len(flat({"lr": [1]} | weights)) == MOST + 1
    log = read(f"{json.dumps({'lr': [1], 'loss': 2} | weights)}\n" * 2)
    assert list(log) == [(1.0, 2.0)] * 2


def test_arrays_are_read_by_place(read: Callable[..., Log]) -> None:
    assert list(read("[0.001, 2.5]\n[0.01, 2.25]\n")) == [(0.001, 2.5), (0.01, 2.25)]


def test_what_json_itself_lacks_is_read_too(read: Callable[..., Log]) -> None:
    log = read('{"lr": "1e-3", "loss": NaN}\n{"lr": 1, "loss": Infinity}\n{"lr": 1, "loss": "nan"}')
    lrs, losses = zip(*log, strict=True)
    assert lrs == (0.001, 1.0, 1.0)
    assert not any(map(math.isfinite, losses))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("oops", "not a JSON object: 'oops'"),
        ('{"lr": 1, "loss": 2', "not a JSON object"),
        ("1", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"lr": 1}', "loss is missing"),
        ('{"lr": 1, "loss": null}', "loss is missing"),
        ('{"lr": 1, "loss": ""}', "loss is empty"),
        ('{"lr": 1, "loss": true}', "loss is not a number: True"),
        ('{"lr": 1, "loss": [2]}', "loss is missing"),  # there is a loss.0
        ('{"lr": NaN, "loss": 2}', "lr is not a learning rate: nan"),
        ('{"lr": -1, "loss": 2}', "lr is not a learning rate: -1"),
        ('{"lr": 1, "loss": ' + "9" * 400 + "}", "loss is not a number: 9999"),
        ('{"lr": 1, "loss": ' + "9" * 5000 + "}", "not a JSON object"),  # more than int() takes
        ("[" * 100_000, "not a JSON object"),
    ],
)
def test_a_malformed_row_is_named_and_the_rest_is_read(
    read: Callable[..., Log], row: str, reason: str
) -> None:
    bad: list[BadRow] = []
    text = '{"lr": 1, "loss": 2}\n' + row + '\n{"lr": 3, "loss": 4}\n'
    assert list(read(text, on_bad_row=bad.append)) == [(1.0, 2.0), (3.0, 4.0)]
    assert [found.line for found in bad] == [2]
    assert bad[0].reason.startswith(reason)
