"""Diagnosis: which reasons are given for good logs, and which for the same logs with a trouble.

    python -m benchmarks.suggestion.diagnosis       # prints and writes diagnosis.json, in minutes

Every good log is spoilt in each of the ways in `TROUBLES`, and for each way the confusion table
counts the logs for which each reason was given. What should be given is named beforehand, in
`TROUBLES` too; a good log should have no reasons, and each reason may be given for 2 % of them.

A log is *good* if

- who follows the answer of the default rule has a regret of at most 0.1, and
- the loss fell by more than ten standard errors: from the mean of the first tenth of the rows to
  the lowest mean of as many, the scatter taken from the first tenth.

Neither looks at what the reasons look at, and the answer counts even where a reason would have
withheld it.
"""

import itertools
import json
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from benchmarks.suggestion.cases import cases, measured
from benchmarks.suggestion.measure import RESULTS
from cyclr import InconclusiveRangeTest, analyze
from cyclr.range_test.curve import Curve
from cyclr.range_test.landmarks import Landmarks
from cyclr.range_test.optimizers import prior
from cyclr.range_test.points import Points
from cyclr.range_test.reasons import CAUTIONS, FAILURES
from cyclr.range_test.rules import DEFAULTS, RULES, Evidence

Rows = list[tuple[float, float]]
Log = tuple[str, Rows, dict[str, Any]]  # name, (lr, loss) pairs, what is told of the optimizer
REGRET, ERRORS = 0.1, 10.0


def answer(rows: Rows, **known: Any) -> float:
    """Return the default rule's max_lr, whatever reason there is to withhold it."""
    points = Points.read(rows)
    curve = Curve.of(points)
    evidence = Evidence(points, curve, Landmarks.of(curve), prior(**known))
    found = RULES[DEFAULTS["loss"]].ask(evidence)
    return math.nan if found is None else found.max_lr


def finite(rows: Rows) -> Rows:
    return list(itertools.takewhile(lambda row: abs(row[1]) < 1e100, rows))


def fell(rows: Rows) -> bool:
    """Tell whether the loss of *rows* fell by more than ten standard errors."""
    losses = [loss for _, loss in finite(rows)]
    size = max(5, len(losses) // 10)
    if len(losses) < 3 * size:
        return False
    lowest = min(statistics.fmean(losses[i : i + size]) for i in range(len(losses) - size + 1))
    error = statistics.stdev(losses[:size]) / math.sqrt(size)
    return statistics.fmean(losses[:size]) - lowest > ERRORS * error


def is_good(rows: Rows, regret: Callable[[float], float], **known: Any) -> bool:
    """Tell whether a log is good, *regret* being what its task's training says of a max_lr."""
    return fell(rows) and regret(answer(rows, **known)) <= REGRET


# --- troubles ---------------------------------------------------------------------------------


def smoothed(keep: float) -> Callable[[Rows, random.Random], Rows]:
    """As fastai and TensorBoard smooth."""

    def spoil(rows: Rows, _: random.Random) -> Rows:
        total, result = 0.0, []
        for count, (lr, loss) in enumerate(rows, start=1):
            total = keep * total + (1 - keep) * loss
            result.append((lr, total / (1 - keep**count)))
        return result

    return spoil


def uncorrected(keep: float) -> Callable[[Rows, random.Random], Rows]:
    """As pytorch-lr-finder smooths."""

    def spoil(rows: Rows, _: random.Random) -> Rows:
        average, result = rows[0][1], []
        for lr, loss in rows:
            average = keep * average + (1 - keep) * loss
            result.append((lr, average))
        return result

    return spoil


def windowed(size: int) -> Callable[[Rows, random.Random], Rows]:
    """As one writes the mean of the last few losses."""

    def spoil(rows: Rows, _: random.Random) -> Rows:
        losses = [loss for _, loss in rows]
        means = [statistics.fmean(losses[max(0, i - size) : i]) for i in range(1, len(losses) + 1)]
        return [(lr, mean) for (lr, _), mean in zip(rows, means, strict=True)]

    return spoil


def running_mean(epoch: float) -> Callable[[Rows, random.Random], Rows]:
    """As Keras has it: the mean since the start of the epoch, *epoch* being a share of the rows."""

    def spoil(rows: Rows, _: random.Random) -> Rows:
        size = math.ceil(epoch * len(rows))
        result, total = [], 0.0
        for i, (lr, loss) in enumerate(rows):
            total = loss if i % size == 0 else total + loss
            result.append((lr, total / (i % size + 1)))
        return result

    return spoil


def late(rows: Rows, _: random.Random) -> Rows:
    """The learning rate of the next row is written."""
    return [(lr, loss) for (lr, _), (_, loss) in zip(rows[1:], rows, strict=False)]


def early(rows: Rows, _: random.Random) -> Rows:
    """The learning rate of the row before is written."""
    return [(lr, loss) for (lr, _), (_, loss) in itertools.pairwise(rows)]


def periodic(period: int, strength: float) -> Callable[[Rows, random.Random], Rows]:
    """The same batches again and again, whose hardness differs, in units of the noise."""

    def spoil(rows: Rows, draw: random.Random) -> Rows:
        sigma = strength * noise_of(rows)
        hardness = [draw.gauss(0, sigma) for _ in range(period)]
        return [(lr, loss + hardness[i % period]) for i, (lr, loss) in enumerate(rows)]

    return spoil


def started_diverged(rows: Rows, draw: random.Random) -> Rows:
    """From the first learning rates on, the loss doubles and doubles."""
    level, sigma = start_of(rows), noise_of(rows)
    calm = draw.randrange(5)
    growth = [0.0] * calm + [sigma * 2.0**i for i in range(60)]
    losses = [level + draw.gauss(0, sigma) + x for x in growth]
    return [(lr, loss) for (lr, _), loss in zip(rows, losses, strict=False)]


def flat(rows: Rows, draw: random.Random) -> Rows:
    """A model that never learns: the losses of the first tenth, drawn again and again.

    They are moved by a third of their sigma, as few values would come back too often.
    """
    losses = [loss for _, loss in rows[: max(5, len(rows) // 10)]]
    sigma = noise_of(rows) / 3
    return [(lr, draw.choice(losses) + draw.gauss(0, sigma)) for lr, _ in rows]


def destroyed(rows: Rows, draw: random.Random) -> Rows:
    """A trained model: it does not learn, and in the last fifth it is destroyed."""
    still, sigma, last = flat(rows, draw), noise_of(rows), len(rows) * 4 // 5
    growth = [sigma * min(1.2 ** max(0, i - last), 1e9) * (i > last) for i in range(len(rows))]
    return [(lr, loss + x) for (lr, loss), x in zip(still, growth, strict=True)]


def cut_short(rows: Rows, _: random.Random) -> Rows:
    """The ramp ends while the loss still falls."""
    curve = Curve.of(Points.read(rows))
    drop = Landmarks.of(curve).drop_90
    return [row for row in rows if row[0] <= drop]


def started_late(rows: Rows, _: random.Random) -> Rows:
    """The ramp starts where the loss falls already."""
    onset = Landmarks.of(Curve.of(Points.read(rows))).onset
    return [row for row in rows if row[0] >= 1.5 * onset]


def below_zero(rows: Rows, _: random.Random) -> Rows:
    return [(lr, loss - 100 * abs(start_of(rows)) - 1) for lr, loss in rows]


def gaps(rows: Rows, draw: random.Random) -> Rows:
    """A fifth of the rows is lost, a tenth is there twice."""
    kept = [row for row in rows if draw.random() < 0.8]
    return [row for row in kept for _ in range(1 + (draw.random() < 0.1))]


def twice(rows: Rows, draw: random.Random) -> Rows:
    """Two tests in one file."""
    again = [(lr, loss + draw.gauss(0, noise_of(rows))) for lr, loss in finite(rows)]
    return finite(rows) + again


def resumed(rows: Rows, draw: random.Random) -> Rows:
    """Interrupted, and gone on with from a checkpoint some rows before."""
    at = draw.randrange(len(rows) // 4, len(rows) * 3 // 4)
    return rows[:at] + rows[at - len(rows) // 20 :]


def noisier(ratio: float) -> Callable[[Rows, random.Random], Rows]:
    """The fall is only so many times the noise."""

    def spoil(rows: Rows, draw: random.Random) -> Rows:
        losses = [loss for _, loss in finite(rows)]
        size = max(5, len(losses) // 10)
        lowest = min(statistics.fmean(losses[i : i + size]) for i in range(len(losses) - size + 1))
        sigma = (start_of(rows) - lowest) / ratio
        return [(lr, loss + draw.gauss(0, sigma)) for lr, loss in rows]

    return spoil


def after(
    first: Callable[[Rows, random.Random], Rows], then: Callable[[Rows, random.Random], Rows]
) -> Callable[[Rows, random.Random], Rows]:
    return lambda rows, draw: then(first(rows, draw), draw)


def start_of(rows: Rows) -> float:
    return statistics.median(loss for _, loss in rows[: max(5, len(rows) // 10)])


def noise_of(rows: Rows) -> float:
    """Sigma of the losses before anything happens, from the first tenth."""
    return statistics.stdev(loss for _, loss in rows[: max(5, len(rows) // 10)])


class Trouble(NamedTuple):
    """How to spoil a log, and the reasons of which one should be given; none: no reason should."""

    spoil: Callable[[Rows, random.Random], Rows]
    expected: tuple[str, ...] = ()


TROUBLES = {
    "none": Trouble(lambda rows, _: rows),
    "running mean": Trouble(running_mean(1.0), ("running_mean_loss",)),
    "running mean, 4 epochs": Trouble(running_mean(1 / 4), ("running_mean_loss",)),
    "running mean, 9 epochs": Trouble(running_mean(1 / 9), ("running_mean_loss",)),
    "average of 0.9": Trouble(smoothed(0.9), ("pre_smoothed",)),
    "average of 0.98": Trouble(smoothed(0.98), ("pre_smoothed",)),
    "average of 0.95, uncorrected": Trouble(uncorrected(0.95), ("pre_smoothed",)),
    "mean of 10": Trouble(windowed(10), ("pre_smoothed",)),
    "lr one step late": Trouble(late),
    "lr one step early": Trouble(early),
    "periodic, 12 rows, 2 sigma": Trouble(periodic(12, 2.0), ("periodic_loss",)),
    "periodic, 28 rows, 2 sigma": Trouble(periodic(28, 2.0), ("periodic_loss",)),
    "started diverged": Trouble(started_diverged, ("started_diverged",)),
    "never learns": Trouble(flat, ("no_descent",)),
    "never learns, destroyed": Trouble(destroyed, ("no_descent",)),
    "never learns, running mean": Trouble(after(flat, running_mean(1.0)), ("no_descent",)),
    "never learns, 4 epochs": Trouble(after(flat, running_mean(1 / 4)), ("no_descent",)),
    "never learns, average of 0.9": Trouble(after(flat, smoothed(0.9)), ("no_descent",)),
    "never learns, average of 0.98": Trouble(after(flat, smoothed(0.98)), ("no_descent",)),
    "never learns, mean of 10": Trouble(after(flat, windowed(10)), ("no_descent",)),
    "never diverges": Trouble(cut_short, ("no_edge",)),
    "starts late": Trouble(started_late, ("already_descending",)),
    "below zero": Trouble(below_zero),
    "gaps and repeated rows": Trouble(gaps),
    "two runs": Trouble(twice, ("lr_not_monotone",)),
    "resumed": Trouble(resumed, ("lr_not_monotone",)),
    "noisy: falls by 2 sigma": Trouble(noisier(2), ("too_noisy", "no_descent")),
    "noisy: falls by 1 sigma": Trouble(noisier(1), ("too_noisy", "no_descent")),
}


# --- the table --------------------------------------------------------------------------------


def codes(rows: Rows, **known: Any) -> tuple[str, ...]:
    """Return the codes of the reasons that are given for *rows*."""
    try:
        reasons: Sequence[Any] = analyze(rows, **known).reasons
    except InconclusiveRangeTest as inconclusive:
        reasons = inconclusive.reasons
    return tuple(reason.code for reason in reasons)


Confusion = dict[str, tuple[int, Counter[str]]]


def confusion(good: Iterable[Log]) -> Confusion:
    """Return, for each trouble, how many logs had it, and for how many each reason was given.

    "as expected" counts the logs for which one of the expected reasons was given, or none where
    none is expected.
    """
    logs = list(good)
    return {name: (len(logs), _count(name, trouble, logs)) for name, trouble in TROUBLES.items()}


def _count(name: str, trouble: Trouble, logs: Iterable[Log]) -> Counter[str]:
    found: Counter[str] = Counter()
    for log, rows, known in logs:
        given = codes(trouble.spoil(rows, random.Random(f"{name} {log}")), **known)
        found.update(given or ("nothing",))
        if trouble.expected:
            found["as expected"] += bool({*given} & {*trouble.expected})
        else:
            found["as expected"] += not given
    return found


def report(found: Confusion) -> None:
    """Print the table: in percent of the logs, trouble by reason."""
    columns = ["as expected", "nothing", *FAILURES, *CAUTIONS]
    columns = [c for c in columns if any(count[c] for _, count in found.values())]
    print("| trouble | logs |", " | ".join(columns), "|")
    print("| --- | ---: |", " | ".join("---:" for _ in columns), "|")
    for name, (logs, count) in found.items():
        cells = [f"{100 * count[c] / logs:.1f}" if count[c] else "" for c in columns]
        print(f"| {name} | {logs} |", " | ".join(cells), "|")


def good_logs() -> list[Log]:
    """The good ones of all range tests that were measured."""
    return [
        (f"{case.task.name} {case.iterations} {index}", case.points, case.task.named)
        for index, case in enumerate(cases(measured()))
        if is_good(case.points, case.task.regret, **case.task.named)
    ]


def main() -> None:
    found = confusion(good_logs())
    plain = {name: {"logs": logs, **count} for name, (logs, count) in found.items()}
    (RESULTS.parent / "diagnosis.json").write_text(json.dumps(plain, indent=1) + "\n")
    report(found)


if __name__ == "__main__":
    main()
