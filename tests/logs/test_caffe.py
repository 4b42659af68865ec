"""The log of Caffe's solver; a whole one, in its solver's words, is in test_real_logs.py."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from cyclr.logs import BadRow, Log, read_log

PREFIX = "I0820 17:58:59.530144 51668 "


def displayed(iteration: int, lr: str, loss: str, speed: str = "") -> str:
    return (
        f"{PREFIX}solver.cpp:218] Iteration {iteration}{speed}, loss = {loss}\n"
        f"{PREFIX}solver.cpp:237]     Train net output #0: loss = 9 (* 1 = 9 loss)\n"
        f"{PREFIX}sgd_solver.cpp:105] Iteration {iteration}, lr = {lr}\n"
    )


@pytest.mark.parametrize("speed", ["", " (-4.41298e+18 iter/s, 3.779s/100 iters)"])
def test_loss_and_rate_of_an_iteration_belong_together(
    read: Callable[..., Log], speed: str
) -> None:
    log = read(displayed(0, "0.1", "2.5", speed) + displayed(100, "0.2", "1e-05", speed))
    assert list(log) == [(0.1, 2.5), (0.2, 1e-5)]
    assert (log.format, log.skipped) == ("Caffe's log, joined by 'iteration'", 0)


def test_a_rate_that_was_lost_takes_its_loss_along(read: Callable[..., Log]) -> None:
    lines = (displayed(0, "0.1", "1") + displayed(1, "0.2", "2") + displayed(2, "0.3", "3")).split(
        "\n"
    )
    del lines[5]
    assert list(read("\n".join(lines))) == [(0.1, 1.0), (0.3, 3.0)]


@pytest.mark.parametrize("loss", ["nan", "-nan", "1.#QNAN", "-1.#IND", "-nan(ind)"])
def test_a_divergence_is_read_as_the_c_library_writes_it(
    read: Callable[..., Log], loss: str
) -> None:
    log = read(displayed(0, "0.1", "2.5") + displayed(1, "0.2", loss))
    assert [math.isnan(loss) for _, loss in log] == [False, True]


def test_it_is_followed_while_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclr.logs._sources.PAUSE", 0.002)
    path = tmp_path / "log"
    path.write_text("".join(displayed(i, "0.1", "2.5") for i in range(100)))
    log = read_log(path, follow=True)
    assert [next(log) for _ in range(100)] == [(0.1, 2.5)] * 100
    with path.open("a") as file:
        file.write(displayed(100, "0.2", "2"))
    assert next(log) == (0.2, 2.0)


def test_a_line_that_was_cut_is_named(read: Callable[..., Log]) -> None:
    bad: list[BadRow] = []
    log = read(
        displayed(0, "0.1", "2.5") + displayed(1, "0.", "2") + displayed(2, "0.x", "1"),
        on_bad_row=bad.append,
    )
    assert list(log) == [(0.1, 2.5), (0.0, 2.0)]
    assert [(row.line, row.reason) for row in bad] == [(9, "lr is not a number: '0.x'")]
