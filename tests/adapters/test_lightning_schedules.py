"""Schedules under Lightning: which learning rate each update is made with."""

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins.precision import MixedPrecision
from torch import nn

import cyclr
from cyclr_lightning import Scheduler
from hosts.modules_of_lightning import IGNORED, Regression, Slope, loader, same_weights, trainer

pytestmark = [pytest.mark.filterwarnings(ignored) for ignored in IGNORED]

LR = cyclr.Triangular2(0.125, 0.75, 3)


def lrs(count):
    return [LR(k) for k in range(count)]


@pytest.mark.parametrize(
    "config", [{}, {"interval": "step"}, {"interval": "epoch", "frequency": 2}], ids=str
)
def test_update_k_uses_the_schedules_value_at_k_whatever_the_interval(config):
    module = Slope(LR, config)
    trainer(max_epochs=2).fit(module, loader())

    assert module.falls == pytest.approx(lrs(24), abs=1e-12)


def test_batches_that_are_accumulated_are_one_update():
    module = Slope(LR, {"interval": "step"})
    trainer(max_epochs=2, accumulate_grad_batches=5).fit(module, loader())

    # 12 batches an epoch: 5, 5 and 2, of which the last is an update, too, with 2/5 of the slope.
    expected = [lr * (0.4 if k % 3 == 2 else 1) for k, lr in enumerate(lrs(6))]
    assert module.falls == pytest.approx(expected, abs=1e-12)


class Two(pl.LightningModule):
    """Two weights, each with an optimizer and a schedule of its own; the second takes turns."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.weights = nn.ParameterList([torch.zeros(1), torch.zeros(1)])
        self.rates = [[], []]

    def training_step(self, batch, batch_idx):
        for index, optimizer in enumerate(self.optimizers()):
            if index == 0 or batch_idx % 3 == 2:
                optimizer.zero_grad()
                self.manual_backward(self.weights[index].sum())
                self.rates[index].append(optimizer.param_groups[0]["lr"])
                optimizer.step()
        for scheduler in self.lr_schedulers():
            scheduler.step()

    def configure_optimizers(self):
        optimizers = [torch.optim.SGD([weight], lr=1.0) for weight in self.weights]
        return optimizers, [Scheduler(optimizers[0], LR), Scheduler(optimizers[1], LR * 0.5)]


def test_several_optimizers_are_counted_each_by_itself():
    module = Two()
    trainer().fit(module, loader())

    assert module.rates == [lrs(12), [lr * 0.5 for lr in lrs(4)]]


def regression(schedule=LR, **arguments):
    """Return a module without random draws, as Lightning does not restore the random state."""
    return Regression("adam", schedule, dropout=0.0, **arguments)


@pytest.mark.parametrize("updates", [1, 5, 12])
@pytest.mark.parametrize("weights_only", [True, False])
def test_a_run_that_goes_on_in_mid_cycle_is_bit_equal_to_an_uninterrupted_one(
    tmp_path, updates, weights_only
):
    whole, first, resumed = regression(), regression(), regression()
    trainer(max_epochs=20).fit(whole, loader(48))
    stopped = trainer(max_epochs=updates)
    stopped.fit(first, loader(48))
    stopped.save_checkpoint(tmp_path / "at.ckpt")
    other = trainer(max_epochs=20)
    other.fit(resumed, loader(48), ckpt_path=tmp_path / "at.ckpt", weights_only=weights_only)

    assert other.lr_scheduler_configs[0].scheduler.iteration == other.global_step == 20
    assert same_weights(whole, resumed)
    assert not same_weights(first, resumed)


def test_a_checkpoint_of_another_schedule_is_an_error_that_shows_both(tmp_path):
    first = trainer()
    first.fit(regression(), loader(48))
    first.save_checkpoint(tmp_path / "at.ckpt")

    with pytest.raises(ValueError, match=r"lr in the checkpoint: Triangular2.*\n  lr here: Consta"):
        trainer(max_epochs=2).fit(
            regression(cyclr.Constant(0.1)), loader(48), ckpt_path=tmp_path / "at.ckpt"
        )


def test_lightnings_monitor_logs_the_learning_rates(tmp_path):
    logger = CSVLogger(tmp_path)
    monitor = LearningRateMonitor("step")
    trainer(logger=logger, callbacks=[monitor], log_every_n_steps=1).fit(Slope(LR), loader())

    rows = (tmp_path / "lightning_logs/version_0/metrics.csv").read_text().splitlines()
    logged = [float(row.split(",")[rows[0].split(",").index("lr-SGD")]) for row in rows[1:]]
    assert logged == lrs(12)


class Steep(Slope):
    """A slope that a large scale of the loss makes infinite on its way to the weight."""

    def training_step(self, batch):
        return (self.weight / 8).sum() * 8


def test_an_update_that_the_gradient_scaler_skips_is_none():
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, backoff_factor=0.25)
    module = Steep(LR).float()
    fit = trainer(plugins=[MixedPrecision("16-mixed", "cpu", scaler)])
    fit.fit(module, loader())

    assert module.falls == pytest.approx(lrs(10), rel=1e-6)  # of 12 batches, two had no update
    assert fit.lr_scheduler_configs[0].scheduler.iteration == 10
