"""The same schedule in every framework: the largest difference from Python's own numbers.

    python -m benchmarks.conformance            # measure the frameworks that are installed
    python -m benchmarks.conformance --report   # print the table of all that were measured

Every policy at its corners and at random iterations up to 10^8, relative to the value; where
gamma^i has fallen below e^-10, float32 no longer holds the exponent, and it is left out. And
what the optimizers of each framework really used in a training that was resumed twice. One JSON
file keeps what each environment has measured.
"""

import argparse
import importlib
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cyclr
from benchmarks import used_rates

RESULT = Path(__file__).parent / "results" / "conformance.json"
SHARP, CLOSE, EXACT = 2e-7, 2e-6, 4e-15  # float32, of linear shapes and of others; float64

SCHEDULES: dict[str, cyclr.Schedule] = {
    "Triangular": cyclr.Triangular(0.001, 0.006, 2000),
    "Triangular from 0": cyclr.Triangular(0, 1, 77),
    "Triangular, unequal halves": cyclr.Triangular(0.001, 0.006, 2000, step_size_down=300),
    "Triangular2": cyclr.Triangular2(0.001, 0.006, 2000),
    "Cyclical, parabolic": cyclr.Cyclical(0, 1, 100, shape="parabolic"),
    "Linear": cyclr.Linear(1, 0, 20_000),
    "Piecewise": cyclr.Piecewise([100, 10_000], [0.1, 0.01, 0.001]),
    "Constant": cyclr.Constant(0.1),
    "ExpRange": cyclr.ExpRange(0.001, 0.006, 2000, gamma=0.9999),
    "ExpRange, both bounds": cyclr.ExpRange(0.001, 0.006, 2000, gamma=0.9999, decays="bounds"),
    "Cyclical, cosine": cyclr.Cyclical(0, 1, 100, shape="cosine"),
    "Cyclical, polynomial": cyclr.Cyclical(0, 1, 100, shape="polynomial", power=3),
    "Cyclical, 1-sqrt": cyclr.Cyclical(0, 1, 100, shape="1-sqrt"),
    "Cyclical, stretching": cyclr.Cyclical(0, 1, 50, cycle_mult=2, peak_decay=0.9),
    "CosineRestarts": cyclr.CosineRestarts(0, 0.1, 1000, cycle_mult=2, peak_decay=0.9),
    "OneCycle": cyclr.OneCycle(0.1, 20_000),
    "WarmupStableDecay": cyclr.WarmupStableDecay(0.1, 20_000, 500, 4000, shape="1-sqrt"),
    "InverseSqrt": cyclr.InverseSqrt(0.1, 4000),
    "Cosine": cyclr.Cosine(1, 0, 20_000),
    "Exponential": cyclr.Exponential(1e-6, 10, 20_000),
    "Polynomial": cyclr.Polynomial(1, 0, 20_000, power=2),
    "Ramp, 1-sqrt": cyclr.Ramp(1, 0.01, 20_000, shape="1-sqrt"),
    "Decay": cyclr.Decay(0.1, 0.9999),
    "Steps": cyclr.Steps(0.1, 1000, 0.5),
    "composed": (cyclr.Triangular2(0.001, 0.006, 200, cycles=4) * 0.5)
    .warmup(100)
    .then(cyclr.Cosine(0.001, 0, 9000))
    .clip(1e-5, 1),
    "mirrored": cyclr.OneCycle(0.1, 20_000).mirror(0.85, 0.95),
}
LINEAR = list(SCHEDULES)[:8]  # of these float32 asks more


def iterations() -> list[int]:
    """Return corners, and random iterations, up to 10^8."""
    draw = random.Random(0)
    corners = [0, 1, 50, 77, 100, 154, 1000, 1999, 2000, 2001, 4000, 6000, 20_000, 20_001, 10**8]
    return corners + [int(10 ** draw.uniform(0, 8)) for _ in range(2000)]


def numpy_ways() -> dict[str, Callable[..., Any]]:
    import numpy as np

    return {
        f"NumPy {np.__version__}, float64": lambda schedule, i: schedule(np.array(i)),
    }


def torch_ways() -> dict[str, Callable[..., Any]]:
    import torch

    name = f"torch {torch.__version__.partition('+')[0]}"
    return {
        f"{name}, float64": lambda s, i: s(torch.tensor(i, dtype=torch.float64)).tolist(),
        f"{name}, float32": lambda s, i: s(torch.tensor(i)).tolist(),
    }


def tensorflow_ways() -> dict[str, Callable[..., Any]]:
    import tensorflow as tf

    name = f"TensorFlow {tf.__version__}"
    return {
        f"{name}, eager, float64": lambda s, i: s(tf.constant(i, tf.int64)).numpy(),
        f"{name}, graph, float64": lambda s, i: tf.function(s)(tf.constant(i, tf.int64)).numpy(),
    }


def jax_ways() -> dict[str, Callable[..., Any]]:
    import jax
    import numpy as np

    name = f"JAX {jax.__version__}"
    return {
        f"{name}, eager, float32": lambda s, i: np.asarray(s(jax.numpy.asarray(i))),
        f"{name}, jit, float32": lambda s, i: np.asarray(jax.jit(s)(jax.numpy.asarray(i))),
    }


def mxnet_ways() -> dict[str, Callable[..., Any]]:
    import mxnet
    from cyclr_mxnet import Scheduler

    return {  # MXNet counts the first update as 1
        f"MXNet {mxnet.__version__}, adapter": lambda s, i: [Scheduler(s)(n + 1) for n in i],
    }


def largest_difference(schedule: cyclr.Schedule, way: Callable[..., Any], i: list[int]) -> float:
    """Return the largest relative difference of a framework's values from the numbers'."""
    gamma, every = getattr(schedule, "gamma", 1.0), getattr(schedule, "every", 1)
    i = [n for n in i if abs(n // every * math.log(gamma)) <= 10]
    pairs = zip(way(schedule, i), map(schedule, i), strict=True)
    return max(abs(float(a) - b) / b if b else abs(float(a)) for a, b in pairs)


def measure() -> None:
    """Add to the result what the frameworks of this environment give."""
    result = json.loads(RESULT.read_text())
    i = iterations()
    for ways in (numpy_ways, torch_ways, tensorflow_ways, jax_ways, mxnet_ways):
        try:
            found = ways()
        except ImportError as error:
            print(f"left out: {error}")
            continue
        for name, way in found.items():
            column = {key: largest_difference(s, way, i) for key, s in SCHEDULES.items()}
            for key, difference in column.items():
                single = SHARP if key in LINEAR else CLOSE
                check(name, key, difference, single if "float32" in name else EXACT)
            result["called"][name] = column
            print(f"{name}: at most {max(column.values()):.1e}")
    for package, run in used_rates.RUNS.items():
        try:
            name = f"{package} {importlib.import_module(package).__version__.partition('+')[0]}"
        except ImportError as error:
            print(f"left out: {error}")
            continue
        column = {key: used_rates.largest_difference(key, run) for key in used_rates.SCHEDULES}
        for key, difference in column.items():
            check(name, key, difference, used_rates.allowed(package, key))
        result["used"][name] = column
        print(f"{name} used: at most {max(column.values()):.1e}")
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


def check(name: str, key: str, difference: float, allowed: float) -> None:
    """Refuse a difference that is larger than allowed."""
    if not difference <= allowed:
        raise ValueError(f"{name}, {key}: {difference:.1e} must be at most {allowed}")


def report() -> None:
    """Print the tables: schedules that were called, and what optimizers used."""
    for result in json.loads(RESULT.read_text()).values():
        print("\n| schedule | " + " | ".join(result) + " |")
        print("| --- |" + " ---: |" * len(result))
        for key in SCHEDULES:
            cells = (f"{column[key]:.0e}" if column[key] else "0" for column in result.values())
            print(f"| {key} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--report", action="store_true", help="print the tables")
    report() if parser.parse_args().report else measure()
