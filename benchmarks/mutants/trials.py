"""Trials: what the tests say of a mutant, each in a process of its own.

The process is a fork of this one, which has imported pytest, Hypothesis and NumPy and nothing of
cyclr: no mutant waits for them, and none is written to a file. Subprocesses that a test starts
see the module as it is.
"""

import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

import hypothesis.internal.conjecture.engine  # noqa: F401  both are imported when first needed
import hypothesis.strategies  # noqa: F401
import numpy  # noqa: F401  the tests of arrays run with it
import pytest
from hypothesis import Phase, settings

__all__ = ["Judge"]

MEMORY = 4 << 30  # bytes: a mutant may never stop to append
WAITING = 300  # seconds: a mutant may wait for what never comes


class Mutated(SourceFileLoader):
    """Load a module from another source than its file's."""

    source: bytes

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.source, self.path)


class Finder(importlib.abc.MetaPathFinder):
    """Find the mutated module before Python finds the one that is written."""

    def __init__(self, path: Path, source: str) -> None:
        self.name = ".".join(path.with_suffix("").parts)
        self.path = str(path.absolute())
        self.source = source.encode()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        loader = Mutated(fullname, self.path)
        loader.source = self.source
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


class Quick:
    """A plugin of pytest: of properties fewer *examples*, and no search for the smallest one."""

    def __init__(self, examples: int) -> None:
        self.examples = examples

    def pytest_configure(self) -> None:
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", settings(), max_examples=self.examples, phases=phases, database=None
        )
        settings.load_profile("mutants")


def near(path: Path) -> list[str]:
    """Return the tests that are likely to see a mutant of the module at *path*, and soon."""
    tests = Path("tests", path.parent.name)
    own = [tests / f"test_{path.stem}.py"]
    if path.parent.name == "schedules":
        own += [tests / "test_known_answers.py", tests / "test_arguments.py"]
    return [str(path), *(str(test) for test in own if test.exists())]


def far(path: Path) -> list[str]:
    """Return all tests of the package of the module at *path*."""
    return [f"tests/{path.parent.name}", str(path.parent)]


class Judge:
    """What the tests say of the mutants of the module at *path*.

    Each faces the tests near its module and, if it survives those, all of the package with as
    many examples as ever. A mutant may take five times as long as the module as it is.
    """

    STAGES = (near, 20), (far, 100)  # tests, and examples of each property

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stages = []
        for tests, examples in self.STAGES:
            outcome, seconds = _outcome(path, path.read_text(), tests(path), examples, 600)
            if outcome != "survived":
                raise SystemExit(f"they fail as it is: {' '.join(tests(path))}")
            self.stages.append((tests(path), examples, int(5 + 5 * seconds)))

    def outcome(self, source: str) -> str:
        """Return "killed", "survived" or "timed out", for the module with another *source*."""
        outcome = "survived"
        for stage in self.stages:
            if outcome == "survived":
                outcome, _ = _outcome(self.path, source, *stage)
        return outcome


def _outcome(
    path: Path, source: str, tests: Sequence[str], examples: int, seconds: int
) -> tuple[str, float]:
    """Return what the *tests* say, and the seconds that they took.

    They are seconds of the processor: no mutant dies of a busy machine.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if child == 0:
        status = pytest.ExitCode.INTERNAL_ERROR
        try:
            status = _tested(path, source, tests, examples, seconds)
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM)
        return "timed out" if late else "killed", spent
    code = os.WEXITSTATUS(status)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise ValueError(f"no tests in {tests}")
    return "survived" if code == pytest.ExitCode.OK else "killed", spent


def _tested(path: Path, source: str, tests: Sequence[str], examples: int, seconds: int) -> int:
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
    options = ["-q", "-x", "--tb=no", "--assert=plain", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *tests], plugins=[Quick(examples)]))
