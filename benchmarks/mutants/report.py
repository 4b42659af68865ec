"""The tables of benchmarks/README.md."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

__all__ = ["report"]

Entry = dict[str, Any]


def report(results: Entry) -> str:
    """Return a row for each module and package, then each survivor with the reason why it is one.

    What timed out has been seen: the tests would not have ended.
    """
    return "\n".join([*_table(results["modules"]), "", *_survivors(results["modules"])])


def _table(modules: dict[str, Entry]) -> Iterator[str]:
    yield "| module | mutants | killed | timed out | survived | of which equivalent | seen |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    packages: dict[str, Counter[str]] = {}
    for path, entry in modules.items():
        package = str(PurePath(path).parent)
        counts = _counts(entry)
        if package not in packages:
            packages[package] = Counter()
        packages[package] += counts
        yield _row(f"`{path}`", counts)
    for package, counts in packages.items():
        yield _row(f"**`{package}`**", counts)


def _counts(entry: Entry) -> Counter[str]:
    left = Counter(it["outcome"] for it in entry["left"])
    whys = sum(bool(it["why"]) for it in entry["left"])
    return Counter({"tried": entry["tried"], "why": whys}) + left


def _row(name: str, counts: Counter[str]) -> str:
    tried, late, survived = counts["tried"], counts["timed out"], counts["survived"]
    cells = [tried, tried - late - survived, late, survived, counts["why"]]
    seen = f"{100 * (1 - survived / tried):.1f} %"
    return f"| {' | '.join([name, *map(str, cells), seen])} |"


def _survivors(modules: dict[str, Entry]) -> Iterable[str]:
    return (
        f"- `{path}:{it['line']}`: `{it['was']}` → `{it['now']}`: {it['why'] or 'no test sees it'}"
        for path, entry in modules.items()
        for it in entry["left"]
        if it["outcome"] == "survived"
    )
