"""What Lightning's callbacks do where cycles end."""

import copy

import pytest
import torch

import cyclr
from cyclr_lightning import AverageWeights, OnCycleEnd, RangeTest, SaveSnapshots, StopAfterCycles
from hosts.modules_of_lightning import IGNORED, Regression, Slope, loader, same_weights, trainer

pytestmark = [pytest.mark.filterwarnings(ignored) for ignored in IGNORED]

LR = cyclr.Triangular2(0.01, 0.1, 3)  # a cycle is 6 updates, an epoch 12 batches


class Note(OnCycleEnd):
    def __init__(self):
        self.noted = []

    def on_cycle_end(self, trainer, pl_module, cycle):
        weights = copy.deepcopy(pl_module.state_dict())
        self.noted.append((cycle, trainer.global_step, weights))

    @property
    def ends(self):
        return [pair[:2] for pair in self.noted]


def calm(schedule=LR):
    return Regression("adam", schedule, dropout=0.0)


@pytest.mark.parametrize(
    ("settings", "ends"),
    [
        ({}, [(1, 6), (2, 12), (3, 18), (4, 24)]),
        ({"accumulate_grad_batches": 3}, [(1, 6)]),
        ({"accumulate_grad_batches": 5}, [(1, 6)]),
    ],
)
def test_it_is_called_once_after_the_batch_that_ends_a_cycle(settings, ends):
    note = Note()
    trainer(callbacks=[note], max_epochs=2, **settings).fit(calm(), loader())

    assert note.ends == ends


def test_a_second_fit_and_one_after_an_error_call_it_once():
    class Fragile(Regression):
        fails = True

        def on_train_batch_end(self, outputs, batch, batch_idx):
            if self.fails and batch_idx == 7:
                raise ArithmeticError

    note, module = Note(), Fragile("adam", LR)
    fit = trainer(callbacks=[note], max_epochs=1)
    with pytest.raises(ArithmeticError):
        fit.fit(module, loader())
    assert note.ends == [(1, 6)]
    module.fails = False
    again = trainer(callbacks=[note])
    again.fit(module, loader())
    again.fit_loop.max_epochs = 2
    again.fit(module, loader())  # with a new optimizer, and its new scheduler

    assert note.ends == [(1, 6), (1, 6), (2, 12), (1, 18), (2, 24)]


def test_the_schedule_that_a_range_test_makes_counts_whatever_the_order():
    class Bounded(Regression):
        def configure_optimizers(self):
            self.schedule = cyclr.Triangular(0.01, 0.1, 100)
            if self.bounds:
                self.schedule = self.bounds.schedule(cyclr.Triangular, step_size=2)
            return super().configure_optimizers()

    note = Note()
    test = RangeTest(1e-5, 10.0, 120, attribute="bounds", progress=False)
    trainer(callbacks=[note, test], max_epochs=3).fit(Bounded("adam"), loader(16))

    assert note.ends == [(1, 4), (2, 8)]


def test_a_fit_without_a_scheduler_is_an_error():
    with pytest.raises(ValueError, match="configure_optimizers must return a cyclr Scheduler"):
        trainer(callbacks=[Note()]).fit(Slope(), loader())


def test_snapshots_are_checkpoints_of_the_ends(tmp_path):
    note = Note()
    saving = SaveSnapshots(tmp_path / "snapshots")
    trainer(callbacks=[saving, note]).fit(calm(), loader())

    names = sorted(path.name for path in (tmp_path / "snapshots").iterdir())
    assert names == ["cycle-001.ckpt", "cycle-002.ckpt"]
    for name, (_, _, weights) in zip(names, note.noted, strict=True):
        module = Regression.load_from_checkpoint(tmp_path / "snapshots" / name)
        assert all(torch.equal(module.state_dict()[key], weights[key]) for key in weights)


def test_a_whole_checkpoint_is_one_to_go_on_from(tmp_path):
    whole, resumed = calm(), calm()
    saving = SaveSnapshots(tmp_path, weights_only=False)
    trainer(callbacks=[saving], max_epochs=12).fit(whole, loader(48))
    going_on = trainer(max_epochs=12)
    going_on.fit(resumed, loader(48), ckpt_path=tmp_path / "cycle-001.ckpt")

    assert len(resumed.seen) == 6
    assert same_weights(whole, resumed)


def test_it_stops_where_the_cycle_ends():
    fit = trainer(callbacks=[StopAfterCycles(3)], max_epochs=9)
    fit.fit(calm(), loader())

    assert fit.global_step == 18
    with pytest.raises(ValueError, match="cycles must be at least 1: got 0"):
        StopAfterCycles(0)


class ByHand(Regression):
    """The same training, with updates that the module makes itself."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.automatic_optimization = False

    def forward(self, inputs):
        return self.net(inputs)

    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)
        self.optimizers().zero_grad()
        self.manual_backward(loss)
        self.optimizers().step()


@pytest.mark.parametrize("kind", [Regression, ByHand])
def test_the_module_ends_with_the_mean_and_its_own_statistics(kind):
    note, average, module = Note(), AverageWeights(), kind("adam", LR)
    fit = trainer(callbacks=[average, note], max_epochs=2)
    fit.fit(module, loader())

    assert average.average.n_averaged == len(note.noted) == 4
    for name, parameter in module.named_parameters():
        mean = torch.stack([weights[name] for _, _, weights in note.noted]).mean(0)
        assert torch.allclose(parameter, mean, atol=1e-6)
    means = torch.stack([module.net[0](inputs).mean(0) for inputs, _ in loader()]).mean(0)
    assert torch.allclose(module.net[1].running_mean, means, atol=1e-6)
    assert fit.global_step == module.count == 24  # the epoch for the statistics is not counted


def test_the_average_goes_on_from_a_checkpoint(tmp_path):
    whole, resumed = calm(), calm()
    saving = SaveSnapshots(tmp_path, weights_only=False)
    trainer(callbacks=[AverageWeights(), saving], max_epochs=18).fit(whole, loader(48))
    at = tmp_path / "cycle-002.ckpt"
    trainer(callbacks=[AverageWeights()], max_epochs=18).fit(resumed, loader(48), ckpt_path=at)

    assert same_weights(whole, resumed)


def test_if_no_cycle_has_ended_the_weights_stay():
    module, other = calm(), calm()
    with pytest.warns(UserWarning, match="no cycle has ended: the weights are not averaged"):
        trainer(callbacks=[AverageWeights()], max_steps=5).fit(module, loader())
    trainer(max_steps=5).fit(other, loader())

    assert same_weights(module, other)
