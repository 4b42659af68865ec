"""Scheduler: which learning rate an optimizer of MXNet really used, read from the weights."""

import copy
import pickle

import mxnet as mx
import numpy as np
import pytest
from cyclr_mxnet import Scheduler
from mxnet import autograd, gluon

import cyclr

# Sums of binary fractions: weights that move by these are exact, and so are their differences.
SCHEDULE = cyclr.Triangular2(0.25, 2.25, 4)
EXPECTED = [SCHEDULE(k) for k in range(20)]
DEVICES = {"one": [mx.cpu(0)], "two": [mx.cpu(0), mx.cpu(1)]}

# MXNet leaves the file open that it loads states from.
loads_states = pytest.mark.filterwarnings("ignore:unclosed file.*states:ResourceWarning")


def parameter(devices=DEVICES["one"], name="w"):
    """Return a parameter that is 0; plain gradient descent moves it by the learning rate."""
    made = gluon.Parameter(name, shape=(1,), init=mx.init.Zero())
    made.initialize(ctx=devices)
    return made


def trainer_of(*parameters, schedule=SCHEDULE, optimizer="sgd", given=None, **arguments):
    settings = {"lr_scheduler": Scheduler(schedule), **(given or {})}
    return gluon.Trainer(list(parameters), optimizer, settings, **arguments)


def update(trainer):
    """Make one update, with a gradient of 1 on every device."""
    with autograd.record():
        losses = [array.sum() for p in trainer._params for array in p.list_data()]
    autograd.backward(losses)
    trainer.step(len(trainer._contexts))


def used(trainer, updates):
    """Train, and return the learning rates that were used: how far the weights moved."""

    def weights():
        return [float(array.asscalar()) for p in trainer._params for array in p.list_data()]

    rates, before = [], weights()
    for _ in range(updates):
        update(trainer)
        after = weights()
        moved = {a - b for a, b in zip(before, after, strict=True)}
        assert len(moved) == 1  # every parameter, on every device
        rates += moved
        before = after
    return rates


def test_update_k_uses_the_schedule_at_k():
    assert used(trainer_of(parameter()), 20) == EXPECTED


@pytest.mark.parametrize(
    ("devices", "on_kvstore"), [("one", None), ("two", None), ("two", True), ("two", False)]
)
def test_parameters_and_devices_count_an_update_once(devices, on_kvstore):
    parameters = [parameter(DEVICES[devices], name) for name in "abcdef"]
    trainer = trainer_of(*parameters, update_on_kvstore=on_kvstore)

    assert used(trainer, 20) == EXPECTED


def test_reads_come_at_any_time_and_change_nothing():
    trainer = trainer_of(parameter())
    rates, seen = [], []
    for _ in range(12):
        seen += {trainer.learning_rate for _ in range(3)}
        trainer.optimizer.lr_scheduler(1000)
        rates += used(trainer, 1)

    assert rates == EXPECTED[:12]
    assert seen == [EXPECTED[0], *EXPECTED[:11]]  # before the first update, its rate; then the last


@loads_states
@pytest.mark.parametrize("updates", [0, 3, 10])
@pytest.mark.parametrize("devices", DEVICES.values(), ids=DEVICES)
def test_a_resumed_trainer_goes_on_in_the_middle_of_a_cycle(tmp_path, devices, updates):
    first = trainer_of(parameter(devices), given={"momentum": 0.5})
    through = trainer_of(parameter(devices), given={"momentum": 0.5})
    used(first, updates)
    first.save_states(str(tmp_path / "states"))
    weight = parameter(devices)
    weight.set_data(first._params[0].data(devices[0]))
    resumed = trainer_of(weight, schedule=cyclr.Constant(8.0))
    resumed.load_states(str(tmp_path / "states"))

    assert used(through, updates + 9)[updates:] == used(resumed, 9)
    assert resumed.optimizer.lr_scheduler.schedule == SCHEDULE


OPTIMIZERS = {
    "sgd": {"momentum": 0.9, "wd": 0.01},
    "nag": {"momentum": 0.9},
    "signum": {},
    "adam": {"learning_rate": None},
    "nadam": {"learning_rate": None},
    "adamax": {"learning_rate": None},
    "ftml": {"learning_rate": None},
    "lamb": {"learning_rate": None},
    "rmsprop": {"learning_rate": None, "centered": True},
    "adagrad": {},
    "ftrl": {"learning_rate": None},
    "dcasgd": {},
    "lars": {"momentum": 0.9},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_as_if_its_rate_were_set_by_hand(name):
    schedule = cyclr.ExpRange(0.001, 0.3, 3, gamma=0.99)
    followed = parameter(name="followed_weight")
    by_hand = parameter(name="by_hand_weight")
    for p in (followed, by_hand):
        p.set_data(mx.nd.ones((1,)))
    trainer = trainer_of(followed, schedule=schedule, optimizer=name, given=OPTIMIZERS[name])
    other = gluon.Trainer([by_hand], name, {**OPTIMIZERS[name], "learning_rate": 0.1})
    for k in range(20):
        update(trainer)
        other.set_learning_rate(schedule(k))
        update(other)

        assert followed.data().asscalar() == by_hand.data().asscalar() != 1


def test_lbsgd_asks_before_it_counts_as_the_docstring_says():
    trainer = trainer_of(parameter(), optimizer="lbsgd", given={"warmup_epochs": 0})
    asked = []
    trainer.optimizer.lr_scheduler = lambda num_update: asked.append(num_update) or 0.1
    update(trainer)

    assert asked == [0]


def test_the_optimizers_own_rate_has_no_effect(capsys):
    for given in ({"learning_rate": 0.5}, {"learning_rate": None}, {}):
        trainer = trainer_of(parameter(), given=given)

        assert used(trainer, 5) == EXPECTED[:5]
    capsys.readouterr()
    trainer_of(parameter(), optimizer="adam")
    assert "overwritten" in capsys.readouterr().out  # MXNet says so, in error
    trainer_of(parameter(), optimizer="adam", given={"learning_rate": None})
    assert capsys.readouterr().out == ""


# Module, the older interface.


def module(devices, weights=None, **optimizer):
    """Return a Module of one weight, whose gradient is 1 on the whole batch."""
    data = mx.sym.var("data")
    weight = mx.sym.var("w", shape=(1,), init=mx.init.Zero())
    loss = mx.sym.MakeLoss(mx.sym.broadcast_mul(data, weight))
    made = mx.mod.Module(loss, data_names=["data"], label_names=None, context=devices)
    made.bind([("data", (4, 1))])
    made.init_params(mx.init.Zero(), *(weights or ()))
    made.init_optimizer(optimizer="sgd", optimizer_params=optimizer)
    return made


def used_by_module(made, updates):
    def weight():
        return float(made.get_params()[0]["w"].asscalar())

    rates = []
    for _ in range(updates):
        before = weight()
        made.forward_backward(mx.io.DataBatch([mx.nd.ones((4, 1))], None))
        made.update()
        rates.append(before - weight())
    return rates


@pytest.mark.parametrize("devices", DEVICES.values(), ids=DEVICES)
def test_a_module_follows_the_schedule(devices):
    assert used_by_module(module(devices, lr_scheduler=Scheduler(SCHEDULE)), 20) == EXPECTED


@loads_states
@pytest.mark.parametrize("devices", DEVICES.values(), ids=DEVICES)
def test_a_resumed_module_is_told_the_count(tmp_path, devices):
    optimizer = {"lr_scheduler": Scheduler(SCHEDULE), "momentum": 0.5}
    first, through = module(devices, **optimizer), module(devices, **optimizer)
    used_by_module(first, 7)
    first.save_optimizer_states(str(tmp_path / "states"))
    resumed = module(devices, first.get_params(), **optimizer, begin_num_update=7)
    resumed.load_optimizer_states(str(tmp_path / "states"))

    assert used_by_module(through, 16)[7:] == used_by_module(resumed, 9)


def test_module_fit_follows_the_schedule():
    seen = []
    data = mx.io.NDArrayIter(mx.nd.ones((20, 1)), mx.nd.ones((20,)), 4, label_name="label")
    output = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=1)
    loss = mx.sym.LinearRegressionOutput(output, mx.sym.var("label"))
    made = mx.mod.Module(loss, label_names=["label"])
    scheduler = Scheduler(SCHEDULE)
    made.fit(
        data,
        num_epoch=4,
        optimizer_params={"lr_scheduler": scheduler},
        eval_metric="mse",
        batch_end_callback=lambda _: seen.append(made._optimizer.learning_rate),
    )

    assert seen == EXPECTED


# The scheduler itself.


def test_the_first_call_is_1_and_0_is_the_same():
    scheduler = Scheduler(SCHEDULE)

    assert [scheduler(n) for n in (0, 1, 2, 5)] == [0.25, 0.25, 0.75, 2.25]
    assert scheduler(10**15 + 1) == SCHEDULE(10**15)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_it_can_be_copied_and_pickled(copied):
    scheduler = copied(Scheduler(SCHEDULE.warmup(3) * 0.5))

    assert scheduler.schedule == SCHEDULE.warmup(3) * 0.5
    assert scheduler(4) == 0.125
    assert repr(scheduler) == f"Scheduler({scheduler.schedule!r})"


def test_it_is_what_mxnet_calls_a_scheduler():
    scheduler = Scheduler(SCHEDULE)
    assert scheduler.base_lr == 0.25
    scheduler.base_lr = 17.0  # as optimizers do

    assert isinstance(scheduler, mx.lr_scheduler.LRScheduler)
    assert scheduler(1) == 0.25


def test_a_function_of_ones_own_is_a_schedule():
    assert used(trainer_of(parameter(), schedule=lambda k: np.float32(1) / 2**k), 4) == [
        1.0,
        0.5,
        0.25,
        0.125,
    ]


@pytest.mark.parametrize("schedule", [0.1, None, "cosine", cyclr.Triangular])
def test_what_is_no_schedule_is_refused(schedule):
    with pytest.raises(TypeError, match=r"^schedule must be a schedule or a function"):
        Scheduler(schedule)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.1", None])
def test_a_function_that_returns_no_number_is_found_out(value):
    scheduler = Scheduler(lambda k: value if k == 3 else 0.5)

    assert scheduler(3) == 0.5
    with pytest.raises((TypeError, ValueError), match="the learning rate at iteration 3 must be"):
        scheduler(4)


def test_rates_that_mxnet_refuses_are_0():
    decay = cyclr.Decay(1.0, 0.5)
    scheduler = Scheduler(decay)
    trainer = trainer_of(parameter(), schedule=lambda k: decay(125 + k))

    assert scheduler(127) == decay(126) == 2.0**-126
    assert scheduler(128) == 0 < decay(127)
    assert used(trainer, 4)[0] == pytest.approx(2.0**-125)
    with pytest.raises(mx.base.MXNetError, match="Out of range"):  # the reason
        mx.nd.sgd_update(mx.nd.ones(1), mx.nd.ones(1), lr=2.0**-127, wd=0)


def test_any_rate_arrives_to_the_last_bit_of_float32():
    # MXNet hands it on as text, and its own reading of that text may miss the last bit.
    schedule = cyclr.CosineRestarts(0.0, 0.3, 50)
    weight = parameter()
    trainer = trainer_of(weight, schedule=schedule)
    for k in range(120):
        weight.set_data(mx.nd.zeros((1,)))
        update(trainer)

        assert -weight.data().asscalar() == pytest.approx(schedule(k), rel=2**-23, abs=0)
