"""A run of the paper on tiny data: what each update used, and going on after an interruption."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from benchmarks.paper.data import Cifar10
from benchmarks.paper.runs import RUNS, Run
from benchmarks.paper.training import Training, train
from cyclr import Constant, Triangular


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data():
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (250, 32, 32, 3), dtype=torch.uint8, generator=draw)
    labels = torch.randint(0, 10, (250,), generator=draw)
    return Cifar10(images, labels, images[:50], labels[:50], images.float().mean(0))


TINY = Run("tiny", Triangular(0.001, 0.005, 3), 6, "a test", test_every=2)


def bits(training):
    """Return everything that goes on into the next iteration, and the points."""
    state = training.state_dict()
    histories = [h for s in state["solver"]["state"].values() for h in s.values()]
    tensors = [torch.as_tensor(t).clone() for t in (*state["network"].values(), *histories)]
    return tensors, state["scheduler"], state["loss"].clone(), training.points


def equal(a, b):
    return (
        all(torch.equal(x, y) for x, y in zip(a[0], b[0], strict=True))
        and a[1] == b[1]
        and torch.equal(a[2], b[2])
        and a[3] == b[3]
    )


def test_each_update_is_caffes_with_the_rate_of_its_iteration_and_layer(data):
    training = Training(TINY, 0, data)
    multiples = {"conv1.bias": 2, "conv2.bias": 2, "ip1.bias": 2}
    decays = {"ip1.weight": 1.0, "ip1.bias": 0.0}
    weights = {k: w.detach().clone() for k, w in training.network.named_parameters()}
    velocity = dict.fromkeys(weights, 0.0)
    rates = [0.001 + 0.004 * height / 3 for height in (0, 1, 2, 3, 2, 1)]
    for i, lr in enumerate(rates):
        inputs, labels = data.batch(i)
        training.network.zero_grad()
        torch.nn.functional.cross_entropy(training.network(inputs), labels).backward()
        for name, weight in training.network.named_parameters():
            gradient = weight.grad + decays.get(name, 0.004) * weights[name]
            velocity[name] = 0.9 * velocity[name] + lr * multiples.get(name, 1) * gradient
            weights[name] = weights[name] - velocity[name]
        training.update()
        for name, weight in training.network.named_parameters():
            torch.testing.assert_close(weight.detach(), weights[name], rtol=1e-4, atol=1e-8)


def test_a_run_ends_tested_and_written(data, tmp_path):
    training = train(TINY, 0, data, tmp_path / "c", tmp_path / "r", progress=False)

    result = json.loads((tmp_path / "r" / "tiny-0.json").read_text())
    assert result == training.result()
    assert [point["iteration"] for point in result["points"]] == [0, 2, 4, 6]
    assert [point["lr"] for point in result["points"]] == [TINY.schedule(i) for i in (0, 2, 4, 6)]
    assert "train_loss" not in result["points"][0]
    assert result["iteration"] == 6


def test_the_accuracy_and_the_losses_are_those_of_the_definition(data):
    training = Training(TINY, 0, data)
    losses = []
    for i in range(2):
        inputs, labels = data.batch(i)
        logits = training.network(inputs).detach().double()
        losses.append(-torch.log_softmax(logits, 1)[range(100), labels].mean().item())
        training.update()
    training.test()

    inputs = (data.test - data.mean).permute(0, 3, 1, 2)
    logits = training.network(inputs).detach().double()
    right = np.mean(logits.argmax(1).numpy() == data.test_labels.numpy())
    loss = -torch.log_softmax(logits, 1)[range(50), data.test_labels].mean().item()
    (point,) = training.points
    assert point["accuracy"] == pytest.approx(100 * right)
    assert point["test_loss"] == pytest.approx(loss, rel=1e-5)
    assert point["train_loss"] == pytest.approx(sum(losses) / 2, rel=1e-5)


class Killed(BaseException):
    """What no handler expects."""


@pytest.mark.parametrize("solver", ["SGD", "Adam", "AdaDelta"])
def test_a_run_killed_anywhere_goes_on_to_the_same_bits(data, tmp_path, monkeypatch, solver):
    run = dataclasses.replace(TINY, solver=solver)
    whole = bits(train(run, 0, data, tmp_path / "whole", tmp_path / "whole", progress=False))
    made = 0
    update = Training.update

    def dies(training):
        nonlocal made
        made += 1
        update(training)
        if made in (1, 4, 7):
            raise Killed

    monkeypatch.setattr(Training, "update", dies)
    killed = 0
    while True:
        try:
            resumed = train(run, 0, data, tmp_path / "cut", tmp_path / "cut", progress=False)
            break
        except Killed:
            killed += 1

    assert killed == 3
    assert equal(bits(resumed), whole)


def test_a_run_stopped_between_two_tests_goes_on_to_the_same_bits(data, tmp_path):
    whole = bits(train(TINY, 0, data, tmp_path / "whole", tmp_path / "whole", progress=False))
    for stop_at in (1, 3, 4, 5):
        part = train(TINY, 0, data, tmp_path / "c", tmp_path / "r", stop_at=stop_at, progress=False)
        assert part.iteration == stop_at
    resumed = train(TINY, 0, data, tmp_path / "c", tmp_path / "r", progress=False)

    assert equal(bits(resumed), whole)


@pytest.mark.parametrize(
    ("other", "seed", "said"),
    [
        ({"schedule": Constant(0.1)}, 0, "schedule must be that of the checkpoint, 'Triangular"),
        ({"solver": "Adam"}, 0, "solver must be that of the checkpoint, 'SGD': got 'Adam'"),
        ({}, 1, "seed must be that of the checkpoint, 0: got 1"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(data, other, seed, said):
    state = Training(TINY, 0, data).state_dict()

    with pytest.raises(ValueError, match="must be that of the checkpoint") as error:
        Training(dataclasses.replace(TINY, **other), seed, data).load_state_dict(state)
    assert str(error.value).startswith(said)


def test_a_run_that_diverges_ends_and_says_so(data, tmp_path):
    run = dataclasses.replace(TINY, schedule=Constant(1e6), iterations=20)
    training = train(run, 0, data, tmp_path, tmp_path, progress=False)

    assert training.diverged
    assert training.iteration < 20
    result = json.loads((tmp_path / "tiny-0.json").read_text())
    assert result["points"][-1]["test_loss"] is None
    again = train(run, 0, data, tmp_path, tmp_path, progress=False)
    assert again.iteration == training.iteration


def test_the_schedules_are_the_papers():
    lr = RUNS["triangular2"].schedule
    corners = {
        0: 0.001,  # Table 2: 0.001 to 0.005 in 2,000
        2000: 0.005,
        4000: 0.001,
        6000: 0.003,
        14_000: 0.0015,
        15_999: 0.001 + 0.0005 / 2000,
        16_000: 0.0001,
        17_000: 0.0005,
        19_000: 0.0003,
        22_000: 0.00001,
        22_500: 0.00005,
        24_500: 0.00002,
        25_000: 0.00001,
    }
    assert {i: lr(i) for i in corners} == pytest.approx(corners, rel=1e-12)
    fixed = RUNS["fixed"].schedule
    assert [fixed(i) for i in (0, 59_999, 60_000, 64_999, 65_000, 69_999)] == [
        0.001, 0.001, 0.0001, 0.0001, 0.00001, 0.00001,
    ]  # fmt: skip
    decay = RUNS["decay"].schedule
    assert [decay(i) for i in (0, 2000, 4000, 24_999)] == pytest.approx(
        [0.007, 0.004, 0.001, 0.001]
    )
    assert RUNS["exp"].schedule(42_000) == pytest.approx(0.001 * 0.0805, rel=1e-3)
    both, amplitude = RUNS["exp_range"].schedule, RUNS["exp_range_amplitude"].schedule
    assert both(42_000) == pytest.approx(0.001 * 0.0805, rel=1e-3)
    assert amplitude(42_000) == pytest.approx(0.001)
    assert amplitude(40_500) == both(40_500) + 0.001 * (1 - 0.99994**40_500)


def test_every_run_ends_where_its_cycle_does():
    for name, run in RUNS.items():
        ends = run.schedule.cycle_ends(run.iterations)
        assert not ends or ends[-1] == run.iterations, name
