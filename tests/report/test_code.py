"""The code to copy."""

import ast

import pytest

import cyclr
from cyclr.range_test.optimizers import KNOWN
from cyclr.report.code import NAMES, snippets

SPEC = "Triangular2(base_lr=0.001, max_lr=0.006, step_size=10)"


def filled(snippet: str) -> str:
    for name, value in {"policy": "Triangular2", "schedule": SPEC, "iterations": "40"}.items():
        snippet = snippet.replace(f"{{{name}}}", value)
    return snippet


@pytest.mark.parametrize("optimizer", [None, "lion", *KNOWN])
def test_each_is_python_with_the_schedule_on_a_line_of_its_own(optimizer: str | None) -> None:
    for snippet in snippets(optimizer).values():
        code = filled(snippet)
        ast.parse(code)
        assert "{" not in code
        assert f"\nschedule = {SPEC}\n" in code
        assert code.count("40") >= 1


def test_plain_python_runs() -> None:
    lrs: list[float] = []
    names = {"batches": iter(int, 1), "train": lambda _, lr: lrs.append(lr)}
    exec(filled(snippets()["Python"]), names)
    assert lrs == [cyclr.parse(SPEC)(i) for i in range(40)]


def test_every_optimizer_that_is_known_has_its_names() -> None:
    assert NAMES.keys() == KNOWN.keys()


@pytest.mark.parametrize(
    ("arguments", "framework", "call"),
    [
        ((), "JAX", "optax.sgd(schedule)"),
        (("lion",), "JAX", "optax.sgd(schedule)"),
        (("SGD", 0.9), "JAX", "optax.sgd(schedule, momentum=0.9)"),
        (("adam", 0.9), "JAX", "optax.adam(schedule)"),
        (
            ("nesterov",),
            "TensorFlow",
            "keras.optimizers.SGD(Scheduler(schedule), momentum=0.9, nesterov=True)",
        ),
        (("nesterov", 0.8), "MXNet", "NAG(lr_scheduler=Scheduler(schedule), momentum=0.8)"),
        (("AdamW",), "TensorFlow", "keras.optimizers.AdamW(Scheduler(schedule))"),
    ],
)
def test_the_optimizer_is_that_of_the_test(
    arguments: tuple[str, float], framework: str, call: str
) -> None:
    assert call in snippets(*arguments)[framework]
