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


def kills(trials: int) -> dict[str, Any]:
    """Return how many runs were killed, and how many had the same bits in the end."""
    found = [kill(seed) for seed in tqdm(range(trials), desc="kills")]
    return {
        "trials": trials,
        "killed": sum(trial["killed"] for trial in found),
        "resumed from iteration": _counted(found, "resumed_from"),
        "bit-equal": sum(trial["equal"] for trial in found),
    }


def interruptions(trials: int) -> dict[str, Any]:
    """Return, for each kind, how the tests ended, and how many left no trace."""
    found = [interrupt(seed) for seed in tqdm(range(trials), desc="interruptions")]
    result = {}
    for kind in KINDS:
        same = [trial for trial in found if trial["kind"] == kind]
        result[kind] = {
            "trials": len(same),
            "ended": _counted(same, "ended"),
            "bit-equal": sum(trial["equal"] for trial in same),
            "scheduler goes on": sum(trial["counts"] for trial in same),
        }
    return result


def _counted(trials: list[dict[str, Any]], key: str) -> dict[Any, int]:
    return dict(sorted(Counter(trial[key] for trial in trials).items()))


def main() -> None:
    torch.set_num_threads(1)  # a process with threads can't be forked safely
    result: dict[str, Any] = {"environment": f"torch {torch.__version__}"}
    for part in (kills, interruptions):
        result[part.__name__] = part(TRIALS)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(RESULT.read_text())


if __name__ == "__main__":
    main()
