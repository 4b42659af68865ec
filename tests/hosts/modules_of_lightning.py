"""What the tests train under Lightning."""

import lightning.pytorch as pl
import torch
import torchmetrics
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from cyclr_lightning import Scheduler

IGNORED = (
    "ignore:`isinstance.treespec, LeafSpec:FutureWarning",  # Lightning's, of torch
    "ignore::lightning.pytorch.utilities.warnings.PossibleUserWarning",  # advice on speed
)

INPUTS = torch.randn(48, 4, generator=torch.Generator().manual_seed(1))
DATA = TensorDataset(INPUTS, INPUTS.sum(1, keepdim=True))


def loader(batch_size=4, data=DATA, **arguments):
    return DataLoader(data, batch_size, **arguments)


def trainer(**arguments):
    """Return a Trainer that writes nothing but what a test asks for."""
    quiet = {
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return pl.Trainer(**quiet | {"max_epochs": 1} | arguments)


class Slope(pl.LightningModule):
    """A weight whose gradient is 1, so that it falls by the learning rate of each update."""

    def __init__(self, schedule=None, scheduler=None, **arguments):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.schedule = schedule
        self.config = scheduler or {}
        self.arguments = arguments
        self.falls = []

    def training_step(self, batch):
        return self.weight.sum()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD([self.weight], lr=1.0)
        before = [0.0]

        def fall(*_):
            self.falls.append(before[0] - self.weight.item())
            before[0] = self.weight.item()

        optimizer.register_step_post_hook(fall)
        if self.schedule is None:
            return optimizer
        scheduler = Scheduler(optimizer, self.schedule, **self.arguments)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, **self.config}}


class Regression(pl.LightningModule):
    """Everything that training changes: weights, statistics, random draws, metrics, counters."""

    def __init__(self, optimizer="momentum", schedule=None, lr=0.01, dropout=0.2):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 1)
        )
        self.error = torchmetrics.MeanSquaredError()
        self.optimizer, self.schedule, self.lr, self.bounds = optimizer, schedule, lr, None
        self.seen, self.count = [], 0

    def training_step(self, batch, batch_idx):
        inputs, targets = batch
        outputs = self.net(inputs)
        loss = F.mse_loss(outputs, targets)
        self.error(outputs, targets)
        self.log("error", self.error, on_step=True, on_epoch=True)
        self.log_dict({"loss": loss}, prog_bar=True)
        self.seen.append(round(inputs.sum().item(), 5))
        self.count += 1
        return loss

    def configure_optimizers(self):
        optimizer = OPTIMIZERS[self.optimizer](self.parameters(), self.lr)
        if self.schedule is None:
            return optimizer
        return [optimizer], [Scheduler(optimizer, self.schedule)]


OPTIMIZERS = {
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
    "lbfgs": lambda p, lr: torch.optim.LBFGS(p, lr=lr, max_iter=3),
}


class Data(pl.LightningDataModule):
    def __init__(self, batch_size=4, lr=None):
        super().__init__()
        self.batch_size, self.lr = batch_size, lr

    def train_dataloader(self):
        return loader(self.batch_size, shuffle=True)


def same_weights(a, b):
    """Compare two modules to the bit."""
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)
