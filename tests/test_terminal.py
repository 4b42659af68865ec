"""Curves drawn as text."""

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclr._terminal import HEIGHT, Screen, draw, draw_range_test, number

NARROW = Screen(width=40, unicode=False)
TRIANGLE = [(i, float(10 - abs(i - 10))) for i in range(21)]


def test_a_triangle_looks_like_one() -> None:
    assert draw(TRIANGLE, x="iteration", y="rate", screen=NARROW).splitlines() == [
        "   rate",
        "10 +                .-||",
        "   |              .-'  '-.",
        "   |             |'      '|",
        "   |           ||          ||",
        "   |         .|              ||",
        "   |       |-'                '-|",
        "   |     .|                      |.",
        "   |   .-'                        '-.",
        "   |  ||                            '|",
        " 0 +||                                ||",
        "   +------------------------------------",
        "    0            iteration            20",
    ]


def test_dots_are_finer_than_characters() -> None:
    picture = draw(TRIANGLE, x="iteration", y="rate", screen=Screen(40)).splitlines()
    assert picture[1] == "10 ┤                ⢀⠔⠑⡄"
    assert picture[10] == " 0 ┤⡠⠊                                ⠑⢄"
    assert picture[11] == "   └────────────────────────────────────"


def test_marks_point_at_their_places() -> None:
    marks = {"low 5": 5, "high 15": 15, "beyond 21": 21}
    picture = draw(TRIANGLE, x="iteration", y="rate", marks=marks, screen=NARROW).splitlines()
    assert picture[11] == "   +---------+----------------+---------"
    assert picture[12] == "             ^ low 5"
    assert picture[13] == "                              ^ high 15"
    assert picture[13].index("^") == picture[11].rindex("+")
    assert "beyond" not in "".join(picture)


def test_a_mark_at_the_right_end_is_named_on_its_left() -> None:
    picture = draw(TRIANGLE, x="i", y="rate", marks={"end 20": 20}, screen=NARROW).splitlines()
    assert picture[12] == "                                end 20 ^"


def test_a_logarithmic_axis_gives_each_decade_the_same_room() -> None:
    marks = {"a": 1e-3, "b": 1e-2, "c": 1e-1}
    points = [(0.0, 7.0), (1e-4, 1.0), (1.0, 2.0)]
    axis = draw(points, x="lr", y="loss", log_x=True, marks=marks, screen=NARROW).splitlines()[11]
    places = [i for i, c in enumerate(axis) if c == "+"][1:]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=1)


def test_what_is_above_the_top_leaves_the_picture() -> None:
    points = [(0.0, 0.0), (1.0, 1.0), (2.0, 1e30), (3.0, math.inf)]
    picture = draw(points, x="x", y="y", top=2.0, screen=NARROW).splitlines()
    assert picture[1] == "2 +                      |-'"  # and nothing to the right of it
    assert picture[10] == "0 +|-'"


def test_a_value_that_is_not_a_number_breaks_the_line() -> None:
    points = [(0.0, 1.0), (1.0, math.nan), (2.0, 1.0)]
    picture = draw(points, x="x", y="y", screen=NARROW).splitlines()
    assert sum(map(len, "".join(picture[1:11]).translate({ord("|"): None}).split())) < 10


def test_a_constant_has_one_label() -> None:
    picture = draw([(0.0, 0.5), (9.0, 0.5)], x="x", y="y", screen=NARROW).splitlines()
    assert [line.split()[0] for line in picture[1:11] if line[:3].strip()] == ["0.5"]


@pytest.mark.parametrize("points", [[], [(1.0, math.nan)], [(math.nan, 1.0)], [(1.0, math.inf)]])
def test_nothing_to_draw_is_said(points: list[tuple[float, float]]) -> None:
    assert draw(points, x="lr", y="loss") == "(no finite loss to draw)"


def test_the_explosion_does_not_flatten_a_range_test() -> None:
    points = [(10.0 ** (i / 20), 2.3 - i / 50) for i in range(100)]
    points += [(10.0 ** (5 + i / 20), 10.0**i) for i in range(5)]
    top = float(draw_range_test(points).splitlines()[1].split()[0])
    assert 2.3 < top < 4
    assert float(draw_range_test(points, metric="accuracy").splitlines()[1].split()[0]) == 10_000


def test_the_widest_ranges_have_a_middle() -> None:
    points = [(-1.7e308, -1.7e308), (0.0, 0.0), (1.7e308, 1.7e308)]
    line = draw(points, x="x", y="y", screen=NARROW).splitlines()[5]
    assert len(line) == pytest.approx((10 + 40) / 2, abs=5)  # it ends with the curve


numbers = st.floats(allow_subnormal=True)


@given(
    points=st.lists(st.tuples(numbers, numbers), max_size=20),
    log_x=st.booleans(),
    top=st.floats(allow_nan=False),
    marks=st.dictionaries(st.sampled_from(["a 1", "base_lr 0.001", "max_lr 0.006"]), numbers),
    width=st.integers(40, 100),
    unicode=st.booleans(),
)
def test_any_points_make_a_picture_that_fits(
    points: list[tuple[float, float]],
    log_x: bool,
    top: float,
    marks: dict[str, float],
    width: int,
    unicode: bool,
) -> None:
    picture = draw(
        points,
        x="learning rate (log scale)",
        y="loss",
        log_x=log_x,
        top=top,
        marks=marks,
        screen=Screen(width, unicode),
    )
    assert max(map(len, picture.splitlines())) <= width
    assert len(picture.splitlines()) in (1, *(HEIGHT + 3 + n for n in range(4)))
    assert unicode or picture.isascii()
    assert draw_range_test(points)


@given(st.floats())
def test_numbers_on_axes_are_short_and_close(value: float) -> None:
    text = number(value)
    assert len(text) <= 11
    assert math.isnan(value) or abs(value) > 1e308 or float(text) == pytest.approx(value, rel=1e-3)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("encoding", "term", "unicode"),
    [
        ("utf-8", "xterm", True),
        ("utf-16", "xterm", True),
        ("ascii", "xterm", False),
        ("latin-1", "xterm", False),
        ("cp437", "xterm", False),
        ("utf-8", "linux", False),
        ("utf-8", "dumb", False),
    ],
)
def test_braille_is_for_screens_that_show_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, term: str, unicode: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    assert Screen.of(Terminal(io.BytesIO(), encoding)).unicode is unicode


@pytest.mark.parametrize(("terminal", "width"), [(10, 40), (66, 66), (300, 100)])
def test_pictures_are_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: int, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(terminal))
    assert Screen.of(Terminal(io.BytesIO(), "utf-8")).width == width
    assert Screen.of(io.TextIOWrapper(io.BytesIO(), "utf-8")).width == 80
    assert Screen.of(io.StringIO()).width == 80
