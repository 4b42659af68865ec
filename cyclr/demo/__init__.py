"""The demonstration, ``cyclr demo``: a range test, its bounds, and training with them.

Plain Python throughout; with tensors in place of lists it would read the same.
"""

import math
import random
import sys
from collections.abc import Iterator
from itertools import islice

from cyclr import Bounds, Constant, RangeTest, Triangular2
from cyclr._terminal import Screen, draw_range_test
from cyclr.demo.data import Digits, load
from cyclr.demo.network import Network

__all__ = ["run"]

BATCH_SIZE = 32
MOMENTUM = 0.9
USUAL_LR = 0.01  # what much code for SGD with momentum begins with
REPORTS = 8  # accuracies on the way


def run(iterations: int = 800, seed: int = 0) -> None:
    """Find the bounds, then train for *iterations* with them; the *seed* decides what is random.

    Use it, in a terminal, to see the whole of the library at work.
    """
    digits, held_out = load(seed=seed)
    print(
        f"{len(digits.labels)} handwritten digits to learn from, {len(held_out.labels)} held out; "
        f"a network of 64-32-10 units,\nbatches of {BATCH_SIZE}, SGD with momentum {MOMENTUM}.\n"
    )
    bounds = find_bounds(digits, seed)
    print(f"{bounds}\n")
    accuracies = compare(bounds, digits, held_out, iterations, seed)
    print(f"\n{verdict(accuracies, len(held_out.labels))}")


def find_bounds(digits: Digits, seed: int) -> Bounds:
    """Return the bounds that a range test gives, and draw what it saw."""
    network = Network(momentum=MOMENTUM, seed=seed)
    test = RangeTest(start_lr=1e-6, end_lr=10.0, iterations=200)
    print(f"The range test: {len(test)} iterations, each at a higher learning rate.")
    for lr, (images, labels) in zip(test, batches(digits, seed), strict=False):
        loss = network.train(images, labels, lr)
        test.record(loss)
        _progress(f"lr {lr:.2e}  loss {loss:.3f}")
    _progress("")
    bounds = test.bounds(optimizer="sgd", momentum=MOMENTUM)
    print(draw_range_test(test.points, bounds, screen=Screen.of(sys.stdout)))
    return bounds


def compare(
    bounds: Bounds, digits: Digits, held_out: Digits, iterations: int, seed: int
) -> dict[str, float]:
    """Train the same network by three schedules; return how much each reads in the end.

    All start from the same weights and see the same batches. The fixed rates are the usual one,
    and the test's own max_lr: what one would take who had run the test and did not cycle.
    """
    low, high = bounds.base_lr, bounds.max_lr
    schedules = {
        f"fixed {USUAL_LR:.2g}": Constant(USUAL_LR),
        f"fixed {high:.2g}": Constant(high),
        "Triangular2": Triangular2.fit(low, high, iterations),
    }
    networks = {name: Network(momentum=MOMENTUM, seed=seed) for name in schedules}
    print(
        f"Training for {iterations} iterations at the usual rate, at max_lr, and by\n"
        f"Triangular2.fit(base_lr={low:.2g}, max_lr={high:.2g}, iterations={iterations}).\n\n"
        "Held-out digits that are read right:"
    )
    print(f"{'iteration':>9}", *(f"{name:>12}" for name in schedules))
    reports = {iterations * report // REPORTS for report in range(1, REPORTS + 1)}
    accuracies = {}
    for i, (images, labels) in enumerate(islice(batches(digits, seed), iterations)):
        for name, schedule in schedules.items():
            networks[name].train(images, labels, schedule(i))
        if i + 1 in reports:
            accuracies = {name: net.accuracy(*held_out) for name, net in networks.items()}
            print(f"{i + 1:>9}", *(f"{share:>12.1%}" for share in accuracies.values()), flush=True)
    return accuracies


def verdict(accuracies: dict[str, float], held_out: int) -> str:
    """Say who won, and what chance has to do with it.

    >>> print(verdict({"fixed 0.01": 0.95, "fixed 0.05": 0.966, "Triangular2": 0.96}, 500))
    Triangular2 against fixed 0.01: +1.0 points; against fixed 0.05: -0.6 points.
    With 500 digits, differences of up to 1.8 points can be chance.
    """
    *fixed, (name, cycled) = accuracies.items()
    duels = (f"against {rival}: {100 * (cycled - share):+.1f} points" for rival, share in fixed)
    chance = 200 * math.sqrt(cycled * (1 - cycled) / held_out)  # two standard errors
    return (
        f"{name} {'; '.join(duels)}.\n"
        f"With {held_out} digits, differences of up to {chance:.1f} points can be chance."
    )


def batches(digits: Digits, seed: int) -> Iterator[Digits]:
    """Yield batches without end, each epoch in another order."""
    shuffle = random.Random(seed).shuffle
    rows = list(range(len(digits.labels)))
    while True:
        shuffle(rows)
        for start in range(0, len(rows) - BATCH_SIZE + 1, BATCH_SIZE):
            yield digits.take(rows[start : start + BATCH_SIZE])


def _progress(text: str) -> None:
    """Show *text* on a line that the next one overwrites, if there is somebody to see it."""
    if sys.stderr.isatty():
        print(f"\r{text:<40}", end="" if text else "\r", file=sys.stderr, flush=True)
