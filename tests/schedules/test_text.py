"""Schedules as code and as data."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cyclr


def test_code_is_what_one_would_write():
    schedule = (
        cyclr.Triangular2(0.001, 0.006, 2000, cycles=4)
        .then(cyclr.Cosine(0.001, 0, 1000))
        .clip(1e-5, 1)
        .warmup(100)
    )

    assert repr(schedule) == (
        "Linear(start=0.0, end=0.001, iterations=100)"
        ".then(Triangular2(base_lr=0.001, max_lr=0.006, step_size=2000, cycles=4)"
        ".then(Cosine(start=0.001, end=0.0, iterations=1000)).clip(1e-05, 1.0))"
    )


@pytest.mark.parametrize(
    "code",
    [
        "Triangular(base_lr=0.001, max_lr=0.006, step_size=2000)",
        "Triangular2(base_lr=0.001, max_lr=0.006, step_size=2000, step_size_down=1000)",
        "ExpRange(base_lr=0.001, max_lr=0.006, step_size=2000, gamma=0.9, decays='bounds')",
        "Cyclical(base_lr=0.0, max_lr=1.0, step_size=9, shape='polynomial', power=2.0, cycles=3)",
        "CosineRestarts(base_lr=0.0, max_lr=1.0, first_cycle=10, cycle_mult=2)",
        "OneCycle(max_lr=0.1, iterations=100)",
        "OneCycle(max_lr=0.1, iterations=100, warmup=0.2, phases=3)",
        "WarmupStableDecay(max_lr=0.1, iterations=100, warmup=10, decay=20)",
        "WarmupStableDecay(max_lr=0.1, iterations=100, warmup=10, decay=20, end_lr=0.01)",
        "Constant(lr=0.1)",
        "Ramp(start=1.0, end=0.0, iterations=10, shape='1-sqrt')",
        "Linear(start=1.0, end=0.0, iterations=10)",
        "Cosine(start=1.0, end=0.0, iterations=10)",
        "Exponential(start=1.0, end=0.1, iterations=10)",
        "Polynomial(start=1.0, end=0.0, iterations=10, power=2.0)",
        "Decay(base_lr=1.0, gamma=0.9)",
        "Steps(base_lr=1.0, every=10, gamma=0.5)",
        "Piecewise(milestones=(10, 20), values=(1.0, 0.5, 0.25))",
        "InverseSqrt(max_lr=1.0, warmup=10)",
        "Constant(lr=0.1).then(Constant(lr=0.2), after=3)",
        "Linear(start=0.0, end=1.0, iterations=10).mirror(0.85, 0.95).clip(0.9, 1.0) * 0.5",
    ],
)
def test_code_has_only_what_was_given(code):
    assert repr(cyclr.parse(code)) == code


def test_a_product_is_put_in_parentheses_before_a_method():
    schedule = (cyclr.Constant(0.1) * 0.5).clip(0, 1)

    assert repr(schedule) == "(Constant(lr=0.1) * 0.5).clip(0.0, 1.0)"
    assert cyclr.parse(repr(schedule)) == schedule


@pytest.mark.parametrize(
    "text",
    [
        "Triangular(0.001, 0.006, 2000)",
        " Triangular(0.001, max_lr=6e-3, step_size=2000) ",
        "Triangular(\n    0.001,\n    0.006,  # from the range test\n    2_000,\n)",
    ],
)
def test_people_may_write_it_their_way(text):
    assert cyclr.parse(text) == cyclr.Triangular(0.001, 0.006, 2000)


def test_a_factor_may_stand_on_either_side():
    assert cyclr.parse("0.1 * Constant(1)") == cyclr.parse("Constant(1) * 0.1")


@pytest.mark.parametrize(
    ("text", "problem", "pointed_at"),
    [
        ("Triangular(0.001, 0.006, 2 * 1000)", "a literal is expected here", "2 * 1000"),
        ("Triangular(lr, 0.006, 2000)", "a literal is expected here", "lr"),
        ("Traingular(0.001, 0.006, 2000)", "did you mean Triangular?", "Traingular"),
        ("Constant(0.1).wamrup(3)", "did you mean warmup?", "Constant(0.1).wamrup"),
        ("print('é') or Constant(1)", "a schedule is expected here", "print('é') or Constant(1)"),
        ("Linear('é', foo, 3)", "a literal is expected here", "foo"),
        ("Constant(x)", "a literal is expected here", "x"),
        ("Linear(\n    0,\n    1, n\n)", "a literal is expected here", "n"),
        ("Linear(0,\n    1,\n)", "missing 1 required positional", "Linear(0,"),
        ("__import__('os').system('true')", "not the name", "__import__('os').system"),
        ("Constant(0.1) * Constant(2)", "a schedule times a number", "Constant(0.1) * Constant(2)"),
        ("Constant(0.1) + 1", "a schedule is expected here", "Constant(0.1) + 1"),
        ("Constant(-1)", "lr must be at least 0: got -1", "Constant(-1)"),
        ("Constant(0.1, 2)", "takes 2 positional arguments", "Constant(0.1, 2)"),
        ("Constant(*[1])", "a literal is expected here", "*[1]"),
        ("Constant(-lr)", "a literal is expected here", "-lr"),
        ("Piecewise([n], [1, 2])", "a literal is expected here", "[n]"),
        ("Constant(**{})", "arguments are expected one by one", "Constant(**{})"),
        ("Constant(0.1) * True", "factor must be a number", "True"),
        ("0.1", "a schedule is expected here", "0.1"),
    ],
)
def test_what_is_wrong_is_pointed_at(text, problem, pointed_at):
    with pytest.raises(ValueError) as error:
        cyclr.parse(text)

    message, code, carets = str(error.value).rsplit("\n", 2)
    assert problem in message
    start = carets.index("^")
    assert code[start : len(carets)] == pointed_at


@pytest.mark.parametrize(
    "text", ["", "Triangular(0.001", "a b", "(" * 500, "-" * 10_000 + "1", "\0"]
)
def test_what_is_not_python_is_a_value_error(text):
    with pytest.raises(ValueError):
        cyclr.parse(text)


@pytest.mark.parametrize(
    ("text", "line", "at"),
    [
        ("Triangular(0.001,, 3)", "Triangular(0.001,, 3)", ", 3)"),
        ("Linear(\n    0,\n    1,, 10\n)", "    1,, 10", ", 10"),
        ("Constant(0.1) $", "Constant(0.1) $", "$"),
    ],
)
def test_where_it_is_not_python_is_pointed_at(text, line, at):
    with pytest.raises(ValueError, match="not a schedule: invalid syntax") as error:
        cyclr.parse(text)

    _, shown, caret = str(error.value).rsplit("\n", 2)
    assert shown == f"    {line}"
    assert shown[caret.index("^") :] == at


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_no_text_is_no_schedule(text):
    with pytest.raises(ValueError, match="not a schedule: ") as error:
        cyclr.parse(text)

    assert str(error.value).endswith(":\n    \n    ^")


@given(st.text() | st.text("Constat(.1)*then,[]'\n ", max_size=40))
@example("Constant(.1)*1")
def test_no_text_gives_another_error(text):
    try:
        schedule = cyclr.parse(text)
    except ValueError:
        return
    assert cyclr.parse(repr(schedule)) == schedule


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"schedule": "Triangle"}, "got 'Triangle'; did you mean Triangular?"),
        ({"base_lr": 1}, "schedule must be the name of one: got None"),
        ({"schedule": ["Constant"]}, "schedule must be the name of one: got ['Constant']"),
        ({"schedule": "Constant"}, "Constant: "),
        ({"schedule": "Constant", "lr": 1, "x": 2}, "unexpected keyword argument 'x'"),
        ({"schedule": "Constant", "lr": -1}, "lr must be at least 0: got -1"),
        ({"schedule": "Constant", "lr": "a"}, "lr must be a number: got 'a'"),
        (
            {"cyclr": 2, "schedule": "Constant", "lr": 1},
            "cyclr, the version of the data, must be 1",
        ),
    ],
)
def test_wrong_data_is_named(data, message):
    with pytest.raises(ValueError) as error:
        cyclr.from_dict(data)

    assert message in str(error.value)


@pytest.mark.parametrize("data", [None, "Constant(0.1)", [("schedule", "Constant")]])
def test_data_is_a_dict(data):
    with pytest.raises(TypeError, match="a schedule's data must be a dict: got "):
        cyclr.from_dict(data)


@pytest.mark.parametrize("text", [None, 0.1, b"Constant(0.1)"])
def test_text_is_a_string(text):
    with pytest.raises(TypeError, match="text must be a string: got "):
        cyclr.parse(text)


def test_a_fraction_is_not_written_out():
    schedule = cyclr.Constant(Fraction(1, 3))

    with pytest.raises(ValueError) as error:
        schedule.to_dict()

    assert str(error.value) == ("a number must be a float to be written out: got Fraction(1, 3)")


def test_data_has_only_what_was_given():
    schedule = cyclr.OneCycle(0.1, 100, warmup=0.2) * 0.5

    assert schedule.to_dict() == {
        "cyclr": 1,
        "schedule": "Scaled",
        "inner": {"schedule": "OneCycle", "max_lr": 0.1, "iterations": 100, "warmup": 0.2},
        "factor": 0.5,
    }
