"""Break the core in one place at a time, and see whether a test fails.

    OMP_NUM_THREADS=1 CYCLR_FRAMEWORKS=numpy python -m benchmarks.mutants [MODULE ...]

goes on where it was stopped. A module that has changed is broken anew; of one that has not, those
mutants are tried again that no test has seen and for which there is no reason: write the test, or
the reason as their "why" in the results. `--far` has what survives the tests of its module face
all of its package, `--again` begins anew, `--report` prints the tables.
"""

import argparse
import json
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.mutants.mutations import Mutant, fingerprint, mutants_of
from benchmarks.mutants.report import report
from benchmarks.mutants.trials import Judge

RESULT = Path(__file__).parents[1] / "results" / "mutants.json"
PACKAGES = Path("cyclr/schedules"), Path("cyclr/range_test")

Entry = dict[str, Any]


def tried(path: Path, known: Entry, again: bool, far: bool) -> Iterator[Entry]:
    """Try the mutants of the module at *path*, of which those are *known*; yield what is known."""
    source = fingerprint(path)
    mutants = list(mutants_of(path))
    whys = {(it["was"], it["now"]): it["why"] for it in known.get("left", [])}
    if again or known.get("source") != source:
        known = {"source": source, "mutants": len(mutants), "tried": 0, "left": []}
    seen = {_place(it): it for it in known["left"]}
    judge = None
    for count, mutant in enumerate(mutants, start=1):
        place = mutant.operator, mutant.occurrence
        if count <= known["tried"] and (place not in seen or _is_settled(seen[place])):
            continue
        judge = judge or Judge(path, far)
        outcome = judge.outcome(mutant.source)
        seen.pop(place, None)
        if outcome != "killed":
            why = whys.get((mutant.was, mutant.now), "")
            seen[place] = {"outcome": outcome, **_written(mutant), "why": why}
            print(f"{path}:{mutant.line}: {outcome}: {mutant.was!r} -> {mutant.now!r}", flush=True)
        left = sorted(seen.values(), key=lambda it: it["line"])
        known |= {"tried": max(count, known["tried"]), "left": left}
        yield known
    print(f"{path}: {len(mutants)} mutants, {len(seen)} left", flush=True)


def _place(it: Entry) -> tuple[str, int]:
    return it["operator"], it["occurrence"]


def _is_settled(it: Entry) -> bool:
    return it["outcome"] != "survived" or bool(it["why"])


def _written(mutant: Mutant) -> Entry:
    return {name: value for name, value in vars(mutant).items() if name != "source"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants")
    parser.add_argument("modules", nargs="*", type=Path)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--far", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {"modules": {}}
    if options.report:
        print(report(results))
        return
    results["environment"] = (
        f"cosmic-ray {version('cosmic-ray')}, Python {platform.python_version()}"
    )
    every = [path for package in PACKAGES for path in sorted(package.glob("[!_]*.py"))]
    for path in options.modules or every:
        known = results["modules"].get(str(path), {})
        for entry in tried(path, known, options.again, options.far):
            results["modules"][str(path)] = entry
            RESULT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
