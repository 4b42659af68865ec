"""Write the pages that nobody writes by hand: the policies, the odd range tests, the API.

They come from the docstrings and from what the library draws, into docs/generated/.
"""

import inspect
import re
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.style
from docstrings import to_rst
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from odd_logs import GOOD, ODD, Odd

import cyclr
from cyclr.plotting.axes import HEIGHT, WIDTH, paint
from cyclr.plotting.range_tests import picture_of_points
from cyclr.range_test.points import Points
from cyclr.range_test.reasons import CAUTIONS, FAILURES
from cyclr.schedules.text import CONSTRUCTORS

FOLDER = Path(__file__).parent / "generated"
STYLES = {"light": "default", "dark": "dark_background"}
FLAT = {"svg.hashsalt": "cyclr", "savefig.transparent": True, "axes.facecolor": "none"}

EXAMPLES = (
    "Triangular(0.001, 0.006, step_size=500)",
    "Triangular2(0.001, 0.006, step_size=500)",
    "ExpRange(0.001, 0.006, step_size=500, gamma=0.9994)",
    'Cyclical(0.001, 0.006, 250, step_size_down=750, shape="cosine")',
    "OneCycle(0.006, iterations=4000)",
    "CosineRestarts(0.0, 0.006, first_cycle=500, cycle_mult=2)",
    'WarmupStableDecay(0.006, iterations=4000, warmup=400, decay=1000, shape="1-sqrt")',
    "InverseSqrt(0.006, warmup=400)",
    "Linear(0.006, 0.0, iterations=4000)",
    "Cosine(0.006, 0.0, iterations=4000)",
    "Exponential(0.006, 0.00006, iterations=4000)",
    "Polynomial(0.006, 0.0, iterations=4000, power=2)",
    'Ramp(0.006, 0.0, iterations=4000, shape="1-sqrt")',
    "Decay(0.006, gamma=0.999)",
    "Steps(0.006, every=1000, gamma=0.3)",
    "Piecewise([1000, 3000], [0.006, 0.002, 0.0005])",
    "Constant(0.006)",
)
"""A schedule of each policy, in the order of the pages, for 4000 iterations."""
ITERATIONS = 4000

SECTIONS = {
    "schedules": "Schedules",
    "compare": "Schedules",
    "conversion": "Schedules",
    "range_test": "The range test",
    "plotting": "Pictures",
    "logs": "Logs",
}
"""Where the public names of a module of cyclr are described; of another, under its own name."""
ADAPTERS = ("cyclr_torch", "cyclr_lightning", "cyclr_tensorflow", "cyclr_mxnet", "cyclr_optax")
# What Keras asks of a schedule is not for users to call; what is cyclr's has its place there.
LEFT_OUT = {"get_config", "from_config", *cyclr.__all__}
# Lightning has a RangeTest of its own, and torch's Scheduler; its hooks are not for users either.
HOOKS = {"state_dict", "load_state_dict", "on_load_checkpoint", "on_train_start", "on_train_end"}
HOOKS |= {"on_train_batch_start", "on_train_batch_end"}
IN_LIGHTNING = (LEFT_OUT | HOOKS | {"Scheduler"}) - {"RangeTest"}


def generate() -> None:
    """Write all pages and pictures."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "policies").mkdir(parents=True)
    policies()
    odd()
    api()


def drawn(name: str, draw: Callable[[Axes], Any], about: str) -> str:
    """Draw a picture for light pages and for dark ones; return the code that shows it."""
    for style, base in STYLES.items():
        with matplotlib.style.context([base, FLAT]):
            figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
            draw(figure.subplots())
            figure.savefig(FOLDER / f"{name}-{style}.svg", metadata={"Date": None})
    return "\n".join(
        f".. image:: /generated/{name}-{style}.svg\n   :class: only-{style}\n   :alt: {about}\n"
        for style in STYLES
    )


# --- A page for each policy -------------------------------------------------------------------


def policies() -> None:
    """Write a page for each policy, and the table of when to use which."""
    schedules = {type(cyclr.parse(code)).__name__: code for code in EXAMPLES}
    if schedules.keys() != CONSTRUCTORS.keys():
        raise ValueError(f"EXAMPLES must show each policy once: {schedules.keys() ^ CONSTRUCTORS}")
    rows = [".. list-table::", "   :widths: 25 40 35", ""]
    for name, code in schedules.items():
        picture = _policy(name, code)
        use = re.search(
            r"Use it\b.*?(?=\n\n|\Z)", inspect.getdoc(CONSTRUCTORS[name]) or "", re.DOTALL
        )
        if use is None:
            raise ValueError(f"the docstring of {name} must say when to use it")
        rows += [
            f"   * - :doc:`/generated/policies/{name}`",
            f"     - {' '.join(to_rst(use[0].split()))}",
            "     - " + textwrap.indent(picture, " " * 7).lstrip(),
        ]
    (FOLDER / "use.inc").write_text("\n".join(rows))


def _policy(name: str, code: str) -> str:
    """Write the page of a policy; return its picture."""
    example = f"from cyclr import {name}\n\nschedule = {code}\nschedule.plot({ITERATIONS})"
    picture = drawn(
        f"policies/{name}",
        lambda ax: exec(example.replace(f"({ITERATIONS})", f"({ITERATIONS}, ax=ax)"), {"ax": ax}),
        f"the learning rate of {name} over iterations",
    )
    members = "\n   :members: fit\n   :inherited-members:" * hasattr(CONSTRUCTORS[name], "fit")
    lines = [
        *(name, "=" * len(name), ""),
        *(picture, "", ".. code-block:: python", "", textwrap.indent(example, "   "), ""),
        f".. autoclass:: cyclr.{name}{members}",
    ]
    (FOLDER / "policies" / f"{name}.rst").write_text("\n".join(lines))
    return picture


# --- Range tests that look odd ----------------------------------------------------------------


def odd() -> None:
    """Write what to do about each reason, with the picture of a log that has it."""
    reasons = FAILURES | CAUTIONS
    if ODD.keys() != reasons.keys():
        raise ValueError(f"odd_logs.py must have a log for each reason: {ODD.keys() ^ reasons}")
    good = cyclr.analyze(GOOD).plot
    (FOLDER / "good.inc").write_text(drawn("good", lambda ax: good(ax=ax), "a good range test"))
    sections = [_section(code, log) for code, log in ODD.items()]
    (FOLDER / "odd.inc").write_text("\n".join(sections))


def _section(code: str, odd: Odd) -> str:
    """Return the section on the reason *code*, which its log must have, and no other."""
    try:
        bounds = cyclr.analyze(odd.log, **odd.arguments)
    except cyclr.InconclusiveRangeTest as error:
        reasons = error.reasons
        picture = picture_of_points(Points.read(odd.log), reasons)
        image = drawn(f"odd-{code}", lambda ax: paint(picture, ax), odd.title)
        verdict = "There are no bounds."
    else:
        reasons = bounds.reasons
        image = drawn(f"odd-{code}", lambda ax: bounds.plot(ax=ax), odd.title)
        verdict = "The bounds are to be taken with care."
    if [reason.code for reason in reasons] != [code]:
        raise ValueError(f"the log for {code} must have that reason alone: got {reasons}")
    (reason,) = reasons
    lines = [
        *(odd.title, "-" * len(odd.title), ""),
        *(odd.story, "", image, ""),
        *(f"``{code}``", f"   {reason.message} {verdict}", ""),
        *("What now", f"   {to_rst([reason.advice])[0]}", ""),
    ]
    return "\n".join(lines)


# --- The API ----------------------------------------------------------------------------------


def api() -> None:
    """Write all that is public, by subject; the policies have pages of their own."""
    sections: dict[str, list[str]] = {title: [] for title in SECTIONS.values()}
    for name in cyclr.__all__:
        subject = getattr(cyclr, name).__module__.split(".")[1]
        if name not in CONSTRUCTORS:
            sections.setdefault(SECTIONS.get(subject, subject), []).append(f"cyclr.{name}")
    lines = ["API", "===", "", "The policies have :doc:`a page each </guide/which_policy>`.", ""]
    for title, names in sections.items():
        lines += [title, "-" * len(title), "", *map(_described, names)]
    for module in ADAPTERS:
        lines += [module, "-" * len(module), "", f".. automodule:: {module}", "   :members:"]
        left_out = IN_LIGHTNING if module == "cyclr_lightning" else LEFT_OUT
        lines += [f"   :exclude-members: {', '.join(sorted(left_out))}", ""]
    (FOLDER / "api.rst").write_text("\n".join(lines))


def _described(name: str) -> str:
    """Return the directive that describes a class, with its methods, or a function."""
    thing = getattr(cyclr, name.partition(".")[2])
    if inspect.isclass(thing):
        return f".. autoclass:: {name}\n   :members:\n"
    return f".. autofunction:: {name}\n"
