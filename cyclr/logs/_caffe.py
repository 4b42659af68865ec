"""The log of Caffe's solver: the loss of an iteration on one line, its learning rate on another."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cyclr.logs._formats import LineFormat
from cyclr.logs._lines import Line

__all__ = ["Caffe"]

# src/caffe/solver.cpp (Step) and solvers/sgd_solver.cpp (ApplyUpdate); older ones give no speed.
ITERATION = re.compile(r"\] Iteration (\d+)(?: \([^)]*\))?, (lr|loss) = (\S+)")
OUTPUT = re.compile(r"\] +(Train|Test) net output #\d+: (\S+) = (\S+)")

Fields = dict[str, str]


class Caffe(LineFormat):
    """What the solver displays; between, the net may say what it likes."""

    name = "Caffe's log"

    @staticmethod
    def recognises(head: Sequence[str]) -> bool:
        """Return whether the solver displays an iteration."""
        return any(map(ITERATION.search, head))

    def records(self, lines: Iterable[Line | None]) -> Iterator[tuple[int, Fields] | None]:
        """Yield the fields of each line that has some, with the iteration that they belong to."""
        iteration = ""
        for line in super().records(lines):
            if line is None:
                yield None
            elif found := ITERATION.search(line[1]):
                iteration, name, value = found.groups()
                yield line[0], {"iteration": iteration, name: value}
            elif found := OUTPUT.search(line[1]):
                phase, name, value = found.groups()
                yield line[0], {"iteration": iteration, f"{phase.lower()} {name}": value}

    def row(self, record: Fields) -> Mapping[str, str]:
        """Return the fields of one line."""
        return record
