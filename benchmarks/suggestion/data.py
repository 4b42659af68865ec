"""Data: small, real where it can be, and on every machine: nothing is downloaded.

Each function returns `Data`, in three parts that no example shares: to train on, to choose a
learning rate by (*probe*), and to judge the result by (*test*).
"""

import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor], Tensor]


class Part(NamedTuple):
    inputs: Tensor
    targets: Tensor


class Data(NamedTuple):
    train: Part
    probe: Part
    test: Part
    loss: Loss


def parts(inputs: np.ndarray, targets: np.ndarray, loss: Loss, held_out: int = 400) -> Data:
    """Shuffle, and keep two parts of *held_out* examples back, of few data a fifth each."""
    order = np.random.default_rng(0).permutation(len(inputs))
    size = min(held_out, len(inputs) // 5)
    x, y = torch.as_tensor(inputs[order]).float(), torch.as_tensor(targets[order])
    y = y.float() if y.is_floating_point() else y.long()
    cuts = slice(2 * size, None), slice(size, 2 * size), slice(0, size)
    train, probe, test = (Part(x[cut], y[cut]) for cut in cuts)
    return Data(train, probe, test, loss)


def standardised(values: np.ndarray) -> np.ndarray:
    result: np.ndarray = (values - values.mean(0)) / values.std(0)
    return result


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean over all but the last axis of *outputs*, the classes."""
    return functional.cross_entropy(outputs.flatten(0, -2), targets.flatten())


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs.flatten(1), targets.flatten(1))


@cache
def digits() -> Data:
    inputs, targets = datasets.load_digits(return_X_y=True)
    return parts(inputs / 16, targets, cross_entropy)


@cache
def digits_raw() -> Data:
    """Digits as they come, from 0 to 16: inputs that nobody normalised."""
    inputs, targets = datasets.load_digits(return_X_y=True)
    return parts(inputs, targets, cross_entropy)


@cache
def cancer() -> Data:
    inputs, targets = datasets.load_breast_cancer(return_X_y=True)
    return parts(standardised(inputs), targets, cross_entropy)


@cache
def wine_raw() -> Data:
    """Wine as it comes, but in units of 100: one feature is hundreds of times another."""
    inputs, targets = datasets.load_wine(return_X_y=True)
    return parts(inputs / 100, targets, cross_entropy)


@cache
def diabetes() -> Data:
    inputs, targets = datasets.load_diabetes(return_X_y=True)
    return parts(standardised(inputs), standardised(targets)[:, None], squared)


@cache
def diabetes_raw() -> Data:
    """Targets in their own unit, so that the loss starts at 29,000 (here: 29)."""
    inputs, targets = datasets.load_diabetes(return_X_y=True)
    return parts(standardised(inputs), targets[:, None] / 31.6, squared)


@cache
def friedman() -> Data:
    inputs, targets = datasets.make_friedman1(3000, noise=1.0, random_state=0)
    return parts(inputs * 2 - 1, standardised(targets)[:, None], squared)


@cache
def moons() -> Data:
    inputs, targets = datasets.make_moons(2000, noise=0.25, random_state=0)
    return parts(inputs, targets, cross_entropy)


@cache
def patches() -> Data:
    """Patches of 8 x 8 pixels of two photographs, to be compressed: the target is the input."""
    rng = np.random.default_rng(0)
    found = []
    for image in datasets.load_sample_images().images:
        grey = image.mean(-1)
        for _ in range(2500):
            top, left = rng.integers(0, grey.shape[0] - 8), rng.integers(0, grey.shape[1] - 8)
            found.append(grey[top : top + 8, left : left + 8].ravel())
    values = np.stack(found)
    values = (values - values.mean()) / values.std()
    return parts(values, values.astype("float32"), squared)


@cache
def shapes() -> Data:
    """Crosses, frames, discs and bars somewhere in a noisy image of 12 x 12 pixels."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:12, :12]
    images, labels = [], []
    for _ in range(4000):
        y, x, size, label = rng.integers(3, 9), rng.integers(3, 9), rng.integers(2, 4), len(labels)
        dy, dx = abs(rows - y), abs(columns - x)
        label %= 4
        drawn = [
            ((dy == 0) | (dx == 0)) & (np.maximum(dy, dx) <= size),
            np.maximum(dy, dx) == size,
            dy**2 + dx**2 <= size**2,
            (dy == 0) & (dx <= size),
        ][label]
        images.append(drawn * rng.uniform(0.5, 1.5) + rng.normal(0, 0.4, (12, 12)))
        labels.append(label)
    return parts(np.stack(images).reshape(-1, 144), np.array(labels), cross_entropy)


SYMBOLS = 48  # the most frequent characters; the others are one


@cache
def characters(length: int) -> Data:
    """Read the standard library's source character by character: *length* of them and the next.

    Inputs are (examples, length), targets the same one character further on.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    text = "".join((folder / name).read_text() for name in ("textwrap.py", "shlex.py", "csv.py"))
    frequent = sorted(set(text), key=lambda c: (-text.count(c), c))[: SYMBOLS - 1]
    codes = {c: code for code, c in enumerate(frequent)}
    coded = np.array([codes.get(c, SYMBOLS - 1) for c in text])
    starts = np.arange(0, len(coded) - length - 1, 5)
    windows = coded[starts[:, None] + np.arange(length + 1)]
    # Neighbouring windows overlap, so whole stretches of text are held out, not single windows.
    stretch = len(windows) // 10 * 8
    train = windows[:stretch]
    rest = windows[stretch + length :]
    half = len(rest) // 2
    cuts = train, rest[: half - length][:400], rest[half:][:400]
    made = [Part(torch.as_tensor(w[:, :-1]).long(), torch.as_tensor(w[:, 1:]).long()) for w in cuts]
    return Data(made[0], made[1], made[2], cross_entropy)


def next_character() -> Data:
    """Only the last character's successor is asked for: for networks without a memory."""
    whole = characters(8)
    made = [Part(part.inputs, part.targets[:, -1]) for part in whole[:3]]
    return Data(made[0], made[1], made[2], cross_entropy)


@cache
def adding() -> Data:
    """Sequences of 10 numbers, two of them marked: their sum."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, (4000, 10))
    marks = np.zeros_like(values)
    for mark in marks:
        mark[rng.choice(10, 2, replace=False)] = 1
    return parts(np.stack([values, marks], -1), (values * marks).sum(1, keepdims=True), squared)


@cache
def majority() -> Data:
    """Sequences of 12 symbols out of 6: the one that comes most often."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 6, (12000, 12))
    counts = (drawn[:, :, None] == np.arange(6)).sum(1)
    ordered = np.sort(counts, 1)
    clear = ordered[:, -1] > ordered[:, -2]
    inputs, targets = drawn[clear][:4000], counts[clear][:4000].argmax(1)
    made = parts(inputs, targets, cross_entropy)
    return made._replace(
        **{
            name: part._replace(inputs=part.inputs.long())
            for name, part in made._asdict().items()
            if name != "loss"
        }
    )
