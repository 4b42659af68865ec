"""The tables, of what was measured."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.cost.peers import LIBRARIES

__all__ = ["RESULT", "environment", "report"]

RESULT = Path(__file__).parents[1] / "results" / "cost.json"

UNITS = (("s", 1), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9))

PACKAGES = ("numpy", "torch", "optax", "jax", "keras", "tensorflow-cpu", "timm", "fvcore", "thinc")


def environment() -> str:
    """Return what the figures were measured with."""
    return ", ".join(
        [f"Python {platform.python_version()}, {platform.machine()}", *map(_version, PACKAGES)]
    )


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def report(result: dict[str, Any]) -> str:
    """Return all tables, in Markdown."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in result["rows"]:
        tables.setdefault(row["table"], []).append(row)
    parts = [result["environment"]]
    for name, rows in tables.items():
        columns = rows[0].get("column")
        parts += [f"#### {name}", _matrix(rows) if columns else _list(rows), _missed(rows)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _list(rows: list[dict[str, Any]]) -> str:
    """Return a row for each pair."""
    lines = [
        "| cyclr | time | beside | time | asked | got |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        asked = "" if row["asked"] is None else f"{row['asked']:g}"
        ours, its = (_time(row[key]) for key in ("seconds", "its seconds"))
        lines.append(
            f"| {row['what']} | {ours} | {row['beside']} | {its} | {asked} | {_ratio(row)} |"
        )
    return "\n".join(lines)


def _matrix(rows: list[dict[str, Any]]) -> str:
    """Return a row for each of ours, and a column for each library: the ratios alone."""
    filled = {row["column"] for row in rows}
    columns = [library for library in LIBRARIES if library in filled]
    lines = [
        "| cyclr | time | " + " | ".join(columns) + " |",
        "| --- | ---: |" + " ---: |" * len(columns),
    ]
    for what in dict.fromkeys(row["what"] for row in rows):
        cells = {row["column"]: row for row in rows if row["what"] == what}
        least = min(row["seconds"] for row in cells.values())
        ratios = (_ratio(cells[column]) if column in cells else "" for column in columns)
        lines.append(f"| {what} | {_time(least)} | " + " | ".join(ratios) + " |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    unit, factor = next(pair for pair in UNITS if seconds * pair[1] >= 1)
    return f"{seconds * factor:.3g} {unit}"


def _ratio(row: dict[str, Any]) -> str:
    got = f"{row['got']:.2f}" if row["got"] >= 0.1 else f"{row['got']:.2g}"
    return f"**{got}**" if _is_missed(row) else got


def _is_missed(row: dict[str, Any]) -> bool:
    return row["asked"] is not None and row["got"] > row["asked"]


def _missed(rows: list[dict[str, Any]]) -> str:
    asked = [row for row in rows if row["asked"] is not None]
    if not asked:
        return ""
    missed = sum(map(_is_missed, asked))
    return f"{len(asked) - missed} of {len(asked)} as asked" + (
        "; the others in bold." if missed else "."
    )
