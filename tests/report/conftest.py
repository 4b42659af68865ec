"""Logs, and a plotly that is there or not."""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

DATA = Path(__file__).parent.parent / "range_test" / "data"
Write = Callable[..., Path]

LRS = [1e-6 * 1e7 ** (i / 199) for i in range(200)]
noise = random.Random(0).gauss
LOSSES = [2.3 - 1.8 / (1 + (3e-3 / lr) ** 1.5) + noise(0, 0.02) + (lr / 0.3) ** 2 for lr in LRS]
FLAT = [2.3 + noise(0, 0.02) for _ in LRS]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a log of these losses, and return its path."""

    def write(name: str = "log.csv", losses: list[float] = LOSSES, metric: str = "loss") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{lr!r},{loss!r}\n" for lr, loss in zip(LRS, losses, strict=True)]
        path.write_text(f"lr,{metric}\n" + "".join(rows))
        return path

    return write


@pytest.fixture
def log(write: Write) -> Path:
    return write()


@pytest.fixture
def flat(write: Write) -> Path:
    return write("flat.csv", FLAT)


PLOTLY_JS = 'window.Plotly = {}; // "</script><script>alert(1)</script>"\r\n'


@pytest.fixture
def plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for plotly, which the core's environment has not."""
    offline = ModuleType("plotly.offline")
    offline.get_plotlyjs = lambda: PLOTLY_JS  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "plotly", ModuleType("plotly"))
    monkeypatch.setitem(sys.modules, "plotly.offline", offline)


@pytest.fixture
def no_plotly(plotly: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
