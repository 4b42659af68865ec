"""Write the logs beside this file: a range test each, trained and logged by the real tool.

    python tests/logs/data/generate.py            # all of them
    python tests/logs/data/generate.py keras hf   # what these leave

`pairs.json` holds what each run really used: its learning rates and losses, taken down in the
training loop and not by the logger, and the logs it left. The tests compare with them what is read.
"""

import contextlib
import io
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ITERATIONS = 100
LRS = [1e-3 * 1e5 ** (i / (ITERATIONS - 1)) for i in range(ITERATIONS)]  # to 100: it diverges

Pairs = list[tuple[float, float]]
Run = tuple[list[str], Pairs]  # the logs that it left, and what it used


def data():
    """Three classes that a linear teacher tells apart, in batches of 32 samples with 10 inputs."""
    import numpy as np

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(ITERATIONS, 32, 10)).astype("float32")
    teacher = rng.normal(size=(10, 3)).astype("float32")
    return inputs, (inputs @ teacher).argmax(-1)


def torch_model():
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    return torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))


def torch_steps():
    """Train; yield the step, the learning rate and the loss of each, before its update."""
    import torch

    model = torch_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=LRS[0])
    for step, (inputs, targets) in enumerate(zip(*map(torch.tensor, data()), strict=True)):
        optimizer.param_groups[0]["lr"] = LRS[step]
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        yield step, LRS[step], loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def keras() -> Run:
    """Keras: its CSVLogger, and its History as JSON; an epoch is a batch."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    keras.utils.set_random_seed(0)
    inputs, targets = data()
    model = keras.Sequential([keras.layers.Dense(16, "relu"), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(), loss, metrics=["accuracy"])
    used: Pairs = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            used.append((float(self.model.optimizer.learning_rate), logs["loss"]))

    history = model.fit(
        inputs.reshape(-1, 10),
        targets.reshape(-1),
        steps_per_epoch=1,
        epochs=ITERATIONS,
        batch_size=32,
        verbose=0,
        callbacks=[
            keras.callbacks.LearningRateScheduler(lambda epoch: LRS[epoch]),
            keras.callbacks.CSVLogger(HERE / "keras_csvlogger.csv"),
            keras.callbacks.CSVLogger(HERE / "keras_csvlogger.tsv", separator="\t"),
            Record(),
        ],
    )
    (HERE / "keras_history.json").write_text(json.dumps(history.history))
    return ["keras_csvlogger.csv", "keras_csvlogger.tsv", "keras_history.json"], used


def lightning() -> Run:
    """Lightning: CSVLogger's metrics.csv, and its TensorBoardLogger."""
    import lightning as L
    import torch
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    used: Pairs = []

    class Model(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = torch_model()

        def training_step(self, batch, index):
            loss = torch.nn.functional.cross_entropy(self.model(batch[0]), batch[1])
            used.append((self.optimizers().param_groups[0]["lr"], loss.item()))
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, index):
            self.log("val_loss", torch.nn.functional.cross_entropy(self.model(batch[0]), batch[1]))

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=1.0)
            schedule = torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda i: LRS[min(i, ITERATIONS - 1)]
            )
            return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    inputs, targets = map(torch.tensor, data())
    dataset = torch.utils.data.TensorDataset(inputs.reshape(-1, 10), targets.reshape(-1))
    with tempfile.TemporaryDirectory() as folder:
        trainer = L.Trainer(
            max_epochs=1,
            val_check_interval=25,
            limit_val_batches=1,
            log_every_n_steps=1,
            logger=[CSVLogger(folder, "csv"), TensorBoardLogger(folder, "tensorboard")],
            callbacks=[LearningRateMonitor("step")],
            accelerator="cpu",
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        loader = torch.utils.data.DataLoader(dataset, batch_size=32)
        trainer.fit(Model(), loader, loader)
        shutil.copy(Path(folder, "csv/version_0/metrics.csv"), HERE / "lightning_metrics.csv")
        (events,) = Path(folder, "tensorboard/version_0").glob("events.*")
        shutil.copy(events, HERE / "lightning.tfevents")
    return ["lightning_metrics.csv", "lightning.tfevents"], used


def hf() -> Run:
    """Hugging Face: the Trainer's trainer_state.json, and what it prints."""
    import torch
    import transformers

    transformers.set_seed(0)
    config = transformers.GPT2Config(vocab_size=16, n_positions=8, n_embd=8, n_layer=1, n_head=1)
    model = transformers.GPT2LMHeadModel(config)
    used: Pairs = []

    class Trainer(transformers.Trainer):
        def training_step(self, *args, **kwargs):
            loss = super().training_step(*args, **kwargs)
            used.append((self.optimizer.param_groups[0]["lr"], loss.item()))
            return loss

    rng = random.Random(0)
    samples = []
    for _ in range(8 * ITERATIONS):
        start = rng.randrange(16)
        ids = [(start + 3 * i) % 16 for i in range(8)]
        samples.append({"input_ids": ids, "labels": ids})
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: LRS[min(i, ITERATIONS - 1)])
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model,
            transformers.TrainingArguments(
                folder,
                per_device_train_batch_size=8,
                max_steps=ITERATIONS,
                logging_steps=1,
                eval_strategy="steps",
                eval_steps=25,
                save_steps=ITERATIONS,
                report_to=[],
                use_cpu=True,
                logging_nan_inf_filter=False,
            ),
            train_dataset=samples,
            eval_dataset=samples[:8],
            optimizers=(optimizer, schedule),
        )
        printed = io.StringIO()
        # Both streams into one file, as one redirects them: the bars are amid the dictionaries.
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            trainer.train()
        (HERE / "hf_printed.txt").write_text(printed.getvalue(), newline="")
        state = Path(folder, f"checkpoint-{ITERATIONS}", "trainer_state.json")
        shutil.copy(state, HERE / "trainer_state.json")
    return ["trainer_state.json", "hf_printed.txt"], used


def torch_writer() -> Run:
    """PyTorch's SummaryWriter, with both kinds of scalars."""
    from torch.utils.tensorboard import SummaryWriter

    used = list(torch_steps())
    for name, new_style in ("torch.tfevents", False), ("torch_new_style.tfevents", True):
        with tempfile.TemporaryDirectory() as folder:
            with SummaryWriter(folder) as writer:
                for step, lr, loss in used:
                    writer.add_scalar("train/loss", loss, step, new_style=new_style)
                    writer.add_scalar("lr", lr, step, new_style=new_style)
            (events,) = Path(folder).iterdir()
            shutil.copy(events, HERE / name)
    return ["torch.tfevents", "torch_new_style.tfevents"], [(lr, loss) for _, lr, loss in used]


def tensorflow() -> Run:
    """TensorFlow's own summary writer; the losses are those of a network in NumPy."""
    import tensorflow as tf

    used = numpy_steps()
    with tempfile.TemporaryDirectory() as folder:
        with tf.summary.create_file_writer(folder).as_default():
            for step, (lr, loss) in enumerate(used):
                tf.summary.scalar("learning_rate", lr, step)
                tf.summary.scalar("loss", loss, step)
        (events,) = Path(folder).iterdir()
        shutil.copy(events, HERE / "tensorflow.tfevents")
    return ["tensorflow.tfevents"], used


def caffe() -> Run:
    """Caffe can't be installed any more: its log is written here, as its solver would.

    After BVLC/caffe's src/caffe/solver.cpp (Step, Test, Solve) and solvers/sgd_solver.cpp
    (ApplyUpdate), with glog's prefix: the loss first, then the learning rate.
    """
    clock = 0

    def log(place: str, text: str) -> str:
        nonlocal clock
        clock += 1234
        return f"I0820 17:58:{clock // 10**6:02}.{clock % 10**6:06} 51668 {place}] {text}\n"

    used = numpy_steps()
    lines = [log("caffe.cpp:204", "Using GPUs 0"), log("solver.cpp:45", "Initializing solver: ")]
    lines += [
        f'layer {{\n  name: "ip{i}"\n  param {{\n    lr_mult: 1\n  }}\n}}\n' for i in range(40)
    ]
    lines += [log("solver.cpp:272", "Solving"), log("solver.cpp:273", "Learning Rate Policy: exp")]
    for i, (lr, loss) in enumerate(used):
        accuracy = f"accuracy = {1 / (1 + loss):.6g}"
        if i % 25 == 0:
            lines += [
                log("solver.cpp:330", f"Iteration {i}, Testing net (#0)"),
                log("solver.cpp:397", f"    Test net output #0: {accuracy}"),
                log("solver.cpp:397", "    Test net output #1: loss = 9 (* 1 = 9 loss)"),
            ]
        speed = "(76.9231 iter/s, 0.013s/1 iters)"
        output = f"Train net output #1: loss = {loss:.6g} (* 1 = {loss:.6g} loss)"
        lines += [
            log("solver.cpp:218", f"Iteration {i} {speed}, loss = {loss:.6g}"),
            log("solver.cpp:237", f"    Train net output #0: {accuracy}"),
            log("solver.cpp:237", f"    {output}"),
            log("sgd_solver.cpp:105", f"Iteration {i}, lr = {lr:.6g}"),
        ]
    lines += [
        log("solver.cpp:447", "Snapshotting to binary proto file net_iter_100.caffemodel"),
        log("solver.cpp:310", f"Iteration {ITERATIONS}, loss = 7.5"),
        log("solver.cpp:315", "Optimization Done."),
    ]
    (HERE / "caffe.log").write_text("".join(lines))
    return ["caffe.log"], used


def numpy_steps() -> Pairs:
    """A softmax regression by SGD."""
    import numpy as np

    weights = np.zeros((10, 3))
    used = []
    for lr, inputs, targets in zip(LRS, *data(), strict=True):
        scores = inputs @ weights
        scores -= scores.max(1, keepdims=True)
        p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        truth = np.eye(3)[targets]
        used.append((lr, float(-np.log(np.maximum((p * truth).sum(1), 1e-30)).mean())))
        weights -= lr * inputs.T @ (p - truth) / len(inputs)
    return used


TOOLS: dict[str, Callable[[], Run]] = {
    "keras": keras,
    "lightning": lightning,
    "hf": hf,
    "torch": torch_writer,
    "tensorflow": tensorflow,
    "caffe": caffe,
}


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    path = HERE / "pairs.json"
    runs = json.loads(path.read_text()) if path.exists() else {}
    for name in names or TOOLS:
        logs, pairs = TOOLS[name]()
        runs[name] = {"logs": logs, "pairs": pairs}
    lines = [f"{json.dumps(name)}: {json.dumps(run)}" for name, run in sorted(runs.items())]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
