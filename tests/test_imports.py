"""The core stands on the standard library alone, and a test shows that this test can fail."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CORE = """
import cyclr, cyclr.cli, cyclr.logs, cyclr.demo
schedule = cyclr.Triangular2(0.001, 0.006, 2000).warmup(100)
[schedule(i) for i in range(10)]
cyclr.parse(repr(schedule)), cyclr.from_dict(schedule.to_dict())
losses = [2.3 - i * 0.01 for i in range(150)] + [0.8 + i * 0.5 for i in range(50)]
cyclr.analyze([(1e-5 * 1.07**i, loss) for i, loss in enumerate(losses)], optimizer="sgd")
"""

FOREIGN = """
import sys
import sysconfig
stdlib = set(sys.stdlib_module_names) | set(sys.builtin_module_names)
before = set(sys.modules)
{code}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - stdlib - {{"cyclr"}}))
"""


def foreign_modules(code, *, path=""):
    """Return what a new interpreter imports for the code, beside cyclr and the standard library."""
    result = subprocess.run(
        [sys.executable, "-c", FOREIGN.format(code=textwrap.dedent(code))],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path, "PATH": ""},
    )
    return result.stdout.split()


@pytest.fixture
def path(pytestconfig):
    """Where cyclr is imported from: the checkout, or the installed wheel."""
    import cyclr

    return str(Path(cyclr.__file__).parent.parent)


def test_the_core_imports_the_standard_library_only(path):
    assert foreign_modules(CORE, path=path) == []


def test_and_this_test_can_fail(path, tmp_path):
    (tmp_path / "stranger.py").touch()

    assert foreign_modules(CORE + "import stranger", path=f"{path}:{tmp_path}") == ["stranger"]


def test_every_public_name_is_there_and_listed_once():
    import cyclr

    assert len(cyclr.__all__) == len(set(cyclr.__all__))
    assert all(hasattr(cyclr, name) for name in cyclr.__all__)
    assert set(cyclr.__all__) <= set(dir(cyclr))
    with pytest.raises(AttributeError, match="has no attribute 'Traingular'"):
        cyclr.Traingular  # noqa: B018


def test_schedules_start_without_what_training_does_not_use(path):
    later = ["cyclr.range_test", "cyclr.logs", "cyclr.schedules.compose", "cyclr.schedules.text"]
    code = (
        "import sys, cyclr; cyclr.OneCycle(1, 10)(3); "
        f"print([module for module in {later} if module in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path, "PATH": ""},
    )

    assert result.stdout == "[]\n"
