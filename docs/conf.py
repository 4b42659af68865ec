"""Sphinx's settings: `tox -e docs` builds the pages, and a warning is an error there."""

import re
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]

from docstrings import to_rst
from generate import generate
from sphinx.ext.autodoc.mock import _MockObject

import cyclr

# The frameworks are not needed to describe their adapters, whose types are unions of theirs.
_MockObject.__or__ = _MockObject.__ror__ = lambda self, _: self

project = "cyclr"
author = "the cyclr authors"
release = version = cyclr.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 1200  # seconds a cell: shared machines are slow at times
nb_merge_streams = True

highlight_language = "none"  # formulas
default_role = "py:obj"
add_module_names = False
python_maximum_signature_line_length = 88
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_mock_imports = [
    *("torch", "lightning", "torchmetrics", "keras", "tensorflow", "mxnet", "jax", "optax"),
    *("tqdm", "numpy"),
]

# Everything is in the pages themselves: they can be read without a network.
html_theme = "furo"
html_title = "cyclr"
html_show_sourcelink = html_show_copyright = html_show_sphinx = False
html_copy_source = False
FROM_ELSEWHERE = re.compile(r"""<(?!a\b)[^>]*\b(src|href)=["']?(https?:)?//[^>]*>""")


def setup(app: Any) -> None:
    """Write the generated pages before the others are read, and read docstrings our way."""
    app.connect("builder-inited", lambda _: generate())
    app.connect("autodoc-process-docstring", _read)
    app.connect("build-finished", _refuse_what_is_loaded)


def _read(*arguments: Any) -> None:
    *_, lines = arguments
    lines[:] = to_rst(lines)


def _refuse_what_is_loaded(app: Any, _: Exception | None) -> None:
    """Let no page load anything from elsewhere; to link there is another matter."""
    for page in Path(app.outdir).rglob("*.html"):
        if loaded := FROM_ELSEWHERE.search(page.read_text()):
            raise ValueError(f"{page.name} loads what is not there without a network: {loaded[0]}")
