"""Which column is the learning rate, which the loss."""

import pytest

from cyclr.logs import UnusableLog
from cyclr.logs._columns import Columns


@pytest.mark.parametrize(
    ("names", "lr", "loss"),
    [
        (["lr", "loss"], "lr", "loss"),
        (["loss", "lr"], "lr", "loss"),
        (["step", "learning_rate", "train_loss"], "learning_rate", "train_loss"),
        (["LR", "Loss"], "LR", "Loss"),
        (["Learning Rate", "Training Loss"], "Learning Rate", "Training Loss"),
        (["learningRate", "trainLoss"], "learningRate", "trainLoss"),
        (["learningrate", "valloss", "trainloss"], "learningrate", "trainloss"),
        # Keras's CSVLogger, Lightning's with its LearningRateMonitor, Hugging Face's Trainer.
        (
            ["epoch", "accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"],
            "learning_rate",
            "loss",
        ),
        (
            ["epoch", "lr-SGD-momentum", "lr-SGD", "step", "train_loss_epoch", "train_loss_step"],
            "lr-SGD",
            "train_loss_step",
        ),
        (["eval_loss", "grad_norm", "learning_rate", "loss"], "learning_rate", "loss"),
        (["lr/pg0", "lr/pg1", "val/loss", "train/loss"], "lr/pg0", "train/loss"),
        # What is said about a rate or a loss is neither.
        (["log_lr", "lr_decay", "lr", "loss_scale", "loss"], "lr", "loss"),
        (["lr", "loss_std", "smooth_loss", "batch_loss"], "lr", "batch_loss"),
        # A validation loss is better than none.
        (["lr", "val_loss"], "lr", "val_loss"),
        (["lr", "test_loss", "running_loss"], "lr", "running_loss"),
    ],
)
def test_the_usual_names_are_found(names: list[str], lr: str, loss: str) -> None:
    assert Columns().named(names) == (names.index(lr), names.index(loss))


@pytest.mark.parametrize("metric_name", ["accuracy", "acc", "train_acc", "trainAccuracy"])
def test_an_accuracy_is_found_when_it_is_the_metric(metric_name: str) -> None:
    names = ["lr", "loss", "val_accuracy", metric_name]
    assert Columns(metric="accuracy").named(names) == (0, 3)


@pytest.mark.parametrize(
    ("lr", "loss"), [("rate", "value"), ("RATE", "Value"), (1, 2), ("1", "2"), ("rate", 2)]
)
def test_columns_can_be_named_or_numbered(lr: str | int, loss: str | int) -> None:
    assert Columns(lr, loss).named(["lr", "rate", "value", "loss"]) == (1, 2)


def test_a_number_that_is_a_name_is_the_name() -> None:
    assert Columns("1", "0").named(["1", "0"]) == (0, 1)


def test_one_column_can_be_named_and_the_other_guessed() -> None:
    assert Columns(lr="rate").named(["rate", "loss"]) == (0, 1)
    assert Columns(loss="value").named(["value", "lr"]) == (1, 0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns(), "no column is named like lr or learning_rate.*'step', 'eta', 'loss'.*--lr"),
        (Columns(lr="et"), "no column 'et'.*'step', 'eta', 'loss'\n\nHint: lr='eta'"),
        (Columns(lr=3), "no column 3"),
        (Columns(lr="-1"), "no column '-1'"),
        (Columns(lr="eta", loss="1"), "lr and loss must be two columns: got 'eta' for both"),
        (Columns(lr="eta", metric="accuracy"), "no column is named like accuracy or acc.*--loss"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(columns: Columns, message: str) -> None:
    with pytest.raises(UnusableLog, match=f"(?s){message}"):
        columns.named(["step", "eta", "loss"])


@pytest.mark.parametrize(
    "names", [["log_lr", "loss"], ["lr-SGD-momentum", "loss"], ["lr", "loss_scale"]]
)
def test_what_is_only_about_a_rate_or_a_loss_is_not_taken_for_it(names: list[str]) -> None:
    with pytest.raises(UnusableLog, match="no column is named like"):
        Columns().named(names)


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ([[1e-5, 2.3]], (0, 1)),
        ([[0.0, 1e-5, 2.3], [1.0, 1e-4, 2.2], [2.0, 1e-3, 2.2]], (1, 2)),
        ([[0.0, 1e-5, 2.3], [50.0, 1e-4, 2.2], [100.0, 1e-3, 2.2]], (1, 2)),
        # A rate that grows linearly does not count; nor does text.
        ([[None, 0.1, 3.0], [None, 0.2, 3.0], [None, 0.3, 3.0]], (1, 2)),
    ],
)
def test_without_a_header_the_numbers_tell(
    rows: list[list[float | None]], places: tuple[int, int]
) -> None:
    assert Columns().unnamed(rows) == places


@pytest.mark.parametrize(
    "rows",
    [
        [[1e-5, 2.3, 0.1]],
        [[0.0, 2.3], [1.0, 2.2], [2.0, 2.1]],  # a step and a loss, no learning rate
        [[None, None]],
    ],
)
def test_without_a_header_nothing_is_guessed_wildly(rows: list[list[float | None]]) -> None:
    with pytest.raises(UnusableLog, match="--lr 0 --loss 1"):
        Columns().unnamed(rows)


def test_without_a_header_columns_are_numbered() -> None:
    rows: list[list[float | None]] = [[1.0, 2.0, 3.0]]
    assert Columns(2, "0").unnamed(rows) == (2, 0)
    assert Columns(loss=0).unnamed([[2.3, 1e-5], [2.2, 1e-4]]) == (1, 0)
    with pytest.raises(UnusableLog, match="no column 'lr': there are 'column 0', 'column 1'"):
        Columns(lr="lr").unnamed([[1.0, 2.0]])
