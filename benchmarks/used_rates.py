"""The learning rates that an optimizer really used, read back from how the weights moved.

Plain SGD trains as many weights as there are updates, all 0 at first; the loss of batch k is
weight k, whose gradient is 1. So weight k ends at minus the learning rate of update k, and no
rounding hides which one that was. At each stop the run is saved, as one saves it in that
framework, and goes on in new objects that have loaded it.

`tests/adapters/test_used_rates.py` runs them, and `benchmarks.conformance` records them.
"""

import io
import pickle
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import cyclr

UPDATES = 24
STOPS = (7, 18)  # in the middle of cycles

SCHEDULES: dict[str, cyclr.Schedule] = {
    "Triangular": cyclr.Triangular(0.001, 0.006, 5),
    "Triangular from 0": cyclr.Triangular(0, 1, 7),
    "Triangular, unequal halves": cyclr.Triangular(0.001, 0.006, 7, step_size_down=3),
    "Triangular2": cyclr.Triangular2(0.001, 0.006, 4),
    "Cyclical, parabolic": cyclr.Cyclical(0, 1, 5, shape="parabolic"),
    "Linear": cyclr.Linear(1, 0.1, 20),
    "Piecewise": cyclr.Piecewise([5, 15], [0.1, 0.01, 0.001]),
    "Constant": cyclr.Constant(0.1),
    "ExpRange": cyclr.ExpRange(0.001, 0.006, 5, gamma=0.9),
    "ExpRange, both bounds": cyclr.ExpRange(0.001, 0.006, 5, gamma=0.9, decays="bounds"),
    "Cyclical, cosine": cyclr.Cyclical(0, 1, 5, shape="cosine"),
    "Cyclical, polynomial": cyclr.Cyclical(0, 1, 5, shape="polynomial", power=3),
    "Cyclical, 1-sqrt": cyclr.Cyclical(0, 1, 5, shape="1-sqrt"),
    "Cyclical, stretching": cyclr.Cyclical(0, 1, 2, cycle_mult=2, peak_decay=0.9),
    "CosineRestarts": cyclr.CosineRestarts(0, 0.1, 5, cycle_mult=2, peak_decay=0.9),
    "OneCycle": cyclr.OneCycle(0.1, 23),
    "WarmupStableDecay": cyclr.WarmupStableDecay(0.1, 22, 5, 9, shape="1-sqrt"),
    "InverseSqrt": cyclr.InverseSqrt(0.1, 6),
    "Cosine": cyclr.Cosine(1, 0.01, 21),
    "Exponential": cyclr.Exponential(1e-6, 10, 22),
    "Polynomial": cyclr.Polynomial(1, 0.01, 21, power=2),
    "Ramp, 1-sqrt": cyclr.Ramp(1, 0.01, 21, shape="1-sqrt"),
    "Decay": cyclr.Decay(0.1, 0.9),
    "Steps": cyclr.Steps(0.1, 5, 0.5),
    "composed": (cyclr.Triangular2(0.001, 0.006, 2, cycles=3) * 0.5)
    .warmup(3)
    .then(cyclr.Cosine(0.001, 0, 9))
    .clip(1e-5, 1),
    "mirrored": cyclr.OneCycle(0.1, 23).mirror(0.85, 0.95),
}
"""Those of `benchmarks.conformance`, with several cycles in a run."""

LINEAR = list(SCHEDULES)[:8]

Run = Callable[[cyclr.Schedule, Sequence[int]], list[float]]
"""Trains by a schedule, with stops, and returns what each update used."""


def legs(stops: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first update and the end of what is trained without a stop."""
    return list(pairwise((0, *stops, UPDATES)))


def torch_run(schedule: cyclr.Schedule, stops: Sequence[int]) -> list[float]:
    import torch

    from cyclr_torch import Scheduler

    batches = torch.eye(UPDATES, dtype=torch.float64)
    file = io.BytesIO()
    for first, end in legs(stops):
        model = torch.nn.Linear(UPDATES, 1, bias=False, dtype=torch.float64)
        torch.nn.init.zeros_(model.weight)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        scheduler = Scheduler(optimizer, schedule)
        parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
        if first:
            file.seek(0)
            for name, state in torch.load(file).items():
                parts[name].load_state_dict(state)
        for batch in batches[first:end]:
            optimizer.zero_grad()
            model(batch).backward()
            optimizer.step()
        file = io.BytesIO()
        torch.save({name: part.state_dict() for name, part in parts.items()}, file)
    return [-weight for weight in model.weight[0].tolist()]


def keras_run(schedule: cyclr.Schedule, stops: Sequence[int]) -> list[float]:
    import keras
    import numpy as np
    from cyclr_tensorflow import Scheduler

    batches, targets = np.eye(UPDATES, dtype="float32"), np.full((UPDATES, 1), -1.0)
    weights = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((UPDATES,)), weights])
    model.compile(keras.optimizers.SGD(Scheduler(schedule)), loss="mae")  # its gradient is 1
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        for first, end in legs(stops):
            if first:
                model = keras.saving.load_model(file)
            rows = slice(first, end)
            model.fit(batches[rows], targets[rows], batch_size=1, shuffle=False, verbose=0)
            model.save(file)
    return [-float(weight) for weight in model.get_weights()[0].ravel()]


def optax_run(schedule: cyclr.Schedule, stops: Sequence[int]) -> list[float]:
    import jax
    import optax

    batches = jax.numpy.eye(UPDATES)
    weights = jax.numpy.zeros(UPDATES)
    state = optax.sgd(schedule).init(weights)
    saved = pickle.dumps((weights, state))
    for first, end in legs(stops):
        optimizer = optax.sgd(schedule)

        @jax.jit
        def step(weights, state, batch, optimizer=optimizer):
            gradient = jax.grad(lambda weights: weights @ batch)(weights)
            updates, state = optimizer.update(gradient, state, weights)
            return optax.apply_updates(weights, updates), state

        weights, state = pickle.loads(saved)
        for batch in batches[first:end]:
            weights, state = step(weights, state, batch)
        saved = pickle.dumps(jax.device_get((weights, state)))
    return [-float(weight) for weight in weights]


def mxnet_run(schedule: cyclr.Schedule, stops: Sequence[int]) -> list[float]:
    from cyclr_mxnet import Scheduler
    from mxnet import autograd, gluon, nd, optimizer

    batches = nd.one_hot(nd.arange(UPDATES), UPDATES)
    with tempfile.TemporaryDirectory() as folder:
        parameters, states = (str(Path(folder) / name) for name in ("net", "trainer"))
        for first, end in legs(stops):
            net = gluon.nn.Dense(1, in_units=UPDATES, use_bias=False, weight_initializer="zeros")
            net.initialize()
            trainer = gluon.Trainer(
                net.collect_params(), optimizer.SGD(lr_scheduler=Scheduler(schedule))
            )
            if first:
                net.load_parameters(parameters)
                trainer.load_states(states)
            for batch in batches[first:end]:
                with autograd.record():
                    loss = net(batch.expand_dims(0))
                loss.backward()
                trainer.step(1)
            net.save_parameters(parameters)
            trainer.save_states(states)
    return [-float(weight) for weight in net.weight.data().asnumpy().ravel()]


RUNS: dict[str, Run] = {
    "torch": torch_run,
    "keras": keras_run,
    "optax": optax_run,
    "mxnet": mxnet_run,
}
"""By the name of the package that each needs."""


def largest_difference(key: str, run: Run, stops: Sequence[int] = STOPS) -> float:
    """Return the largest relative difference between what was used and the schedule's numbers."""
    schedule = SCHEDULES[key]
    pairs = zip(run(schedule, stops), map(schedule, range(UPDATES)), strict=True)
    return max(abs(used - lr) / lr if lr else abs(used) for used, lr in pairs)


def allowed(package: str, key: str) -> float:
    """Return the difference that the floats of a framework make: torch's weights have float64.

    Keras on TensorFlow and MXNet round the number to float32, once; JAX computes in float32.
    """
    in_float32 = 2e-7 if key in LINEAR else 2e-6
    return {"torch": 0.0, "keras": 2**-24, "optax": in_float32, "mxnet": 2**-24}[package]
