"""The code of docs/conventions.md runs, and what it says beside other libraries' is true."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "conventions.md"
BLOCKS = re.findall(r"```python ?(\w*)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def run(framework):
    """Run the blocks that need no framework or this one, in order; return what they print."""
    printed, names = io.StringIO(), {}
    for needs, code in BLOCKS:
        if needs in ("", framework):
            with contextlib.redirect_stdout(printed):
                exec(compile(code, str(PAGE), "exec"), names)
    return printed.getvalue()


def test_the_block_without_a_framework_prints_what_it_says():
    code = next(code for needs, code in BLOCKS if needs == "")
    comment = re.search(r"^# (.*\n)", code, re.MULTILINE)

    assert run("") == comment[1]


@pytest.mark.parametrize(
    "framework",
    [pytest.param(name, marks=pytest.mark.framework(name)) for name, _ in BLOCKS if name],
)
def test_the_blocks_for_each_framework(framework):
    run(framework)


def test_each_block_that_compares_has_an_assertion_for_every_pair():
    frameworks = [name for name, _ in BLOCKS]

    assert frameworks == ["", "torch", "optax", "keras"]
    assert all("assert" in code for name, code in BLOCKS if name)
