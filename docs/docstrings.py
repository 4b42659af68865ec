"""From the grammar of cyclr's docstrings to reStructuredText.

In a docstring what is indented stands as it is: a formula, an example, a table. In
reStructuredText that would be a quotation.
"""

import re

INDENT = "    "


def to_rst(lines: list[str]) -> list[str]:
    """Return the *lines* of a docstring as reStructuredText.

    >>> to_rst(["With t:", "", "    lr = |t|", "", "    >>> 1", "    1"])
    ['With t:', '', '::', '', '    lr = |t|', '', '>>> 1', '1']
    """
    result: list[str] = []
    for block in _blocks(lines):
        if not block[0].startswith(INDENT):
            result += [_inline(line) for line in block]
        elif block[0].lstrip().startswith((">>>", "===")):  # an example, a table: they need no mark
            result += [line.removeprefix(INDENT) for line in block]
        elif result and _is_item(result):
            result += block
        else:
            result += ["::", "", *block]
        result.append("")
    return result[:-1]


def _blocks(lines: list[str]) -> list[list[str]]:
    """Return the paragraphs; what is indented alike in neighbouring ones stays together."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _is_item(result: list[str]) -> bool:
    """Tell whether what comes next, indented, belongs to an item of a list."""
    above = next((line for line in reversed(result) if line.strip()), "")
    return above.startswith(("- ", "  "))


def _inline(line: str) -> str:
    """Mark what is text and looks like a reference, or like emphasis that does not end."""
    line = re.sub(r"(\*\w+\*)\^", r"\1\\ ^", line)
    return line.replace("|", r"\|") if "|" in line else line
