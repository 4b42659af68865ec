"""Something that happens at a chosen line: any line of Python that a function runs, torch's too."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["at_line", "count_lines"]


def at_line(
    number: int, happens: Callable[[], Any], function: Callable[[], Any], skip: tuple[str, ...] = ()
) -> Any:
    """Call *function*, and *happens* before its line *number*, from 1; lines of *skip* don't count.

    *skip* are endings of file names. What *happens* raises is raised at that line.
    """
    left = number

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename.endswith(skip):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                sys.settrace(None)
                happens()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return function()
    finally:
        sys.settrace(before)


def count_lines(function: Callable[[], Any], skip: tuple[str, ...] = ()) -> tuple[int, Any]:
    """Return how many lines *function* runs, and what it returns."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename.endswith(skip):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        value = function()
    finally:
        sys.settrace(before)
    return count, value
