"""Logs, as their readers find them."""

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from cyclr.logs import Log, read_log

Read = Callable[..., Log]

DATA = Path(__file__).parent / "data"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a log's text, or its bytes, to a file and read it."""

    def write_and_read(content: str | bytes, **options: object) -> Log:
        path = tmp_path / "log"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_log(path, **options)  # type: ignore[arg-type]

    return write_and_read


@pytest.fixture
def data() -> Path:
    """The folder with the logs that real tools wrote; see generate.py in it."""
    return DATA


@pytest.fixture
def assert_used() -> Callable[[str, Iterable[tuple[float, float]], float], None]:
    """Check the pairs that were read from a log against those that its run used."""
    runs = json.loads((DATA / "pairs.json").read_text())

    def check(name: str, pairs: Iterable[tuple[float, float]], digits: int) -> None:
        (used,) = (run["pairs"] for run in runs.values() if name in run["logs"])
        assert len(used) == 100
        for read, truth in zip(pairs, used, strict=True):
            for a, b in zip(read, truth, strict=True):
                assert math.isclose(a, b, rel_tol=10.0 ** (1 - digits)), (read, truth)

    return check
