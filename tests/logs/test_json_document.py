"""JSON documents: histories and their like."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cyclr.logs import BadRow, Log, UnusableLog
from cyclr.logs import _json_document as module

PAIRS = [(0.001 * 2**i, 2.5 - i / 8) for i in range(9)]
LRS, LOSSES = (list(column) for column in zip(*PAIRS, strict=True))
ROWS = [{"lr": lr, "loss": loss} for lr, loss in PAIRS]
LISTS = {"lr": LRS, "loss": LOSSES}
BY_INDEX = {name: {str(i): v for i, v in enumerate(column)} for name, column in LISTS.items()}


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize(
    ("document", "form"),
    [
        (ROWS, "JSON, a list of rows"),
        (LISTS, "JSON, a list for each column"),
        (LISTS | {"val_loss": LOSSES[:1], "note": "no list"}, "JSON, a list for each column"),
        ({"params": {"epochs": 3}, "history": LISTS}, "JSON, a list for each column"),
        ({"train": {"loss": LOSSES}, "optimizer": {"lr": LRS}}, "JSON, a list for each column"),
        ([{"name": "a", "history": LISTS}], "JSON, a list for each column"),
        ({"seeds": [1, 2], "betas": [0.9, 0.99], "log": ROWS}, "JSON, a list of rows"),
        ([{"model": {"loss": loss}, "lr": [lr]} for lr, loss in PAIRS], "JSON, a list of rows"),
        ([list(pair) for pair in PAIRS], "JSON, a list of rows"),
        ({"log_history": [*ROWS, {"eval_loss": 1}]}, "trainer_state.json"),
        # As pandas has it: orient is "columns", its default, "index", "split".
        (BY_INDEX, "JSON, a list for each column"),
        ({str(i): row for i, row in enumerate(ROWS)}, "JSON, a list of rows"),
        (
            {"columns": ["lr", "loss"], "data": [list(pair) for pair in PAIRS]},
            "JSON, a list of rows",
        ),
    ],
)
def test_the_table_in_a_document_is_found(
    read: Callable[..., Log], document: Any, indent: int | str | None, form: str
) -> None:
    log = read(json.dumps(document, indent=indent))
    assert (list(log), log.format, log.skipped) == (PAIRS, form, 0)


def test_what_looks_like_lines_may_be_a_document(read: Callable[..., Log]) -> None:
    rows = ",\n".join(map(json.dumps, ROWS))
    for text in (f"[\n{rows}\n]", f"[{rows}]", f"\n\n[\n\n{rows}]\n\n"):
        log = read(text)
        assert (list(log), log.format) == (PAIRS, "JSON, a list of rows")


def test_columns_can_be_named(read: Callable[..., Log]) -> None:
    text = json.dumps({"other": LISTS, "deep": {"eta": LRS, "x": {"err": LOSSES}}})
    log = read(text, lr="eta", loss="x.err")
    assert (list(log), log.lr, log.loss) == (PAIRS, "eta", "x.err")


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_malformed_row_is_named_by_its_line(
    read: Callable[..., Log], indent: int | None, ends: str
) -> None:
    rows: list[Any] = [*ROWS[:1], {"lr": "x", "loss": 1}, 7, *ROWS[1:], {"lr": 1, "loss": None}]
    text = "\n" + json.dumps({"a": {"b": [[]]}, "log": rows, "z": ROWS}, indent=indent)
    bad: list[BadRow] = []
    assert list(read(text.replace("\n", ends), on_bad_row=bad.append)) == PAIRS
    assert [row.reason for row in bad] == [
        "lr is not a number: 'x'",
        "not a JSON object: 7",
        "loss is missing",
    ]
    lines = text.split("\n")
    if indent:
        places = [lines.index('      "lr": "x",'), lines.index("    7,") + 1]
        places.append(lines.index('      "loss": null') - 1)
        assert [row.line for row in bad] == places
    else:
        assert [row.line for row in bad] == [2, 2, 2]


def test_lists_of_other_lengths_end_in_malformed_rows(read: Callable[..., Log]) -> None:
    bad: list[BadRow] = []
    text = json.dumps({"lr": [*LRS, 1, 2], "loss": LOSSES}, indent=1)
    assert list(read(text, on_bad_row=bad.append)) == PAIRS
    assert [(row.line, row.reason) for row in bad] == [
        (12, "loss is missing"),
        (13, "loss is missing"),
    ]


def test_of_equal_keys_the_last_counts(read: Callable[..., Log]) -> None:
    text = json.dumps({"log": ROWS})
    assert list(read('{"log": [{"lr": 9, "loss": 9}], ' + text[1:])) == PAIRS
    assert list(read('{"log": 1, "log": {}, ' + text[1:])) == PAIRS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "JSON without a table; expected a list of objects, or an object of lists"),
        ('[{"lr": 1},\n{"lr": 2}]', "no column is named like loss or cost: there are 'lr'"),
        ('{\n"lr": [1, 2]}', "JSON without a table"),
        ("[\n", r"it begins like JSON, but: Expecting value: line 1 column 2"),
        (json.dumps(ROWS)[:-5], "it begins like JSON, but: Expecting"),
        (json.dumps(ROWS) + "]", "it begins like JSON, but: Extra data"),
        ("[" * 100_000, "JSON that is nested too deeply"),
        ("[\n" * 100_000, "JSON that is nested too deeply"),
        ('{"lr": [' + "9" * 5000 + "]}", "it begins like JSON, but: Exceeds the limit"),
    ],
)
def test_what_has_no_table_is_told_so(read: Callable[..., Log], text: str, message: str) -> None:
    with pytest.raises(UnusableLog, match=message):
        read(text)


def test_what_is_too_large_to_be_read_whole_is_told_so(
    read: Callable[..., Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    rows = [{"lr": 1, "loss": 2}] * 40
    assert len(list(read(json.dumps(rows)))) == 40
    with pytest.raises(
        UnusableLog, match=r"(?s)JSON of more than 1,000 characters.*Hint: as JSON Lines"
    ):
        read(json.dumps(rows * 2))
    with pytest.raises(UnusableLog, match="JSON of more than 1,000 characters"):
        read("[\n" + "\n" * 2000 + "]")


def test_a_line_may_be_longer_than_those_of_a_table(read: Callable[..., Log]) -> None:
    rows = [{"lr": i, "loss": 1.0} for i in range(60_000)]
    text = json.dumps(rows)
    assert len(text) > 1_000_000
    assert [lr for lr, _ in read(text)] == list(range(60_000))


def test_what_is_nested_as_deep_as_the_stack_allows_is_told_so(
    read: Callable[..., Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read before, where the stack was less deep."""

    class Deep:
        def raw_decode(self, text: str, place: int) -> Any:
            raise RecursionError

    monkeypatch.setattr(module, "DECODER", Deep())
    with pytest.raises(UnusableLog, match="JSON that is nested too deeply"):
        read(json.dumps(ROWS))
