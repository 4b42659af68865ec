"""The fixture by which everything here is measured, and the tables at the end of a run."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.cost.report import RESULT, environment, report
from benchmarks.cost.work import Work

ROWS = pytest.StashKey[list[dict[str, Any]]]()
SECONDS, FEWEST, MOST = 0.4, 15, 200  # of a pair; and its rounds


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write", action="store_true", help=f"keep the figures in {RESULT.name}")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []
    config.addinivalue_line("filterwarnings", "default")  # the peers warn of each other
    config.option.benchmark_timer = "time.process_time"  # of ours alone, on a shared machine


@pytest.fixture
def beside(benchmark: Any, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Time two pieces of work in turns, and note what they took beside each other."""

    def measure(
        ours: Work,
        theirs: Work,
        *,
        table: str,
        what: str,
        peer: str,
        asked: float | None,
        column: str | None = None,
    ) -> None:
        timer = benchmark._timer
        their_seconds = []

        def their_turn() -> None:
            start = timer()
            theirs.run()
            their_seconds.append(timer() - start)

        ours.run()  # both once, so that whatever is made at the first call is there
        their_turn()
        begin = time.perf_counter()
        their_turn()
        ours.run()
        rounds = int(SECONDS / (time.perf_counter() - begin))
        their_seconds.clear()
        benchmark.pedantic(
            ours.run, setup=their_turn, rounds=max(FEWEST, min(rounds, MOST)), warmup_rounds=1
        )
        mine = benchmark.stats.stats.min / ours.calls
        other = min(their_seconds) / theirs.calls
        row = {
            "table": table,
            "what": what,
            "seconds": mine,
            "beside": peer,
            "its seconds": other,
            "asked": asked,
            "got": mine / other,
        }
        if column is not None:  # of a table with a column for each library
            row["column"] = column
        benchmark.extra_info.update(row)
        request.config.stash[ROWS].append(row)

    return measure


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    result = {"environment": environment(), "rows": rows}
    if config.option.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    terminalreporter.write_line("\n" + report(result))
