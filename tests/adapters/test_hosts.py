"""The page about hosts: its code runs, and each test that it names is there."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parents[1] / "docs" / "hosts.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python (\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
LABELS = re.findall(r"^- (\w+): `(\w+\.py)` `(\w+)`$", PAGE, re.MULTILINE)
CELLS = [
    cell.strip()
    for row in re.findall(r"^\|(.*)\|$", PAGE.partition("## Which test")[2], re.MULTILINE)[2:]
    for cell in row.split("|")[1:]
]


@pytest.mark.parametrize(("label", "module", "name"), LABELS, ids=lambda part: part)
def test_the_tests_that_it_names_are_there(label, module, name):
    functions = ast.walk(ast.parse((TESTS / module).read_text("utf-8")))

    assert name in {part.name for part in functions if isinstance(part, ast.FunctionDef)}
    assert label in CELLS


def test_each_cell_is_empty_or_names_a_test():
    labels = [label for label, *_ in LABELS]

    assert len(labels) == len(set(labels)) > 40
    assert {cell for cell in CELLS if cell} == set(labels)


def torch_names():
    import torch

    inputs = torch.randn(16, 4, 4, generator=torch.Generator().manual_seed(0))
    model = torch.nn.Linear(4, 1)
    return {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "loss_fn": torch.nn.functional.mse_loss,
        "batches": list(zip(inputs, inputs.sum(-1, keepdim=True), strict=True)),
    }


def lightning_names():
    """Return the batches; the Trainer of the page would write and draw."""
    import lightning.pytorch as pl

    from hosts.modules_of_lightning import loader, trainer

    class Quiet(pl.Trainer):
        def __new__(cls, **arguments):
            return trainer(**arguments)

    return {"batches": loader(16), "Quiet": Quiet}


def transformers_names(folder):
    import transformers

    config = transformers.BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    return {
        "model": transformers.BertForSequenceClassification(config),
        "data": [{"input_ids": [i % 30] * 6, "labels": i % 2} for i in range(32)],
        "arguments": transformers.TrainingArguments(str(folder), use_cpu=True, report_to=[]),
    }


def tensorflow_names():
    import numpy
    import tensorflow

    from hosts.replicas_of_tensorflow import two_replicas

    inputs = numpy.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    targets = inputs.sum(1, keepdims=True)
    data = tensorflow.data.Dataset.from_tensor_slices((inputs, targets)).batch(4)
    return {"data": data, "two_replicas": two_replicas}


# What the page shows, and what runs in its place.
STAND_INS = {"pl.Trainer(": "Quiet(", "tf.distribute.MirroredStrategy(": "two_replicas("}

IGNORED = (
    "ignore:__array__ implementation:DeprecationWarning",
    "ignore:`isinstance.treespec, LeafSpec:FutureWarning",
    "ignore:The 'train_dataloader' does not have many workers",
)


@pytest.mark.parametrize(
    "framework",
    [pytest.param(name, marks=pytest.mark.framework(name)) for name in dict(BLOCKS)],
)
@pytest.mark.filterwarnings(*IGNORED)
def test_the_code_runs(framework, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {
        "torch": torch_names,
        "tensorflow": tensorflow_names,
        "lightning": lightning_names,
        "transformers": lambda: transformers_names(tmp_path),
    }[framework]()
    for needs, code in BLOCKS:
        if needs == framework:
            for shown, ran in STAND_INS.items():
                code = code.replace(shown, ran)
            exec(compile(code, "hosts.md", "exec"), names)

    if framework == "torch":
        assert len(names["snapshots"]) == 2
        assert names["scheduler"].iteration == 8
        assert names["average"].n_averaged == 2
    if framework == "lightning":
        assert names["model"].bounds == names["test"].bounds()
    if framework == "tensorflow":
        assert int(names["model"].optimizer.iterations[...]) == 16
    if framework == "transformers":
        assert len(names["test"].points) > 20
