"""No input gives a traceback: bytes, text, tables, documents, real logs, damaged and packed.

CYCLR_FUZZ=10000 makes as many examples of each kind, others in each run; those of a usual run are
fewer, and always the same. TensorBoard's event files are in test_tensorboard.py.
"""

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclr.logs import BadRow, UnusableLog, find_logs, read_log

MANY = os.environ.get("CYCLR_FUZZ")
usual = settings(max_examples=int(MANY or 100), derandomize=not MANY, database=None)
DATA = Path(__file__).parent / "data"
REAL = sorted(
    path for path in DATA.iterdir() if path.suffix in (".csv", ".tsv", ".json", ".txt", ".log")
)

# --- What a log could be made of ----------------------------------------------------------------

words = [
    "lr",
    "loss",
    "step",
    "0.1",
    "1e-3",
    "2,5",
    "nan",
    "inf",
    "null",
    "true",
    "NA",
    "\ufeff",
    "\0",
    "\u2028",
]
lines = [
    '{"lr": 1, "loss": 2}',
    "lr,loss\n",
    "1,2\n",
    '{"lr\\ud800": 1, "loss": 2}\n',
    "lr=1 loss=2\n",
    "step 1 lr=0.1\n",
    "step 1 loss=2\n",
    "] Iteration 1, lr = 1\n",
    "] Iteration 1, loss = 2\n",
    '{"lr": [1, 2], "loss": [3, 4]}',
    "{'lr': nan}",
]
scraps = st.sampled_from([*"\n\r,;\t #\"'{}[]:.-=|é\ud800", *words, *lines])
texts = st.lists(scraps, max_size=40).map("".join)

cells = st.one_of(
    st.sampled_from(words),
    st.floats().map(repr),
    st.integers().map(str),
    st.text(max_size=5),
)
names = st.sampled_from(
    ["lr", "loss", "learning_rate", "train_loss", "step", "epoch", "a", "", "1"]
)
tables = st.builds(
    lambda delimiter, header, rows: "\n".join(map(delimiter.join, [header, *rows])),
    st.sampled_from([",", ";", "\t", " ", "|", "\x01", ", "]),
    st.lists(names, max_size=5),
    st.lists(st.lists(cells, max_size=5), max_size=12),
)

leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), cells)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=25,
)
rows = st.lists(st.dictionaries(names, leaves, max_size=4), max_size=6)
columns = st.dictionaries(names, st.lists(leaves, max_size=6), max_size=4)
documents = st.builds(
    lambda value, indent: json.dumps(value, indent=indent),
    st.one_of(values, rows, columns, st.dictionaries(names, rows | columns, max_size=3)),
    st.sampled_from([None, 0, 2]),
)
json_lines = st.lists(values.map(json.dumps), max_size=8).map("\n".join)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


contents = st.one_of(
    st.binary(max_size=300),
    texts.map(encoded),
    tables.map(encoded),
    documents.map(encoded),
    json_lines.map(encoded),
    st.one_of(texts, tables).map(lambda text: text.encode("utf-16", "surrogatepass")),
)

# --- What can happen to it ----------------------------------------------------------------------

changes = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 20), st.binary(max_size=20)), max_size=4
)


def changed(content: bytes, places: list[tuple[float, int, bytes]]) -> bytes:
    """Return *content* with other bytes at some places, or none."""
    for part, length, new in places:
        start = int(part * len(content))
        content = content[:start] + new + content[start + length :]
    return content


def zipped(members: list[tuple[str, bytes]], method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, (name, content) in enumerate(members):
            archive.writestr(f"{number}{name}", content)
    return file.getvalue()


packed = st.one_of(
    contents.map(gzip.compress),
    st.lists(contents, max_size=3).map(lambda parts: b"".join(map(gzip.compress, parts))),
    st.builds(
        zipped,
        st.lists(
            st.tuples(st.text("ab/.\\\0é", max_size=4), contents | contents.map(gzip.compress)),
            max_size=3,
        ),
        st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]),
    ),
)
real = st.builds(
    lambda path, pack, start, stop: pack(path.read_bytes()[start * 100 : stop * 100]),
    st.sampled_from(REAL),
    st.sampled_from([bytes, bytes, gzip.compress, lambda content: zipped([("log", content)], 8)]),
    st.integers(0, 20),
    st.integers(0, 400),
)

options = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.one_of(names, st.integers(0, 5)),
        "loss": st.one_of(names, st.integers(0, 5)),
        "metric": st.sampled_from(["loss", "accuracy"]),
    },
)


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Read what is in a file; whatever it is, that ends in pairs or in an error made for people."""
    path = tmp_path_factory.mktemp("fuzz") / "log"

    def check(content: bytes, options: dict[str, Any]) -> None:
        path.write_bytes(content)
        try:
            logs = find_logs(path)
        except UnusableLog as error:
            str(error).encode()
            logs = [str(path)]
        for log in logs:
            _check(log, options)
        assert path.read_bytes() == content

    return check


def _check(path: str, options: dict[str, Any]) -> None:
    bad: list[BadRow] = []
    try:
        log = read_log(path, on_bad_row=bad.append, **options)
        pairs = list(log)
    except (UnusableLog, OSError) as error:
        str(error).encode()  # printable: nothing in it that a terminal couldn't write
    else:
        assert pairs
        assert all(type(lr) is type(loss) is float for lr, loss in pairs)
        assert all(0 <= lr < float("inf") for lr, _ in pairs)
        assert (log.rows, log.skipped) == (len(pairs), len(bad))
        assert log.progress is None or 0 <= log.progress <= 1
    for row in bad:
        str(row).encode()


@usual
@given(content=contents, options=options)
def test_logs_of_any_kind(
    check: Callable[..., None], content: bytes, options: dict[str, Any]
) -> None:
    check(content, options)


@usual
@given(content=contents, places=changes, options=options)
def test_damaged_logs(
    check: Callable[..., None],
    content: bytes,
    places: list[tuple[float, int, bytes]],
    options: dict[str, Any],
) -> None:
    check(changed(content, places), options)


@usual
@given(content=packed, places=changes, options=options)
def test_packed_logs_damaged_or_not(
    check: Callable[..., None],
    content: bytes,
    places: list[tuple[float, int, bytes]],
    options: dict[str, Any],
) -> None:
    check(changed(content, places), options)


@usual
@given(content=real, places=changes, options=options)
def test_parts_of_real_logs_damaged_or_not(
    check: Callable[..., None],
    content: bytes,
    places: list[tuple[float, int, bytes]],
    options: dict[str, Any],
) -> None:
    check(changed(content, places), options)
