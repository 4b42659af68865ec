"""Kill runs and interrupt range tests, 200 of each, and compare the bits.

OMP_NUM_THREADS=1 python -m benchmarks.faults
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from benchmarks.faults.interruptions import KINDS, interrupt
from benchmarks.faults.kills import kill

RESULT = Path(__file__).parents[1] / "results" / "faults.json"
TRIALS = 200


def measure(trials: int) -> dict[str, Any]:
    """Return how many of each there were, and how many left the bits as they should be."""
    kills = [kill(seed) for seed in tqdm(range(trials), desc="kills")]
    tests = [interrupt(seed) for seed in tqdm(range(trials), desc="interruptions")]
    result: dict[str, Any] = {
        "environment": f"torch {torch.__version__}",
        "kills": {
            "trials": trials,
            "killed": sum(k["killed"] for k in kills),
            "resumed from": dict(sorted(Counter(k["resumed_from"] for k in kills).items())),
            "bit-equal": sum(k["equal"] for k in kills),
        },
    }
    for kind in KINDS:
        found = [test for test in tests if test["kind"] == kind]
        result[kind] = {
            "trials": len(found),
            "ended": dict(sorted(Counter(test["ended"] for test in found).items())),
            "bit-equal": sum(test["equal"] for test in found),
            "scheduler goes on": sum(test["counts"] for test in found),
        }
    return result


def main() -> None:
    torch.set_num_threads(1)  # a process with threads can't be forked safely
    result = measure(TRIALS)
    text = json.dumps(result, indent=1)
    print(text)
    RESULT.write_text(text + "\n")


if __name__ == "__main__":
    main()
