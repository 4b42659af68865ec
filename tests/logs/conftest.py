"""Logs, as their readers find them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cyclr.logs import Log, read_log

Read = Callable[..., Log]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a log's text, or its bytes, to a file and read it."""

    def write_and_read(content: str | bytes, **options: object) -> Log:
        path = tmp_path / "log"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_log(path, **options)  # type: ignore[arg-type]

    return write_and_read
