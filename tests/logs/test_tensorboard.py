"""TensorBoard's event files: real ones, damaged ones, folders of them."""

import gzip
import os
import shutil
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.record_writer import RecordWriter

import cyclr
from cyclr.cli import main
from cyclr.logs import BadRow, Log, UnusableLog, find_logs, read_log

DATA = Path(__file__).parent / "data"
REAL = ["torch.tfevents", "torch_new_style.tfevents", "tensorflow.tfevents", "lightning.tfevents"]


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_read_is_what_was_used(
    data: Path,
    read: Callable[..., Log],
    assert_used: Callable[..., None],
    name: str,
    pack: Callable[[bytes], bytes],
) -> None:
    log = read(pack((data / name).read_bytes()))
    assert log.format == "TensorBoard's events, joined by 'step'"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs = list(log)
    assert_used(name, pairs, 7)  # a scalar is a float32
    assert log.skipped == 0
    assert 0.03 < cyclr.analyze(pairs, optimizer="sgd").max_lr < 3


def test_tags_can_be_named(data: Path) -> None:
    log = read_log(data / "lightning.tfevents", lr="lr-SGD", loss="val_loss")
    assert [lr for lr, _ in log] == pytest.approx(
        [1e-3 * 1e5 ** (i / 99) for i in (24, 49, 74, 99)]
    )
    with pytest.raises(UnusableLog, match="no column 'eta': there are 'lr-SGD', 'step', "):
        read_log(data / "lightning.tfevents", lr="eta")


def test_a_folder_is_read_in_the_order_of_its_files(
    data: Path, tmp_path: Path, assert_used: Callable[..., None]
) -> None:
    """A run that was interrupted leaves two, the first of which ends amid a record."""
    content = (data / "torch.tfevents").read_bytes()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "events.out.tfevents.1.host").write_bytes(content + content[:20])
    (tmp_path / "run" / "events.out.tfevents.2.host").write_bytes(content)
    (tmp_path / "run" / "hparams.yaml").touch()
    for path in (tmp_path, tmp_path / "run"):
        pairs = list(log := read_log(path))
        assert (log.rows, log.skipped) == (200, 0)
        assert_used("torch.tfevents", pairs[:100], 7)
        assert_used("torch.tfevents", pairs[100:], 7)


def test_runs_of_a_folder_are_a_table(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in REAL:
        (tmp_path / name).mkdir()
        shutil.copy(data / name, tmp_path / name / f"events.out.{name}")
    assert main(["analyze", str(tmp_path)]) == 0
    table = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert [line.split()[0] for line in table[1:]] == find_logs(tmp_path)
    assert len(table) == 5


def test_it_is_followed_while_it_grows(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assert_used: Callable[..., None]
) -> None:
    monkeypatch.setattr("cyclr.logs._sources.PAUSE", 0.002)
    content = (data / "torch.tfevents").read_bytes()
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(content[:200])  # in the middle of a record
    log = read_log(tmp_path, follow=True)
    first = next(log)
    with path.open("ab") as file:
        file.write(content[200:])
    assert_used("torch.tfevents", [first, *(next(log) for _ in range(99))], 7)


# --- What is not a scalar, and what is broken ---------------------------------------------------


def written(path: Path, events: list[Event]) -> Path:
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for event in [Event(file_version="brain.Event:2"), *events]:
            writer.write(event.SerializeToString())
        writer.flush()
    return path


def scalars(step: int, **values: float) -> Event:
    summary = Summary(value=[Summary.Value(tag=k, simple_value=v) for k, v in values.items()])
    return Event(step=step, summary=summary)


def test_what_is_no_scalar_is_left_alone(tmp_path: Path) -> None:
    text = Summary.Value(tag="text")
    text.tensor.dtype = 7  # a string
    text.tensor.string_val.append(b"lr")
    claims = Summary.Value(tag="loss")  # a bomb: ten numbers of this would be no memory's size
    claims.tensor.dtype = 1
    claims.tensor.float_val.append(1.0)
    claims.tensor.tensor_shape.dim.add(size=1 << 50)
    image = Summary.Value(tag="image", image=Summary.Image(encoded_image_string=bytes(200_000)))
    others = [Event(graph_def=b"x" * 1000)]
    others += [Event(step=0, summary=Summary(value=[value])) for value in (text, claims, image)]
    pairs = [scalars(i, lr=2.0**-i, loss=i) for i in range(3)]
    log = read_log(written(tmp_path / "tfevents", others * 50 + pairs))
    assert list(log) == [(1.0, 0.0), (0.5, 1.0), (0.25, 2.0)]
    assert (log.format, log.skipped) == ("TensorBoard's events", 0)


def test_a_record_too_large_for_scalars_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cyclr.logs._events.LARGEST", 1000)
    events = [
        scalars(0, lr=1.0, loss=2.0),
        Event(graph_def=b"x" * 1001),
        scalars(1, lr=2.0, loss=1.0),
    ]
    log = read_log(written(tmp_path / "tfevents", events))
    assert list(log) == [(1.0, 2.0), (2.0, 1.0)]
    assert log.skipped == 0


def test_a_damaged_record_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "tfevents", [scalars(i, lr=1.0, loss=i) for i in range(9)])
    content = bytearray(path.read_bytes())
    content[content.index(struct.pack("<f", 3.0))] ^= 1
    path.write_bytes(content)
    bad: list[BadRow] = []
    assert [loss for _, loss in read_log(path, on_bad_row=bad.append)] == [0, 1, 2, 4, 5, 6, 7, 8]
    assert list(map(str, bad)) == [f"{path}:5: damaged: its checksum is another"]


def test_after_a_damaged_frame_nothing_can_be_found(tmp_path: Path) -> None:
    path = written(tmp_path / "tfevents", [scalars(i, lr=1.0, loss=i) for i in range(9)])
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"x" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    bad: list[BadRow] = []
    losses = [loss for _, loss in read_log(path, on_bad_row=bad.append)]
    assert losses == list(range(len(losses)))
    assert len(losses) > 2
    assert [row.line for row in bad] == [len(losses) + 2]
    assert bad[0].reason.startswith("damaged")


def test_tags_that_never_meet_are_told(tmp_path: Path) -> None:
    events = [scalars(2 * i, lr=1.0) for i in range(9)] + [
        scalars(2 * i + 1, loss=1.0) for i in range(9)
    ]
    with pytest.raises(UnusableLog, match="no two belong to the same step"):
        list(read_log(written(tmp_path / "tfevents", events)))


def test_without_the_package_the_error_names_the_extra(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.compat.proto.event_pb2", None)
    with pytest.raises(UnusableLog, match=r'Hint: pip install "cyclr\[tensorboard\]"'):
        read_log(data / "torch.tfevents")


# --- No input gives a traceback -----------------------------------------------------------------

MANY = os.environ.get("CYCLR_FUZZ")  # see test_fuzz.py

tags = st.sampled_from(["lr", "loss", "step", "", "train/loss", "\ud7ff\0"])
tensors = st.builds(
    TensorProto,
    dtype=st.sampled_from([1, 2, 3, 7, 9, 10, 0]),
    tensor_content=st.binary(max_size=8),
    float_val=st.lists(st.floats(width=32), max_size=2),
    string_val=st.lists(st.binary(max_size=3), max_size=2),
)
summary_values = st.one_of(
    st.builds(Summary.Value, tag=tags, simple_value=st.floats(width=32)),
    st.builds(Summary.Value, tag=tags, tensor=tensors),
    st.builds(Summary.Value, tag=tags),
)
events = st.builds(
    Event,
    step=st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 3),
    summary=st.builds(Summary, value=st.lists(summary_values, max_size=3)),
)
changes = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=9)), max_size=3)


@settings(max_examples=int(MANY or 100), derandomize=not MANY, database=None)
@given(
    some=st.lists(events, max_size=8),
    name=st.sampled_from([None, *REAL]),
    end=st.integers(0, 9000),
    places=changes,
)
def test_no_event_file_gives_a_traceback(
    tmp_path_factory: pytest.TempPathFactory,
    some: list[Event],
    name: str | None,
    end: int,
    places: list[tuple[float, int, bytes]],
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.tfevents"
    written(path, some)
    content = (DATA / name).read_bytes()[:end] if name else path.read_bytes()
    for part, length, new in places:
        start = int(part * len(content))
        content = content[:start] + new + content[start + length :]
    path.write_bytes(content)
    bad: list[BadRow] = []
    try:
        pairs = list(read_log(path, on_bad_row=bad.append))
    except UnusableLog as error:
        str(error).encode()
    else:
        assert all(0 <= lr < float("inf") for lr, _ in pairs)
    for row in bad:
        str(row).encode()
    assert path.read_bytes() == content
