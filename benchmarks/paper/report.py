from pathlib import Path


def report(results: Path) -> None:
    pass
