"""Which column of a log holds the learning rate, and which the loss."""

import difflib
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from cyclr.logs._errors import UnusableLog
from cyclr.logs._fields import show

__all__ = ["METRICS", "Columns", "index_names"]

Rank = tuple[bool | int, ...]  # the lowest is the best

METRICS = {"loss": ("loss", "cost"), "accuracy": ("accuracy", "acc")}
# Words of what is said about a rate or a loss and is not it: lr-SGD-momentum, loss_scale, log_lr.
ABOUT = {"decay", "log", "max", "min", "momentum", "mult", "scale", "std", "var", "weight"}
# A range test is read from the loss of each batch; these are taken where there is no better.
AVERAGED = {"average", "avg", "ema", "epoch", "mean", "running", "smooth", "smoothed"}
HELD_OUT = {"dev", "eval", "test", "val", "valid", "validation"}
TRAINED = {"train", "training"}
# What numbers the rows, the best first; it may be said of what: global_step, trainer/global_step.
STEPS = ("step", "iteration", "iter", "batch", "epoch")
OF_STEPS = {"global", "optimizer", "trainer", "update"} | TRAINED


class Columns(NamedTuple):
    """The columns asked for: by name, by index from 0, or to be guessed (`None`)."""

    lr: str | int | None = None
    loss: str | int | None = None
    metric: str = "loss"

    def named(self, names: Sequence[str]) -> tuple[int, int]:
        """Return the indices of the learning rate and of the loss among a header's *names*.

        >>> Columns().named(["step", "lr-SGD-momentum", "lr-SGD", "val_loss", "train_loss"])
        (2, 4)
        """
        if self.lr is None:
            lr = _guess("lr", ("lr", "learning_rate"), names, _rank_of_lr)
        else:
            lr = _find("lr", self.lr, names)
        if self.loss is None:
            metric = METRICS[self.metric]
            loss = _guess("loss", metric, names, partial(_rank_of_loss, metric))
        else:
            loss = _find("loss", self.loss, names)
        return _distinct(lr, loss, names)

    def unnamed(self, rows: Sequence[Sequence[float | None]]) -> tuple[int, int]:
        """Return the indices of both in a table without a header, by the numbers in its *rows*.

        Two columns are the learning rate and the loss; a column that counts rows, or holds no
        number (`None` throughout), is neither.

        >>> Columns().unnamed([[0, 1e-6, 2.3], [1, 1e-5, 2.2], [2, 1e-4, 1.9]])
        (1, 2)
        """
        names = index_names(min(map(len, rows)))
        lr = None if self.lr is None else _find("lr", self.lr, names)
        loss = None if self.loss is None else _find("loss", self.loss, names)
        if lr is None or loss is None:
            free = [
                index
                for index in range(len(names))
                if index not in (lr, loss) and _measures([row[index] for row in rows])
            ]
            if len(free) != (lr is None) + (loss is None):
                raise UnusableLog(
                    f"no header says what its {len(names)} columns are"
                    "\n\nHint: name them by index: lr=0, loss=1 (--lr 0 --loss 1)"
                )
            lr = free.pop(0) if lr is None else lr
            loss = free.pop(0) if loss is None else loss
        return _distinct(lr, loss, names)

    @staticmethod
    def step(names: Sequence[str]) -> int | None:
        """Return the index of the column that numbers the iterations, if there is one.

        >>> Columns.step(["epoch", "lr-SGD", "step", "train_loss_step"])
        2
        """
        ranked = [(rank, i) for i, name in enumerate(names) if (rank := _rank_of_step(name))]
        return min(ranked)[1] if ranked else None


def index_names(width: int) -> list[str]:
    """Return names for the columns of a table that has none.

    >>> index_names(2)
    ['column 0', 'column 1']
    """
    return [f"column {index}" for index in range(width)]


def _find(option: str, column: str | int, names: Sequence[str]) -> int:
    """Return the index of the *column* asked for by the name of an *option*."""
    if column in names:
        return names.index(column)
    if str(column).isdecimal() and int(column) < len(names):
        return int(column)
    lower = [name.lower() for name in names]
    if str(column).lower() in lower:
        return lower.index(str(column).lower())
    close = difflib.get_close_matches(str(column).lower(), lower, n=1)
    hint = f"\n\nHint: {option}={names[lower.index(close[0])]!r}" if close else ""
    raise UnusableLog(f"no column {show(column)}: there are {_listed(names)}{hint}")


def _guess(
    option: str,
    usual: Sequence[str],
    names: Sequence[str],
    rank: Callable[[list[str]], Rank | None],
) -> int:
    """Return the index of the name with the lowest *rank*, the first of equals."""
    ranked = [(found, i) for i, name in enumerate(names) if (found := rank(_words(name)))]
    if ranked:
        return min(ranked)[1]
    raise UnusableLog(
        f"no column is named like {' or '.join(usual)}: there are {_listed(names)}"
        f"\n\nHint: name it by {option}=... (--{option} on the command line)"
    )


def _rank_of_lr(words: list[str]) -> Rank | None:
    is_lr = "lr" in words or ("learning" in words and "rate" in words)
    return None if not is_lr or ABOUT & set(words) else (len(words),)


def _rank_of_loss(metric: Sequence[str], words: list[str]) -> Rank | None:
    if ABOUT & set(words) or not set(metric) & set(words):
        return None
    return bool(HELD_OUT & set(words)), bool(AVERAGED & set(words)), len(words)


def _rank_of_step(name: str) -> Rank | None:
    words = [word for word in _words(name) if word not in OF_STEPS]
    if len(words) != 1 or words[0].removesuffix("s") not in STEPS:
        return None
    return STEPS.index(words[0].removesuffix("s")), len(_words(name))


def _words(name: str) -> list[str]:
    """Return the words of a column's name, in lower case.

    >>> _words("lr-SGD/pg1"), _words("valLoss"), _words("trainloss"), _words("learningrate")
    (['lr', 'sgd', 'pg', '1'], ['val', 'loss'], ['train', 'loss'], ['learning', 'rate'])
    """
    parted = re.sub(r"(?i)(?<=[a-z])(loss|rate|acc(uracy)?)(?![a-z])", r" \1", name)
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", parted)]


def _measures(column: Sequence[float | None]) -> bool:
    """Return whether *column* holds numbers, and does not just count."""
    numbers = [value for value in column if value is not None]
    steps = {after - before for before, after in pairwise(numbers)}
    counts = len(numbers) > 2 and len(steps) == 1 and steps.pop() >= 1
    return bool(numbers) and not (counts and float(numbers[0]).is_integer())


def _distinct(lr: int, loss: int, names: Sequence[str]) -> tuple[int, int]:
    if lr == loss:
        raise UnusableLog(f"lr and loss must be two columns: got {show(names[lr])} for both")
    return lr, loss


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(show, names[:20])) + (", ..." if len(names) > 20 else "")
