"""range_test: what it measures, and that nothing of it is left behind."""

import os
import pathlib
import random
import subprocess
import sys

import cyclr_mxnet
import mxnet as mx
import numpy as np
import pytest
from cyclr_mxnet import Scheduler, range_test
from mxnet import autograd, gluon, nd

import cyclr

INPUTS = nd.array(np.random.default_rng(1).normal(size=(16, 4)))
TARGETS = INPUTS.sum(axis=1, keepdims=True)
BATCHES = [(INPUTS[i : i + 4], TARGETS[i : i + 4]) for i in range(0, 16, 4)]
LOSS = gluon.loss.L2Loss()
ONE, TWO = [mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]


class Network(gluon.nn.HybridBlock):
    """What training changes: weights, shared ones, statistics, gradients, random draws."""

    def __init__(self, dropout=0.0):
        super().__init__(prefix="network_")
        with self.name_scope():
            self.body = gluon.nn.Dense(4, in_units=4)
            self.norm = gluon.nn.BatchNorm(in_channels=4)
            self.shared = gluon.nn.Dense(4, in_units=4, params=self.body.params)
            self.dropout = gluon.nn.Dropout(dropout)
            self.head = gluon.nn.Dense(1, in_units=4)
            self.frozen = self.params.get("frozen", shape=(1,), init="ones", grad_req="null")

    def hybrid_forward(self, F, x, frozen):
        random.random()
        np.random.random()
        x = self.dropout(F.relu(self.norm(self.body(x))))
        return F.broadcast_mul(self.head(self.shared(x)), frozen)


OPTIMIZERS = {
    "sgd": ("sgd", {"learning_rate": 0.01}),
    "momentum": ("sgd", {"learning_rate": 0.01, "momentum": 0.9, "wd": 0.01}),
    "nag": ("nag", {"learning_rate": 0.01, "momentum": 0.9}),
    "adam": ("adam", {"learning_rate": 0.01}),
    "nadam": ("nadam", {"learning_rate": 0.01}),  # which keeps a product over all updates
    "lars": ("lars", {"learning_rate": 0.01, "momentum": 0.9}),  # which compares with the last rate
}


def made(optimizer="momentum", devices=ONE, *, hybrid=False, trained=False, net=None, **arguments):
    """Return a network and its trainer, as new or after some training."""
    mx.random.seed(0)
    if net is None:
        net = Network()
    net.initialize(mx.init.Xavier(), ctx=devices)
    if hybrid:
        net.hybridize(static_alloc=True)
    name, settings = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    trainer = gluon.Trainer(net.collect_params(), name, dict(settings), **arguments)
    if trained:
        train(net, trainer)
    return net, trainer


def update(net, trainer, batch):
    parts = zip(*(gluon.utils.split_and_load(a, trainer._contexts) for a in batch), strict=True)
    with autograd.record():
        losses = [LOSS(net(inputs), targets) for inputs, targets in parts]
    autograd.backward(losses)
    trainer.step(len(batch[0]))
    return sum(float(loss.asnumpy().sum(dtype="float64")) for loss in losses) / len(batch[0])


def train(net, trainer, batches=BATCHES):
    for batch in batches:
        update(net, trainer, batch)


def weights(net):
    return [a.asnumpy() for p in net.collect_params().values() for a in p.list_data()]


def everything(net, trainer):
    """Return a copy of all that may change, and what must be the same objects."""
    parameters = list(net.collect_params().values())
    trained = [p for p in parameters if p.grad_req != "null"]
    arrays = [a for p in parameters for a in p.list_data()]
    gradients = [a for p in trained for a in p.list_grad()]
    optimizer = trainer.optimizer
    updaters = list(trainer._updaters)
    if trainer._update_on_kvstore:
        updaters.append(trainer._kvstore._updater)
    held = {
        "arrays": [a.asnumpy() for a in arrays + gradients],
        "fresh": [a._fresh_grad for p in trained for a in p.list_data()],
        "states": [numbers(updater.states) for updater in updaters],
        "optimizer": {
            name: repr(value) for name, value in vars(optimizer).items() if name != "param_dict"
        },
        "random": repr((random.getstate(), np.random.get_state()[1].tolist())),
        "scale": trainer._scale,
        "kvstore": (trainer._kv_initialized, trainer._update_on_kvstore),
    }
    objects = [*arrays, *gradients, optimizer, optimizer.lr_scheduler, *updaters, trainer._kvstore]
    objects += [p._trainer for p in parameters]
    return held, [id(x) for x in objects]


def numbers(state):
    if isinstance(state, dict):
        return {key: numbers(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return [numbers(value) for value in state]
    return state.asnumpy() if isinstance(state, nd.NDArray) else state


def same(a, b):
    """Compare to the bit, through any structure."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def run(net, trainer, data=BATCHES, loss_fn=LOSS, **arguments):
    arguments = {"progress": False, "iterations": 20, "end_lr": 0.1} | arguments
    return range_test(net, trainer, loss_fn, data, **arguments)


# What is measured.


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("devices", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_is_the_usual_training_at_rising_learning_rates(optimizer, devices, hybrid):
    net, trainer = made(optimizer, devices, hybrid=hybrid, trained=True)
    other, by_hand = made(optimizer, devices, hybrid=hybrid, trained=True)
    test = run(net, trainer)

    expected = []
    for i, (lr, _) in enumerate(test.points):
        by_hand.set_learning_rate(lr)
        expected.append((lr, update(other, by_hand, BATCHES[i % 4])))
    assert len(test.points) == 20
    assert test.points == tuple(expected)
    assert test.points[0][0] == 1e-6
    assert test.points[-1][0] == 0.1


@pytest.mark.parametrize("on_kvstore", [True, False])
def test_wherever_the_parameters_are_updated(on_kvstore):
    losses = []
    for devices in (ONE, TWO):
        arguments = {} if devices is ONE else {"update_on_kvstore": on_kvstore}
        net = gluon.nn.Dense(1, in_units=4)  # BatchNorm would see other batches
        losses.append(
            [loss for _, loss in run(*made("adam", devices, net=net, **arguments)).points]
        )

    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_batch_that_does_not_divide_is_split_all_the_same():
    net = gluon.nn.Dense(1, in_units=4)
    odd = [(INPUTS[:3], TARGETS[:3])]
    expected = run(*made(net=gluon.nn.Dense(1, in_units=4)), data=odd).points

    assert run(*made(devices=TWO, net=net), data=odd).points == pytest.approx(
        np.array(expected), rel=1e-5
    )


def test_a_kvstore_of_ones_own_is_not_used():
    store = mx.kv.create("device")
    net, trainer = made(devices=TWO, kvstore=store, trained=True)
    other, by_hand = made(devices=TWO, trained=True)
    test = run(net, trainer)
    train(net, trainer)
    train(other, by_hand)

    assert test.points == run(*made(devices=TWO, trained=True)).points
    assert same(weights(net), weights(other))


def test_it_ends_when_the_loss_diverges():
    test = run(*made("sgd"), iterations=200, end_lr=1e4)

    assert test.diverged
    assert len(test.points) < 200


def test_it_ends_when_the_loss_is_no_number():
    net, trainer = made()
    before = everything(net, trainer)
    test = run(net, trainer, [(INPUTS[:4] * np.nan, TARGETS[:4])])

    assert test.diverged
    assert len(test.points) == 1
    assert same(before, everything(net, trainer))


@pytest.mark.parametrize(
    ("optimizer", "name", "momentum"),
    [
        (("sgd", {}), "sgd", 0.0),
        (("sgd", {"momentum": 0.9}), "sgd", 0.9),
        (("nag", {"momentum": 0.8}), "nesterov", 0.8),
        (("adam", {"beta1": 0.7}), "adam", 0.7),
        (("rmsprop", {}), "rmsprop", None),
        (("adagrad", {}), "adagrad", None),
        (("ftrl", {}), "ftrl", None),
    ],
)
def test_it_knows_its_optimizer(optimizer, name, momentum):
    test = run(*made(optimizer))

    assert isinstance(test, cyclr.RangeTest)
    assert (test.optimizer, test.momentum) == (name, momentum)


def test_its_bounds_become_a_schedule_that_the_next_trainer_follows():
    net, trainer = made("adam")
    whole = [(INPUTS, TARGETS)]
    bounds = run(net, trainer, whole, iterations=100, end_lr=10.0).bounds()
    schedule = bounds.schedule(cyclr.Triangular2, step_size=8)
    scheduler = Scheduler(schedule)
    trainer = gluon.Trainer(
        net.collect_params(), "adam", {"lr_scheduler": scheduler, "learning_rate": None}
    )
    before = update(net, trainer, *whole)
    train(net, trainer, whole * 80)

    assert update(net, trainer, *whole) < before / 5


def test_losses_that_are_means_already_give_the_same_test():
    def mean_loss(net, batch):
        return LOSS(net(batch[0]), batch[1]).mean()

    expected = run(*made()).points
    points = run(*made(), loss_fn=None, batch_loss=mean_loss).points
    assert np.array(points) == pytest.approx(np.array(expected), rel=1e-5)


def test_batches_of_any_kind_by_batch_loss():
    batches = [{"x": inputs, "y": targets} for inputs, targets in BATCHES]

    def batch_loss(net, batch):
        return LOSS(net(batch["x"]), batch["y"])

    test = run(*made(), data=batches, loss_fn=None, batch_loss=batch_loss)
    assert test.points == run(*made()).points


def test_multipliers_of_the_learning_rate_count():
    def points(factor, **arguments):
        net, trainer = made("sgd")
        net.collect_params().setattr("lr_mult", factor)
        return np.array(run(net, trainer, **arguments).points)

    slower = points(0.5, start_lr=1e-5, end_lr=0.1)
    assert slower[:, 1] == pytest.approx(points(1.0, start_lr=5e-6, end_lr=0.05)[:, 1], rel=1e-4)


def test_gradients_that_add_up_start_at_zero_each_time():
    net, trainer = made()
    net.collect_params(".*weight|.*bias").setattr("grad_req", "add")

    assert run(net, trainer).points == run(*made()).points


def test_an_optimizer_that_rescales_gradients_does_so():
    plain = ("sgd", {"learning_rate": 0.01})
    rescaled = ("sgd", {"learning_rate": 0.04, "rescale_grad": 0.25})
    expected = run(*made(plain, trained=True), start_lr=1e-6, end_lr=0.1).points
    points = run(*made(rescaled, trained=True), start_lr=4e-6, end_lr=0.4).points

    losses = [loss for _, loss in points]
    assert losses == pytest.approx([loss for _, loss in expected], rel=1e-4)


# What is left behind: nothing.


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("devices", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_everything_is_as_it_was(optimizer, devices, trained):
    net, trainer = made(optimizer, devices, trained=trained)
    other, by_hand = made(optimizer, devices, trained=trained)
    before = everything(net, trainer)
    run(net, trainer)

    assert same(before, everything(net, trainer))
    train(net, trainer)
    train(other, by_hand)
    assert same(weights(net), weights(other))


class Fault(Exception):
    pass


@pytest.mark.parametrize("error", [Fault, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("when", [0, 7])
def test_also_after_an_error_or_an_interruption(error, when):
    net, trainer = made(devices=TWO, trained=True)
    before = everything(net, trainer)
    calls = []

    def loss_fn(outputs, targets):
        calls.append(None)
        if len(calls) > when:
            raise error
        return LOSS(outputs, targets)

    with pytest.raises(error):
        run(net, trainer, loss_fn=loss_fn)

    assert same(before, everything(net, trainer))


def test_also_gradients_that_wait_for_their_step():
    net, trainer = made()
    other, by_hand = made()
    for n in (net, other):
        with autograd.record():
            loss = LOSS(n(INPUTS), TARGETS)
        loss.backward()
    before = everything(net, trainer)
    run(net, trainer)

    assert same(before, everything(net, trainer))
    trainer.step(16)
    by_hand.step(16)
    assert same(weights(net), weights(other))


def test_also_what_only_the_loss_or_only_the_trainer_holds():
    class Normed(gluon.nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.norm = gluon.nn.BatchNorm(in_channels=1)

        def hybrid_forward(self, F, outputs, targets):
            return F.square(self.norm(outputs) - targets)

    loss_fn, other = Normed(), gluon.nn.Dense(1, in_units=4)
    loss_fn.initialize()
    net, _ = made()
    other.initialize()
    parameters = {**net.collect_params(), **other.collect_params()}
    trainer = gluon.Trainer(parameters, "sgd", {"learning_rate": 0.1})
    before = weights(net), weights(loss_fn), weights(other)
    during = []

    class Outer(gluon.nn.Block):
        def forward(self, inputs):
            during.append((weights(loss_fn), weights(other)))
            return net(inputs) + other(inputs)

    run(Outer(), trainer, loss_fn=loss_fn)

    assert not same(during[-1][0], before[1])
    assert not same(during[-1][1], before[2])
    assert same(before, (weights(net), weights(loss_fn), weights(other)))


def test_parameters_that_the_loss_does_not_depend_on_stay_and_do_no_harm():
    net, trainer = made()
    unused = gluon.Parameter("unused", shape=(1,), init="ones")
    unused.initialize()
    trainer = gluon.Trainer([*net.collect_params().values(), unused], *OPTIMIZERS["momentum"])

    assert run(net, trainer).points == run(*made()).points
    assert unused.data().asscalar() == 1


@pytest.mark.parametrize("trained", [False, True])
def test_a_scheduler_is_left_out_and_counts_nothing(trained):
    schedule = cyclr.Triangular(0.001, 0.005, 4)
    optimizer = ("sgd", {"lr_scheduler": Scheduler(schedule)})
    net, trainer = made(optimizer, trained=trained)
    before = everything(net, trainer)
    test = run(net, trainer)

    assert test.points[-1][0] == 0.1
    assert same(before, everything(net, trainer))
    assert trainer.learning_rate == schedule(3 if trained else 0)
    update(net, trainer, BATCHES[0])
    assert trainer.learning_rate == schedule(4 if trained else 0)


def test_a_scheduler_that_cannot_be_copied_does_not_matter():
    class Bound(mx.lr_scheduler.LRScheduler):
        def __call__(self, _):
            return 0.1

        def __deepcopy__(self, memo):
            raise Fault

    run(*made(("sgd", {"lr_scheduler": Bound()})))


@pytest.mark.parametrize("fails", [False, True])
def test_parameters_of_unknown_shape_have_one_and_their_first_values(fails):
    net = gluon.nn.Sequential()
    net.add(gluon.nn.Dense(3), gluon.nn.BatchNorm(), gluon.nn.Dense(1))
    net, trainer = made(net=net)
    firsts = []

    def loss_fn(outputs, targets):
        firsts.append(weights(net))
        if fails and len(firsts) == 3:
            raise Fault
        return LOSS(outputs, targets)

    try:
        run(net, trainer, loss_fn=loss_fn)
    except Fault:
        assert fails

    assert len(firsts) == (3 if fails else 21)
    assert same(firsts[0], weights(net))
    assert not same(firsts[0], firsts[2])
    train(net, trainer)


# Data.


def test_data_that_ends_starts_again_and_no_batch_is_read_in_vain():
    class Data:
        starts = read = 0

        def __iter__(self):
            self.starts += 1
            for batch in BATCHES:
                self.read += 1
                yield batch

    data = Data()
    test = run(*made(), data=data)

    assert (data.starts, data.read) == (5, 20)
    assert test.points == run(*made()).points


def test_an_iterator_that_is_too_short_is_an_error():
    net, trainer = made()
    before = everything(net, trainer)

    with pytest.raises(ValueError, match=r"^data must have 20 batches, .*: got 4\n\nHint: "):
        run(net, trainer, iter(BATCHES))
    with pytest.raises(ValueError, match=r"^data must have 20 batches, .*: got 0\n\nHint: "):
        run(net, trainer, [])
    assert same(before, everything(net, trainer))


def test_a_data_loader_draws_the_same_batches_after_the_test():
    data = gluon.data.DataLoader(
        gluon.data.ArrayDataset(INPUTS, TARGETS), batch_size=4, shuffle=True
    )
    np.random.seed(0)
    expected = [inputs.asnumpy() for inputs, _ in data]
    np.random.seed(0)
    test = run(*made(), data=data)

    assert len(test.points) == 20
    assert same([inputs.asnumpy() for inputs, _ in data], expected)


def test_a_data_iter_is_read_from_its_start_and_reset():
    data = mx.io.NDArrayIter(INPUTS, TARGETS, batch_size=4)
    data.next()
    test = run(*made(), data=data, iterations=21)

    assert test.points == run(*made(), iterations=21).points
    assert len(list(data)) == 4


def test_arrays_of_numpy_are_batches():
    batches = [(inputs.asnumpy(), targets.asnumpy()) for inputs, targets in BATCHES]

    assert run(*made(), data=batches).points == run(*made()).points


# The progress bar.


def test_the_progress_bar_shows_how_far_it_is(capsys):
    run(*made(), progress=True)
    bar = capsys.readouterr().err
    run(*made(), progress=False)

    assert "range test: 100%" in bar
    assert "20/20" in bar
    assert "lr=1.00e-01" in bar
    assert "loss=" in bar
    assert capsys.readouterr().err == ""


# Errors.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net": 3}, "net must be a gluon.Block: got 3"),
        ({"trainer": "sgd"}, "trainer must be a gluon.Trainer: got 'sgd'"),
        ({"data": 3}, "data must be an iterable of batches: got 3"),
        ({"loss_fn": None}, "loss_fn must be given, or batch_loss in its place: got None"),
        ({"loss_fn": 3}, "loss_fn must be a function of outputs and targets: got 3"),
        ({"batch_loss": 3}, "batch_loss must be a function of net and batch: got 3"),
        ({"data": [INPUTS]}, "a batch must be (inputs, targets): got NDArray\n\nHint: "),
        ({"data": [(1, 2, 3)]}, "a batch must be (inputs, targets): got tuple of 3\n\nHint: "),
        ({"loss_fn": lambda *_: 3.0}, "the loss of a batch must be an NDArray"),
    ],
)
def test_wrong_kinds_are_refused(change, message):
    net, trainer = made()
    before = everything(net, trainer)
    arguments = {"net": net, "trainer": trainer, "loss_fn": LOSS, "data": BATCHES} | change

    with pytest.raises(TypeError) as error:
        range_test(**arguments, progress=False)
    assert str(error.value).startswith(message)
    assert same(before, everything(net, trainer))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_lr": 0}, "start_lr must be above 0: got 0"),
        ({"start_lr": 1.0, "end_lr": 0.5}, "end_lr must be above 1.0: got 0.5"),
        ({"iterations": 1}, "iterations must be at least 2: got 1"),
    ],
)
def test_wrong_values_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        run(*made(), **arguments)


def test_a_trainer_of_several_machines_is_refused():
    net, trainer = made(kvstore="dist_sync")

    with pytest.raises(ValueError, match=r"^trainer must update its parameters on one machine"):
        run(net, trainer)


# MXNet's other modes, each switched on for a whole process.

MODE = """
import mxnet as mx
from mxnet import autograd, gluon
from cyclr_mxnet import range_test
{mode}
mx.random.seed(0)
inputs = {module}.random.uniform(-1, 1, (16, 4))
batches = [(inputs[i : i + 4], inputs[i : i + 4].sum(axis=1)) for i in range(0, 16, 4)]
net = gluon.nn.Dense(1, in_units=4)
net.initialize(mx.init.Constant(0.5))
trainer = gluon.Trainer(net.collect_params(), "adam", {{"learning_rate": 0.01}})
loss_fn = gluon.loss.L2Loss()
amp = mx.contrib.amp
scaled = {scaled}
if scaled:
    amp.init_trainer(trainer)

def update(batch):
    with autograd.record():
        loss = loss_fn(net(batch[0]), batch[1])
        if scaled:
            with amp.scale_loss(loss, trainer) as scaled_loss:
                autograd.backward(scaled_loss)
    if not scaled:
        loss.backward()
    trainer.step(4)
    return float(loss.asnumpy().mean(dtype="float64"))

update(batches[0])
before = net.weight.data().asnumpy()
scaler = dict(vars(trainer._amp_loss_scaler)) if scaled else None
test = range_test(net, trainer, loss_fn, batches, iterations=20, end_lr=0.1, progress=False)
assert scaler is None or scaler == vars(trainer._amp_loss_scaler)
assert (net.weight.data().asnumpy() == before).all()
expected = []
for i, (lr, _) in enumerate(test.points):
    trainer.set_learning_rate(lr)
    expected.append((lr, update(batches[i % 4])))
print(test.points == tuple(expected), len(expected), expected[0][1] > 2 * expected[-1][1])
"""


@pytest.mark.parametrize(
    ("mode", "module", "scaled"),
    [
        ("", "mx.nd", False),
        ("mx.npx.set_np()", "mx.np", False),
        ("mx.contrib.amp.init('bfloat16')", "mx.nd", True),
    ],
    ids=["usual", "numpy arrays", "mixed precision"],
)
def test_it_works_in_every_mode(mode, module, scaled):
    root = pathlib.Path(cyclr.__file__).parents[1]
    adapters = pathlib.Path(cyclr_mxnet.__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", MODE.format(mode=mode, module=module, scaled=scaled)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{root}{os.pathsep}{adapters}",
            "PYTHONWARNINGS": "ignore",  # MXNet's import warns
        },
    )

    assert result.stdout.split() == ["True", "20", "True"], result.stderr
