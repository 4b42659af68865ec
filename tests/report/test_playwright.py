"""The page in a real browser: Debian's Chromium, driven by Playwright, which downloads none.

Set CYCLR_SCREENSHOTS to a folder to keep the pictures.
"""

import json
import math
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, Route, expect, sync_playwright

import cyclr
from cyclr.cli import main
from cyclr.report.policies import POLICIES

from .conftest import DATA, FLAT, Write

CLOSE = 1e-5  # of max_lr: straight lines between the values of a unit curve
PATIENCE = 120_000  # milliseconds: a busy machine is slow to read 5 MB, which is no error
expect.set_options(timeout=PATIENCE / 4)
RUNS = [DATA / f"digits_{name}.csv" for name in ("momentum", "adam", "sgd")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


class Opened:
    """A report in the browser, and what happened in it."""

    def __init__(self, browser: Browser, path: Path, **options: Any) -> None:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        self.context = browser.new_context(
            permissions=["clipboard-read", "clipboard-write"], **options
        )
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.url = path.as_uri()
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(self.url)

    def frame(self) -> None:
        """Wait until what was changed is drawn."""
        self.page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r)))")

    def code(self) -> str:
        self.frame()
        return self.page.locator("#snippet").inner_text()

    def schedule(self) -> cyclr.Schedule:
        """Return the schedule of the code, as someone reads it who has copied it."""
        found = re.search(r"^schedule = (.*)$", self.code(), re.MULTILINE)
        assert found
        return cyclr.parse(found[1])

    def drawn(self) -> list[tuple[int, float]]:
        """Return the points of the schedule's picture."""
        self.frame()
        curve = self.page.evaluate(
            "() => { const { x, y } = document.getElementById('schedule-chart').data[0];"
            " return { x: [...x], y: [...y] }; }"
        )
        return list(zip(curve["x"], curve["y"], strict=True))

    def assert_code_is_picture(self) -> None:
        schedule, drawn = self.schedule(), self.drawn()
        for i, lr in drawn:
            assert lr == pytest.approx(schedule(i), abs=CLOSE * schedule.highest), (schedule, i)

    def handle(self, name: str) -> float:
        """Return where a handle stands on the axis: the learning rate at its middle."""
        self.frame()
        x, width = self.page.evaluate(
            """(name) => {
                const rectangle = (selector) =>
                    document.querySelector(selector).getBoundingClientRect();
                const box = rectangle(`#handle-${name}`);
                const plot = rectangle("#test-chart .nsewdrag");
                return [box.left + box.width / 2 - plot.left, plot.width];
            }""",
            name,
        )
        low, high = self.page.evaluate(
            "() => document.getElementById('test-chart').layout.xaxis.range"
        )
        return float(10 ** (low + (high - low) * x / width))

    def value(self, name: str) -> float:
        """Return what a screen reader says of a handle."""
        text = self.slider(name).get_attribute("aria-valuetext") or ""
        lr = float(text.split(",")[0])
        decades = float(self.slider(name).get_attribute("aria-valuenow") or math.nan)
        assert decades == pytest.approx(math.log10(lr), abs=1e-3)
        return lr

    def slider(self, name: str) -> Any:
        return self.page.get_by_role("slider", name=name, exact=True)

    def drag(self, name: str, pixels: float) -> None:
        box = self.slider(name).bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.6
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + pixels / 2, y, steps=3)
        self.page.mouse.move(x + pixels, y - 20, steps=3)
        self.page.mouse.up()
        self.frame()

    def screenshot(self, name: str) -> bytes:
        folder = os.environ.get("CYCLR_SCREENSHOTS")
        path = Path(folder, f"{name}.png") if folder else None
        self.page.mouse.move(0, 0)
        self.page.wait_for_timeout(200)  # a hover's label goes
        return self.page.screenshot(path=path, full_page=True)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages: of one run, of several of which one is inconclusive, of that one alone."""
    folder = tmp_path_factory.mktemp("reports")
    flat = folder / "flat.csv"
    rows = [f"{1e-6 * 1e7 ** (i / 199)},{loss}\n" for i, loss in enumerate(FLAT)]
    flat.write_text("lr,loss\n" + "".join(rows))
    logs = {"one": RUNS[:1], "several": [*RUNS, flat], "flat": [flat]}
    sgd = ["--optimizer", "sgd", "--momentum", "0.9"]
    for name, paths in logs.items():
        main(["report", *map(str, paths), *sgd, "-o", str(folder / f"{name}.html")])
    return {name: folder / f"{name}.html" for name in logs}


@pytest.fixture
def one(browser: Browser, reports: dict[str, Path]) -> Iterator[Opened]:
    opened = Opened(browser, reports["one"])
    yield opened
    assert opened.errors == []
    assert opened.requests == [opened.url]
    opened.context.close()


@pytest.fixture
def several(browser: Browser, reports: dict[str, Path]) -> Iterator[Opened]:
    opened = Opened(browser, reports["several"])
    yield opened
    assert opened.errors == []
    assert opened.requests == [opened.url]
    opened.context.close()


def bounds_of(path: Path) -> cyclr.Bounds:
    return cyclr.analyze(cyclr.read_log(path), optimizer="sgd", momentum=0.9)


# --- Opened -----------------------------------------------------------------------------------


def test_it_opens_with_the_bounds_that_were_found(one: Opened) -> None:
    bounds = bounds_of(RUNS[0])
    schedule = one.schedule()
    assert schedule == cyclr.Triangular2(
        float(f"{bounds.base_lr:.2g}"), float(f"{bounds.max_lr:.2g}"), 2000
    )
    for name, lr in (("base_lr", schedule.lowest), ("max_lr", schedule.highest)):
        assert one.value(name) == lr
        assert one.handle(name) == pytest.approx(lr, rel=0.03)
        expect(one.page.get_by_label(name, exact=True).last).to_have_value(str(lr))
    words = one.page.locator("#words").inner_text()
    assert " ".join(str(bounds).split()) == " ".join(words.split())
    one.assert_code_is_picture()


def test_the_picture_shows_the_test(one: Opened) -> None:
    bounds = bounds_of(RUNS[0])
    chart = one.page.evaluate(
        "() => { const { data, layout } = document.getElementById('test-chart');"
        " return JSON.parse(JSON.stringify({ data, shapes: layout.shapes })); }"
    )
    raw, smooth, landmarks = chart["data"]
    rows = list(cyclr.read_log(RUNS[0]))
    assert raw["x"] == pytest.approx([lr for lr, _ in rows], rel=1e-5)
    assert raw["y"] == pytest.approx([loss for _, loss in rows], rel=1e-5)
    assert len(smooth["x"]) > 100
    expected = [bounds.landmarks.onset, bounds.landmarks.drop_90, bounds.landmarks.minimum]
    assert landmarks["x"] == pytest.approx(expected, rel=1e-5)
    assert [chart["shapes"][0][end] for end in ("x0", "x1")] == pytest.approx(
        bounds.interval, rel=1e-5
    )


def test_hovering_tells_values(one: Opened) -> None:
    box = one.page.locator("#schedule-chart .nsewdrag").bounding_box()
    assert box
    one.page.mouse.move(box["x"] + box["width"] / 8, box["y"] + box["height"] * 0.1)
    label = one.page.locator("#schedule-chart .hovertext")
    expect(label).to_contain_text("iteration")
    found = re.search(r"iteration ([\d,]+)lr ([\d.]+)", label.text_content() or "")
    assert found
    iteration, lr = int(found[1].replace(",", "")), float(found[2])
    assert lr == pytest.approx(one.schedule()(iteration), rel=1e-3)

    box = one.page.locator("#test-chart .nsewdrag").bounding_box()
    assert box
    one.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.36)
    expect(one.page.locator("#test-chart .hovertext").first).to_contain_text("loss 2.")


# --- Dragged and typed --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["base_lr", "max_lr"])
def test_a_dragged_bound_is_in_picture_and_code(one: Opened, name: str) -> None:
    before, pixels = one.value(name), -60
    low, high = one.page.evaluate("() => document.getElementById('test-chart').layout.xaxis.range")
    box = one.page.locator("#test-chart .nsewdrag").bounding_box()
    assert box
    if name == "max_lr":
        pixels = 60
    one.drag(name, pixels)
    moved = before * 10 ** (pixels / box["width"] * (high - low))
    assert one.value(name) == pytest.approx(moved, rel=0.03)
    schedule = one.schedule()
    assert one.value(name) == (schedule.lowest if name == "base_lr" else schedule.highest)
    assert one.handle(name) == pytest.approx(moved, rel=0.03)
    assert one.value(name) == float(f"{one.value(name):.3g}")
    one.assert_code_is_picture()

    one.page.get_by_role("button", name="Reset", exact=True).click()
    one.frame()
    assert one.value(name) == before


def test_a_handle_does_not_jump_where_it_is_taken_hold_of(one: Opened) -> None:
    before = one.value("max_lr")
    box = one.page.locator("#handle-max_lr span").bounding_box()
    assert box
    x, y = box["x"] + box["width"] - 5, box["y"] + 5
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + 1, y)
    one.page.mouse.up()
    one.frame()
    assert one.value("max_lr") == pytest.approx(before, rel=0.05)


def test_the_code_follows_while_one_drags(one: Opened) -> None:
    box = one.slider("max_lr").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    seen = set()
    for pixels in range(5, 45, 10):
        one.page.mouse.move(x + pixels, y)
        seen.add(one.schedule().highest)
        one.assert_code_is_picture()
    assert len(seen) == 4


def test_base_lr_stays_below_max_lr(one: Opened) -> None:
    one.drag("base_lr", 500)
    assert one.value("base_lr") == one.value("max_lr") == one.schedule().lowest
    one.drag("max_lr", -500)
    assert one.value("base_lr") == one.value("max_lr")


def test_a_zoomed_chart_keeps_its_handles(one: Opened) -> None:
    box = one.page.locator("#test-chart .nsewdrag").bounding_box()
    assert box
    x, y = box["x"] + box["width"] * 0.5, box["y"] + 50
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + box["width"] * 0.4, y + 100, steps=5)
    one.page.mouse.up()
    one.frame()
    assert one.handle("max_lr") == pytest.approx(one.value("max_lr"), rel=0.02)
    one.drag("max_lr", 30)
    assert one.handle("max_lr") == pytest.approx(one.value("max_lr"), rel=0.02)
    one.page.evaluate(
        "() => Plotly.relayout('test-chart', { 'xaxis.range': [-6, -5] })"
    )  # where they are not
    expect(one.page.locator("#handle-max_lr")).to_be_hidden()


LENGTHS = [(2000, 16000), (7, 100), (125, 2345), (1, 15), (1234, 987654)]


@pytest.mark.parametrize("policy", [policy.name for policy in POLICIES])
def test_any_policy_and_lengths(one: Opened, policy: str) -> None:
    field = one.page.locator
    one.page.get_by_label("Policy").select_option(policy)
    field("#max_lr").fill("0.123456789")
    one.frame()
    cyclic = field("#step_size").is_enabled()
    for step_size, iterations in LENGTHS:
        if cyclic:
            field("#step_size").fill(str(step_size))
        field("#iterations").fill(str(iterations))
        if cyclic:  # which may have been too short for the length before
            field("#step_size").fill(str(step_size))
        schedule, drawn = one.schedule(), one.drawn()
        ours = next(p for p in POLICIES if p.name == policy)
        settings = {"base_lr": one.value("base_lr"), "max_lr": 0.123456789}
        assert schedule == ours.of(**settings, step_size=step_size, iterations=iterations)
        assert schedule.highest == 0.123456789
        assert (drawn[0][0], drawn[-1][0]) == (0, iterations - 1)
        if iterations <= 1500:
            assert [i for i, _ in drawn] == list(range(iterations))
        one.assert_code_is_picture()


def test_lengths_can_be_slid(one: Opened) -> None:
    for name in ("Step size, by sliding", "Training length, by sliding"):
        slider = one.page.get_by_role("slider", name=name)
        before = slider.get_attribute("aria-valuetext")
        box = slider.bounding_box()
        assert box
        one.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        one.page.mouse.down()
        one.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"], steps=4)
        one.page.mouse.up()
        one.frame()
        assert slider.get_attribute("aria-valuetext") != before
        one.assert_code_is_picture()
    schedule = one.schedule()
    assert isinstance(schedule, cyclr.Triangular2)
    assert schedule.step_size > 2000
    assert len(one.drawn()) > 1000


WRONG = [
    *[("step_size", text) for text in ("0", "2.5", "")],
    *[("iterations", text) for text in ("-5", "9")],
    *[("max_lr", text) for text in ("0.0001", "1e400")],
    *[("base_lr", text) for text in ("0", "1")],
]


def test_what_makes_no_schedule_changes_nothing(one: Opened) -> None:
    before = one.code()
    for name, text in WRONG:
        field = one.page.locator(f"#{name}")
        valid = field.input_value()
        field.fill(text)
        assert one.code() == before
        assert text == "" or not field.evaluate("(field) => field.checkValidity()")
        one.page.locator("#policy").focus()
        one.frame()
        assert field.input_value() == valid


def test_training_is_fitted_to_cycles(one: Opened) -> None:
    one.page.locator("#iterations").fill("15000")
    button = one.page.get_by_role("button", name="16,000 iterations")
    button.click()
    one.frame()
    expect(button).to_be_hidden()
    assert one.page.locator("#iterations").input_value() == "16000"
    assert "range(16000)" in one.code()
    assert one.schedule().cycle_ends(16000)[-1] == 16000


# --- Copied -------------------------------------------------------------------------------------


def test_the_code_of_each_framework_is_copied(one: Opened) -> None:
    one.page.get_by_label("Policy").select_option("CosineRestarts")
    one.drag("max_lr", 25)
    schedule = one.schedule()
    imports = {
        "Python": "train(batch, lr=schedule(iteration))",
        "PyTorch": "from cyclr_torch import Scheduler",
        "TensorFlow": "keras.optimizers.SGD(Scheduler(schedule), momentum=0.9)",
        "MXNet": "mx.optimizer.SGD(lr_scheduler=Scheduler(schedule), momentum=0.9)",
        "JAX": "optax.sgd(schedule, momentum=0.9)",
    }
    for framework, line in imports.items():
        one.page.get_by_role("radio", name=framework).check()
        one.page.get_by_role("button", name="Copy").click()
        expect(one.page.get_by_role("status")).to_have_text("Copied")
        copied = one.page.evaluate("() => navigator.clipboard.readText()")
        assert line in copied
        found = re.search(r"^schedule = (.*)$", copied, re.MULTILINE)
        assert found
        assert cyclr.parse(found[1]) == schedule
        assert "16000" in copied
    one.assert_code_is_picture()


def test_without_a_clipboard_the_code_is_selected(one: Opened) -> None:
    one.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    one.page.get_by_role("button", name="Copy").click()
    expect(one.page.get_by_role("status")).to_contain_text("Ctrl+C")
    assert one.page.evaluate("() => getSelection().toString()").strip() == one.code().strip()


# --- The keyboard, and who does not see ---------------------------------------------------------


def test_the_keyboard_is_enough(one: Opened) -> None:
    press = one.page.keyboard.press
    for _ in range(20):  # from the top
        press("Tab")
        if one.page.evaluate("() => document.activeElement.id") == "handle-base_lr":
            break
    expect(one.slider("base_lr")).to_be_focused()
    before = one.value("base_lr")
    for key, factor in (
        ("ArrowRight", 10 ** (1 / 40)),
        ("ArrowLeft", 1),
        ("ArrowDown", 10 ** (-1 / 40)),
        ("ArrowUp", 1),
        ("PageDown", 10 ** (-1 / 4)),
        ("PageUp", 1),
    ):
        press(key)
        one.frame()
        assert one.value("base_lr") == pytest.approx(before * factor, rel=0.01), key
        one.assert_code_is_picture()
    press("End")
    one.frame()
    assert one.value("base_lr") == one.value("max_lr")
    press("Home")
    one.frame()
    assert one.value("base_lr") == pytest.approx(1e-6, rel=0.5)
    press("Tab")
    expect(one.slider("max_lr")).to_be_focused()
    press("ArrowRight")
    one.frame()
    assert one.value("max_lr") > bounds_of(RUNS[0]).max_lr

    reached = []
    for _ in range(20):
        press("Tab")
        reached.append(one.page.evaluate("() => document.activeElement.id || '-'"))
    wanted = ["base_lr", "max_lr", "reset", "policy", "step_size", "step_size-slide"]
    wanted += ["iterations", "iterations-slide", "copy", "snippet"]
    assert [name for name in reached if name in wanted] == wanted


def test_focus_can_be_seen(one: Opened) -> None:
    one.page.locator("#handle-max_lr").focus()
    one.page.keyboard.press("ArrowLeft")
    style = one.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


@pytest.mark.parametrize("report", ["one", "several", "flat"])
def test_axe_finds_nothing(browser: Browser, reports: dict[str, Path], report: str) -> None:
    opened = Opened(browser, reports[report])
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        found = Axe().run(opened.page)
        assert found.violations_count == 0, found.generate_report()
    opened.context.close()


def test_a_policy_without_base_lr_says_so(one: Opened) -> None:
    one.page.get_by_label("Policy").select_option("OneCycle")
    one.frame()
    assert "not used" in (one.slider("base_lr").get_attribute("aria-valuetext") or "")
    expect(one.page.locator("#course")).to_contain_text("base_lr and the step size are not used")
    expect(one.page.locator("#step_size")).to_be_disabled()


# --- Several runs, and one that tells nothing ---------------------------------------------------


def test_the_bounds_are_those_of_the_chosen_run(several: Opened) -> None:
    for path in reversed(RUNS):
        several.page.get_by_role("radio", name=f"{path.name} max_lr", exact=False).check()
        bounds = bounds_of(path)
        assert several.schedule().highest == float(f"{bounds.max_lr:.2g}")
        assert several.handle("max_lr") == pytest.approx(bounds.max_lr, rel=0.08)
        names = several.page.evaluate(
            "() => document.getElementById('test-chart').data.map(({ name }) => name)"
        )
        assert sum(name is not None and name.endswith("smoothed") for name in names) == 4
        assert names[-2] == f"{path}, smoothed"  # in front; the landmarks have no name
        several.assert_code_is_picture()
    several.screenshot("several")


def test_an_inconclusive_run_has_reasons_and_no_bounds(several: Opened) -> None:
    flat = several.page.get_by_role("radio", name="flat.csv")
    flat.check()
    several.frame()
    expect(several.page.locator("#words")).to_contain_text("The loss never improved by more than")
    expect(several.page.locator("#words")).to_contain_text("Raise end_lr")
    for hidden in ("#handle-max_lr", "#schedule", "#code", "#bounds"):
        expect(several.page.locator(hidden)).to_be_hidden()
    expect(several.page.get_by_role("heading", name="No schedule yet")).to_be_visible()
    several.page.get_by_role("radio", name=RUNS[0].name).check()
    several.frame()
    expect(several.page.locator("#handle-max_lr")).to_be_visible()
    several.assert_code_is_picture()


def test_an_inconclusive_run_alone(browser: Browser, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["flat"])
    expect(opened.page.locator("#words")).to_contain_text("The loss never improved by more than")
    expect(opened.page.get_by_role("slider")).to_have_count(0)
    expect(opened.page.locator("#schedule")).to_be_hidden()
    assert (opened.errors, opened.requests) == ([], [opened.url])
    opened.screenshot("inconclusive")
    opened.context.close()


def test_next_to_nothing_can_be_shown(browser: Browser, tmp_path: Path) -> None:
    rows = {"none": "0,2.3\n", "one": "0.1,2.3\n", "nan": "0.1,nan\n0.2,nan\n"}
    for name, text in rows.items():
        (tmp_path / f"{name}.csv").write_text("lr,loss\n" + text)
        main(["report", str(tmp_path / f"{name}.csv"), "-o", str(tmp_path / f"{name}.html")])
        opened = Opened(browser, tmp_path / f"{name}.html")
        expect(opened.page.locator("#words li")).to_have_count(1)
        assert (opened.errors, opened.requests) == ([], [opened.url])
        opened.context.close()


# --- Looks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {"color_scheme": "light"}),
        ("dark", {"color_scheme": "dark"}),
        ("narrow", {"viewport": {"width": 400, "height": 800}}),
    ],
)
def test_a_picture_of_it(
    browser: Browser, reports: dict[str, Path], name: str, options: dict[str, Any]
) -> None:
    opened = Opened(browser, reports["one"], **options)
    assert len(opened.screenshot(name)) > 30_000  # an empty page has a tenth of it
    width = opened.page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= opened.page.viewport_size["width"]  # nothing sticks out
    opened.context.close()


def test_the_colours_follow_the_reader(one: Opened) -> None:
    colours = """() => [
        getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.querySelector('#test-chart .xtitle')).fill,
        document.getElementById('schedule-chart').data[0].line.color,
    ]"""
    one.page.emulate_media(color_scheme="light")
    light = one.page.evaluate(colours)
    one.drag("max_lr", 20)
    code = one.code()
    one.page.emulate_media(color_scheme="dark")
    one.frame()
    assert all(a != b for a, b in zip(light, one.page.evaluate(colours), strict=True))
    assert one.code() == code  # nothing is lost by it


# --- No request, no stranger's script -----------------------------------------------------------


def test_no_request_can_leave_the_page(browser: Browser, reports: dict[str, Path]) -> None:
    opened = Opened(browser, reports["one"])
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    opened.context.route(lambda url: not url.startswith("file:"), refuse)
    with pytest.raises(Error, match="Failed to fetch"):
        opened.page.evaluate("() => fetch('http://example.invalid/')")
    opened.page.evaluate(
        "() => { document.body.append(new Image());"
        " document.body.lastChild.src = 'http://example.invalid/a.png'; }"
    )
    opened.page.wait_for_timeout(300)
    assert asked == []
    assert any("Content Security Policy" in error for error in opened.errors)
    opened.context.close()


def test_no_button_leads_elsewhere(one: Opened) -> None:
    """plotly.js has one that sends the data to its makers' site."""
    buttons = one.page.locator("#test-chart .modebar-btn")
    titles = [(button.get_attribute("data-title") or "").lower() for button in buttons.all()]
    assert titles == ["download plot as a png", "zoom", "reset axes"]


def test_a_hostile_name_is_text(
    browser: Browser, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "</script><img src=x onerror=document.title=1>{policy}%{x}<b>bold<a href='#'>link.csv"
    write(name)
    monkeypatch.chdir(tmp_path)
    main(["report", name, name, "-o", "page.html"])
    opened = Opened(browser, tmp_path / "page.html")
    expect(opened.page.locator("#runs .name").first).to_have_text(name)  # twice: in full
    assert opened.page.title() == f"Range test: {name}, {name}"
    opened.page.evaluate(
        "() => Plotly.Fx.hover('test-chart', [{ curveNumber: 3, pointNumber: 9 }])"
    )
    expect(opened.page.locator("#test-chart .hovertext").first).to_contain_text("<b>")
    assert opened.page.locator("img, #test-chart a:not(.modebar-btn), #runs b").count() == 0
    assert (opened.errors, opened.requests) == ([], [opened.url])
    opened.context.close()


def test_the_data_is_what_python_wrote(one: Opened) -> None:
    data = one.page.evaluate("() => document.getElementById('data').textContent")
    assert [run["name"] for run in json.loads(data)["runs"]] == [str(RUNS[0])]
