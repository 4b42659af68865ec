"""The tables of benchmarks/README.md."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.mutants.mutations import fingerprint

__all__ = ["report"]

Entry = dict[str, Any]

UNTESTED = "untested"  # what the reason begins with, if the mutant is not the same program


def report(results: Entry) -> str:
    """Return a row for each module and package, and each survivor with the reason why it is one.

    What timed out has been seen: the tests would not have ended. A module with a star has changed
    since.
    """
    return "\n".join([*_table(results["modules"]), "", *_survivors(results["modules"])])


def _table(modules: dict[str, Entry]) -> Iterator[str]:
    heads = ("module", "mutants", "killed", "timed out", "equivalent", "untested", "seen")
    yield f"| {' | '.join(heads)} | of those that differ |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    packages: dict[str, Counter[str]] = {}
    for path, entry in modules.items():
        counts = _counts(entry)
        packages.setdefault(str(Path(path).parent), Counter()).update(counts)
        star = "" if entry["source"] == fingerprint(Path(path)) else "*"
        rest = entry["mutants"] - entry["tried"]
        yield _row(f"`{path}`{star}{f' ({rest} to be tried)' if rest else ''}", counts)
    for package, counts in packages.items():
        yield _row(f"**`{package}`**", counts)


def _counts(entry: Entry) -> Counter[str]:
    return Counter({"mutants": entry["tried"]}) + Counter(map(_kind, entry["left"]))


def _kind(it: Entry) -> str:
    if it["outcome"] != "survived":
        return it["outcome"]
    return "equivalent" if it["why"] and not it["why"].startswith(UNTESTED) else UNTESTED


def _row(name: str, counts: Counter[str]) -> str:
    mutants, late, equivalent, untested = (
        counts[kind] for kind in ("mutants", "timed out", "equivalent", UNTESTED)
    )
    seen = mutants - equivalent - untested
    shares = (f"{100 * seen / of:.1f} %" for of in (mutants, mutants - equivalent))
    cells = [name, mutants, seen - late, late, equivalent, untested, *shares]
    return f"| {' | '.join(map(str, cells))} |"


def _survivors(modules: dict[str, Entry]) -> Iterator[str]:
    for path, entry in modules.items():
        for it in entry["left"]:
            if it["outcome"] == "survived":
                change = f"`{it['was']}` → `{it['now']}`"
                yield f"- `{path}:{it['line']}`: {change}: {it['why'] or UNTESTED}"
