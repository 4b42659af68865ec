"""The tables, of what was measured."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["RESULT", "environment", "report"]

RESULT = Path(__file__).parents[1] / "results" / "cost.json"

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
    parts = [result["environment"], *(_table(name, rows) for name, rows in tables.items())]
    return "\n\n".join(parts) + "\n"


def _table(name: str, rows: list[dict[str, Any]]) -> str:
    lines = [
        f"### {name}\n",
        "| cyclr | µs | beside | µs | asked | got | |",
        "| --- | ---: | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        asked = row["asked"]
        verdict = "" if asked is None or row["got"] <= asked else "**missed**"
        lines.append(
            f"| {row['what']} | {row['microseconds']:.3g} | {row['beside']}"
            f" | {row['its microseconds']:.3g} | {'' if asked is None else f'{asked:g}'}"
            f" | {row['got']:.2g} | {verdict} |"
        )
    return "\n".join(lines)
