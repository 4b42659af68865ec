"""What notebooks show: SVG that stands on the standard library alone."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr import Bounds, Landmarks, Linear, RangeTest, Triangular, analyze
from cyclr.plotting.picture import Axis, Line, Picture
from cyclr.plotting.schedules import picture_of_schedules
from cyclr.plotting.svg import HEIGHT, LEFT, TOP, WIDTH, _straightened, svg, ticks
from strategies import schedules

LRS = [1e-6 * 1e7 ** (i / 199) for i in range(200)]
LOSSES = [2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + (lr / 0.5) ** 4 for lr in LRS]
LOG = list(zip(LRS, LOSSES, strict=True))
SVG = "{http://www.w3.org/2000/svg}"


def elements(html, kind):
    return list(ElementTree.fromstring(html).iter(f"{SVG}{kind}"))


def texts(html):
    return [text.text for text in elements(html, "text")]


def corners(path):
    """The coordinates that an absolute path goes through."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_a_schedule_shows_itself_as_a_picture_and_as_code():
    schedule = Triangular(0.001, 0.006, step_size=500)
    html = schedule._repr_html_()
    page = ElementTree.fromstring(html)

    assert page.find("pre").text == repr(schedule)
    assert {"iteration", "learning rate", "0", "4000", "0.006"} <= set(texts(html))
    (curve,) = [p.get("d") for p in elements(html, "path") if p.get("stroke-width") == "2"]
    assert len(corners(curve)) == 9  # four triangles, and nothing between their corners


@given(schedules)
def test_any_schedule_shows_itself(schedule):
    html = schedule._repr_html_()

    assert len(html) < 60_000
    for path in elements(html, "path"):
        if path.get("stroke-width") == "2":
            assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners(path.get("d")))


def test_a_legend_that_is_too_wide_goes_on_in_the_next_row():
    names = [f"a rather long name, the {i}th" for i in range(6)]
    picture = svg(picture_of_schedules({name: Linear(0.1, 0.0, 9) for name in names}))
    root = ElementTree.fromstring(picture)
    places = {
        group.find(f"{SVG}text").text: re.findall(r"[\d.]+", group.get("transform"))
        for group in root.iter(f"{SVG}g")
        if group.get("transform") and group.find(f"{SVG}text") is not None
    }
    rows = {name: float(places[name][1]) for name in names}

    assert sorted(rows.values()) == list(rows.values())
    assert len(set(rows.values())) > 1
    assert max(rows.values()) < float(root.get("viewBox").split()[3])
    assert {float(places[name][0]) for name in names} <= set(map(float, range(LEFT, WIDTH)))


def test_it_is_written_in_the_colour_of_the_text_around_it():
    html = analyze(LOG)._repr_html_()

    ink = [text.get("fill") for text in elements(html, "text") if "_lr" not in text.text]
    assert set(ink) == {"currentColor"}
    assert "<style" not in html, "a notebook is one page: its styles are not ours to set"
    assert "id=" not in html


def test_bounds_show_the_picture_and_what_print_shows():
    bounds = analyze(LOG, optimizer="lion")
    html = bounds._repr_html_()

    assert ElementTree.fromstring(html).find("pre").text == str(bounds)
    named = {f"base_lr {bounds.base_lr:.2g}", f"max_lr {bounds.max_lr:.2g}", "80 % interval"}
    assert named | {"loss", "smoothed", "onset", "drop_90", "minimum"} <= set(texts(html))
    assert f"edge {bounds.landmarks.edge:.2g}" in texts(html)


def test_bounds_without_a_curve_show_the_text():
    bounds = Bounds(0.01, 0.04, (0.02, 0.1), "family", Landmarks(1e-3, 0.1, 0.2, None))
    assert elements(bounds._repr_html_(), "svg") == []
    assert ElementTree.fromstring(bounds._repr_html_()).find("pre").text == str(bounds)


def test_a_test_shows_itself_before_during_and_after():
    test = RangeTest()
    assert elements(test._repr_html_(), "svg") == []
    for _ in range(3):
        next(test)
        test.record(2.3)
    early = test._repr_html_()
    assert "too_short" in early
    assert elements(early, "svg")
    for _, loss in zip(test, LOSSES[3:], strict=False):
        test.record(loss)
    assert str(test.bounds()) in ElementTree.fromstring(test._repr_html_()).find("pre").text


def test_names_are_text_and_not_markup():
    picture = picture_of_schedules({"<a> & b": Linear(0.1, 0.0, 9), "c": Linear(0.0, 0.1, 9)})
    assert {"<a> & b", "c"} <= set(texts(svg(picture)))


def test_lines_break_where_they_are_not_finite():
    points = [(0.0, 0.0), (1.0, 1.0), (2.0, math.nan), (3.0, 1.0), (4.0, 0.0)]
    picture = Picture(x=Axis("x", 0, 4), y=Axis("y", 0, 1), lines=[Line("line", points)])
    (path,) = [p.get("d") for p in elements(svg(picture), "path") if p.get("stroke-width") == "2"]
    assert path.count("M") == 2


def test_what_is_cut_off_stays_near_the_picture():
    """Renderers count pixels in single precision."""
    points = [(0.0, 0.0), (1.0, 1e300), (2.0, -1e300)]
    picture = Picture(x=Axis("x", 0, 2), y=Axis("y", 0, 1), lines=[Line("line", points)])
    (path,) = [p.get("d") for p in elements(svg(picture), "path") if p.get("stroke-width") == "2"]
    assert all(abs(y) < 1e4 for _, y in corners(path))
    cutting = elements(svg(picture), "svg")[1]
    assert (float(cutting.get("x")), float(cutting.get("y"))) == (LEFT, TOP)


@pytest.mark.parametrize("log", [False, True])
@given(data=st.data())
def test_ticks_are_few_and_on_the_axis(log, data):
    low = data.draw(st.floats(1e-9, 1e6))
    high = low * data.draw(st.floats(1.5, 1e12))
    values = ticks(Axis("x", low, high, log))
    assert len(values) <= 11
    assert all(low <= value <= high for value in values)
    assert high < 30 * low or len(values) >= 2


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 250)), min_size=1, max_size=60))
def test_straightened_lines_are_the_same_to_the_eye(places):
    kept = _straightened(places)
    assert set(kept) <= set(places)
    drawn = [corner for pair in pairwise(kept) for corner in between(*pair)] or kept
    for place in places:
        assert min(math.dist(place, near) for near in drawn) < 0.21 + STEP


STEP = 2.0


def between(a, b):
    """Places on the line from a to b, at most STEP from each other."""
    n = math.ceil(math.dist(a, b) / STEP) or 1
    return [(a[0] + (b[0] - a[0]) * i / n, a[1] + (b[1] - a[1]) * i / n) for i in range(n + 1)]
