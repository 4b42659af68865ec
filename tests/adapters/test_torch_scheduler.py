"""Scheduler: what a torch optimizer is made to follow, and what hosts do with it."""

import copy
import gc
import io
import json
import math
import pickle
import weakref
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import cyclr
import strategies as any_
from cyclr_torch import Scheduler

LR = cyclr.Triangular(0.001, 0.005, 4)
MOMENTUM = LR.mirror(0.85, 0.95)


def parameter(value=1.0):
    p = torch.nn.Parameter(torch.full((2,), value))
    p.grad = torch.ones(2)
    return p


def sgd(groups=1, **arguments):
    """SGD with momentum and a few parameter groups."""
    arguments = {"lr": 0.1, "momentum": 0.9} | arguments
    return torch.optim.SGD([{"params": [parameter()]} for _ in range(groups)], **arguments)


def used(optimizer, updates, name="lr"):
    """Return what the first group's updates are made with."""
    values = []
    hook = optimizer.register_step_pre_hook(
        lambda optimizer, *_: values.append(float(optimizer.param_groups[0][name]))
    )
    for _ in range(updates):
        optimizer.step()
    hook.remove()
    return values


def settings(optimizer):
    """Return everything that the groups hold but the parameters."""
    groups = optimizer.param_groups
    return [{k: copy.copy(v) for k, v in group.items() if k != "params"} for group in groups]


# What is followed.


@given(any_.schedules, st.integers(1, 30))
def test_update_k_is_made_with_the_schedules_value_at_k(schedule, n):
    optimizer = sgd()
    Scheduler(optimizer, schedule)

    assert used(optimizer, n) == [schedule(k) for k in range(n)]
    assert optimizer.param_groups[0]["lr"] == schedule(n)


def test_it_is_set_at_once():
    optimizer = sgd(groups=2)
    Scheduler(optimizer, LR)

    assert [group["lr"] for group in optimizer.param_groups] == [0.001, 0.001]


def test_any_hyper_parameter_follows():
    optimizer = sgd(weight_decay=0.1)
    decay, dampening = cyclr.Linear(0.1, 0.2, 10), cyclr.Linear(0.0, 0.5, 10)
    Scheduler(optimizer, LR, momentum=MOMENTUM, weight_decay=decay, dampening=dampening)
    for _ in range(3):
        optimizer.step()

    group = optimizer.param_groups[0]
    followed = [group[name] for name in ("lr", "momentum", "weight_decay", "dampening")]
    assert followed == [LR(3), MOMENTUM(3), decay(3), dampening(3)]


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.9, 0.99, 0.999), [0.9, 0.999]])
def test_momentum_asked_of_adam_is_its_first_beta(betas):
    optimizer = torch.optim.Adam([parameter()])
    optimizer.param_groups[0]["betas"] = betas
    Scheduler(optimizer, LR, momentum=MOMENTUM)

    assert optimizer.param_groups[0]["betas"] == (0.95, *betas[1:])


def test_beta2_can_be_asked_for():
    optimizer = torch.optim.AdamW([parameter()])
    Scheduler(optimizer, LR, beta1=MOMENTUM, beta2=cyclr.Linear(0.99, 0.999, 2))
    optimizer.step()

    assert optimizer.param_groups[0]["betas"] == (MOMENTUM(1), pytest.approx(0.9945))


def test_the_groups_are_asked_and_not_the_optimizers_defaults():
    optimizer = torch.optim.Adam([parameter()])
    optimizer.defaults.clear()
    optimizer.defaults.update(differentiable=False)
    Scheduler(optimizer, LR, momentum=MOMENTUM)

    assert optimizer.param_groups[0]["betas"] == (0.95, 0.999)


def test_groups_may_keep_their_momentum_in_different_places():
    optimizer = sgd(groups=2)
    del optimizer.param_groups[1]["momentum"]
    optimizer.param_groups[1]["betas"] = (0.9, 0.999)
    Scheduler(optimizer, LR, momentum=MOMENTUM)

    assert optimizer.param_groups[0]["momentum"] == 0.95
    assert optimizer.param_groups[1]["betas"] == (0.95, 0.999)


def test_a_group_that_has_both_keeps_its_betas():
    optimizer = torch.optim.Adam([parameter()])
    optimizer.param_groups[0]["momentum"] = 0.9
    Scheduler(optimizer, LR, momentum=MOMENTUM)

    assert optimizer.param_groups[0]["momentum"] == 0.95
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def test_each_group_keeps_its_own_second_beta():
    optimizer = torch.optim.Adam(
        [{"params": [parameter()], "betas": (0.9, beta2)} for beta2 in (0.99, 0.999)]
    )
    Scheduler(optimizer, LR, momentum=MOMENTUM)
    optimizer.step()

    betas = [group["betas"] for group in optimizer.param_groups]
    assert betas == [(MOMENTUM(1), 0.99), (MOMENTUM(1), 0.999)]


def test_tensors_are_filled_in_place():
    lr, betas = torch.tensor(0.1), (torch.tensor(0.9), torch.tensor(0.999))
    optimizer = torch.optim.Adam([parameter()], lr=lr, betas=betas, foreach=False)
    scheduler = Scheduler(optimizer, LR, momentum=MOMENTUM)
    optimizer.step()

    group = optimizer.param_groups[0]
    assert group["lr"] is lr
    assert (group["betas"][0], group["betas"][1]) == betas
    assert (lr.item(), betas[0].item()) == pytest.approx((LR(1), MOMENTUM(1)))
    assert betas[1].item() == pytest.approx(0.999)
    assert scheduler.get_last_lr() == [LR(1)]


def test_a_function_of_ones_own_is_a_schedule():
    optimizer = sgd()
    Scheduler(optimizer, lambda i: 0.1 / (1 + i))

    assert used(optimizer, 3) == [0.1, 0.05, 0.1 / 3]


@pytest.mark.parametrize("value", [torch.tensor(0.5), np.float32(0.5), 1, Fraction(1, 2)])
def test_its_value_may_be_any_number(value):
    optimizer = sgd()
    Scheduler(optimizer, lambda _: value)

    assert optimizer.param_groups[0]["lr"] == float(value)
    assert type(optimizer.param_groups[0]["lr"]) is float


def test_a_list_is_one_schedule_for_each_group():
    optimizer = sgd(groups=2)
    scheduler = Scheduler(optimizer, [LR, LR * 0.1], momentum=[MOMENTUM, lambda _: 0.5])
    optimizer.step()

    assert [g["lr"] for g in optimizer.param_groups] == [LR(1), LR(1) * 0.1]
    assert [g["momentum"] for g in optimizer.param_groups] == [MOMENTUM(1), 0.5]
    assert scheduler.get_last_lr() == [LR(1), LR(1) * 0.1]


def test_a_shared_schedule_is_asked_once_for_all_groups():
    calls = []
    optimizer = sgd(groups=5)
    Scheduler(optimizer, lambda i: calls.append(i) or 0.1)
    calls.clear()
    optimizer.step()

    assert calls == [1]


# Groups whose weight decay is 0.


def test_groups_without_weight_decay_stay_without():
    optimizer = sgd(groups=2, weight_decay=0.1)
    optimizer.param_groups[1]["weight_decay"] = 0
    Scheduler(optimizer, LR, weight_decay=cyclr.Linear(0.2, 0.4, 2))
    optimizer.add_param_group({"params": [parameter()], "weight_decay": 0.0})
    optimizer.add_param_group({"params": [parameter()]})
    optimizer.step()

    assert [g["weight_decay"] for g in optimizer.param_groups] == pytest.approx([0.3, 0, 0, 0.3])


def test_a_list_says_which_groups_decay():
    optimizer = sgd(groups=2)
    Scheduler(optimizer, LR, weight_decay=[cyclr.Constant(0.1), cyclr.Constant(0.2)])

    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.2]


def test_a_weight_decay_that_comes_to_0_can_leave_it_again():
    optimizer = sgd(weight_decay=0.1)
    down = cyclr.Linear(0.1, 0.0, 1)
    Scheduler(optimizer, LR, weight_decay=down.then(cyclr.Constant(0.1), after=3))
    assert used(optimizer, 4, "weight_decay") == [0.1, 0, 0, 0.1]

    Scheduler(optimizer, LR, weight_decay=down)
    optimizer.step()
    Scheduler(optimizer, LR, weight_decay=cyclr.Constant(0.3))
    assert optimizer.param_groups[0]["weight_decay"] == 0.3


# Groups that are added later.


def test_a_group_added_later_follows_from_its_first_update():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR, momentum=MOMENTUM)
    optimizer.step()
    optimizer.add_param_group({"params": [late := parameter(0.0)], "lr": 100.0})
    optimizer.step()

    assert torch.equal(late, torch.full((2,), -LR(1)))
    assert [group["lr"] for group in optimizer.param_groups] == [LR(2), LR(2)]
    assert scheduler.get_last_lr() == [LR(2), LR(2)]


@pytest.mark.parametrize("use", ["optimizer", "scheduler"])
def test_with_a_list_a_group_added_later_is_an_error_that_names_it(use):
    optimizer = sgd(groups=2)
    scheduler = Scheduler(optimizer, LR, momentum=[MOMENTUM, MOMENTUM])
    optimizer.add_param_group({"params": [late := parameter(0.0)]})

    step = {"optimizer": optimizer.step, "scheduler": scheduler.step}[use]
    with pytest.raises(ValueError, match=r"momentum must .* got 2, none for group 2\n\nHint: mom"):
        step()
    assert torch.equal(late, torch.zeros(2))


def test_a_group_added_later_must_have_what_is_scheduled():
    optimizer = sgd()
    Scheduler(optimizer, LR, dampening=cyclr.Constant(0.0))
    optimizer.add_param_group({"params": [parameter()]})
    del optimizer.param_groups[1]["dampening"]

    with pytest.raises(ValueError, match=r"dampening must be in every .*: group 1 has lr, moment"):
        optimizer.step()


# What is counted.


@pytest.mark.parametrize("calls", [0, 1, 2, 8])
def test_it_is_updates_however_often_step_is_called(calls):
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    lrs = []
    for _ in range(6):
        lrs += used(optimizer, 1)
        for _ in range(calls):
            scheduler.step()

    assert lrs == [LR(k) for k in range(6)]
    assert scheduler.iteration == 6


def test_micro_batches_without_an_update_are_not_counted():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    for micro_batch in range(8):
        optimizer.param_groups[0]["params"][0].sum().backward()
        if micro_batch % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
        scheduler.step()

    assert scheduler.iteration == 2


@pytest.mark.parametrize("fused", [False, True])
def test_updates_that_a_grad_scaler_skips_are_not_counted(fused):
    optimizer = torch.optim.SGD([p := parameter()], lr=0.1, fused=fused)
    scheduler = Scheduler(optimizer, LR)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    lrs = []
    for factor in (1.0, math.inf, 1.0, math.inf, math.inf, 1.0):
        optimizer.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        before = p.detach().clone()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        lrs.append((before - p).mean().item())

    assert lrs == pytest.approx([LR(0), 0, LR(1), 0, 0, LR(2)], rel=1e-3)
    assert scheduler.iteration == 3


def test_an_update_that_raises_is_not_counted_and_the_next_one_is():
    class Failing(torch.optim.SGD):
        fails = True

        def step(self, closure=None):
            if self.fails:
                raise KeyboardInterrupt
            return super().step(closure)

    sgd()  # the hooks of the base class's step are in place, too
    optimizer = Failing([parameter()], lr=0.1)
    scheduler = Scheduler(optimizer, LR)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    assert scheduler.iteration == 0

    optimizer.fails = False
    optimizer.step()
    optimizer.step()
    assert scheduler.iteration == 2


def test_an_update_with_a_closure_is_one():
    optimizer = torch.optim.LBFGS([p := parameter()], lr=0.1, max_iter=5)
    scheduler = Scheduler(optimizer, LR)

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    assert scheduler.iteration == 3


def test_the_calls_of_step_are_counted_if_one_says_so():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR, unit="call")
    lrs = []
    for _ in range(3):
        lrs += used(optimizer, 2)
        scheduler.step()

    assert lrs == [LR(0), LR(0), LR(1), LR(1), LR(2), LR(2)]


def test_the_iteration_can_be_set():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    scheduler.iteration = 3
    assert scheduler._step_count == 4
    assert used(optimizer, 2) == [LR(3), LR(4)]

    scheduler.last_epoch = 1
    assert used(optimizer, 2) == [LR(1), LR(2)]
    with pytest.raises(ValueError, match="iteration must be at least 0: got -1"):
        scheduler.iteration = -1
    with pytest.raises(
        ValueError, match=r"epoch must be left out: got 7\n\nHint: scheduler.iteration = 7"
    ):
        scheduler.step(7)
    assert scheduler.iteration == 3


def test_256_groups_follow_for_the_price_of_one_schedule():
    calls = []
    optimizer = torch.optim.AdamW([{"params": [parameter()], "lr": 1.0} for _ in range(256)])
    optimizer.param_groups[100]["weight_decay"] = 0.0
    Scheduler(
        optimizer, lambda i: calls.append(i) or LR(i), momentum=MOMENTUM, weight_decay=LR * 10
    )
    calls.clear()
    for _ in range(3):
        optimizer.step()

    assert calls == [1, 2, 3]
    for index, group in enumerate(optimizer.param_groups):
        assert (group["lr"], group["betas"]) == (LR(3), (MOMENTUM(3), 0.999))
        assert group["weight_decay"] == (0.0 if index == 100 else LR(3) * 10)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_a_compiled_training_step_follows_and_is_compiled_once():
    from torch._dynamo.testing import CompileCounter

    lr = torch.tensor(0.1)
    optimizer = torch.optim.SGD([p := parameter(0.0)], lr=lr)
    scheduler = Scheduler(optimizer, LR)
    counter = CompileCounter()
    training_step = torch.compile(lambda: optimizer.step(), backend=counter)
    expected = torch.zeros(2)
    for k in range(6):
        training_step()
        expected -= LR(k)

    assert scheduler.iteration == 6
    assert torch.allclose(p, expected)
    assert counter.frame_count == 1


# What hosts find.


def test_it_is_one_of_torchs_schedulers_which_patches_nothing():
    optimizer = sgd()
    before = settings(optimizer)
    scheduler = Scheduler(optimizer, lambda _: 0.1)

    assert isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
    assert settings(optimizer) == before
    assert "step" not in vars(optimizer)
    assert not hasattr(optimizer, "_opt_called")
    assert not hasattr(optimizer.step, "_wrapped_by_lr_sched")


def test_what_hosts_look_at_is_there():
    optimizer = sgd(groups=2)
    scheduler = Scheduler(optimizer, [LR, LR * 2])
    optimizer.step()
    scheduler.step()

    assert scheduler.optimizer is optimizer
    assert scheduler.last_epoch == 1
    assert scheduler.base_lrs == [LR(0), LR(0) * 2]
    assert scheduler.get_lr() == scheduler._last_lr == scheduler.get_last_lr() == [0.002, 0.004]
    assert scheduler._step_count == 2
    scheduler._step_count += 1  # as Accelerate does while it accumulates
    assert not hasattr(scheduler, "total_steps")  # at which Accelerate would stop
    assert scheduler.iteration == 1


def test_what_get_last_lr_returns_is_a_copy():
    scheduler = Scheduler(sgd(), LR)
    scheduler.get_last_lr()[0] = 100.0

    assert scheduler.get_last_lr() == [LR(0)]


def test_an_optimizer_that_a_host_puts_in_place_of_the_first_follows():
    first, second = sgd(), torch.optim.Adam([parameter()])
    scheduler = Scheduler(first, LR, momentum=MOMENTUM)
    first.step()
    scheduler.optimizer = second
    first.step()

    assert used(second, 2) == [LR(1), LR(2)]
    assert second.param_groups[0]["betas"][0] == MOMENTUM(3)
    assert first.param_groups[0]["lr"] == LR(1)
    Scheduler(first, LR)  # takes the first one over, but not the second one
    second.step()
    assert scheduler.iteration == 4


def test_it_prints_what_is_followed_and_how_far():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, cyclr.Constant(0.1), momentum=cyclr.Constant(0.5))
    optimizer.step()

    expected = "<Scheduler of SGD at update 1: lr=Constant(lr=0.1), momentum=Constant(lr=0.5)>"
    assert repr(scheduler) == expected


# Who keeps whom alive.


@pytest.fixture
def no_garbage_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collector")
@pytest.mark.parametrize("unit", ["update", "call"])
def test_there_is_no_reference_cycle(unit):
    optimizer = sgd()
    scheduler = Scheduler(optimizer, schedule := lambda _: 0.1, unit=unit)
    optimizer.step()
    scheduler.step()
    weak = [weakref.ref(x) for x in (optimizer, scheduler, schedule, scheduler._course)]
    weak.append(weakref.ref(optimizer.param_groups[0]["params"][0]))
    del optimizer, scheduler, schedule

    assert [ref() for ref in weak] == [None] * 5


@pytest.mark.usefixtures("no_garbage_collector")
def test_it_goes_on_without_a_name():
    optimizer = sgd()
    Scheduler(optimizer, LR)
    gc.collect()

    assert used(optimizer, 3) == [LR(0), LR(1), LR(2)]
    weak = weakref.ref(optimizer)
    del optimizer
    assert weak() is None


def test_a_schedule_that_holds_its_optimizer_is_freed_with_it():
    optimizer = sgd()
    Scheduler(optimizer, lambda _, optimizer=optimizer: optimizer.defaults["lr"])
    weak = weakref.ref(optimizer)
    del optimizer
    gc.collect()

    assert weak() is None


def test_a_scheduler_alone_keeps_its_optimizer():
    scheduler = Scheduler(sgd(), LR)
    gc.collect()

    assert used(scheduler.optimizer, 2) == [LR(0), LR(1)]


def test_a_later_scheduler_takes_over():
    optimizer = sgd()
    first = Scheduler(optimizer, LR, momentum=MOMENTUM)
    optimizer.step()
    momentum = optimizer.param_groups[0]["momentum"]
    Scheduler(optimizer, cyclr.Linear(1.0, 0.0, 4))

    assert used(optimizer, 3) == [1.0, 0.75, 0.5]
    assert optimizer.param_groups[0]["momentum"] == momentum
    for use in (first.step, lambda: first.load_state_dict(first.state_dict())):
        with pytest.raises(RuntimeError, match="a later Scheduler has taken this one's optimizer"):
            use()


# Wrong arguments.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"lr": 0.1}, TypeError, "lr must be a schedule or a function of the iteration: got 0.1"),
        ({"lr": [LR, 0.1]}, TypeError, r"lr\[1\] must be a schedule or a function"),
        ({"lr": [LR]}, ValueError, "lr must be one .* 2 parameter groups: got 1, none for group 1"),
        ({"lr": [LR] * 3}, ValueError, "lr must be one .* each of the 2 parameter groups: got 3"),
        ({"lr": LR, "alpha": LR}, ValueError, "alpha must be in every .*: group 0 has lr, moment"),
        ({"lr": LR, "beta2": LR}, ValueError, "beta2 must be in every parameter group: group 0"),
        (
            {"lr": LR, "nesterov": LR},
            ValueError,
            "nesterov must be a number in every .*: group 0 has b",
        ),
        (
            {"lr": LR, "params": LR},
            ValueError,
            "params must be a number in every .*: group 0 has list",
        ),
        ({"lr": LR, "unit": "epoch"}, ValueError, "unit must be one of 'update', 'call': got 'e"),
        ({"lr": LR, "on_change": "x"}, ValueError, "on_change must be one of 'error', 'checkpoi"),
        ({"lr": lambda _: None}, TypeError, "lr at iteration 0 must be a number: got None"),
        ({"lr": lambda _: math.nan}, ValueError, "lr at iteration 0 must be finite: got nan"),
        ({"lr": LR, "momentum": lambda _: math.inf}, ValueError, "momentum at iteration 0 must"),
    ],
)
def test_wrong_arguments_are_refused_before_the_optimizer_is_touched(arguments, error, message):
    optimizer = sgd(groups=2)
    before = settings(optimizer)

    with pytest.raises(error, match=message):
        Scheduler(optimizer, **arguments)
    assert settings(optimizer) == before
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks


def test_momentum_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="momentum must be in every parameter group: group 0 has"):
        Scheduler(torch.optim.Adagrad([parameter()]), LR, momentum=MOMENTUM)


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(TypeError, match=r"optimizer must be a torch.optim.Optimizer: got \[\]"):
        Scheduler([], LR)


def test_a_function_that_goes_wrong_later_is_named_with_its_iteration():
    optimizer = sgd(groups=2)
    Scheduler(optimizer, LR, momentum=lambda i: 0.9 if i < 2 else math.nan)
    optimizer.step()
    before = settings(optimizer)

    with pytest.raises(ValueError, match="momentum at iteration 2 must be finite: got nan"):
        optimizer.step()
    assert settings(optimizer) == before


# State.


def test_the_state_is_plain_data():
    optimizer = sgd(groups=2)
    scheduler = Scheduler(
        optimizer, LR, momentum=lambda _: 0.9, dampening=[LR.then(lambda _: 0.1, after=5), LR]
    )
    optimizer.step()

    assert scheduler.state_dict() == {
        "version": 1,
        "iteration": 1,
        "schedules": {"lr": LR.to_dict(), "momentum": None, "dampening": [None, LR.to_dict()]},
    }


@given(any_.schedules)
def test_the_state_survives_json_and_weights_only_loading(schedule):
    optimizer = sgd()
    state = Scheduler(optimizer, schedule).state_dict()
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)

    for read in (json.loads(json.dumps(state)), torch.load(file, weights_only=True)):
        assert read == state
        Scheduler(sgd(), schedule).load_state_dict(read)


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1),
    "tensor lr": lambda p: torch.optim.SGD(p, lr=torch.tensor(0.1), momentum=0.9),
}
SCHEDULE = cyclr.Triangular2(0.001, 0.05, 7).warmup(5)


class Run:
    """A training run that can be saved and resumed."""

    def __init__(self, optimizer):
        torch.manual_seed(0)
        self.model = torch.nn.Linear(3, 2)
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.scheduler = Scheduler(self.optimizer, SCHEDULE, momentum=SCHEDULE.mirror(0.8, 0.95))
        self.parts = {"model": self.model, "scheduler": self.scheduler, "optimizer": self.optimizer}

    def train(self, first, last):
        for k in range(first, last):
            generator = torch.Generator().manual_seed(k)
            inputs = torch.randn(4, 3, generator=generator)
            self.optimizer.zero_grad()
            self.model(inputs).square().mean().backward()
            self.optimizer.step()
            self.scheduler.step()

    def save(self):
        file = io.BytesIO()
        torch.save({name: part.state_dict() for name, part in self.parts.items()}, file)
        return file.getvalue()

    def load(self, checkpoint, order):
        state = torch.load(io.BytesIO(checkpoint), weights_only=True)
        for name in order:
            self.parts[name].load_state_dict(state[name])


@given(
    st.sampled_from(list(OPTIMIZERS)),
    st.integers(0, 30),
    st.permutations(["model", "optimizer", "scheduler"]),
)
def test_a_resumed_run_is_bit_equal_to_an_uninterrupted_one(optimizer, iteration, order):
    whole = Run(optimizer)
    whole.train(0, iteration)
    checkpoint = whole.save()
    whole.train(iteration, 40)

    resumed = Run(optimizer)
    resumed.load(checkpoint, order)
    resumed.train(iteration, 40)

    assert resumed.scheduler.iteration == 40
    pairs = zip(whole.model.parameters(), resumed.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_loading_sets_the_values_again():
    scheduler = Scheduler(sgd(), LR, momentum=MOMENTUM)
    state = scheduler.state_dict() | {"iteration": 3}
    optimizer = sgd()
    Scheduler(optimizer, LR, momentum=MOMENTUM).load_state_dict(state)

    group = optimizer.param_groups[0]
    assert (group["lr"], group["momentum"]) == (LR(3), MOMENTUM(3))


def test_loading_the_optimizer_alone_leaves_the_values_of_the_schedule():
    optimizer, other = sgd(), sgd(lr=77.0, momentum=0.5)
    Scheduler(optimizer, LR)
    optimizer.step()
    optimizer.load_state_dict(other.state_dict())

    assert used(optimizer, 2) == [LR(1), LR(2)]
    assert optimizer.param_groups[0]["momentum"] == 0.5


def changed(on_change, theirs, mine, **others):
    """Load a checkpoint of *theirs* at iteration 2 into a scheduler of *mine*."""
    state = Scheduler(sgd(groups=2), theirs).state_dict() | {"iteration": 2}
    optimizer = sgd(groups=2)
    scheduler = Scheduler(optimizer, mine, on_change=on_change, **others)
    before = settings(optimizer)
    try:
        scheduler.load_state_dict(state)
    except ValueError:
        assert settings(optimizer) == before
        assert scheduler.iteration == 0
        raise
    return scheduler


OTHER = cyclr.Triangular(0.001, 0.006, 4)


def test_a_changed_schedule_is_an_error_that_shows_both():
    with pytest.raises(ValueError, match="the schedules must be the checkpoint's") as error:
        changed("error", LR, OTHER, momentum=MOMENTUM)

    assert str(error.value).splitlines() == [
        "the schedules must be the checkpoint's:",
        f"  lr in the checkpoint: {LR}",
        f"  lr here: {OTHER}",
        "  momentum in the checkpoint: not scheduled",
        f"  momentum here: {MOMENTUM}",
        "",
        'Hint: Scheduler(..., on_change="checkpoint") goes on with the checkpoint\'s,'
        ' on_change="new" with these',
    ]


def test_or_the_checkpoints_goes_on():
    scheduler = changed("checkpoint", LR, OTHER, momentum=MOMENTUM)
    optimizer = scheduler.optimizer

    assert used(optimizer, 2) == [LR(2), LR(3)]
    assert list(scheduler.state_dict()["schedules"]) == ["lr"]


def test_or_the_new_one_does():
    assert used(changed("new", LR, OTHER).optimizer, 2) == [OTHER(2), OTHER(3)]


@pytest.mark.parametrize("on_change", ["error", "checkpoint", "new"])
def test_the_same_schedules_are_no_change(on_change):
    assert changed(on_change, [LR, OTHER], [LR, OTHER]).get_last_lr() == [LR(2), OTHER(2)]
    function = changed(on_change, lambda _: 0.1, mine := lambda _: 0.2)
    assert function.get_last_lr() == [mine(2)] * 2


def test_a_list_goes_on_from_the_checkpoint():
    theirs, mine = [LR, lambda _: 0.1], [OTHER, lambda _: 0.2]

    assert changed("checkpoint", theirs, mine).get_last_lr() == [LR(2), 0.2]
    assert changed("checkpoint", [LR, OTHER], LR).get_last_lr() == [LR(2), OTHER(2)]
    with pytest.raises(ValueError, match=r"in the checkpoint: \[Triangular.*, a function\]"):
        changed("error", theirs, LR)


@pytest.mark.parametrize(("theirs", "mine"), [(lambda _: 0.1, LR), (LR, lambda _: 0.1)])
def test_a_function_and_a_schedule_differ(theirs, mine):
    with pytest.raises(ValueError, match=r"lr in the checkpoint: .*\n.*lr here: "):
        changed("error", theirs, mine)


def test_a_function_can_not_be_taken_from_the_checkpoint():
    with pytest.raises(ValueError, match="lr must be given: the checkpoint's was a function, whi"):
        changed("checkpoint", lambda _: 0.1, LR)
    state = Scheduler(sgd(), LR, momentum=lambda _: 0.9).state_dict()
    with pytest.raises(ValueError, match="momentum must be given: the checkpoint's was a functi"):
        Scheduler(sgd(), LR, on_change="checkpoint").load_state_dict(state)


def test_a_list_from_the_checkpoint_must_fit_the_groups():
    state = Scheduler(sgd(groups=3), [LR] * 3).state_dict()
    scheduler = Scheduler(sgd(groups=2), LR, on_change="checkpoint")

    with pytest.raises(
        ValueError, match=r"lr must be one .* each of the 2 parameter groups: got 3"
    ):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict()["schedules"]["lr"] == LR.to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "the version of the state must be 1: got 2"),
        ({"iteration": -1}, "iteration must be at least 0: got -1"),
        ({"iteration": 0.5}, "iteration must be a whole number: got 0.5"),
    ],
)
def test_a_wrong_state_changes_nothing(change, message):
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    optimizer.step()

    with pytest.raises(ValueError, match=message):
        scheduler.load_state_dict(scheduler.state_dict() | change)
    assert scheduler.iteration == 1
    assert used(optimizer, 1) == [LR(1)]


def test_the_state_of_another_kind_of_scheduler_is_refused():
    other = torch.optim.lr_scheduler.StepLR(sgd(), 10)

    with pytest.raises(ValueError, match="must be a Scheduler's: version, iteration, schedules mi"):
        Scheduler(sgd(), LR).load_state_dict(other.state_dict())


# A schedule that is changed on purpose.


COOLDOWN = cyclr.Linear(0.004, 0.0, 4)


def test_another_schedule_takes_over_from_here():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR, momentum=MOMENTUM)
    used(optimizer, 3)
    scheduler.replace(lr=COOLDOWN)

    assert optimizer.param_groups[0]["lr"] == 0.004
    assert scheduler.iteration == 3
    assert used(optimizer, 6) == [0.004, 0.003, 0.002, 0.001, 0.0, 0.0]
    assert optimizer.param_groups[0]["momentum"] == MOMENTUM(9)


def test_it_may_be_replaced_again():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    used(optimizer, 3)
    scheduler.replace(lr=COOLDOWN)
    used(optimizer, 2)
    scheduler.replace(lr=cyclr.Constant(7.0))

    assert used(optimizer, 2) == [7.0, 7.0]
    scheduler.iteration = 4  # what has been is still there
    assert used(optimizer, 2) == [0.003, 7.0]


def test_calls_are_counted_on_too():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR, unit="call")
    scheduler.step()
    scheduler.replace(lr=COOLDOWN)
    scheduler.step()

    assert optimizer.param_groups[0]["lr"] == COOLDOWN(1)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (LR, [COOLDOWN, COOLDOWN * 2], [0.004, 0.008]),
        ([LR, LR * 2], COOLDOWN, [0.004, 0.004]),
        ([LR, LR * 2], [COOLDOWN, COOLDOWN * 2], [0.004, 0.008]),
    ],
)
def test_each_group_may_have_another(before, after, expected):
    optimizer = sgd(groups=2)
    scheduler = Scheduler(optimizer, before)
    used(optimizer, 2)
    scheduler.replace(lr=after)

    assert [group["lr"] for group in optimizer.param_groups] == expected
    scheduler.iteration = 1
    assert scheduler.get_last_lr() == [LR(1), LR(1) * (2 if isinstance(before, list) else 1)]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"momentum": COOLDOWN}, ValueError, "momentum must be scheduled to be replaced: got lr"),
        ({"lr": 0.1}, TypeError, "lr must be a schedule or a function of the iteration: got 0.1"),
        ({"lr": [COOLDOWN] * 3}, ValueError, "lr must be one .* each of the 2 parameter .*: got 3"),
        ({"lr": lambda _: math.nan}, ValueError, "lr at iteration 2 must be finite: got nan"),
    ],
)
@pytest.mark.parametrize("before", [LR, [LR, LR]])
def test_a_wrong_replacement_changes_nothing(before, change, error, message):
    optimizer = sgd(groups=2)
    scheduler = Scheduler(optimizer, before)
    used(optimizer, 2)
    state, groups = scheduler.state_dict(), settings(optimizer)

    with pytest.raises(error, match=message):
        scheduler.replace(**change)
    assert (scheduler.state_dict(), settings(optimizer)) == (state, groups)


def cooled_down(schedule=LR, cooldown=COOLDOWN):
    """Return the state of a run that was cooled down at iteration 3, two iterations later."""
    optimizer = sgd()
    scheduler = Scheduler(optimizer, schedule)
    used(optimizer, 3)
    scheduler.replace(lr=cooldown)
    used(optimizer, 2)
    return scheduler.state_dict()


def test_the_state_has_what_is_followed_and_what_had_been_there_at_first():
    assert cooled_down() == {
        "version": 1,
        "iteration": 5,
        "schedules": {"lr": LR.then(COOLDOWN, after=3).to_dict()},
        "replaced": {"lr": LR.to_dict()},
    }


@pytest.mark.parametrize("on_change", ["error", "checkpoint"])
def test_a_resumed_run_goes_on_with_the_replacement(on_change):
    state = json.loads(json.dumps(cooled_down()))
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR, on_change=on_change)
    scheduler.load_state_dict(state)

    assert scheduler.state_dict() == state
    assert used(optimizer, 3) == [COOLDOWN(2), COOLDOWN(3), 0.0]
    scheduler.replace(lr=LR)
    assert scheduler.state_dict()["replaced"] == {"lr": LR.to_dict()}


def test_the_new_schedule_goes_on_if_one_says_so():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR, on_change="new")
    scheduler.load_state_dict(cooled_down())

    assert used(optimizer, 1) == [LR(5)]
    assert "replaced" not in scheduler.state_dict()


def test_a_checkpoint_from_before_the_replacement_undoes_it():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    used(optimizer, 2)
    state = scheduler.state_dict()
    scheduler.replace(lr=COOLDOWN)
    scheduler.load_state_dict(state)

    assert used(optimizer, 2) == [LR(2), LR(3)]
    assert scheduler.state_dict() == state | {"iteration": 4}


def test_a_program_that_has_the_whole_schedule_is_the_same():
    scheduler = Scheduler(sgd(), LR.then(COOLDOWN, after=3))
    scheduler.load_state_dict(cooled_down())

    assert scheduler.get_last_lr() == [COOLDOWN(2)]


def test_a_program_that_began_with_another_schedule_is_still_an_error():
    with pytest.raises(ValueError, match=r"lr in the checkpoint: Tri.*then.*\n.*lr here: Tri"):
        Scheduler(sgd(), OTHER).load_state_dict(cooled_down())


def test_a_function_in_its_place_has_to_be_given_again():
    state = cooled_down(cooldown=(cooldown := lambda _: 0.5))
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    with pytest.raises(ValueError, match="lr must be given: the checkpoint's was a function"):
        scheduler.load_state_dict(state)

    scheduler.iteration = 3
    scheduler.replace(lr=cooldown)
    scheduler.load_state_dict(state)
    assert used(optimizer, 1) == [0.5]


# Copies.


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_pair_goes_on_by_itself(copied):
    optimizer = sgd()
    scheduler = Scheduler(optimizer, LR)
    optimizer.step()
    other, other_scheduler = copied((optimizer, scheduler))
    other.step()

    assert other_scheduler.optimizer is other
    assert (scheduler.iteration, other_scheduler.iteration) == (1, 2)
    assert used(optimizer, 1) == [LR(1)]
    assert used(other, 1) == [LR(2)]


def test_an_optimizer_is_copied_without_its_scheduler():
    optimizer = sgd()
    scheduler = Scheduler(optimizer, lambda _: 0.1)
    other = copy.deepcopy(optimizer)
    other.step()
    pickle.loads(pickle.dumps(optimizer))

    assert scheduler.iteration == 0
    assert set(optimizer.state_dict()) == {"state", "param_groups"}
    assert json.loads(json.dumps(optimizer.state_dict())) == optimizer.state_dict()
