"""The demonstration: its digits, its network, and the run."""

import dataclasses
import math
import re
import sys
import zlib
from pathlib import Path

import pytest

import cyclr
from cyclr import demo
from cyclr.cli import main
from cyclr.demo.data import Digits, load
from cyclr.demo.network import Network


@pytest.mark.framework("sklearn")
def test_the_digits_are_scikit_learn_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script in digits.md writes the file that the package carries."""
    folder = Path(demo.__file__).parent
    found = re.search(r"```python\n(.*?)```", (folder / "digits.md").read_text(), re.DOTALL)
    assert found
    monkeypatch.chdir(tmp_path)
    exec(found[1], {})
    # Not the bytes on disk: those depend on the version of zlib.
    script, package = (
        zlib.decompress((place / "digits.bin").read_bytes()) for place in (tmp_path, folder)
    )
    assert script == package


def test_the_digits_are_dealt_out_once_each() -> None:
    train, test = load(held_out=500, seed=3)
    assert (len(train.images), len(train.labels)) == (1297, 1297)
    assert (len(test.images), len(test.labels)) == (500, 500)
    images = sorted(zip(train.images + test.images, train.labels + test.labels, strict=True))
    again = load(held_out=100, seed=4)
    assert images == sorted(
        zip(again[0].images + again[1].images, again[0].labels + again[1].labels, strict=True)
    )
    assert {len(image) for image, _ in images} == {64}
    assert {ink * 16 for image, _ in images for ink in image} == set(range(17))
    assert sorted({label for _, label in images}) == list(range(10))
    assert load(seed=3) == load(seed=3) != load(seed=5)


def test_digits_look_like_digits() -> None:
    """The mean image of a 0 is dark around a light middle, that of a 1 dark in the middle."""
    train, _ = load()

    def middle(digit: int) -> float:
        images = [i for i, label in zip(train.images, train.labels, strict=True) if label == digit]
        return sum(image[row * 8 + 4] for image in images for row in (3, 4)) / 2 / len(images)

    assert middle(0) < 0.1 < 0.8 < middle(1)


@pytest.fixture
def network() -> Network:
    return Network(inputs=3, hidden=4, classes=2, momentum=0.5, seed=1)


BATCH = Digits([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]], [0, 1])


def test_the_gradient_is_the_loss_s(network: Network) -> None:
    """The first step divided by the rate is the slope of the loss, for every weight."""
    untouched = Network(inputs=3, hidden=4, classes=2, seed=1)
    network.train(*BATCH, lr=1e-3)
    step = 1e-6
    for layer in ("w1", "w2"):
        before, after = getattr(untouched, layer), getattr(network, layer)
        for i, row in enumerate(before):
            for j, weight in enumerate(row):
                losses = []
                for moved in (weight + step, weight - step):
                    row[j] = moved
                    losses.append(untouched.train(*BATCH, lr=0.0))
                row[j] = weight
                slope = (losses[0] - losses[1]) / (2 * step)
                assert (weight - after[i][j]) / 1e-3 == pytest.approx(slope, abs=1e-6)


def test_momentum_carries_on(network: Network) -> None:
    network.train(*BATCH, lr=0.0)
    velocity = network.v1[0][0]
    network.train(*BATCH, lr=0.0)
    assert network.v1[0][0] == pytest.approx(velocity * 0.5 + velocity)


def test_the_loss_is_the_mean_cross_entropy(network: Network) -> None:
    network.w2 = [[0.0] * 5, [0.0] * 5]
    assert network.train(*BATCH, lr=0.0) == pytest.approx(math.log(2))


def test_the_seed_decides_the_weights() -> None:
    assert Network(seed=1).w1 == Network(seed=1).w1 != Network(seed=2).w1


def test_a_rate_that_is_far_too_high_is_a_loss_and_not_an_error() -> None:
    network, (digits, _) = Network(), load()
    losses = [network.train(*digits.take(range(8)), lr=1e150) for _ in range(5)]
    assert not math.isfinite(losses[-1])
    assert 0 <= network.accuracy(*digits.take(range(8))) <= 1


@pytest.fixture(scope="module")
def bounds() -> cyclr.Bounds:
    return demo.find_bounds(load()[0], seed=0)


def test_somebody_who_watches_sees_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    demo.find_bounds(load()[0].take(range(64)), seed=0)
    err = capsys.readouterr().err
    assert err.startswith("\rlr 1.00e-0")
    assert "  loss " in err
    assert err.endswith(f"\r{'':40}\r")


def test_the_bounds_that_are_found_train(bounds: cyclr.Bounds) -> None:
    assert 0.01 < bounds.max_lr < 0.3  # 0.05 to 0.2 train best
    accuracies = demo.compare(bounds, *load(), iterations=80, seed=0)
    assert min(accuracies.values()) > 0.7


def test_every_schedule_has_the_same_start_and_batches(bounds: cyclr.Bounds) -> None:
    """Between bounds that are one, a cycle trains as the fixed rate does."""
    same = dataclasses.replace(bounds, base_lr=bounds.max_lr)
    _, fixed, cycled = demo.compare(same, *load(), iterations=8, seed=0).values()
    assert fixed == cycled


def test_the_command_runs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = demo.run
    monkeypatch.setattr(demo, "run", lambda: run(iterations=16))
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "^ max_lr " in out
    rows = [line.split()[0] for line in out.splitlines() if line.endswith("%")]
    assert rows == [str(2 * i) for i in range(1, 9)]
    assert "Triangular2 against fixed 0.01: " in out
    assert max(map(len, out.splitlines())) <= 100
