"""What an update costs with `cyclr_torch.Scheduler`, beside torch's `CyclicLR`.

The optimizer of both does nothing at its step, so that what is left is what every optimizer pays:
torch's own bookkeeping, the scheduler's hook and the scheduler's step. Ours counts updates by a
hook and needs no step; that of hosts, which call it all the same, is measured too.
"""

import math

import pytest

from benchmarks.cost.policies import HIGH, LOW, STEP
from benchmarks.cost.work import repeated

torch = pytest.importorskip("torch")

from cyclr import Triangular  # noqa: E402
from cyclr_torch import Scheduler  # noqa: E402

TABLE = "An update in PyTorch, beside `CyclicLR`"
UPDATES = 300  # in a turn
LR = Triangular(LOW, HIGH, STEP)
MOMENTUM = LR.mirror(0.85, 0.95)
GROUPS = {
    "1 group": (1, False),
    "1 group, momentum": (1, True),
    "256 groups, momentum": (256, True),
}


class Still(torch.optim.SGD):
    """An optimizer that does nothing."""

    def step(self, closure=None):
        return closure


def still(groups):
    parameters = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)]
    return Still(parameters, lr=0.1, momentum=0.9)


def ours(groups, momentum, **settings):
    optimizer = still(groups)
    return optimizer, Scheduler(optimizer, LR, momentum=MOMENTUM if momentum else None, **settings)


def torchs(groups, momentum):
    optimizer = still(groups)
    scheduler = torch.optim.lr_scheduler.CyclicLR(
        optimizer,
        LOW,
        HIGH,
        step_size_up=STEP,
        cycle_momentum=momentum,
        base_momentum=0.85,
        max_momentum=0.95,
    )
    optimizer.step()  # torch warns of a step of the scheduler before any of the optimizer
    return optimizer, scheduler


def work(optimizer, scheduler, statement):
    return repeated(statement, UPDATES, optimizer=optimizer, scheduler=scheduler)


def check(groups, momentum, made, statement):
    """Assert that the values after some updates are the schedule's."""
    optimizer, scheduler = made
    names = {"optimizer": optimizer, "scheduler": scheduler}
    for k in range(1, STEP + 100):
        exec(statement, names)
        for group in (optimizer.param_groups[0], optimizer.param_groups[groups - 1]):
            assert math.isclose(group["lr"], LR(k), rel_tol=1e-9)
            assert math.isclose(group["momentum"], MOMENTUM(k) if momentum else 0.9, rel_tol=1e-9)


UPDATE = "optimizer.step()"
BOTH = "optimizer.step(); scheduler.step()"
ALONE = "scheduler.step()"


def asked(groups):
    return 1.0 if groups == 1 else 0.25


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("statement", [UPDATE, BOTH])
def test_an_update(statement, name, beside):
    groups, momentum = GROUPS[name]
    check(groups, momentum, ours(groups, momentum), statement)
    check(groups, momentum, torchs(groups, momentum), BOTH)

    beside(
        work(*ours(groups, momentum), statement),
        work(*torchs(groups, momentum), BOTH),
        table=TABLE,
        what=f"{name}: `{statement}`",
        peer=f"`{BOTH}`",
        asked=asked(groups),
    )


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("unit", ["update", "call"])
def test_the_scheduler_alone(unit, name, beside):
    """With ``unit="call"`` the step counts, as torch's does; otherwise it only sets the values."""
    groups, momentum = GROUPS[name]
    statement = ALONE if unit == "call" else BOTH
    check(groups, momentum, ours(groups, momentum, unit=unit), statement)
    check(groups, momentum, torchs(groups, momentum), ALONE)

    beside(
        work(*ours(groups, momentum, unit=unit), ALONE),
        work(*torchs(groups, momentum), ALONE),
        table=TABLE,
        what=f"{name}: `{ALONE}`" + (', `unit="call"`' if unit == "call" else ""),
        peer=f"`{ALONE}`",
        asked=asked(groups),
    )


def test_what_is_left_without_a_scheduler(beside):
    optimizer = still(1)
    beside(
        work(optimizer, None, UPDATE),
        work(*torchs(1, False), BOTH),
        table=TABLE,
        what=f"1 group, no scheduler: `{UPDATE}`",
        peer=f"`{BOTH}`",
        asked=None,
    )
