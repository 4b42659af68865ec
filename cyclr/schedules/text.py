"""Schedules as text and as data: code that `parse` reads, dicts that `from_dict` reads.

Nothing is evaluated: code is read through its syntax tree, and only constructors of this
package, the methods of a schedule and literals are taken.
"""

import ast
from typing import Any, NoReturn, cast

from cyclr._checks import is_fraction, refuse
from cyclr.schedules import compose, cycles, decays, policies, ramps
from cyclr.schedules.schedule import Schedule, settings

__all__ = ["from_dict", "parse", "to_dict"]

VERSION = 1

CONSTRUCTORS: dict[str, Any] = {
    schedule.__name__: schedule
    for schedule in (
        cycles.Cyclical,
        cycles.Triangular,
        cycles.Triangular2,
        cycles.ExpRange,
        cycles.CosineRestarts,
        policies.OneCycle,
        policies.WarmupStableDecay,
        ramps.Constant,
        ramps.Ramp,
        ramps.Linear,
        ramps.Cosine,
        ramps.Exponential,
        ramps.Polynomial,
        decays.Decay,
        decays.Steps,
        decays.Piecewise,
        decays.InverseSqrt,
    )
}
COMBINATORS: dict[str, Any] = {
    schedule.__name__: schedule
    for schedule in (compose.Then, compose.Scaled, compose.Clipped, compose.Mirrored)
}
METHODS = ("then", "warmup", "clip", "mirror")


def to_dict(schedule: Schedule) -> dict[str, Any]:
    """Return the schedule as data that JSON can write, and `from_dict` reads."""
    return {"cyclr": VERSION, **_written(schedule)}


def _written(value: Any) -> Any:
    if isinstance(value, Schedule):
        name = type(value).__name__
        if type(value) is not (CONSTRUCTORS | COMBINATORS).get(name):
            raise ValueError(
                f"only cyclr's own schedules can be written out: got {value!r}"
                "\n\nHint: keep a function of your own in code, and write out the rest"
            )
        return {"schedule": name} | {k: _written(v) for k, v in settings(value).items()}
    if is_fraction(value):
        refuse("a number", "be a float to be written out", value)
    return list(value) if isinstance(value, tuple) else value


def from_dict(data: dict[str, Any]) -> Schedule:
    """Return the schedule that `Schedule.to_dict` has written.

    ``from_dict(schedule.to_dict()) == schedule``, also after JSON. *data* has the keys
    "schedule", the class's name, and that class's arguments; schedules within it are nested.
    "cyclr" is the version of this format, 1. Anything else is a `ValueError` that names it.

        >>> from_dict({"cyclr": 1, "schedule": "Linear", "start": 0, "end": 1, "iterations": 10})
        Linear(start=0.0, end=1.0, iterations=10)

    Use it for checkpoints and configuration files.
    """
    if not isinstance(data, dict):
        refuse("a schedule's data", "be a dict", data, TypeError)
    version = data.get("cyclr", VERSION)
    if version != VERSION:
        refuse("cyclr, the version of the data,", f"be {VERSION}", version)
    return cast(Schedule, _read(data))


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    arguments = {
        key: _read(item) for key, item in value.items() if key not in ("cyclr", "schedule")
    }
    schedules = CONSTRUCTORS | COMBINATORS
    name = value.get("schedule")
    if not isinstance(name, str) or name not in schedules:
        raise ValueError(f"schedule must be the name of one: got {name!r}{_did_you_mean(name)}")
    try:
        return cast(Schedule, schedules[name](**arguments))
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None


def parse(text: str) -> Schedule:
    """Return the schedule that is written as code: what `repr` prints.

    ``parse(repr(schedule)) == schedule``. Taken are calls of cyclr's schedules with literal
    arguments, the methods ``.then``, ``.warmup``, ``.clip`` and ``.mirror``, and ``*`` by a
    number. Anything else is a `ValueError` that points at it; nothing is ever executed.

        >>> parse("Constant(0.1).warmup(100) * 0.5")
        Linear(start=0.0, end=0.1, iterations=100).then(Constant(lr=0.1)) * 0.5
        >>> parse("Triangular(0.001, 0.006, step_size=2 * 1000)")
        Traceback (most recent call last):
        ValueError: a literal is expected here:
            Triangular(0.001, 0.006, step_size=2 * 1000)
                                               ^^^^^^^^

    Use it for the command line and for configuration files that people write.
    """
    if not isinstance(text, str):
        refuse("text", "be a string", text, TypeError)
    text = text.strip()
    try:
        tree = ast.parse(text, mode="eval").body
        return _Reader(text).schedule(tree)
    except SyntaxError as error:
        row, column = (error.lineno or 1) - 1, (error.offset or 1) - 1
        line = "".join(text.splitlines()[row : row + 1])  # there may be none
        raise ValueError(f"not a schedule: {error.msg}:\n    {line}\n    {' ' * column}^") from None
    except (RecursionError, MemoryError):
        raise ValueError("not a schedule: too deeply nested") from None


class _Reader:
    """The reading of one text."""

    def __init__(self, text: str):
        self.lines = text.splitlines()

    def schedule(self, node: ast.expr) -> Schedule:
        """Return the schedule at a node of the tree."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return self._product(node)
        if not isinstance(node, ast.Call):
            self.fail(node, "a schedule is expected here")
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            call: Any = getattr(self.schedule(node.func.value), node.func.attr)
        elif isinstance(node.func, ast.Name) and node.func.id in CONSTRUCTORS:
            call = CONSTRUCTORS[node.func.id]
        else:
            name = getattr(node.func, "id", getattr(node.func, "attr", None))
            self.fail(
                node.func, f"not the name of a schedule or of its methods{_did_you_mean(name)}"
            )
        if any(keyword.arg is None for keyword in node.keywords):
            self.fail(node, "arguments are expected one by one here")
        arguments = [self.argument(argument) for argument in node.args]
        keywords = {str(keyword.arg): self.argument(keyword.value) for keyword in node.keywords}
        try:
            return cast(Schedule, call(*arguments, **keywords))
        except (TypeError, ValueError) as error:
            self.fail(node, str(error))

    def _product(self, node: ast.BinOp) -> Schedule:
        for schedule, factor in ((node.left, node.right), (node.right, node.left)):
            if isinstance(factor, ast.Constant):
                try:
                    return self.schedule(schedule) * cast(float, self.argument(factor))
                except (TypeError, ValueError) as error:
                    self.fail(factor, str(error))
        self.fail(node, "a schedule times a number is expected here")

    def argument(self, node: ast.expr) -> Any:
        """Return the literal, or the schedule, that is an argument."""
        if isinstance(node, (ast.Constant, ast.UnaryOp, ast.List, ast.Tuple)):
            try:
                return ast.literal_eval(node)
            except ValueError:
                self.fail(node, "a literal is expected here")
        if isinstance(node, ast.Call) or (
            isinstance(node, ast.BinOp)
            and any(isinstance(n, ast.Call) for n in (node.left, node.right))
        ):
            return self.schedule(node)
        self.fail(node, "a literal is expected here")

    def fail(self, node: ast.expr, problem: str) -> NoReturn:
        """Raise the problem, pointing at the node."""
        line = self.lines[node.lineno - 1]
        start = len(line.encode()[: node.col_offset].decode())  # offsets count bytes
        same_line = node.end_lineno == node.lineno
        end = len(line.encode()[: node.end_col_offset].decode()) if same_line else len(line)
        raise ValueError(f"{problem}:\n    {line}\n    {' ' * start}{'^' * (end - start)}")


def _did_you_mean(name: Any) -> str:
    """Return a hint at the nearest name, if one is near."""
    import difflib  # needed after a mistake alone

    near = difflib.get_close_matches(str(name), [*CONSTRUCTORS, *METHODS], n=1)
    return f"; did you mean {near[0]}?" if near else ""
