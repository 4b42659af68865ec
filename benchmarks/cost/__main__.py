"""Measure what a schedule costs, and print the tables of `benchmarks/README.md`.

    pip install --group cost -e .
    OMP_NUM_THREADS=1 python -m benchmarks.cost              # arguments are pytest's: -k Triangular
    OMP_NUM_THREADS=1 python -m benchmarks.cost --write      # and keeps results/cost.json
    OMP_NUM_THREADS=1 python -m benchmarks.cost --report     # prints what was kept

Every figure is a ratio of two minima, taken in turns in one run, since the machine may be busy;
every benchmark first asserts that both give the right values. A library that is not installed
is named, and its rows are left out. What is asked for and not reached is in the table like
everything else: only a wrong value fails.
"""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.cost.report import RESULT, report

HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    if arguments == ["--report"]:
        print(report(json.loads(RESULT.read_text())))
        return 0
    return pytest.main([str(HERE), "-p", "no:cacheprovider", "--benchmark-quiet", "-q", *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
