"""Trials: what the tests say of a mutant, each in a process of its own.

The process is a fork of this one, which has imported pytest, Hypothesis and NumPy and nothing of
cyclr: no mutant waits for them, and none is written to a file. Subprocesses that a test starts
see the module as it is.
"""

import importlib.abc
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

import hypothesis.internal.conjecture.engine  # these are imported when they are first needed
import hypothesis.strategies  # noqa: F401
import numpy  # noqa: F401  the tests of arrays run with it
import pytest
from hypothesis import Phase, settings

__all__ = ["Judge"]

EXAMPLES = 20  # of a property: a fifth of what they have elsewhere
SLOW = 0.3  # seconds: a test that takes longer is not run on mutants
MEMORY = 4 << 30  # bytes: a mutant may never stop to append
WAITING = 300  # seconds: a mutant may wait for what never comes

# Besides the tests of its own name, a module has those that are about all of its package.
NEAR = {
    "schedules": ("known_answers", "arguments", "compose", "text", "copies", "properties", "numpy"),
    "range_test": ("known_logs",),
}
ALSO = {"landmarks": ("curve",), "optimizers": ("rules",), "bounds": ("runs",)}


def near(path: Path) -> list[str]:
    """Return the tests that are likely to see a mutant of the module at *path*, and soon."""
    tests = Path("tests", path.parent.name)
    # Its own come first: they kill most mutants, and soon.
    names = [path.stem, *ALSO.get(path.stem, ()), *NEAR[path.parent.name]]
    found = [test for name in dict.fromkeys(names) if (test := tests / f"test_{name}.py").exists()]
    # Its doctests come last: pytest would import it a second time if it came first.
    return [*map(str, found), str(path)]


def far(path: Path) -> list[str]:
    """Return all tests of the package of the module at *path*, and of how it shows itself."""
    return [f"tests/{path.parent.name}", "tests/plotting/test_svg.py", str(path.parent)]


class Judge:
    """What the tests say of the mutants of the module at *path*.

    Each faces the tests *near* its module, but for the slow ones, and, if it survives those and
    *is_far*, all of its package. It may take two seconds and four times as long as the module as
    it is: seconds of the processor, so that no mutant dies of a busy machine.
    """

    def __init__(self, path: Path, is_far: bool) -> None:
        self.path = path
        trial = self._as_it_is(near(path))
        seconds = trial.seconds - sum(trial.slow.values())
        self.stages = [(Quick(trial.slow), near(path), int(2 + 4 * seconds))]
        if is_far:
            seconds = self._as_it_is(far(path)).seconds
            self.stages.append((Quick(), far(path), int(2 + 4 * seconds)))

    def _as_it_is(self, tests: Sequence[str]) -> "Trial":
        trial = _tried(self.path, self.path.read_text(), Quick(), tests, 600)
        if trial.outcome != "survived":
            raise SystemExit(f"they fail as it is: {' '.join(tests)}")
        return trial

    def outcome(self, source: str) -> str:
        """Return "killed", "survived" or "timed out", for the module with another *source*."""
        outcome = "survived"
        for stage in self.stages:
            if outcome == "survived":
                outcome = _tried(self.path, source, *stage).outcome
        return outcome


@dataclass(eq=False)  # pytest wants to hash it
class Quick:
    """A plugin of pytest: fewer examples of each property, and no search for the smallest one.

    Tests that are *left_out* do not run; of those that do, the slow ones are kept, with their
    seconds.
    """

    left_out: Collection[str] = ()
    slow: dict[str, float] = field(default_factory=dict)

    def pytest_configure(self) -> None:
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", settings(), max_examples=EXAMPLES, phases=phases, database=None
        )
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid not in self.left_out]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        start = time.process_time()
        try:
            return (yield)
        finally:
            seconds = time.process_time() - start
            if seconds > SLOW:
                self.slow[item.nodeid] = seconds


class Mutated(SourceFileLoader):
    """Load a module from another source than its file's."""

    source: bytes

    def get_code(self, fullname: str) -> Any:  # noqa: ARG002
        return self.source_to_code(self.source, self.path)


class Finder(importlib.abc.MetaPathFinder):
    """Find the mutated module before Python finds the one that is written."""

    def __init__(self, path: Path, source: str) -> None:
        self.name = ".".join(path.with_suffix("").parts)
        self.path = str(path.absolute())
        self.source = source.encode()

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        loader = Mutated(fullname, self.path)
        loader.source = self.source
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


@dataclass(frozen=True)
class Trial:
    """What became of a module: "killed", "survived" or "timed out"."""

    outcome: str
    seconds: float
    slow: dict[str, float]


def _tried(path: Path, source: str, quick: Quick, tests: Sequence[str], seconds: int) -> Trial:
    """Run *tests* on the module with another *source*, in another process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        status = pytest.ExitCode.INTERNAL_ERROR
        try:
            status = _tested(path, source, quick, tests, seconds)
            os.write(write_end, json.dumps(quick.slow).encode())
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    os.close(write_end)
    with open(read_end) as pipe:
        slow = pipe.read() if os.WIFEXITED(status) else ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM)
        return Trial("timed out" if late else "killed", spent, {})
    code = os.WEXITSTATUS(status)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise ValueError(f"no tests in {tests}")
    return Trial(
        "survived" if code == pytest.ExitCode.OK else "killed", spent, json.loads(slow or "{}")
    )


def _tested(path: Path, source: str, quick: Quick, tests: Sequence[str], seconds: int) -> int:
    """Run *tests* in this process, on the module with another *source*; return pytest's status."""
    assert not any(name.partition(".")[0] == "cyclr" for name in sys.modules)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(WAITING)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, Finder(path, source))
    # Hypothesis has been imported: pytest can't rewrite its asserts any more.
    options = ["-q", "-x", "--tb=no", "--assert=plain", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *tests], plugins=[quick]))
