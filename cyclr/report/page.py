"""The page: one file that holds the runs, the policies, the code and all that draws them."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from string import Template
from typing import Any

from cyclr import __version__
from cyclr.report.policies import POLICIES
from cyclr.report.runs import Run

__all__ = ["MARK", "Page", "plotly_js"]

MARK = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="cyclr"""
"""How every page begins: what begins otherwise is not ours to overwrite."""

SCRIPTS = "schedule.js", "charts.js", "handles.js", "page.js"


@dataclass(frozen=True)
class Page:
    """A page of *runs*, with the *snippets* of code to copy, by framework."""

    runs: Sequence[Run]
    snippets: Mapping[str, str]

    def html(self) -> str:
        """Return the page, with plotly.js and everything else in it.

        It needs the extra ``cyclr[report]``, without which it raises `ModuleNotFoundError`. The
        same logs give the same page, but for plotly's version.
        """
        scripts = [_script(text) for text in (plotly_js(), *map(_asset, SCRIPTS))]
        names = ", ".join(run.name for run in self.runs)
        return Template(_asset("page.html")).substitute(
            mark=f'{MARK} {__version__}">',
            policy=_content_security_policy(scripts),
            title=html.escape(f"Range test: {names}"),
            style=_asset("page.css"),
            data=_json(self._data()),
            scripts="\n".join(f"<script>{script}</script>" for script in scripts),
        )

    def _data(self) -> dict[str, Any]:
        return {
            "runs": [run.to_dict() for run in self.runs],
            "metric": self.runs[0].metric,
            "policies": [policy.to_dict() for policy in POLICIES],
            "snippets": dict(self.snippets),
        }


def plotly_js() -> str:
    """Return plotly.js, from the installed package."""
    try:
        plotly = import_module("plotly.offline")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'the page needs plotly, which is not installed\n\nHint: pip install "cyclr[report]"',
            name="plotly",
        ) from None
    return str(plotly.get_plotlyjs())


def _asset(name: str) -> str:
    return (files("cyclr.report") / name).read_text(encoding="utf-8")


def _script(text: str) -> str:
    """Return a script as a browser hashes it, and with no end of the element in it."""
    return text.replace("\r\n", "\n").replace("</script", r"<\/script")


def _json(data: Any) -> str:
    """Return *data* as JSON in which nothing can be taken for HTML."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _content_security_policy(scripts: Sequence[str]) -> str:
    """Return what the browser is to allow: these *scripts*, and no request at all."""
    hashes = (hashlib.sha256(script.encode()).digest() for script in scripts)
    sources = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
