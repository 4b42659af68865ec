"""The code to copy: how each framework takes the schedule that is drawn.

The page fills in ``{policy}``, ``{schedule}`` and ``{iterations}``.
"""

from typing import NamedTuple

__all__ = ["snippets"]

PYTHON = """\
from cyclr import {policy}

schedule = {schedule}

for iteration, batch in zip(range({iterations}), batches):
    train(batch, lr=schedule(iteration))
"""

TORCH = """\
from cyclr import {policy}
from cyclr_torch import Scheduler

schedule = {schedule}

Scheduler(optimizer, schedule)  # follows optimizer.step(), for {iterations} updates
"""

TENSORFLOW = """\
import keras
from cyclr import {policy}
from cyclr_tensorflow import Scheduler

schedule = {schedule}

optimizer = keras.optimizers.OPTIMIZER  # for {iterations} updates
"""

MXNET = """\
import mxnet as mx
from cyclr import {policy}
from cyclr_mxnet import Scheduler

schedule = {schedule}

optimizer = mx.optimizer.OPTIMIZER  # for {iterations} updates
"""

OPTAX = """\
import optax
from cyclr import {policy}

schedule = {schedule}

optimizer = optax.OPTIMIZER  # for {iterations} updates
"""


class Names(NamedTuple):
    """What an optimizer is called by each, and what else it is given."""

    keras: str
    mxnet: str
    optax: str


NAMES = {
    "sgd": Names("SGD", "SGD", "sgd"),
    "nesterov": Names("SGD", "NAG", "sgd"),
    "adam": Names("Adam", "Adam", "adam"),
    "adamw": Names("AdamW", "Adam", "adamw"),  # MXNet has no AdamW: its Adam's wd is the nearest
    "nadam": Names("Nadam", "Nadam", "nadam"),
    "rmsprop": Names("RMSprop", "RMSProp", "rmsprop"),
    "adagrad": Names("Adagrad", "AdaGrad", "adagrad"),
}


def snippets(optimizer: str | None = None, momentum: float | None = None) -> dict[str, str]:
    """Return the code for each framework, by its name, with the *optimizer* of the range test.

    SGD stands for one that is not named, or not known.

    >>> print(snippets("adam")["JAX"].splitlines()[-1])
    optimizer = optax.adam(schedule)  # for {iterations} updates
    """
    name = (optimizer or "").strip().lower()
    names = NAMES.get(name, NAMES["sgd"])
    if name == "nesterov" and momentum is None:
        momentum = 0.9
    given = "" if momentum is None or name not in ("sgd", "nesterov") else f", momentum={momentum}"
    nesterov = ", nesterov=True" if name == "nesterov" else ""
    calls = {
        TENSORFLOW: f"{names.keras}(Scheduler(schedule){given}{nesterov})",
        MXNET: f"{names.mxnet}(lr_scheduler=Scheduler(schedule){given})",
        OPTAX: f"{names.optax}(schedule{given}{nesterov})",
    }
    tensorflow, mxnet, optax = (text.replace("OPTIMIZER", call) for text, call in calls.items())
    return {
        "Python": PYTHON,
        "PyTorch": TORCH,
        "TensorFlow": tensorflow,
        "MXNet": mxnet,
        "JAX": optax,
    }
