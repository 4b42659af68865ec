"""Lightning's range test: what it measures, what it sets, and that nothing of it is left behind."""

import copy
import math
import random

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins.precision import MixedPrecision
from torch import nn
from torch.nn import functional as F

import cyclr
from cyclr_lightning import RangeTest, Scheduler, range_test
from hosts.modules_of_lightning import (
    DATA,
    IGNORED,
    Data,
    Regression,
    Slope,
    loader,
    same_weights,
    trainer,
)

pytestmark = [pytest.mark.filterwarnings(ignored) for ignored in IGNORED]

SHORT = {"start_lr": 1e-4, "end_lr": 0.1, "iterations": 20}
FULL = {"start_lr": 1e-5, "end_lr": 10.0, "iterations": 120}


def callback(**arguments):
    return RangeTest(progress=False, **SHORT | arguments)


def on_demand(module, data=None, *, datamodule=None, fit=None, **arguments):
    data = loader() if data is None and datamodule is None else data
    fit = fit or trainer()
    return range_test(fit, module, data, datamodule=datamodule, progress=False, **SHORT | arguments)


def losses(test):
    return [loss for _, loss in test.points]


# What is measured.


def by_hand(module, batches, accumulated=1, clip=None):
    """Return the losses of the usual training at the test's learning rates."""
    optimizer = module.configure_optimizers()
    expected = []
    for lr in cyclr.RangeTest(**SHORT).ramp(np.arange(20)):
        optimizer.param_groups[0]["lr"] = float(lr)
        optimizer.zero_grad()
        of_update = []
        for _ in range(accumulated):
            inputs, targets = next(batches)
            loss = F.mse_loss(module.net(inputs), targets)
            (loss / accumulated).backward()
            of_update.append(loss.item())
        if clip is not None:
            nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()
        expected.append(sum(of_update) / accumulated)
    return expected


@pytest.mark.parametrize(
    ("settings", "accumulated", "clip"),
    [
        ({}, 1, None),
        ({"accumulate_grad_batches": 3}, 3, None),
        ({"callbacks": [GradientAccumulationScheduler({0: 2})]}, 2, None),
        ({"accumulate_grad_batches": 5, "gradient_clip_val": 0.1}, 5, 0.1),
    ],
    ids=["plain", "accumulated", "by a callback", "clipped"],
)
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_it_is_the_usual_training_at_rising_learning_rates(optimizer, settings, accumulated, clip):
    module = Regression(optimizer, dropout=0.0)
    expected = by_hand(copy.deepcopy(module), iter(list(loader()) * 10), accumulated, clip)
    tests = [test := callback(), *settings.get("callbacks", [])]
    trainer(**settings | {"callbacks": tests}).fit(module, loader())

    assert losses(test.test) == pytest.approx(expected, rel=1e-5)
    assert (test.test.optimizer, test.test.momentum) == (
        {"momentum": "sgd", "adam": "adam"}[optimizer],
        0.9,
    )


def test_on_demand_it_is_the_same():
    module, test = Regression(dropout=0.0), callback()
    trainer(callbacks=[test]).fit(copy.deepcopy(module), loader())

    assert on_demand(module).points == test.test.points


def test_batches_come_by_the_hooks_and_not_beyond_the_trainers_limit():
    seen = []

    class Hooked(Regression):
        def on_before_batch_transfer(self, batch, dataloader_idx):
            seen.append(batch[1].sum().item())
            return [batch[0], batch[1] * 0]

        def on_after_batch_transfer(self, batch, dataloader_idx):
            assert not batch[1].any()
            return [batch[0], batch[1] + 1]

        def training_step(self, batch, batch_idx):
            assert batch[1].eq(1).all()
            return super().training_step(batch, batch_idx)

    on_demand(Hooked(), fit=trainer(limit_train_batches=3))

    first = [targets.sum().item() for _, targets in list(loader())[:3]]
    assert seen == (first * 7)[:20]


def test_several_loaders_are_read_together():
    class Joint(Regression):
        def training_step(self, batch, batch_idx):
            return super().training_step(batch["a"], batch_idx) + batch["b"][0].mean() * 0

    test = on_demand(Joint(dropout=0.0), {"a": loader(), "b": loader(16)})

    assert test.points == on_demand(Regression(dropout=0.0)).points


class Stubborn(Regression):
    """A module that sets the learning rate itself, as one that warms up by hand does."""

    def optimizer_step(self, epoch, batch_idx, optimizer, optimizer_closure):
        optimizer.param_groups[0]["lr"] = 123.0
        optimizer.step(closure=optimizer_closure)


def test_the_learning_rate_is_the_tests_even_if_the_module_sets_it():
    assert on_demand(Stubborn()).points == on_demand(Regression()).points


def test_groups_keep_the_ratio_of_their_rates():
    rates = []

    class Grouped(Regression):
        def configure_optimizers(self):
            head, body = self.net[-1].parameters(), self.net[:-1].parameters()
            groups = [{"params": body, "lr": 0.001, "momentum": 0.5}, {"params": head}]
            optimizer = torch.optim.SGD(groups, lr=0.1)
            Scheduler(optimizer, [cyclr.Constant(0.001), cyclr.Constant(0.1)])
            return optimizer

        def on_after_backward(self):
            # The closure runs in the optimizer's step, whose learning rates are set by now.
            rates.append([group["lr"] for group in self.optimizers().param_groups])

    test = on_demand(Grouped())

    lrs = [lr for lr, _ in test.points]
    assert rates == [[pytest.approx(lr / 100), lr] for lr in lrs]
    assert test.momentum == 0.0


def test_lbfgs_gets_its_closure():
    module = Regression("lbfgs", dropout=0.0)
    before, other = copy.deepcopy(module), copy.deepcopy(module)
    test = on_demand(module)

    inputs, targets = next(iter(loader()))
    assert losses(test)[0] == pytest.approx(F.mse_loss(other.net(inputs), targets).item())
    assert len(test.points) == 20
    assert same_weights(module, before)


class Adversaries(pl.LightningModule):
    """Two networks that train by hand: one each batch, the other every other batch."""

    def __init__(self, rates=None):
        super().__init__()
        self.automatic_optimization = False
        torch.manual_seed(0)
        self.nets = nn.ModuleList([nn.Linear(4, 1), nn.Linear(4, 1)])
        self.note = lambda index, lr: rates and rates[index].append(lr)

    def training_step(self, batch, batch_idx):
        inputs, targets = batch
        for index, optimizer in enumerate(self.optimizers()):
            loss = F.mse_loss(self.nets[index](inputs), targets)
            self.manual_backward(loss / 2)
            if index == 0 or batch_idx % 2:
                self.note(index, optimizer.param_groups[0]["lr"])
                optimizer.step()
                optimizer.zero_grad()
        for scheduler in self.lr_schedulers():
            scheduler.step()
        return {"loss": loss, "more": None}

    def configure_optimizers(self):
        optimizers = [torch.optim.SGD(n.parameters(), lr=0.05, momentum=0.1) for n in self.nets]
        for index, optimizer in enumerate(optimizers):
            optimizer.register_step_post_hook(
                lambda o, *_, index=index: self.note(index, o.param_groups[0]["lr"])
            )
        halving = torch.optim.lr_scheduler.StepLR(optimizers[0], 1, gamma=0.5)
        return optimizers, [halving, Scheduler(optimizers[1], cyclr.Constant(0.01))]


def test_one_of_several_optimizers_is_tested_while_the_others_train():
    rates = [[], []]
    module = Adversaries(rates)
    nets = copy.deepcopy(module.nets)
    test = on_demand(module, optimizer=1)

    lrs = [lr for lr, _ in test.points]
    assert rates[1][1::2] == lrs  # in its own steps, every other batch
    assert rates[0][1::2] == [0.05 * 0.5**k for k in range(40)]
    pairs = [F.mse_loss(nets[1](inputs), targets).item() for inputs, targets in list(loader())[:2]]
    assert losses(test)[0] == pytest.approx(sum(pairs) / 2)  # of both batches of the update


def test_all_that_the_others_train_is_put_back_too():
    tests = [Watched(progress=False, optimizer=0, **SHORT)]
    trainer(callbacks=tests).fit(Adversaries(), loader(shuffle=True))

    assert tests[0].different == []


@pytest.mark.parametrize("optimizer", [None, -1, 2, "0"])
def test_which_of_several_has_to_be_said(optimizer):
    with pytest.raises(ValueError, match="optimizer must be the index of one of 2 optimizers: got"):
        on_demand(Adversaries(), optimizer=optimizer)


def test_a_training_step_that_never_updates_is_an_error():
    class Idle(Adversaries):
        def training_step(self, batch, batch_idx):
            return self.nets[0](batch[0]).sum()

    with pytest.raises(RuntimeError, match="training_step must step the optimizer: not once in 10"):
        on_demand(Idle(), optimizer=0)


@pytest.mark.parametrize("output", [None, {"losses": 1}, 3.0, torch.ones(2)])
def test_a_training_step_without_a_loss_is_an_error(output):
    class Mute(Regression):
        def training_step(self, batch, batch_idx):
            return output

    with pytest.raises(TypeError, match="training_step must return its loss, a tensor of one numb"):
        on_demand(Mute())


class Steep(Slope):
    """A slope that a large scale of the loss makes infinite on its way to the weight."""

    def training_step(self, batch):
        return (self.weight / 8).sum() * 8


def half(init_scale):
    scaler = torch.amp.GradScaler("cpu", init_scale=init_scale, backoff_factor=0.25)
    return trainer(plugins=[MixedPrecision("16-mixed", "cpu", scaler)]), scaler


@pytest.mark.parametrize("fused", [False, True])
def test_an_update_that_the_gradient_scaler_skips_is_tried_again(fused):
    class Fast(Steep):
        def configure_optimizers(self):
            return torch.optim.SGD([self.weight], lr=1.0, fused=fused)

    fit, scaler = half(2.0**127)
    test = on_demand(Fast().float(), fit=fit)

    # The loss is the weight, which falls by each learning rate: no point is left out or doubled.
    fallen = [-sum(lr for lr, _ in test.points[:k]) for k in range(20)]
    assert losses(test) == pytest.approx(fallen, abs=1e-6)
    assert scaler.get_scale() == 2.0**127


def test_a_gradient_that_is_always_infinite_is_a_divergence():
    class Endless(Steep):
        def training_step(self, batch):
            return self.weight.sum() + (self.weight - self.weight).sqrt().sum()

    fit, _ = half(1.0)
    test = on_demand(Endless().float(), fit=fit)

    assert test.diverged
    assert losses(test) == [math.inf]


def test_a_loss_that_is_not_finite_ends_it():
    class Doomed(Regression):
        def training_step(self, batch, batch_idx):
            loss = super().training_step(batch, batch_idx)
            return loss * math.nan if self.count == 8 else loss

    test = on_demand(Doomed())

    assert test.diverged
    assert len(test.points) == 8


# What is left behind: nothing.


def everything(fit, module):
    """Return a copy of all that a test may change."""
    parts = {
        "weights": module.state_dict(),
        "gradients": [p.grad for p in module.parameters()],
        "optimizers": [optimizer.state_dict() for optimizer in fit.optimizers],
        "schedulers": [config.scheduler.state_dict() for config in fit.lr_scheduler_configs],
        "precision": fit.precision_plugin.state_dict(),
        "random": (random.getstate(), np.random.get_state(), torch.get_rng_state()),
        "modes": [part.training for part in module.modules()],
        "metric": hasattr(module, "error") and module.error.metric_state,
        "updates": hasattr(module, "error") and module.error.update_count,
        "own": [getattr(module, name, None) for name in ("seen", "count", "lr", "bounds")],
        "loops": fit.fit_loop.state_dict(),
        "counts": (fit.global_step, fit.current_epoch),
        "metrics": (fit.callback_metrics, fit.logged_metrics),
        "trainer": (fit.should_stop, fit.max_epochs, fit.max_steps, fit.min_epochs, fit.min_steps),
        "limits": (fit.limit_train_batches, fit.limit_val_batches, str(fit.state)),
        "callbacks": list(map(id, fit.callbacks)),
        "loggers": list(map(id, fit.loggers)),
        "names": sorted(vars(module)),
    }
    return copy.deepcopy(parts)


def same(a, b):
    """Compare to the bit, through any structure."""
    if isinstance(a, (torch.Tensor, np.ndarray)):
        return type(a) is type(b) and a.dtype == b.dtype and bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


class Watched(RangeTest):
    """A range test that compares what is there before it and after it."""

    def on_train_start(self, trainer, pl_module):
        before = everything(trainer, pl_module)
        try:
            super().on_train_start(trainer, pl_module)
        finally:
            after = everything(trainer, pl_module)
            self.different = [name for name in before if not same(before[name], after[name])]


SETTINGS = {
    "plain": {},
    "accumulated": {"accumulate_grad_batches": 3},
    "clipped": {"gradient_clip_val": 0.1},
    "bfloat16": {"precision": "bf16-mixed"},
    "shorter than the test": {"max_steps": 2},
    "limited": {"limit_train_batches": 2, "max_epochs": 3},
    "logged": {"log_every_n_steps": 1},
}
DATASETS = {
    "in order": loader,
    "shuffled": lambda: loader(shuffle=True),
    "seeded": lambda: loader(shuffle=True, generator=torch.Generator().manual_seed(3)),
    "workers": lambda: loader(shuffle=True, num_workers=1),
    "datamodule": Data,
}


@pytest.mark.parametrize(
    ("settings", "data", "optimizer"),
    [
        *[(name, "shuffled", "adam") for name in SETTINGS],
        *[("plain", name, "momentum") for name in DATASETS],
        ("plain", "shuffled", "lbfgs"),
    ],
)
def test_training_after_it_is_training_without_it(tmp_path, settings, data, optimizer):
    runs = []
    for tests in ([], [Watched(progress=False, **SHORT)]):
        module = Regression(optimizer, cyclr.Triangular(0.001, 0.01, 5))
        torch.manual_seed(1)
        logger = CSVLogger(tmp_path, version=len(tests))
        fit = trainer(callbacks=tests, **{"logger": logger} | SETTINGS[settings])
        fit.fit(module, DATASETS[data]())
        runs.append((module, fit))
    (without, fit_without), (module, fit) = runs

    assert tests[0].different == []
    assert len(tests[0].test.points) == 20
    assert same_weights(module, without)
    assert module.seen == without.seen
    assert fit.global_step == fit_without.global_step
    assert same(fit.logged_metrics, fit_without.logged_metrics)
    first, second = (
        (tmp_path / f"lightning_logs/version_{version}/metrics.csv").read_text()
        for version in (0, 1)
    )
    assert first == second


def test_workers_that_persist_begin_an_epoch_after_it():
    module = Regression()
    tests = [Watched(progress=False, **SHORT)]
    data = loader(shuffle=True, num_workers=1, persistent_workers=True)
    trainer(callbacks=tests).fit(module, data)

    assert tests[0].different == []
    assert len(module.seen) == 12
    assert sum(module.seen) == pytest.approx(sum(x.sum().item() for x, _ in data), abs=1e-3)


class Broken(Exception):
    pass


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
@pytest.mark.parametrize("call", [1, 7])
@pytest.mark.parametrize("place", ["training_step", "on_after_backward"])
def test_everything_is_put_back_after_an_error(error, call, place):
    calls = []

    class Fragile(Regression):
        def training_step(self, batch, batch_idx):
            loss = super().training_step(batch, batch_idx)
            self.fail("training_step")
            return loss

        def on_after_backward(self):
            self.fail("on_after_backward")

        def fail(self, where):
            calls.append(where)
            if calls.count(place) == call:
                raise error

    tests = [Watched(progress=False, **SHORT)]
    with pytest.raises(SystemExit if error is KeyboardInterrupt else error):
        trainer(callbacks=tests).fit(Fragile("adam"), loader(shuffle=True))

    assert tests[0].different == []
    assert tests[0].test is None


def test_no_callback_hears_of_it():
    heard = []

    class Curious(pl.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                heard.append(name)
            return super().__getattribute__(name)

    trainer(callbacks=[callback(), Curious()], max_steps=1).fit(Regression(), loader())

    assert heard.count("on_before_optimizer_step") == heard.count("on_after_backward") == 1


@pytest.mark.parametrize("steps", [0, 5])
def test_on_demand_it_leaves_the_trainer_where_it_was(tmp_path, steps):
    module = Regression("adam", cyclr.Triangular(0.001, 0.01, 5))
    torch.manual_seed(1)
    own = pl.Callback()
    fit = trainer(max_steps=steps or 7, callbacks=[own], logger=CSVLogger(tmp_path), max_epochs=3)
    if steps:
        fit.fit(module, loader(shuffle=True))  # to its end
    else:
        fit.strategy.connect(module)
    before = everything(fit, module)
    test = on_demand(module, loader(shuffle=True), fit=fit)
    after = everything(fit, module)

    assert len(test.points) == 20
    assert fit.global_step == steps
    # Every fit makes its optimizers, and clears what the last one has left.
    fits = {"optimizers", "schedulers", "gradients", "metrics", "names"}
    assert [n for n in before if n not in fits and not same(before[n], after[n])] == []
    assert fit.callbacks == [own]


def test_training_goes_on_after_one_on_demand_as_without_it():
    runs = []
    for test in (False, True):
        module, data = Regression("adam"), loader(shuffle=True)
        torch.manual_seed(1)
        fit = trainer(max_epochs=1)
        if test:
            on_demand(module, data, fit=fit)
        fit.fit(module, data)
        fit.fit_loop.max_epochs = 2
        if test:
            on_demand(module, data, fit=fit)  # where the counters are not 0
        fit.fit(module, data)
        runs.append(module)

    assert runs[0].seen == runs[1].seen
    assert len(runs[0].seen) == 24
    assert same_weights(*runs)


def test_after_an_error_on_demand_the_trainer_is_as_before():
    class Fragile(Regression):
        def training_step(self, batch, batch_idx):
            raise Broken

    module, own = Fragile(), pl.Callback()
    fit = trainer(callbacks=[own], max_epochs=3)
    with pytest.raises(Broken):
        on_demand(module, fit=fit)

    assert fit.callbacks == [own]
    assert (fit.max_epochs, fit.limit_val_batches, fit.should_stop) == (3, 1.0, False)


# What is set.


def test_an_attribute_that_is_a_number_becomes_max_lr():
    module, tests = Regression(lr=0.5), [callback(attribute="lr", **FULL)]
    fit = trainer(callbacks=tests, max_steps=1)
    fit.fit(module, loader(16))

    assert module.lr == tests[0].bounds.max_lr == fit.optimizers[0].param_groups[0]["lr"] != 0.5


class Bounded(Regression):
    """A module whose schedule is made of the bounds, once there are some."""

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters())
        schedule = cyclr.Constant(0.123)
        if self.bounds is not None:
            schedule = self.bounds.schedule(cyclr.Triangular2, step_size=4)
        return [optimizer], [Scheduler(optimizer, schedule)]


def used(fit, module, data, **arguments):
    """Return the learning rates of a fit's updates."""
    rates = []

    class Note(pl.Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            rates.append(optimizer.param_groups[0]["lr"])

    fit.callbacks.append(Note())
    fit.fit(module, data, **arguments)
    return rates


def test_any_other_attribute_becomes_the_bounds_and_the_optimizers_are_configured_again():
    module, tests = Bounded(), [callback(attribute="bounds", **FULL)]
    rates = used(trainer(callbacks=tests, max_epochs=3), module, loader(16))

    assert module.bounds == tests[0].bounds
    schedule = tests[0].bounds.schedule(cyclr.Triangular2, step_size=4)
    assert rates == [schedule(k) for k in range(9)]


@pytest.mark.parametrize("attribute", ["lr", "bounds"])
def test_on_demand_it_is_set_too(attribute):
    module = Bounded()
    test = on_demand(module, loader(16), attribute=attribute, **FULL)

    assert getattr(module, attribute) == {
        "lr": test.bounds().max_lr, "bounds": test.bounds()
    }[attribute]  # fmt: skip


def test_hyperparameters_and_a_datamodules_attributes_are_set():
    class Saved(Regression):
        def __init__(self, rate):
            super().__init__()
            self.save_hyperparameters()

    module, datamodule = Saved(rate=0.5), Data(16, lr=0.5)
    test = on_demand(module, datamodule=datamodule, attribute="lr", **FULL)
    assert module.lr == datamodule.lr == test.bounds().max_lr
    assert (
        on_demand(module, loader(16), attribute="rate", **FULL).bounds().max_lr
        == module.hparams.rate
    )


def test_an_attribute_that_is_not_there_is_an_error_before_the_test():
    module = Regression()
    with pytest.raises(AttributeError, match="attribute must be the module's, its hparams' or its"):
        trainer(callbacks=[callback(attribute="rate")]).fit(module, loader())
    assert module.seen == []


def test_a_test_that_can_not_be_read_sets_nothing():
    class Flat(Regression):
        def training_step(self, batch, batch_idx):
            return super().training_step(batch, batch_idx) * 0 + 1

    module, tests = Flat(), [callback(attribute="lr", **FULL)]
    with pytest.raises(cyclr.InconclusiveRangeTest, match="no_descent"):
        trainer(callbacks=tests).fit(module, loader())
    assert module.lr == 0.01
    assert len(tests[0].test.points) == 120


def test_without_an_attribute_the_fit_is_as_if_there_were_no_test():
    rates = used(trainer(callbacks=[callback()]), Bounded(), loader(16))

    assert rates == [0.123] * 3


def test_the_bounds_before_the_test_are_an_error():
    assert callback().test is None
    with pytest.raises(RuntimeError, match="there are no bounds before the test"):
        callback().bounds  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_lr": 0}, "start_lr must be above 0: got 0"),
        ({"end_lr": 1e-5}, "end_lr must be above 0.0001: got 1e-05"),
        ({"iterations": 1}, "iterations must be at least 2: got 1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        callback(**arguments)


@pytest.mark.filterwarnings("ignore:Running in `fast_dev_run` mode")
def test_a_trial_of_the_code_has_no_test():
    tests = [callback(attribute="lr")]
    with pytest.warns(UserWarning, match="there is no range test in a Trainer with fast_dev_run"):
        trainer(callbacks=tests, fast_dev_run=True).fit(Regression(), loader())
    assert tests[0].test is None
    with pytest.raises(ValueError, match="the Trainer must be one without fast_dev_run: got True"):
        on_demand(Regression(), fit=trainer(fast_dev_run=True))


@pytest.mark.framework("matplotlib")
def test_it_is_drawn_to_a_file_whether_it_can_be_read_or_not(tmp_path):
    class Flat(Regression):
        def training_step(self, batch, batch_idx):
            return super().training_step(batch, batch_idx) * 0 + 1

    on_demand(Regression(), loader(16), plot=tmp_path / "test.svg", **FULL)
    flat = callback(attribute="lr", plot=str(tmp_path / "flat.svg"), **FULL)
    with pytest.raises(cyclr.InconclusiveRangeTest):
        trainer(callbacks=[flat]).fit(Flat(), loader())

    for name in ("test.svg", "flat.svg"):
        assert "<svg" in (tmp_path / name).read_text()
    with pytest.raises(ValueError, match=r"the picture's file must end in one of \..*: got 'x.y'"):
        callback(plot="x.y")


# Checkpoints.


def calm(**arguments):
    """Return a module without random draws, as Lightning does not restore the random state."""
    return Bounded(dropout=0.0, **arguments)


@pytest.mark.parametrize("weights_only", [True, False])
def test_a_run_that_goes_on_has_the_test_and_its_schedule(tmp_path, weights_only):
    whole, first, resumed = calm(), calm(), calm()
    arguments = {"attribute": "bounds"} | FULL
    trainer(callbacks=[callback(**arguments)], max_epochs=20).fit(whole, loader(48))
    stopped = trainer(callbacks=[before := callback(**arguments)], max_epochs=6)
    stopped.fit(first, loader(48))
    stopped.save_checkpoint(tmp_path / "at.ckpt")
    going_on = trainer(callbacks=[after := callback(**arguments)], max_epochs=20)
    rates = used(
        going_on, resumed, loader(48), ckpt_path=tmp_path / "at.ckpt", weights_only=weights_only
    )

    assert after.test.points == before.test.points
    assert len(resumed.seen) == 14
    schedule = before.bounds.schedule(cyclr.Triangular2, step_size=4)
    assert rates == [schedule(k) for k in range(6, 20)]
    assert same_weights(whole, resumed)


def test_a_test_may_begin_in_the_middle_of_a_run(tmp_path):
    first, resumed = calm(), calm()
    stopped = trainer(max_epochs=6)
    stopped.fit(first, loader(48))
    stopped.save_checkpoint(tmp_path / "at.ckpt")
    going_on = trainer(callbacks=[new := callback(attribute="lr", **FULL)], max_epochs=20)
    rates = used(going_on, resumed, loader(48), ckpt_path=tmp_path / "at.ckpt")

    inputs, targets = DATA.tensors
    assert losses(new.test)[0] == F.mse_loss(first.net(inputs), targets).item()
    assert resumed.lr == new.bounds.max_lr
    assert rates == [0.123] * 14
    state = going_on.optimizers[0].state_dict()["state"]
    assert {int(values["step"]) for values in state.values()} == {20}
    assert going_on.lr_scheduler_configs[0].scheduler.iteration == going_on.global_step == 20


def test_validating_a_checkpoint_is_no_going_on(tmp_path):
    class Validated(Regression):
        def validation_step(self, batch, batch_idx):
            pass

    fit = trainer(callbacks=[callback()])
    fit.fit(Validated(), loader())
    fit.save_checkpoint(tmp_path / "at.ckpt")
    other = trainer(callbacks=[new := callback()])
    other.validate(Validated(), loader(), ckpt_path=tmp_path / "at.ckpt")
    assert new.test is None
    other.fit(Validated(), loader())
    assert len(new.test.points) == 20
