"""The updates of a range test: mixed precision, gradient accumulation, accuracy, any optimizer."""

import copy
import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import cyclr
from cyclr_torch import Scheduler, range_test

INPUTS = torch.randn(32, 4, generator=torch.Generator().manual_seed(1))
TARGETS = INPUTS.sum(1, keepdim=True)
BATCHES = [(INPUTS[i : i + 4], TARGETS[i : i + 4]) for i in range(0, 32, 4)]
LR = cyclr.Triangular(0.001, 0.005, 4)


def made(kind=torch.optim.SGD, **arguments):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, kind(model.parameters(), **{"lr": 0.01} | arguments)


def run(model, optimizer, data=BATCHES, loss_fn=F.mse_loss, **arguments):
    arguments = {"progress": False, "iterations": 20, "end_lr": 0.1, "start_lr": 1e-4} | arguments
    return range_test(model, optimizer, loss_fn, data, **arguments)


def used(optimizer):
    """Return the list to which each update adds the learning rate that it is made with."""
    lrs = []
    optimizer.register_step_post_hook(lambda o, *_: lrs.append(float(o.param_groups[0]["lr"])))
    return lrs


def weights(model):
    return copy.deepcopy(model.state_dict())


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


class Overflowing(nn.Module):
    """The mean squared error, whose gradients overflow when *at* says so of the n-th batch."""

    def __init__(self, at):
        super().__init__()
        self.at = at
        self.count = 0

    def forward(self, outputs, targets):
        loss = F.mse_loss(outputs, targets)
        if self.at(self.count):
            loss.register_hook(lambda gradient: gradient * math.inf)
        self.count += 1
        return loss


# Mixed precision.


@pytest.mark.parametrize(("dtype", "scaled"), [(torch.bfloat16, False), (torch.float16, True)])
def test_autocast_is_for_the_function_of_the_loss(dtype, scaled):
    model, optimizer = made()
    before = weights(model)
    dtypes = set()

    def batch_loss(model, batch):
        inputs, targets = batch
        with torch.autocast("cpu", dtype=dtype):
            outputs = model(inputs)
            dtypes.add(outputs.dtype)
            return F.mse_loss(outputs.float(), targets)

    scaler = torch.amp.GradScaler("cpu", init_scale=64.0) if scaled else None
    test = run(model, optimizer, loss_fn=None, batch_loss=batch_loss, scaler=scaler)

    assert dtypes == {dtype}
    losses, expected = ([loss for _, loss in t.points] for t in (test, run(model, optimizer)))
    assert losses == pytest.approx(expected, rel=0.05)
    assert same(model.state_dict(), before)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
def test_a_scale_changes_nothing(kind, fused):
    model, optimizer = made(kind, fused=fused)
    expected = run(model, optimizer).points

    assert run(model, optimizer, scaler=torch.amp.GradScaler("cpu")).points == expected
    disabled = torch.amp.GradScaler("cpu", enabled=False)
    assert run(model, optimizer, scaler=disabled).points == expected


@pytest.mark.parametrize("fused", [False, True])
def test_a_skipped_update_is_made_again_and_the_ramp_waits(fused):
    model, optimizer = made(fused=fused)
    before = weights(model)
    loss_fn = Overflowing(lambda count: count in (0, 1, 7, 15))
    scaler = torch.amp.GradScaler("cpu")
    starts = []  # what each batch was computed with
    model.register_forward_pre_hook(lambda m, _: starts.append(m[0].weight[0, 0].item()))
    test = run(model, optimizer, loss_fn=loss_fn, scaler=scaler)

    assert len(test.points) == 20
    assert not test.diverged
    assert loss_fn.count == 24
    assert [k for k in range(23) if starts[k] == starts[k + 1]] == [0, 1, 7, 15]
    assert same(model.state_dict(), before)


def test_gradients_that_overflow_unscaled_are_divergence():
    model, optimizer = made()
    before = weights(model)
    loss_fn = Overflowing(lambda count: count >= 16)
    test = run(model, optimizer, loss_fn=loss_fn, scaler=torch.amp.GradScaler("cpu"))

    assert test.diverged
    assert len(test.points) == 17
    assert math.isnan(test.points[-1][1])
    assert same(model.state_dict(), before)


def test_a_loss_that_is_not_finite_is_not_computed_again():
    model, optimizer = made()
    factors = iter([1.0] * 5 + [math.inf])
    loss_fn = lambda outputs, targets: outputs.mean() * next(factors)  # noqa: E731
    test = run(model, optimizer, loss_fn=loss_fn, scaler=torch.amp.GradScaler("cpu"))

    assert test.diverged
    assert len(test.points) == 6


@pytest.mark.parametrize("used_before", [False, True])
def test_the_scaler_is_put_back(used_before):
    model, optimizer = made()
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=5)
    if used_before:
        scaler.scale(F.mse_loss(model(INPUTS), TARGETS)).backward()
        scaler.step(optimizer)
        scaler.update()
    before = scaler.state_dict()
    scale = scaler._scale
    run(model, optimizer, loss_fn=Overflowing(lambda count: count == 3), scaler=scaler)

    assert scaler.state_dict() == before
    assert scaler._scale is scale
    assert scaler.get_scale() == 64


def test_a_scaler_can_be_used_after_an_interruption():
    model, optimizer = made()
    scaler = torch.amp.GradScaler("cpu")

    def interrupt(*_):
        raise KeyboardInterrupt

    handle = optimizer.register_step_post_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(model, optimizer, scaler=scaler)
    handle.remove()

    assert len(run(model, optimizer, scaler=scaler).points) == 20


def test_a_scheduler_follows_none_of_it():
    model, optimizer = made()
    scheduler = Scheduler(optimizer, LR)
    run(
        model,
        optimizer,
        loss_fn=Overflowing(lambda count: count == 3),
        scaler=torch.amp.GradScaler("cpu"),
    )

    assert scheduler.iteration == 0
    assert optimizer.param_groups[0]["lr"] == LR(0)


def test_a_scaler_takes_no_closure():
    model, optimizer = made(torch.optim.LBFGS)

    with pytest.raises(TypeError, match="scaler must be left out for an optimizer that needs a cl"):
        run(model, optimizer, scaler=torch.amp.GradScaler("cpu"))


# Gradient accumulation.


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.LBFGS])
def test_an_update_takes_several_batches_and_records_their_mean(kind):
    model, optimizer = made(kind)
    model.double()
    batches = [(x.double(), y.double()) for x, y in BATCHES]
    before = weights(model)
    lrs = used(optimizer)
    accumulated = run(model, optimizer, batches, gradient_accumulation_steps=4)

    assert lrs == [lr for lr, _ in accumulated.points]
    assert len(lrs) == 20
    large = [tuple(map(torch.cat, zip(*batches[i : i + 4], strict=True))) for i in (0, 4)]
    expected = run(model, optimizer, large).points
    for point, from_large in zip(accumulated.points, expected, strict=True):
        assert point == pytest.approx(from_large, rel=1e-6)
    assert same(model.state_dict(), before)


def test_what_is_skipped_is_the_whole_update():
    model, optimizer = made()
    loss_fn = Overflowing(lambda count: count == 2)
    test = run(
        model,
        optimizer,
        loss_fn=loss_fn,
        scaler=torch.amp.GradScaler("cpu"),
        gradient_accumulation_steps=3,
    )

    assert len(test.points) == 20
    assert loss_fn.count == 63


@pytest.mark.parametrize(("steps", "error"), [(0, ValueError), (1.5, ValueError), ("2", TypeError)])
def test_a_wrong_number_of_batches_is_refused(steps, error):
    with pytest.raises(error, match=r"gradient_accumulation_steps must be .*: got"):
        run(*made(), gradient_accumulation_steps=steps)


def test_an_iterator_that_ends_says_how_many_batches_are_needed():
    with pytest.raises(ValueError, match=r"data must have 40 batches, or start again .*: got 7"):
        run(*made(), iter(BATCHES[:7]), gradient_accumulation_steps=2)


# Accuracy.


class Classifier(nn.Module):
    """It gets every label wrong, until it has learned."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2, bias=False)
        self.linear.weight.data = torch.tensor([[1.0] * 4, [-1.0] * 4])

    def forward(self, inputs):
        return self.linear(inputs)


LABELS = (TARGETS[:, 0] > 0).long()
LABELLED = [(INPUTS[i : i + 16], LABELS[i : i + 16]) for i in (0, 16)]


def loss_and_accuracy(outputs, targets):
    return F.cross_entropy(outputs, targets), (outputs.argmax(1) == targets).float().mean()


def test_an_accuracy_may_come_with_the_loss():
    model = Classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    arguments = {"iterations": 100, "start_lr": 1e-4, "end_lr": 100.0}
    test = run(model, optimizer, LABELLED, loss_and_accuracy, **arguments)

    assert test.points == run(model, optimizer, LABELLED, F.cross_entropy, **arguments).points
    assert [lr for lr, _ in test.accuracies] == [lr for lr, _ in test.points]
    assert (test.accuracies[0][1], test.accuracies[-1][1]) == (0, 1)
    bounds = test.bounds(metric="accuracy")
    assert bounds == cyclr.analyze(
        test.accuracies, optimizer="sgd", momentum=0.0, metric="accuracy"
    )
    assert bounds.rule == "smith"


def test_also_from_the_function_of_a_batch_and_as_the_mean_of_several():
    model = Classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    accuracies = itertools.cycle([0.25, 0.75])

    def batch_loss(model, batch):
        loss, _ = loss_and_accuracy(model(batch[0]), batch[1])
        return loss, next(accuracies)

    test = run(
        model, optimizer, LABELLED, None, batch_loss=batch_loss, gradient_accumulation_steps=2
    )

    assert [accuracy for _, accuracy in test.accuracies[:2]] == pytest.approx([0.5, 0.5])


def test_without_accuracies_there_are_none_to_read():
    test = run(*made())

    assert test.accuracies == ()
    with pytest.raises(ValueError, match=r"an accuracy must be recorded .*\n\nHint: test.record"):
        test.bounds(metric="accuracy")


def test_a_wrong_accuracy_is_refused():
    with pytest.raises(TypeError, match="the accuracy of a batch must be a number: got 'good'"):
        run(*made(), loss_fn=lambda outputs, targets: (F.mse_loss(outputs, targets), "good"))


# Any optimizer of torch's.


KINDS = [
    name
    for name in dir(torch.optim)
    if isinstance(kind := getattr(torch.optim, name), type)
    and issubclass(kind, torch.optim.Optimizer)
    and kind is not torch.optim.Optimizer
]


def any_made(name):
    torch.manual_seed(0)
    if name == "SparseAdam":
        model = nn.Embedding(5, 2, sparse=True)
    else:
        model = nn.Linear(4, 1, bias=name != "Muon")  # which is for matrices only
    return model, getattr(torch.optim, name)(model.parameters(), lr=0.01)


def any_loss(model, batch):
    if isinstance(model, nn.Embedding):
        return model(torch.tensor([1, 3])).square().sum()
    return F.mse_loss(model(batch[0]), batch[1])


def train(model, optimizer, updates=4):
    for batch in BATCHES[:updates]:

        def closure(batch=batch):
            optimizer.zero_grad()
            loss = any_loss(model, batch)
            loss.backward()
            return loss

        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()


@pytest.mark.parametrize("name", KINDS)
def test_training_goes_on_as_if_there_had_been_no_test(name):
    (model, optimizer), (other, other_optimizer) = (any_made(name) for _ in range(2))
    for pair in ((model, optimizer), (other, other_optimizer)):
        train(*pair)
    run(model, optimizer, loss_fn=None, batch_loss=any_loss)
    for pair in ((model, optimizer), (other, other_optimizer)):
        train(*pair)

    assert same(model.state_dict(), other.state_dict())


@pytest.mark.parametrize("name", KINDS)
def test_a_scheduler_follows_the_updates(name):
    model, optimizer = any_made(name)
    lrs = []
    optimizer.register_step_pre_hook(lambda o, *_: lrs.append(float(o.param_groups[0]["lr"])))
    Scheduler(optimizer, LR)
    train(model, optimizer, 6)

    assert lrs == [LR(k) for k in range(6)]


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.Adagrad])
def test_a_fused_update_is_made_with_the_schedules_value(kind):
    (model, optimizer), (other, other_optimizer) = made(kind, fused=True), made(kind, fused=False)
    for pair in ((model, optimizer), (other, other_optimizer)):
        Scheduler(pair[1], LR)
        train(*pair, 6)

    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-4)


def test_256_groups_keep_the_ratio_of_their_rates():
    parameters = [nn.Parameter(torch.ones(1)) for _ in range(256)]
    model = nn.ParameterList(parameters)
    optimizer = torch.optim.SGD(
        [{"params": [p], "lr": 0.001 * (k + 1)} for k, p in enumerate(parameters)]
    )
    rates = []
    optimizer.register_step_pre_hook(lambda o, *_: rates.append([g["lr"] for g in o.param_groups]))
    batch_loss = lambda model, batch: sum(p.square().sum() for p in model)  # noqa: E731
    test = run(model, optimizer, loss_fn=None, batch_loss=batch_loss, iterations=3)

    for (lr, _), row in zip(test.points, rates, strict=True):
        assert row == pytest.approx([lr * (k + 1) / 256 for k in range(256)])
    assert optimizer.param_groups[7]["lr"] == 0.008


# Compiled.


def counts(optimizer, training_step):
    """Return how many graphs have been compiled after each of a few updates."""
    from torch._dynamo.testing import CompileCounter

    torch.compiler.reset()
    counter = CompileCounter()
    compiled = torch.compile(training_step, backend=counter)
    numbers = []
    for _ in range(6):
        compiled()
        numbers.append(counter.frame_count)
    return numbers


def tensors(*values):
    return tuple(map(torch.tensor, values))


COMPILED = {
    "sgd": (torch.optim.SGD, {"lr": torch.tensor(0.1)}),
    "adam": (torch.optim.Adam, {"lr": torch.tensor(0.1)}),
    "fused": (torch.optim.Adam, {"lr": torch.tensor(0.1), "fused": True}),
    "capturable": (torch.optim.Adam, {"lr": torch.tensor(0.1), "capturable": True}),
    "betas": (
        torch.optim.Adam,
        {"lr": torch.tensor(0.1), "betas": tensors(0.9, 0.999), "capturable": True},
    ),
    "a number": (torch.optim.SGD, {"lr": 0.1}),  # the control: it is compiled again
}


@pytest.mark.filterwarnings("ignore")  # torch's own, of what it can't compile
@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_training_step_is_not_compiled_again_for_a_tensor(name):
    kind, arguments = COMPILED[name]
    model, optimizer = made(kind, **copy.deepcopy(arguments))
    momentum = {"momentum": LR.mirror(0.8, 0.9)} if "betas" in arguments else {}
    scheduler = Scheduler(optimizer, LR, **momentum)

    def training_step():
        optimizer.zero_grad()
        loss = F.mse_loss(model(INPUTS), TARGETS)
        loss.backward()
        optimizer.step()

    numbers = counts(optimizer, training_step)

    assert scheduler.iteration == 6
    assert numbers[0] >= 1
    assert (numbers[-1] == numbers[0]) == (name != "a number")
