"""A range test under Lightning in two processes: run by the tests, as a script.

python processes_of_lightning.py STRATEGY fit|demand|fail FOLDER

Each process of the training writes what it has seen to FOLDER, as RANK.json, and each one that
runs this script as main.json or other.json.
"""

import json
import os
import sys
import warnings
from pathlib import Path

import lightning.pytorch as pl
import torch
from torch.nn import functional as F

import cyclr
from cyclr_lightning import RangeTest, Scheduler, range_test
from hosts.modules_of_lightning import IGNORED, Regression, loader, trainer

TEST = {"start_lr": 1e-5, "end_lr": 10.0, "iterations": 120}
LOSSES: list[float] = []  # of this process; a module's own attributes are put back


class Module(Regression):
    def training_step(self, batch, batch_idx):
        inputs, targets = batch
        loss = F.mse_loss(self.net(inputs), targets)
        LOSSES.append(loss.item())
        if sys.argv[2] == "fail" and self.global_rank == 1 and len(LOSSES) == 8:
            raise ArithmeticError("in one process")
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), self.lr)
        schedule = cyclr.Constant(0.01)
        if self.bounds is not None:
            schedule = self.bounds.schedule(cyclr.Triangular2, step_size=4)
        return [optimizer], [Scheduler(optimizer, schedule)]


def weights(module):
    return [parameter.sum().item() for parameter in module.parameters()]


class Note(pl.Callback):
    """Writes what there is before the test, after it, and after the training."""

    def __init__(self, folder):
        self.folder = folder
        self.notes = {}

    def on_fit_start(self, trainer, pl_module):
        self.notes["before"] = weights(pl_module)

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == 0:
            self.notes["after"] = weights(pl_module)
            self.notes["tested"] = list(LOSSES)
            self.notes["lrs"] = []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self.notes["lrs"].append(optimizer.param_groups[0]["lr"])

    def on_train_end(self, trainer, pl_module):
        self.notes["trained"] = weights(pl_module)
        self.notes["steps"] = trainer.global_step
        (self.folder / f"{trainer.global_rank}.json").write_text(json.dumps(self.notes))


def main(strategy, what, folder):
    for ignored in IGNORED:
        action, message, category = ignored.split(":")
        kind = FutureWarning if category == "FutureWarning" else UserWarning
        warnings.filterwarnings(action, message, kind)
    note = Note(Path(folder))
    test = RangeTest(attribute="bounds", progress=False, **TEST)
    callbacks = [note] if what == "demand" else [note, test]
    two = trainer(strategy=strategy, devices=2, callbacks=callbacks, max_epochs=2)
    module, data = Module(dropout=0.0), loader(8, shuffle=True)
    seen = {"before": weights(module)}
    if what == "demand":
        found = range_test(two, module, data, attribute="bounds", progress=False, **TEST)
        seen |= {"after": weights(module), "bounds": module.bounds == found.bounds()}
        LOSSES.clear()
    two.fit(module, data)
    found = found if what == "demand" else test.test
    seen |= {"points": found.points, "trained": weights(module)}
    # Lightning starts the second process of ddp as this script, and those of ddp_spawn as others.
    name = "main" if os.environ.get("LOCAL_RANK", "0") == "0" else "other"
    (Path(folder) / f"{name}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
