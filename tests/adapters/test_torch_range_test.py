"""range_test: what it measures, and that nothing of it is left behind."""

import collections
import copy
import functools
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import cyclr
from cyclr_torch import Scheduler, range_test
from cyclr_torch.progress import Bar

INPUTS = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
BATCHES = [(INPUTS[i : i + 4], INPUTS[i : i + 4].sum(1, keepdim=True)) for i in range(0, 16, 4)]


class Network(nn.Module):
    """Everything that training changes: weights, tied ones, buffers, statistics, random draws."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.2))
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.body[0].weight
        self.head = nn.Linear(4, 1)
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("largest", torch.zeros(1), persistent=False)
        self.register_buffer("seen", None)
        self.register_buffer("ones", torch.ones(1).expand(3))

    def forward(self, x):
        random.random()
        np.random.random()
        self.calls = self.calls + 1
        self.largest.copy_(x.max())
        self.seen = x
        return self.head(self.tied(self.body(x)) * self.frozen)


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "tensor lr": lambda p: torch.optim.AdamW(p, lr=torch.tensor(0.01)),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.01),
}


def train(model, optimizer, batches=BATCHES):
    for inputs, targets in batches:
        optimizer.zero_grad()
        F.mse_loss(model(inputs), targets).backward()
        optimizer.step()


def made(optimizer="momentum", trained=False):
    """Return a model and its optimizer, as new or after some training."""
    model = Network()
    optimizer = OPTIMIZERS[optimizer]([p for p in model.parameters() if p.requires_grad])
    if trained:
        train(model, optimizer)
    return model, optimizer


def everything(model, optimizer):
    """Return a copy of all that may change, and the identities of what must stay in place."""
    tensors = [*model.parameters(), *model.buffers()]
    state = {i: optimizer.state.get(p) for i, p in enumerate(model.parameters())}
    held = {
        "tensors": tensors,
        "gradients": [p.grad for p in model.parameters()],
        "state": state,
        "groups": [dict(group) for group in optimizer.param_groups],
        "named": dict(model.named_buffers(remove_duplicate=False)),
        "seen": model.seen,
        "random": (random.getstate(), np.random.get_state(), torch.get_rng_state()),
        "modes": [module.training for module in model.modules()],
        "required": [p.requires_grad for p in model.parameters()],
        "keys": list(model.state_dict()),
    }
    identities = [
        *map(id, tensors),
        *(id(p.grad) for p in model.parameters()),
        *(id(value) for values in state.values() if values for value in values.values()),
        *(id(p) for group in optimizer.param_groups for p in group["params"]),
        *(id(group) for group in optimizer.param_groups),
    ]
    return copy.deepcopy(held), identities


def same(a, b):
    """Compare to the bit, through any structure."""
    if isinstance(a, (torch.Tensor, np.ndarray)):
        return type(a) is type(b) and a.dtype == b.dtype and bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def run(model, optimizer, data=BATCHES, loss_fn=F.mse_loss, **arguments):
    arguments = {"progress": False, "iterations": 20, "end_lr": 0.1} | arguments
    return range_test(model, optimizer, loss_fn, data, **arguments)


# What is measured.


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_is_the_usual_training_at_rising_learning_rates(optimizer):
    model, optimizer = made(optimizer)
    other, other_optimizer = copy.deepcopy((model, optimizer))
    torch.manual_seed(1)
    test = run(model, optimizer)

    torch.manual_seed(1)
    expected = []
    for k, (lr, _) in enumerate(test.points):
        inputs, targets = BATCHES[k % 4]
        for group in other_optimizer.param_groups:
            group["lr"] = lr
        other_optimizer.zero_grad()
        loss = F.mse_loss(other(inputs), targets)
        loss.backward()
        other_optimizer.step()
        expected.append(loss.item())
    losses = [loss for _, loss in test.points]
    assert losses == pytest.approx(expected, rel=1e-5)  # a tensor has the learning rate in float32
    assert {type(loss) for loss in losses} == {float}


def test_it_returns_the_cores_test():
    model, optimizer = made()
    test = run(model, optimizer, start_lr=1e-5, iterations=30)

    assert isinstance(test, cyclr.RangeTest)
    assert test.points[0][0] == 1e-5
    assert test.points[-1][0] == 0.1
    assert len(test.points) == 30


class Muon(torch.optim.SGD):
    """Another optimizer that has a Nesterov momentum."""


@pytest.mark.parametrize(
    ("kind", "arguments", "name", "momentum"),
    [
        (torch.optim.SGD, {}, "sgd", 0.0),
        (torch.optim.SGD, {"momentum": 0.8}, "sgd", 0.8),
        (torch.optim.SGD, {"momentum": 0.8, "nesterov": True}, "nesterov", 0.8),
        (Muon, {"momentum": 0.8, "nesterov": True}, "muon", 0.8),
        (torch.optim.Adam, {}, "adam", 0.9),
        (torch.optim.AdamW, {"betas": (0.8, 0.99)}, "adamw", 0.8),
        (torch.optim.Adam, {"betas": (torch.tensor(0.5), torch.tensor(0.99))}, "adam", 0.5),
        (torch.optim.NAdam, {}, "nadam", 0.9),
        (torch.optim.RMSprop, {}, "rmsprop", 0.0),
        (torch.optim.Adagrad, {}, "adagrad", None),
        (torch.optim.Adamax, {}, "adamax", 0.9),
    ],
)
def test_it_knows_its_optimizer(kind, arguments, name, momentum):
    model = nn.Linear(4, 1)
    if isinstance(arguments.get("betas", (0,))[0], torch.Tensor):
        arguments = arguments | {"foreach": False, "lr": torch.tensor(0.1)}
    test = run(model, kind(model.parameters(), **arguments), iterations=2)

    assert (test.optimizer, test.momentum) == (name, momentum)


def test_its_bounds_are_to_be_had_at_once():
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    test = run(model, optimizer, iterations=100, end_lr=10)
    bounds = test.bounds()

    assert test.diverged
    assert bounds == cyclr.analyze(test.points, optimizer="sgd", momentum=0.0)
    assert 0.001 < bounds.base_lr < bounds.max_lr < 2


def test_groups_keep_the_ratio_of_their_rates():
    model = Network()
    optimizer = torch.optim.SGD(
        [
            {"params": model.body.parameters(), "lr": torch.tensor(0.001)},
            {"params": model.head.parameters(), "lr": 0.1},
            {"params": model.tied.bias, "lr": 0.0},
        ],
        momentum=0.5,
    )
    optimizer.param_groups[1]["momentum"] = 0.8
    rates = []
    optimizer.register_step_pre_hook(
        lambda o, *_: rates.append([float(group["lr"]) for group in o.param_groups])
    )
    test = run(model, optimizer)

    lrs = [lr for lr, _ in test.points]
    assert rates == [[pytest.approx(lr / 100), lr, 0.0] for lr in lrs]
    assert test.momentum == 0.8
    assert [float(g["lr"]) for g in optimizer.param_groups] == pytest.approx([0.001, 0.1, 0])


def test_rates_of_0_as_at_the_start_of_a_warm_up_are_equal():
    model, optimizer = made()
    Scheduler(optimizer, cyclr.Constant(0.1).warmup(10))
    lrs = []
    optimizer.register_step_pre_hook(lambda o, *_: lrs.append(o.param_groups[0]["lr"]))
    test = run(model, optimizer)

    assert lrs == [lr for lr, _ in test.points]


def test_a_loss_that_is_not_finite_ends_it():
    model, optimizer = made()
    before = everything(model, optimizer)
    losses = iter([1.0] * 7 + [float("nan")] * 20)
    test = run(
        model, optimizer, loss_fn=lambda outputs, targets: (outputs - targets).mean() + next(losses)
    )

    assert test.diverged
    assert len(test.points) == 8
    assert same(everything(model, optimizer), before)


def test_a_test_that_is_repeated_gives_the_same():
    model, optimizer = made()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(INPUTS, INPUTS.sum(1, keepdim=True)),
        batch_size=4,
        shuffle=True,
        generator=torch.Generator().manual_seed(3),
    )

    assert run(model, optimizer, loader).points == run(model, optimizer, loader).points


def test_batches_of_any_kind_are_for_batch_loss():
    model, optimizer = made()
    batches = [{"x": x, "y": y, "names": ["a", "b"]} for x, y in BATCHES]
    test = run(
        model,
        optimizer,
        batches,
        loss_fn=None,
        batch_loss=lambda model, batch: F.mse_loss(model(batch["x"]), batch["y"]),
    )

    assert test.points == run(model, optimizer).points


def test_an_optimizer_that_needs_a_closure_gets_one():
    model = nn.Linear(4, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    weights = copy.deepcopy(model.state_dict())
    test = run(model, optimizer)

    assert len(test.points) == 20
    assert test.points[0][1] == F.mse_loss(model(BATCHES[0][0]), BATCHES[0][1]).item()
    assert same(model.state_dict(), weights)
    assert not optimizer.state


def test_it_evaluates_the_loss_as_often_as_the_optimizer_asks():
    model = nn.Linear(4, 1)
    losses = []
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=1)
    run(model, optimizer, loss_fn=lambda *a: losses.append(F.mse_loss(*a)) or losses[-1])

    assert len(losses) == 20


def test_gradients_are_wanted_where_they_are_switched_off():
    model, optimizer = made()
    with torch.no_grad():
        test = run(model, optimizer)

    assert test.points == run(model, optimizer).points


# Data.


def test_data_that_ends_starts_again():
    model, optimizer = made()

    assert run(model, optimizer, BATCHES * 5).points == run(model, optimizer, BATCHES).points


@pytest.mark.parametrize("count", [0, 1, 7])
def test_an_iterator_that_ends_is_an_error_that_says_so(count):
    model, optimizer = made()
    before = everything(model, optimizer)

    with pytest.raises(ValueError, match=rf"data must have 20 batches, or .*: got {count}\n\nHint"):
        run(model, optimizer, iter((BATCHES * 2)[:count]))
    assert same(everything(model, optimizer), before)


def test_an_iterator_is_read_as_far_as_needed():
    model, optimizer = made()
    batches = iter(BATCHES * 6)
    run(model, optimizer, batches, end_lr=0.01)

    assert len(list(batches)) == 4


class Movable:
    """What the test moves to the model's device."""

    def __init__(self):
        self.device = None

    def to(self, device):
        moved = Movable()
        moved.device = device
        return moved


Pair = collections.namedtuple("Pair", "x y")


def test_what_a_batch_holds_is_moved_to_the_models_device():
    batch = {"a": Movable(), "b": [Movable(), 3], "c": Pair(Movable(), "text"), "d": (Movable(),)}
    seen = []
    model, optimizer = made()

    def batch_loss(model, batch):
        seen.append(batch)
        return model.head.weight.sum()

    run(model, optimizer, [batch], None, batch_loss=batch_loss, iterations=2)

    a, b, c, d = (seen[0][key] for key in "abcd")
    device = torch.device("cpu")
    assert [x.device for x in (a, b[0], c.x, d[0])] == [device] * 4
    assert (b[1], c.y, type(c), type(d)) == (3, "text", Pair, tuple)
    assert batch["a"].device is None


def test_without_a_single_device_nothing_is_moved():
    model, optimizer = made()
    model.register_parameter("elsewhere", nn.Parameter(torch.ones(1, device="meta")))
    seen = []

    def batch_loss(model, batch):
        seen.append(batch)
        return model.head.weight.sum()

    run(model, optimizer, [batch := Movable()], None, batch_loss=batch_loss, iterations=2)

    assert seen[0] is batch


# What is put back: everything, however it ends.


class Stop(Exception):
    pass


ENDS = ["ramp", "nan", "model", "interrupt", "data", "optimizer"]


@given(
    st.sampled_from(list(OPTIMIZERS)),
    st.booleans(),
    st.booleans(),
    st.sampled_from(ENDS),
    st.integers(0, 11),
)
def test_everything_is_as_it_was_however_it_ends(optimizer, trained, training, end, iteration):
    model, optimizer = made(optimizer, trained)
    model.train(training)
    model.body[1].eval()
    before = everything(model, optimizer)
    count = 0

    def loss_fn(outputs, targets):
        nonlocal count
        loss = F.mse_loss(outputs, targets)
        count += 1
        if count > iteration and end == "nan":
            loss = loss * float("nan")
        if count > iteration and end == "model":
            raise Stop
        if count > iteration and end == "interrupt":
            raise KeyboardInterrupt
        return loss

    def hook(*_):
        if count > iteration and end == "optimizer":
            raise Stop

    handle = optimizer.register_step_post_hook(hook)
    data = iter((BATCHES * 3)[:iteration]) if end == "data" else BATCHES
    if end in ("ramp", "nan"):
        run(model, optimizer, data, loss_fn, iterations=12)
    else:
        with pytest.raises((Stop, KeyboardInterrupt, ValueError)):
            run(model, optimizer, data, loss_fn, iterations=12)
    handle.remove()

    after = everything(model, optimizer)
    assert count == (12 if end == "ramp" else iteration + (end != "data"))
    assert same(after, before)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("trained", [False, True])
def test_training_goes_on_as_if_there_had_been_no_test(optimizer, trained):
    (model, optimizer), (other, other_optimizer) = (made(optimizer, trained) for _ in range(2))
    run(model, optimizer)
    for pair in ((model, optimizer), (other, other_optimizer)):
        torch.manual_seed(5)
        train(*pair)

    assert same(model.state_dict(), other.state_dict())
    assert same(optimizer.state_dict(), other_optimizer.state_dict())


@pytest.mark.parametrize("set_to_none", [True, False])
def test_a_gradient_that_was_there_is_there_again(set_to_none):
    model, optimizer = made()
    optimizer.zero_grad = functools.partial(optimizer.zero_grad, set_to_none=set_to_none)
    gradient = torch.full((1,), 7.0)
    model.head.bias.grad = gradient
    run(model, optimizer)

    assert model.head.bias.grad is gradient
    assert gradient.item() == 7
    assert model.head.weight.grad is None


def test_a_sparse_gradient_too():
    model = nn.Embedding(5, 2, sparse=True)
    model(torch.tensor([1, 1])).sum().backward()
    gradient = model.weight.grad
    run(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        [torch.tensor([3])],
        None,
        batch_loss=lambda model, batch: model(batch).square().sum(),
    )

    assert model.weight.grad is gradient
    assert gradient.to_dense()[:, 0].tolist() == [0, 2, 0, 0, 0]


def test_the_frozen_part_of_a_model_stays_in_evaluation_mode():
    model, optimizer = made()
    model.body[1].eval()
    modes = []
    model.register_forward_pre_hook(
        lambda *_: modes.append((model.training, model.body[1].training))
    )
    run(model, optimizer, iterations=2)
    model.eval()
    run(model, optimizer, iterations=2)

    assert modes == [(True, False)] * 2 + [(True, True)] * 2
    assert not model.training
    assert not model.head.training


def test_a_loss_with_weights_is_put_back_too():
    class Loss(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))
            self.register_buffer("mean", torch.zeros(1))

        def forward(self, outputs, targets):
            self.mean += 1
            return (outputs - targets * self.weight).square().mean()

    model, loss = nn.Linear(4, 1), Loss()
    loss.eval()
    optimizer = torch.optim.Adam([*model.parameters(), *loss.parameters()])
    run(model, optimizer, loss_fn=loss)

    assert (loss.weight.item(), loss.mean.item(), loss.training) == (1, 0, False)


def test_weights_that_only_the_optimizer_has_are_put_back_too():
    model, elsewhere = nn.Linear(4, 1), nn.Parameter(torch.ones(1))
    optimizer = torch.optim.Adam([*model.parameters(), elsewhere])
    run(model, optimizer, loss_fn=lambda o, t: (o * elsewhere - t).square().mean())

    assert elsewhere.item() == 1
    assert elsewhere.grad is None


def test_what_a_forward_pass_adds_is_taken_away():
    class Growing(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 1)

        def forward(self, x):
            self.register_buffer("cache", x)
            self.late = nn.BatchNorm1d(1)
            return self.linear(x)

    model = Growing()
    run(model, torch.optim.SGD(model.parameters(), lr=0.1))

    assert list(model.state_dict()) == ["linear.weight", "linear.bias"]
    assert [name for name, _ in model.named_children()] == ["linear"]


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_a_scripted_model_is_put_back_too():
    model = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)))
    before = copy.deepcopy(model.state_dict())
    run(model, torch.optim.Adam(model.parameters()))

    assert same(model.state_dict(), before)


def test_the_state_of_an_optimizer_may_be_of_any_shape():
    class Odd(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            state = self.state[self.param_groups[0]["params"][0]]
            state.setdefault("history", []).append(torch.ones(1))
            state["nested"] = {"count": state.get("nested", {"count": 0})["count"] + 1}
            state.setdefault("seen", set()).add(len(state["history"]))
            state.setdefault("bounds", (torch.zeros(1), 1.0))[0].add_(1)
            self.state["global"] = state["nested"]["count"]
            self.param_groups[0]["k"] = state["nested"]["count"]

    model = nn.Linear(4, 1)
    optimizer = Odd(model.parameters(), lr=0.1)
    train(model, optimizer)
    state = optimizer.state[model.weight]
    history, first, bound = state["history"], state["history"][0], state["bounds"][0]
    before = copy.deepcopy(optimizer.state_dict())
    run(model, optimizer)

    assert same(optimizer.state_dict(), before)
    assert state["history"] is history
    assert history[0] is first
    assert state["bounds"][0] is bound
    assert state["seen"] == {1, 2, 3, 4}


@pytest.mark.parametrize("place", ["loader", "sampler", "batch sampler"])
def test_the_generator_of_the_data_is_put_back(place):
    model, optimizer = made()
    generator = torch.Generator().manual_seed(3)
    data = torch.utils.data.TensorDataset(INPUTS, INPUTS.sum(1, keepdim=True))
    sampler = torch.utils.data.RandomSampler(data, generator=generator)
    batch_sampler = torch.utils.data.BatchSampler(
        torch.utils.data.RandomSampler(data, generator=generator), 4, False
    )
    batch_sampler.generator = generator
    arguments = {
        "loader": {"batch_size": 4, "generator": generator},
        "sampler": {"batch_size": 4, "sampler": sampler},
        "batch sampler": {"batch_sampler": batch_sampler},
    }
    before = generator.get_state()
    run(model, optimizer, torch.utils.data.DataLoader(data, **arguments[place]))

    assert torch.equal(generator.get_state(), before)


def test_the_random_state_of_cuda_is_put_back(monkeypatch):
    states = [torch.ones(3)]
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states[-1])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", states.append)
    run(*made(), loss_fn=lambda *_: states.append(None) or torch.ones(1, requires_grad=True))

    assert states[-1] is states[0]


# Beside a Scheduler.


@pytest.mark.parametrize("raises", [False, True])
def test_a_scheduler_does_not_count_the_tests_updates(raises):
    model, optimizer = made()
    schedule = cyclr.Triangular(0.001, 0.005, 4)
    scheduler = Scheduler(optimizer, schedule)
    train(model, optimizer, BATCHES[:3])
    if raises:
        with pytest.raises(ValueError, match="data must have"):
            run(model, optimizer, iter(BATCHES))
    else:
        run(model, optimizer)

    assert scheduler.iteration == 3
    assert optimizer.param_groups[0]["lr"] == schedule(3)
    train(model, optimizer, BATCHES[:1])
    assert optimizer.param_groups[0]["lr"] == schedule(4)


# Progress.


def test_progress_is_a_bar_with_the_learning_rate_and_the_loss(capsys):
    model, optimizer = made()
    test = run(model, optimizer, progress=True)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "range test" in captured.err
    last = captured.err.split("\r")[-1]  # as it is left
    assert "20/20" in last
    assert f"lr=1.00e-01, loss={test.points[-1][1]:.4g}" in last


def test_the_bar_is_put_into_words_where_it_is_drawn_and_not_at_each_update(monkeypatch):
    drawn = []
    monkeypatch.setattr("tqdm.std.time", lambda: 0.0)  # too short a time to draw it again
    words = staticmethod(lambda **shown: drawn.append(shown["n"]) or "")
    monkeypatch.setattr(Bar, "format_meter", words)
    run(*made(), progress=True)

    assert drawn == [0, 20]


def test_without_progress_it_is_silent(capfd):
    run(*made())

    assert capfd.readouterr() == ("", "")


# Wrong arguments.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": lambda x: x}, TypeError, "model must be a torch.nn.Module: got <function"),
        ({"optimizer": "sgd"}, TypeError, "optimizer must be a torch.optim.Optimizer: got 'sgd'"),
        ({"data": 3}, TypeError, "data must be an iterable of batches: got 3"),
        ({"loss_fn": None}, TypeError, "loss_fn must be given, or batch_loss in its place: got N"),
        ({"loss_fn": "mse"}, TypeError, "loss_fn must be a function of outputs and targets: got '"),
        ({"batch_loss": 1}, TypeError, "batch_loss must be a function of model and batch: got 1"),
        ({"start_lr": 0}, ValueError, "start_lr must be above 0: got 0"),
        ({"end_lr": 1e-7}, ValueError, "end_lr must be above 1e-06: got 1e-07"),
        ({"iterations": 1}, ValueError, "iterations must be at least 2: got 1"),
        (
            {"data": [{"x": 1, "y": 2}]},
            TypeError,
            r"a batch must be \(inputs, targets\): got dict o",
        ),
        (
            {"data": [INPUTS]},
            TypeError,
            r"a batch must be \(inputs, targets\): got Tensor\n\nHint: b",
        ),
        (
            {"data": [(INPUTS,) * 3]},
            TypeError,
            r"a batch must be .*: got tuple of 3\n\nHint: batch",
        ),
        (
            {"loss_fn": nn.MSELoss(reduction="none")},
            TypeError,
            r"the loss of a batch must be a tensor of one number: got a tensor of shape \(4, 1\)",
        ),
        (
            {"loss_fn": lambda *_: 1.0},
            TypeError,
            "the loss of a batch must be a tensor .*: got 1.0",
        ),
    ],
)
def test_wrong_arguments_are_refused_and_change_nothing(arguments, error, message):
    model, optimizer = made()
    before = everything(model, optimizer)
    given = {"model": model, "optimizer": optimizer, "loss_fn": F.mse_loss, "data": BATCHES}

    with pytest.raises(error, match=message):
        range_test(**given | {"progress": False} | arguments)
    assert same(everything(model, optimizer), before)


def test_a_group_without_a_learning_rate_is_refused():
    model, optimizer = made()
    optimizer.param_groups[0]["lr"] = None

    with pytest.raises(ValueError, match="lr must be a number in every parameter group: group 0 h"):
        run(model, optimizer)
