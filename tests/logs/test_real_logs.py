"""What real tools wrote; TensorBoard's event files are in test_tensorboard.py."""

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import cyclr
from cyclr.logs import find_logs, read_log


@pytest.mark.parametrize(
    ("name", "digits", "form", "lr", "loss"),
    [
        ("keras_csvlogger.csv", 15, "CSV", "learning_rate", "loss"),
        ("keras_csvlogger.tsv", 15, "TSV", "learning_rate", "loss"),
        ("keras_history.json", 15, "JSON, a list for each column", "learning_rate", "loss"),
        # Lightning's monitor reads float32.
        ("lightning_metrics.csv", 7, "CSV, joined by 'step'", "lr-SGD", "train_loss"),
        ("trainer_state.json", 15, "trainer_state.json", "learning_rate", "loss"),
        ("hf_printed.txt", 4, "text with dictionaries", "learning_rate", "loss"),  # as it prints
        ("caffe.log", 6, "Caffe's log, joined by 'iteration'", "lr", "loss"),
    ],
)
def test_what_is_read_is_what_was_used(
    data: Path,
    assert_used: Callable[..., None],
    name: str,
    digits: int,
    form: str,
    lr: str,
    loss: str,
) -> None:
    log = read_log(data / name)
    assert (log.format, log.lr, log.loss) == (form, lr, loss)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs = list(log)
    assert_used(name, pairs, digits)
    assert log.skipped == 0
    bounds = cyclr.analyze(pairs, optimizer="sgd")
    assert 0.03 < bounds.max_lr < 3


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("keras_csvlogger.csv", "accuracy"),
        ("keras_history.json", "accuracy"),
        ("caffe.log", "train accuracy"),
    ],
)
def test_accuracies_are_found_as_well(data: Path, name: str, column: str) -> None:
    log = read_log(data / name, metric="accuracy")
    accuracies = [accuracy for _, accuracy in log]
    assert log.loss == column
    assert (len(accuracies), log.skipped) == (100, 0)
    assert all(0 <= accuracy <= 1 for accuracy in accuracies)


def test_rows_of_a_validation_are_no_rows(data: Path) -> None:
    log = read_log(data / "trainer_state.json")
    assert (sum(1 for _ in log), log.others) == (100, 4)
    log = read_log(data / "lightning_metrics.csv", loss="val_loss")
    assert [lr for lr, _ in log] == pytest.approx(
        [1e-3 * 1e5 ** (i / 99) for i in (24, 49, 74, 99)]
    )


def test_the_folder_of_all_of_them_is_a_run(data: Path) -> None:
    """Its event files: of several tools, which one would not do."""
    assert find_logs(data) == [str(data)]


def test_none_of_them_was_written_to(data: Path) -> None:
    for path in filter(Path.is_file, data.iterdir()):
        before = path.stat().st_mtime_ns, path.read_bytes()
        with contextlib.suppress(cyclr.UnusableLog):
            list(read_log(path, on_bad_row=str))
        assert (path.stat().st_mtime_ns, path.read_bytes()) == before
