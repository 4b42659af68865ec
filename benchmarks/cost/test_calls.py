"""What ``schedule(i)`` costs: beside closures written by hand, and beside other libraries."""

import importlib.util
import math

import pytest

from benchmarks.cost.peers import LIBRARIES, make
from benchmarks.cost.policies import COMPOSITIONS, ITERATIONS, POLICIES, RUN
from benchmarks.cost.work import at_each

CORNERS = (0, 1, 1999, 2000, 4000, 7999, 8000, RUN - 1)
TIMES = 100  # the run, in a turn: a millisecond
OF_A_CLOSURE = 3.0
"""What a value that can be compared, printed, saved and given an array may cost."""


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_beside_its_closure(name, beside):
    _beside_a_closure(beside, "A call, beside the closure written by hand", name, POLICIES[name])


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_composition_beside_the_closures_of_its_parts(name, beside):
    table = "A composition, beside a closure of its parts' closures"
    _beside_a_closure(beside, table, name, COMPOSITIONS[name])


def _beside_a_closure(beside, table, name, pair):
    schedule, closure = pair
    for i in (*ITERATIONS, *CORNERS):
        assert math.isclose(schedule(i), closure(i), rel_tol=1e-9, abs_tol=1e-15), i

    beside(
        at_each("f(i)", TIMES, f=schedule),
        at_each("f(i)", TIMES, f=closure),
        table=table,
        what=f"`{name}`",
        peer="closure",
        asked=OF_A_CLOSURE,
    )


@pytest.mark.parametrize(
    ("library", "name"),
    [
        (library, name)
        for name in POLICIES
        for library in LIBRARIES
        if name in LIBRARIES[library].policies
    ],
)
def test_a_policy_beside_another_library(library, name, beside):
    package = LIBRARIES[library].module.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    schedule, _ = POLICIES[name]
    peer = make(library, name)
    for i in peer.checked:
        assert math.isclose(peer.value(i), schedule(i), rel_tol=peer.within, abs_tol=1e-9), i

    beside(
        at_each("f(i)", TIMES, f=schedule),
        peer.work(max(1, int(TIMES / peer.slow))),
        table="A call, beside what other libraries have for the same policy",
        what=f"`{name}`",
        peer=peer.label,
        column=library,
        asked=1.0,
    )


@pytest.mark.parametrize("name", LIBRARIES["optax"].policies)
def test_a_compiled_policy_beside_optax(name, beside):
    """Both within ``jax.jit``, where a training step has them."""
    jax = pytest.importorskip("jax")
    pytest.importorskip("optax")
    schedule, _ = POLICIES[name]
    compiled, peer = jax.jit(schedule), make("optax, jit", name)
    for i in ITERATIONS:
        assert math.isclose(compiled(i), schedule(i), rel_tol=2e-6, abs_tol=1e-9), i

    times = int(TIMES / peer.slow)
    beside(
        at_each("f(i)", times, f=compiled),
        peer.work(times),
        table="A call within `jax.jit`, beside optax's",
        what=f"`{name}`",
        peer="optax",
        asked=None,
    )
