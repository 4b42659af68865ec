"""Train a small network on scikit-learn's digits under Lightning, which finds its own bounds.

pip install "cyclr[lightning]" scikit-learn
python examples/lightning_digits.py
"""

import lightning.pytorch as pl
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split

from cyclr import Triangular2
from cyclr_lightning import AverageWeights, RangeTest, Scheduler, StopAfterCycles

EPOCHS = 4  # of a cycle


class Digits(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        self.bounds = None  # set by RangeTest, which then has the optimizers configured again

    def training_step(self, batch):
        inputs, targets = batch
        return F.cross_entropy(self.network(inputs), targets)

    def test_step(self, batch):
        inputs, targets = batch
        self.log("accuracy", (self.network(inputs).argmax(1) == targets).float().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters())
        if self.bounds is None:
            return optimizer
        steps = self.trainer.estimated_stepping_batches // self.trainer.max_epochs
        schedule = self.bounds.schedule(Triangular2, step_size=EPOCHS * steps // 2)
        return [optimizer], [Scheduler(optimizer, schedule)]


def train(seed=0):
    """Return the accuracy on held-out digits, and the bounds."""
    pl.seed_everything(seed, verbose=False)
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    data = TensorDataset(images.float() / 16, labels)
    training, held_out = random_split(data, [0.75, 0.25])
    trainer = pl.Trainer(
        max_epochs=100,
        callbacks=[RangeTest(attribute="bounds"), AverageWeights(), StopAfterCycles(3)],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    module = Digits()
    trainer.fit(module, DataLoader(training, batch_size=32, shuffle=True))
    (measured,) = trainer.test(module, DataLoader(held_out, len(held_out)), verbose=False)
    return measured["accuracy"], trainer.current_epoch, module.bounds


if __name__ == "__main__":
    accuracy, epochs, bounds = train()
    print(bounds)
    print(f"Triangular2 between these bounds, {epochs} epochs: {accuracy:.1%}")
