"""What it costs to start: ``import cyclr`` and the command, each as a process of its own.

Time is what the processor spent on the process, for Python and for the system.
"""

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from benchmarks.cost.work import Work

TABLE = "A process"
ROOT = Path(__file__).parents[2]
LOG = ROOT / "tests" / "range_test" / "data" / "digits_sgd.csv"
DATACLASSES, CYCLR = "import dataclasses", "import cyclr"
ANALYZE = f"import sys; from cyclr.cli import main; sys.exit(main(['analyze', {str(LOG)!r}]))"


def seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def python(code: str) -> str:
    """Run Python code in a process of its own, and return what it prints."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def process(code: str) -> Work:
    return Work(partial(python, code), 1)


@pytest.mark.benchmark(timer=seconds_of_children)
@pytest.mark.parametrize(
    ("code", "what", "beside_what", "asked"),
    [
        (CYCLR, f"`{CYCLR}`", DATACLASSES, 1.6),
        (ANALYZE, "`cyclr analyze` of 200 rows", CYCLR, 3.0),
        ("pass", "`pass`", DATACLASSES, None),
    ],
)
def test_a_process(code, what, beside_what, asked, beside):
    if code == ANALYZE:
        assert "max_lr" in python(code)
    beside(
        process(code),
        process(beside_what),
        table=TABLE,
        what=what,
        peer=f"`{beside_what}`",
        asked=asked,
    )
