"""Pictures painted with matplotlib."""

import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import cyclr
from cyclr import Constant, OneCycle, RangeTest, Triangular, analyze, plot
from cyclr.cli import main
from cyclr.plotting.colours import ON_DARK, ON_LIGHT

LRS = [1e-6 * 1e7 ** (i / 199) for i in range(200)]
LOSSES = [2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + (lr / 0.5) ** 4 for lr in LRS]
LOG = list(zip(LRS, LOSSES, strict=True))
TRIANGULAR = Triangular(0.001, 0.006, step_size=500)


@pytest.fixture(autouse=True)
def _no_screen():
    matplotlib.use("agg")
    yield
    pyplot.close("all")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def test_a_schedule_is_drawn_over_its_iterations(ax):
    assert TRIANGULAR.plot(2000, ax=ax) is ax
    (line,) = ax.get_lines()
    assert list(line.get_xdata()) == list(range(2001))
    assert list(line.get_ydata()) == [TRIANGULAR(i) for i in range(2001)]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("iteration", "learning rate")
    assert ax.get_xlim() == (0, 2000)
    assert ax.get_legend() is None


def test_several_have_a_legend_and_differ_in_colour_and_in_dashes(ax):
    plot({"a": TRIANGULAR, "b": OneCycle(0.006, 4000), "c": Constant(0.003)}, ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "c"]
    assert len({line.get_color() for line in ax.get_lines()}) == 3
    assert len({line.get_linestyle() for line in ax.get_lines()}) == 3


def test_epochs_and_momentum_have_axes_of_their_own(ax):
    TRIANGULAR.plot(2000, iterations_per_epoch=100, momentum=TRIANGULAR.mirror(0.85, 0.95), ax=ax)
    ax.figure.draw_without_rendering()
    (epochs,) = ax.child_axes
    assert (epochs.get_xlabel(), *epochs.get_xlim()) == ("epoch", 0, 20)
    (momentum,) = [other for other in ax.figure.axes if other is not ax]
    assert momentum.get_ylabel().startswith("momentum")
    low, high = momentum.get_ylim()
    assert low < 0.85 < 0.95 < high
    assert ax.get_xlim() == (0, 2000)


def test_one_drawn_beside_another_takes_the_next_colour_and_both_are_seen(ax):
    TRIANGULAR.plot(2000, ax=ax)
    Constant(0.1).plot(300, ax=ax)
    first, second = ax.get_lines()
    assert first.get_color() != second.get_color()
    assert ax.get_xlim() == (0, 2000)
    assert ax.get_ylim()[1] > 0.1
    assert ax.get_legend() is not None


def test_what_the_user_draws_afterwards_is_seen(ax):
    TRIANGULAR.plot(2000, ax=ax)
    ax.plot([0, 5000], [0, 1])
    assert ax.get_xlim()[1] >= 5000
    assert ax.get_ylim()[1] >= 1


def test_bounds_are_drawn_with_all_there_is(ax):
    bounds = analyze(LOG, optimizer="lion")
    assert bounds.plot(ax=ax) is ax
    assert ax.get_xscale() == "log"
    places = {line.get_xdata()[0] for line in ax.get_lines()}
    marks = bounds.landmarks
    assert {bounds.base_lr, bounds.max_lr, marks.onset, marks.drop_90, marks.minimum} <= places
    assert marks.edge in places
    words = {text.get_text() for text in ax.texts} | {
        text.get_text() for text in ax.get_legend().get_texts()
    }
    assert {"onset", "drop_90", "minimum", "loss", "smoothed", "80 % interval"} <= words
    assert f"max_lr {bounds.max_lr:.2g}" in words
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx(bounds.interval)
    assert " ".join(ax.get_title("left").split()) == bounds.reasons[0].message


def test_the_smallest_axes_will_do():
    ax = Figure(figsize=(0.2, 0.2)).subplots()
    analyze(LOG, optimizer="lion").plot(ax=ax)
    assert "Nothing is known" in " ".join(ax.get_title("left").split())


def test_few_decades_are_labelled_between_the_powers_of_ten(ax):
    test = RangeTest(0.01, 0.5, 60)
    for _ in test:
        test.record(2.3)
    test.plot(ax=ax)
    low, high = ax.get_xlim()
    labels = [ax.xaxis.get_major_formatter()(x) for x in ax.get_xticks() if low < x < high]
    assert labels == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5"]


def test_a_test_is_drawn_conclusive_or_not(ax):
    test = RangeTest(iterations=60)
    for _ in test:
        test.record(2.3)
    assert test.plot(optimizer="sgd", ax=ax) is ax
    assert "The loss never improved" in ax.get_title("left")


@pytest.mark.parametrize(
    ("style", "colours"), [("default", ON_LIGHT), ("dark_background", ON_DARK)]
)
def test_it_follows_a_light_style_and_a_dark_one(style, colours):
    with pyplot.style.context(style):
        ax = analyze(LOG).plot()
    assert {ax.get_lines()[0].get_color()} <= set(colours)
    assert {text.get_color() for text in ax.texts} <= {colours[1], ax.xaxis.label.get_color()}


def luminance(colour):
    """Of WCAG 2: 0 for black, 1 for white."""
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in matplotlib.colors.to_rgb(colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_the_first_colours_stand_out_from_their_background():
    """WCAG 2.1 asks for a contrast of 3 of what is drawn; the first four come to that."""
    for colour in ON_LIGHT[:4]:
        assert 1.05 / (luminance(colour) + 0.05) > 3
    for colour in ON_DARK:
        assert (luminance(colour) + 0.05) / 0.05 > 3


def test_no_setting_is_changed_and_a_figure_of_its_own_is_pyplot_s():
    before = dict(matplotlib.rcParams)
    ax = TRIANGULAR.plot()
    assert dict(matplotlib.rcParams) == before
    assert pyplot.gcf() is ax.figure


def test_with_axes_given_pyplot_is_not_even_imported():
    program = """
import sys
from matplotlib.figure import Figure
import cyclr
ax = Figure().subplots()
cyclr.Constant(0.1).plot(100, iterations_per_epoch=5, momentum=lambda i: 0.9, ax=ax)
lrs = [1e-6 * 1e7 ** (i / 199) for i in range(200)]
losses = [2.3 - 2 / (1 + (0.01 / lr) ** 1.5) + (lr / 0.5) ** 4 for lr in lrs]
cyclr.analyze(zip(lrs, losses)).plot(ax=Figure().subplots())
print("matplotlib.pyplot" in sys.modules)
"""
    process = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(Path(cyclr.__file__).parents[1]), "MPLCONFIGDIR": "/nonexistent"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert process.stdout == "False\n"


# --- The commands -----------------------------------------------------------------------------


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("lr,loss\n" + "".join(f"{lr!r},{loss!r}\n" for lr, loss in LOG))
    return path


@pytest.fixture
def flat(tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("lr,loss\n" + "".join(f"{lr!r},2.3\n" for lr in LRS))
    return path


def size(png):
    """The width and the height in a PNG's header."""
    head = png.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_show_writes_a_picture(tmp_path, suffix, capsys):
    path = tmp_path / f"picture.{suffix}"
    assert main(["show", repr(TRIANGULAR), "--plot", str(path)]) == 0
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")
    assert "iteration  value" in capsys.readouterr().out


def test_analyze_writes_one_picture_for_all_logs(tmp_path, log, flat, capsys):
    one, three = tmp_path / "one.png", tmp_path / "three.svg"
    assert main(["analyze", str(log), "--plot", str(one)]) == 0
    assert main(["analyze", str(log), str(flat), str(log), "--json", "--plot", str(three)]) == 1
    width, height = size(one)
    assert width > height
    assert three.read_text().count('id="axes_') == 3
    capsys.readouterr()


def test_json_changes_no_picture(tmp_path, flat, capsys):
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file, options in zip(files, ([], ["--json"]), strict=True):
        assert main(["analyze", str(flat), "--plot", str(file), *options]) == 1
    assert files[0].read_bytes() == files[1].read_bytes()
    capsys.readouterr()


def test_an_inconclusive_log_is_drawn_and_an_unusable_one_is_not(tmp_path, flat, capsys):
    path = tmp_path / "picture.png"
    assert main(["analyze", str(tmp_path / "missing.csv"), "--plot", str(path)]) == 2
    assert not path.exists()
    assert main(["analyze", str(flat), "--plot", str(path)]) == 1
    assert path.exists()
    capsys.readouterr()


@pytest.mark.parametrize("command", [["show", "Constant(0.1)"], ["analyze", "log.csv"]])
def test_a_picture_that_can_not_be_written_is_told_before_the_work(
    tmp_path, log, monkeypatch, capsys, command
):
    monkeypatch.chdir(tmp_path)
    before = log.read_bytes()
    for file in ("picture", "picture.xyz", "log.csv"):
        assert main([*command, "--plot", file]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "the picture's file must end in one of" in err
        assert ".png" in err
    assert main([*command, "--plot", "missing/picture.png"]) == 2
    assert capsys.readouterr().err == "missing/picture.png: No such file or directory.\n"
    assert log.read_bytes() == before


def test_the_command_says_which_extra_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["show", "Constant(0.1)", "--plot", "picture.png"]) == 2
    assert "pip install 'cyclr[plot]'" in capsys.readouterr().err
