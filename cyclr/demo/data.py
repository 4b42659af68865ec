"""The digits that the demonstration learns to read; where they come from: digits.md."""

import random
import zlib
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

__all__ = ["Digits", "load"]

COUNT, PIXELS, INK = 1797, 64, 16


class Digits(NamedTuple):
    """Images, 64 numbers from 0 to 1 each, and the digit that each of them shows."""

    images: list[list[float]]
    labels: list[int]

    def take(self, rows: Sequence[int]) -> "Digits":
        """Return the digits at *rows*."""
        return Digits([self.images[row] for row in rows], [self.labels[row] for row in rows])


def load(held_out: int = 500, seed: int = 0) -> tuple[Digits, Digits]:
    """Return digits to learn from, and the *held_out* ones to test with; *seed* deals them out.

    >>> train, test = load()
    >>> len(train.images), len(test.images), len(test.images[0])
    (1297, 500, 64)
    """
    raw = zlib.decompress(resources.files("cyclr.demo").joinpath("digits.bin").read_bytes())
    pixels, labels = raw[: COUNT * PIXELS], raw[COUNT * PIXELS :]
    images = [[ink / INK for ink in pixels[i : i + PIXELS]] for i in range(0, len(pixels), PIXELS)]
    digits = Digits(images, list(labels))

    rows = list(range(COUNT))
    random.Random(seed).shuffle(rows)
    return digits.take(rows[held_out:]), digits.take(rows[:held_out])
