"""The page as a file: sound, complete in itself, and safe."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cyclr.report import Page, Run
from cyclr.report.code import snippets
from cyclr.report.page import MARK, SCRIPTS

from .conftest import Write

pytestmark = pytest.mark.usefixtures("plotly")

HOSTILE = """</script><img src=x onerror=alert(1)>"'&$scripts{policy}%{x}<!--.csv"""
VOID = {"meta", "input", "img", "link", "br"}


class Document(HTMLParser):
    """A page's elements, each closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names))
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(*paths: Path | str) -> str:
    return Page([Run.read(path) for path in paths], snippets()).html()


def data_of(text: str) -> Any:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_it_is_well_formed(log: Path, flat: Path) -> None:
    text = page(log, flat)
    document = Document(text)
    assert text.startswith(MARK)
    assert [tag for tag, _ in document.elements[:3]] == ["html", "head", "meta"]
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert document.texts["title"] == [f"Range test: {log}, {flat}"]
    assert "\r" not in text


def test_labels_point_at_what_is_there(log: Path) -> None:
    document = Document(page(log))
    ids = {attributes.get("id") for _, attributes in document.elements}
    for _, attributes in document.elements:
        assert attributes.get("aria-labelledby", "data") in ids


def test_nothing_is_loaded(log: Path) -> None:
    text = page(log)
    document = Document(text)
    for tag, attributes in document.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert not attributes.keys() & {"src", "href", "srcset", "action", "data", "poster"}
    (style,) = document.texts["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_the_browser_is_told_to_load_nothing_and_to_run_our_scripts_only(log: Path) -> None:
    text = page(log)
    (policy,) = (
        str(attributes["content"])
        for attributes in Document(text).of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    assert allowed == [base64.b64encode(digest).decode() for digest in digests]
    assert len(scripts) == 1 + len(SCRIPTS)


@pytest.fixture
def hostile(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    write(HOSTILE)
    monkeypatch.chdir(tmp_path)
    return HOSTILE


def test_a_file_name_stays_a_name(hostile: str, log: Path) -> None:
    text, sober = page(hostile), page(log)
    assert data_of(text)["runs"][0]["name"] == hostile
    document, expected = Document(text), Document(sober)
    assert document.texts["title"] == [f"Range test: {hostile}"]
    # Not one element more, and no attribute that is not on the sober page.
    policies = [{"content"} if tag == "meta" else set() for tag, _ in document.elements]
    for found, other, ours in zip(document.elements, expected.elements, policies, strict=True):
        assert found[0] == other[0]
        assert {k: v for k, v in found[1].items() if k not in ours} == {
            k: v for k, v in other[1].items() if k not in ours
        }


def test_a_column_name_stays_a_name(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("lr,</script><b>loss\n0.1,2\n0.2,3\n")
    run = Run.read(tmp_path / "log.csv", loss="</script><b>loss")
    text = Page([run], snippets()).html()
    assert "</script><b>" not in text
    assert "</script><b>loss" in data_of(text)["runs"][0]["source"]
    Document(text)


def test_the_page_holds_what_it_draws(log: Path, flat: Path) -> None:
    data = data_of(page(log, flat))
    assert [run["name"] for run in data["runs"]] == [str(log), str(flat)]
    assert list(data["snippets"]) == ["Python", "PyTorch", "TensorFlow", "MXNet", "JAX"]
    assert {policy["name"] for policy in data["policies"]} >= {"Triangular2", "OneCycle"}


def test_the_same_log_gives_the_same_page(log: Path) -> None:
    assert page(log) == page(log)


def test_every_script_and_style_is_strict_and_there(log: Path) -> None:
    text = page(log)
    for part in ('"use strict";\n// The two pictures', "function course(", "prefers-color-scheme"):
        assert text.count(part) >= 1


@pytest.mark.usefixtures("no_plotly")
def test_without_plotly_it_says_what_to_install(log: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"Hint: pip install \"cyclr\[report\]\""):
        page(log)
