"""The code that a report offers runs, and the framework then uses the schedule's values."""

import pytest

import cyclr
from cyclr.range_test.optimizers import KNOWN
from cyclr.report.code import snippets

SCHEDULE = cyclr.Triangular2(base_lr=0.001, max_lr=0.006, step_size=4)
NAMES = {"torch": "PyTorch", "keras": "TensorFlow", "mxnet": "MXNet", "optax": "JAX"}


def run(framework, tested, **names):
    """Run the code for a framework and the optimizer tested; return the names that it has then."""
    snippet = snippets(tested)[NAMES[framework]]
    filled = {"policy": "Triangular2", "schedule": repr(SCHEDULE), "iterations": "16"}
    for name, value in filled.items():
        snippet = snippet.replace(f"{{{name}}}", value)
    exec(compile(snippet, f"<{framework}>", "exec"), names)
    assert names["schedule"] == SCHEDULE
    return names


optimizers = pytest.mark.parametrize("optimizer", [None, "lion", *KNOWN])


@pytest.mark.framework("torch")
def test_pytorch():
    import torch

    weight = torch.nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    run("torch", None, optimizer=optimizer)
    for i in range(12):
        assert optimizer.param_groups[0]["lr"] == SCHEDULE(i)
        weight.grad = torch.ones(())
        optimizer.step()


@pytest.mark.framework("keras")
@optimizers
def test_keras(optimizer):
    made = run("keras", optimizer)["optimizer"]
    for i in range(3):
        made.iterations.assign(i)
        assert float(made.learning_rate) == pytest.approx(SCHEDULE(i), rel=1e-6)
    assert type(made).__name__.lower() in (optimizer, "sgd")


@pytest.mark.framework("mxnet")
@optimizers
def test_mxnet(optimizer):
    made = run("mxnet", optimizer)["optimizer"]
    assert [made.lr_scheduler(k + 1) for k in range(12)] == [SCHEDULE(i) for i in range(12)]


@pytest.mark.framework("optax")
@optimizers
def test_optax(optimizer):
    import jax.numpy as jnp

    made = run("optax", optimizer)["optimizer"]
    weight = jnp.zeros(())
    state = made.init(weight)
    update, _ = made.update(jnp.ones(()), state, weight)
    # At the first update each of them goes at most a few times its learning rate.
    assert 0 < -float(update) <= 4 * SCHEDULE(0)
