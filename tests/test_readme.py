"""Every code block of the README runs, each after the ones before it."""

import contextlib
import importlib
import io
import math
import random
import re
import shlex
from pathlib import Path

import pytest

from cyclr.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    (language, framework, code)
    for language, framework, code in re.findall(r"```(\w+) ?(\w*)\n(.*?)```", README, re.DOTALL)
]


def random_log(n=200, seed=0):
    """A range test's log: flat, then falling, then diverging."""
    noise = random.Random(seed)
    lrs = [1e-6 * (10 / 1e-6) ** (i / (n - 1)) for i in range(n)]
    losses = [2.3 - 2 / (1 + (0.01 / lr)) + (3 * lr) ** 4 + noise.gauss(0, 0.02) for lr in lrs]
    return lrs, losses


def core_names():
    """What a reader has before the first block: batches, a training step, a log."""
    lrs, losses = random_log()
    recorded = iter(losses)
    return {
        "batches": range(10),
        "train": lambda batch, lr: None,
        "train_one_batch": lambda lr: next(recorded),
        "lrs": lrs,
        "losses": losses,
        "logs_of_three_seeds": [
            list(zip(*random_log(seed=seed), strict=True)) for seed in range(3)
        ],
        "range_test_of_seed": lambda seed: zip(*random_log(seed=seed), strict=True),
        "probe": lambda schedule: math.log(schedule.highest) ** 2,
    }


def torch_names():
    import torch

    torch.manual_seed(0)
    model = torch.nn.Linear(4, 3)
    inputs = torch.randn(32, 10, 4)
    targets = (inputs @ torch.randn(4, 3)).argmax(-1)  # which a linear model can learn
    return {
        "torch": torch,
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        "loss_fn": torch.nn.functional.cross_entropy,
        "batches": list(zip(inputs, targets, strict=True)),
    }


def imported(framework, name=None):
    """Return a function that imports the framework, for names of blocks that need no more."""
    return lambda: {name or framework: importlib.import_module(framework)}


NAMES = {
    "numpy": dict,
    "torch": torch_names,
    "lightning": dict,
    "keras": imported("keras"),
    "optax": imported("optax"),
    "mxnet": imported("mxnet", "mx"),
}
"""What a reader of the blocks for a framework has before them."""


def run(framework, names):
    """Run the python blocks that need no framework or this one, in order."""
    ran = 0
    new = dict(NAMES[framework]()) if framework else {}
    for language, needs, code in BLOCKS:
        if language == "python" and needs in ("", framework):
            if needs:
                names |= new
                new = {}
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, "README.md", "exec"), names)
            ran += 1
    return ran


def test_the_blocks_without_a_framework():
    assert run("", core_names()) == sum(b[:2] == ("python", "") for b in BLOCKS) >= 7


@pytest.mark.parametrize(
    "framework", [pytest.param(name, marks=pytest.mark.framework(name)) for name in NAMES]
)
@pytest.mark.filterwarnings("ignore:Starting from v1.9.0, `tensorboardX`")  # Lightning's, at large
def test_the_blocks_for_a_framework(framework):
    needing = sum(block[:2] == ("python", framework) for block in BLOCKS)

    assert needing > 0
    assert run(framework, core_names()) == run("", core_names()) + needing


def test_there_is_no_other_framework():
    assert {needs for language, needs, _ in BLOCKS if language == "python"} == {"", *NAMES}


def test_the_commands(tmp_path, monkeypatch, capsys):
    lrs, losses = random_log()
    rows = "\n".join(f"{lr},{loss}" for lr, loss in zip(lrs, losses, strict=True))
    (tmp_path / "range_test.csv").write_text(f"lr,loss\n{rows}\n")
    monkeypatch.chdir(tmp_path)
    commands = [
        shlex.split(line)[1:]
        for language, _, code in BLOCKS
        if language == "console"
        for line in code.splitlines()
    ]

    assert len(commands) >= 2
    for name, *arguments in commands:
        assert name == "cyclr"
        assert main(arguments) == 0
        assert capsys.readouterr().out


def test_nothing_else_is_in_a_block_but_the_commands_that_install_and_test():
    assert {block[0] for block in BLOCKS} == {"python", "console", "sh"}
    shell = [code.strip() for language, _, code in BLOCKS if language == "sh"]

    assert shell[1] in (ROOT / ".ci" / "run").read_text()
    assert all("pip install" in code for code in shell)


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert len(links) >= 3
    assert all((ROOT / link).exists() for link in links)


def test_the_picture_shows_what_the_policies_do(tmp_path):
    drawn = {"__name__": "policies"}
    exec((ROOT / "docs" / "policies.py").read_text(), drawn)

    assert drawn["picture"]() + "\n" == (ROOT / "docs" / "policies.svg").read_text()
