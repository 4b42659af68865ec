"""Settings of the whole suite, and which frameworks it runs with."""

import importlib.util
import os

import pytest
from hypothesis import HealthCheck, settings

# Shared machines are slow at times, which is no error; and a failure is the same on every run.
settings.register_profile(
    "cyclr", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# For one more Python, which may differ in what it has, and hardly in some value of an argument.
settings.register_profile("another_python", settings.get_profile("cyclr"), max_examples=20)
settings.load_profile("cyclr")

FRAMEWORKS = (
    *("numpy", "sklearn", "torch", "tensorflow", "keras", "jax", "optax", "mxnet"),
    *("tensorboard", "plotly", "playwright"),
    *("schedulefree", "pytorch_optimizer", "dask", "lightning", "transformers", "accelerate"),
    *("matplotlib", "nbclient", "lightgbm", "array_api_strict"),
)
"""Modules named test_<framework>*.py or <what>_of_<framework>.py need that framework."""

named = os.environ.get("CYCLR_FRAMEWORKS")
"""The frameworks of this run, with spaces between; if not set, those that are installed."""

present = [name for name in FRAMEWORKS if importlib.util.find_spec(name)]
wanted = present if named is None else named.split()
left_out = [name for name in FRAMEWORKS if name not in wanted]
# At the top of the tests, and below.
collect_ignore_glob = [f"{at}*_{name}*.py" for name in left_out for at in ("", "**/")]


def pytest_configure(config):
    config.addinivalue_line("markers", "framework(name): needs a framework that has no module")
    missing = set(wanted) - set(present)
    if missing:
        raise pytest.UsageError(f"CYCLR_FRAMEWORKS names what is not installed: {sorted(missing)}")


def pytest_report_header():
    return f"frameworks: {' '.join(wanted) or 'none'}; left out: {' '.join(left_out) or 'none'}"


def pytest_collection_modifyitems(config, items):
    """Leave out what is marked for a framework that this run has not."""
    kept, left_out = [], []
    for item in items:
        needs = [name for mark in item.iter_markers("framework") for name in mark.args]
        (kept if all(name in wanted for name in needs) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
