"""Confirmation: the trainings around the answer, and what becomes of the model."""

import copy
import math

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cyclr import InconclusiveRangeTest, confirmation_cost
from cyclr_torch import range_test

X, Y = load_digits(return_X_y=True)
X, Y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(Y)
BATCHES = [(X[i : i + 32], Y[i : i + 32]) for i in range(0, 1280, 32)]
VALIDATION = [(X[1300:1500], Y[1300:1500]), (X[1500:1510], Y[1500:1510])]
loss_fn = nn.functional.cross_entropy


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)
    )


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def confirmed(model=None, optimizer=None, data=BATCHES, **arguments):
    model = model or network()
    optimizer = optimizer or sgd(model)
    arguments = {"validation": VALIDATION, "progress": False, "iterations": 100} | arguments
    return range_test(model, optimizer, data=data, confirm=True, **{"loss_fn": loss_fn} | arguments)


def state(model, optimizer):
    return copy.deepcopy([model.state_dict(), optimizer.state_dict(), torch.get_rng_state()])


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def test_the_bounds_are_the_confirmed_ones():
    test = confirmed()
    plain = range_test(
        model := network(), sgd(model), loss_fn, BATCHES, iterations=100, progress=False
    )
    assert test.points == plain.points, "the ramp is the same with and without"
    assert test.bounds().rule == "family, confirmed"
    assert test.bounds() == test.bounds()
    assert test.bounds(rule="minimum") == plain.bounds(rule="minimum"), "asked for something else"
    assert test.bounds().interval[1] / test.bounds().interval[0] < 10


def test_all_is_put_back():
    model = network()
    optimizer = sgd(model)
    loss_fn(model(BATCHES[0][0]), BATCHES[0][1]).backward()
    optimizer.step()
    model.eval()
    before = state(model, optimizer)
    confirmed(model, optimizer)
    assert same(state(model, optimizer), before)
    assert not model.training


@pytest.mark.parametrize("fails_at", [1, 100, 101, 150, 260, 400])
def test_all_is_put_back_when_it_fails(fails_at):
    model = network()
    optimizer = sgd(model)
    before = state(model, optimizer)
    calls = 0

    def batch_loss(model, batch):
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise KeyboardInterrupt
        return loss_fn(model(batch[0]), batch[1])

    with pytest.raises(KeyboardInterrupt):
        confirmed(model, optimizer, loss_fn=None, batch_loss=batch_loss)
    assert same(state(model, optimizer), before)
    assert model.training


class Spy:
    """A loss that keeps which batches were trained on and which were read, by their first input."""

    def __init__(self, model_loss=loss_fn):
        self.trained, self.read, self.model_loss = [], [], model_loss

    def __call__(self, model, batch):
        kept = self.trained if model.training else self.read
        assert torch.is_grad_enabled() == model.training
        kept.extend(map(tuple, batch[0].tolist()))
        return self.model_loss(model(batch[0]), batch[1])


def test_each_training_has_the_same_batches_and_the_validation_is_not_among_them():
    spy = Spy()
    rows = 32 * len(confirmed(loss_fn=None, batch_loss=spy).points)
    ramp, trainings = spy.trained[:rows], spy.trained[rows:]
    length = 120 * 32
    assert len(trainings) % length == 0
    assert 3 <= len(trainings) // length <= 5
    assert all(trainings[i] == trainings[i % length] for i in range(len(trainings)))
    assert trainings[:rows] == ramp
    assert len(spy.read) == 210 * (len(trainings) // length)
    assert not {*spy.read} & {*spy.trained}


@pytest.mark.parametrize("shuffle", [False, True])
def test_without_validation_batches_are_kept_back(shuffle, capsys):
    """In a first pass a loader that shuffles does not bring them back either."""
    generator = torch.Generator().manual_seed(0) if shuffle else None
    dataset = TensorDataset(X[:1280], Y[:1280])
    loader = DataLoader(dataset, 8, shuffle=shuffle, generator=generator)
    spy = Spy()
    confirmed(data=loader, validation=None, loss_fn=None, batch_loss=spy, progress=True)
    trainings = spy.trained[800:]
    assert trainings
    assert len({*spy.read}) == len({*spy.read[:64]}) == 64
    assert not {*spy.read} & {*trainings}
    assert "confirmation by 8 batches of the training data:   0%" in capsys.readouterr().err


def test_the_cost_is_said_before_it_starts(capsys):
    confirmed(progress=True)
    assert f"confirmation:   0%|          | 0/{confirmation_cost()}" in capsys.readouterr().err


def test_the_validation_loss_is_weighted_by_samples():
    """With one batch for all, or one for each sample, it is the same."""
    whole = [(X[1300:1510], Y[1300:1510])]
    single = [(X[i : i + 1], Y[i : i + 1]) for i in range(1300, 1510)]
    expected = confirmed(validation=whole).bounds().max_lr
    for validation in (single, VALIDATION, iter(VALIDATION)):
        assert confirmed(validation=validation).bounds().max_lr == pytest.approx(expected, rel=1e-3)


def test_what_can_t_be_read_is_not_confirmed():
    def flat(model, batch):
        return 0 * loss_fn(model(batch[0]), batch[1]) + torch.rand(())

    test = confirmed(loss_fn=None, batch_loss=flat)
    assert len(test.points) == 100, "nothing is lost"
    with pytest.raises(InconclusiveRangeTest):
        test.bounds()


def test_if_each_training_diverges_it_warns_and_the_bounds_stay():
    calls = 0

    def breaks(model, batch):
        nonlocal calls
        calls += 1
        loss = loss_fn(model(batch[0]), batch[1])
        return loss * math.nan if calls > 100 else loss

    with pytest.warns(UserWarning, match="the bounds can't be confirmed: all_nonfinite"):
        test = confirmed(loss_fn=None, batch_loss=breaks)
    assert test.bounds().rule == "family"


@pytest.mark.parametrize(
    ("validation", "error", "message"),
    [
        (3, TypeError, "validation must be an iterable of batches: got 3"),
        ([], ValueError, "validation must have at least one batch: got none"),
    ],
)
def test_bad_validation_is_refused_before_the_test(validation, error, message):
    with pytest.raises(error, match=message):
        confirmed(validation=validation, loss_fn=None, batch_loss=lambda *_: pytest.fail("trained"))
