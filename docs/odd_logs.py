"""Range tests that went wrong, one for each reason of `cyclr.range_test.reasons`, and a good one.

The page "My range test looks odd" is made of them, and the tests see to it that each log gets
the reason that it is here for.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

Log = list[tuple[float, float]]


@dataclass(frozen=True)
class Odd:
    """A *log* that looks odd, what happened to it, and how to analyse it."""

    title: str
    story: str
    log: Log
    arguments: dict[str, Any] = field(default_factory=dict)


def simulated(
    iterations: int = 400,
    *,
    start_lr: float = 1e-6,
    end_lr: float = 10.0,
    fall: float = 2.0,
    noise: float = 0.05,
) -> Log:
    """Return the log of a loss that falls by *fall* around lr 0.01 and blows up around 0.5."""
    draw = random.Random(0)
    lrs = [start_lr * (end_lr / start_lr) ** (i / (iterations - 1)) for i in range(iterations)]
    after = [2.3 - fall / (1 + (0.01 / lr) ** 1.5) + min((lr / 0.5) ** 4, 1e6) for lr in lrs]
    # A loss is recorded before its learning rate acts.
    return [
        (lr, loss + draw.gauss(0, noise)) for lr, loss in zip(lrs, [2.3, *after[:-1]], strict=True)
    ]


def replaced(log: Log, losses: Iterable[float]) -> Log:
    """Return *log* with other *losses*."""
    return list(zip((lr for lr, _ in log), losses, strict=False))


def means(log: Log) -> Iterable[float]:
    """Yield the mean of all losses so far: what Keras shows during an epoch."""
    for count, total in enumerate(accumulate(loss for _, loss in log), start=1):
        yield total / count


def smoothed(log: Log, keep: float = 0.9) -> Iterable[float]:
    """Yield the losses as progress bars show them: exponentially smoothed."""
    total = 0.0
    for count, (_, loss) in enumerate(log, start=1):
        total = keep * total + (1 - keep) * loss
        yield total / (1 - keep**count)


def harder(log: Log, period: int) -> Iterable[float]:
    """Yield the losses where the same batches come round in the same order."""
    draw = random.Random(1)
    hardness = [draw.gauss(0, 0.2) for _ in range(period)]
    for i, (_, loss) in enumerate(log):
        yield loss + hardness[i % period]


GOOD = simulated()

ODD = {
    "all_nonfinite": Odd(
        "There is no curve at all",
        "Every loss is NaN, from the first one on: the model was broken before its weights were "
        "changed.",
        replaced(GOOD, [math.nan] * len(GOOD)),
    ),
    "lr_constant": Odd(
        "All points are above each other",
        "Another scheduler set the learning rate back after each update, so that the ramp never "
        "reached the optimizer.",
        [(1e-3, 0.3 + 2 / (1 + i / 40)) for i in range(len(GOOD))],
    ),
    "started_diverged": Odd(
        "It explodes at once",
        "The test began at a learning rate of 1, where this model has diverged already.",
        simulated(60, start_lr=1.0, end_lr=1e3),
    ),
    "too_short": Odd(
        "There are few points",
        "The data had ten batches, and the loop ended with them.",
        simulated(10, start_lr=1e-4, end_lr=0.3),
    ),
    "no_descent": Odd(
        "It is flat, and then it explodes",
        "The model had been trained before: there was nothing left to learn at any rate.",
        simulated(fall=0.0),
    ),
    "no_edge": Odd(
        "It still falls when it ends",
        "The test ended at a learning rate of 0.05, before the loss could get worse.",
        simulated(end_lr=0.05),
    ),
    "too_noisy": Odd(
        "It is mostly noise",
        "The batches were so small that their losses differ by almost as much as the model learns.",
        simulated(noise=1.2),
    ),
    "lr_not_monotone": Odd(
        "The curve comes back",
        "The test was interrupted in its last third, and went on from twenty iterations before.",
        GOOD[:260] + GOOD[240:],
    ),
    "running_mean_loss": Odd(
        "It begins like the others and then hardly moves",
        "What was logged is the mean of all losses so far, as Keras hands it to callbacks.",
        replaced(GOOD, means(GOOD)),
    ),
    "pre_smoothed": Odd(
        "It is smooth",
        "What was logged is the loss of the progress bar, which is a moving average.",
        replaced(GOOD, smoothed(GOOD)),
    ),
    "periodic_loss": Odd(
        "It repeats itself",
        "The data was not shuffled: the same 20 batches came round in the same order.",
        replaced(GOOD, harder(GOOD, 20)),
    ),
    "already_descending": Odd(
        "It falls from the first point on",
        "The test began at a learning rate of 0.003, at which this model learns already.",
        simulated(start_lr=3e-3),
    ),
    "optimizer_unknown": Odd(
        "The interval is wide",
        "The test is a good one; the optimizer, Lion, is one of which nothing is known here.",
        GOOD,
        {"optimizer": "lion"},
    ),
}
"""The logs by the code of their reason."""
