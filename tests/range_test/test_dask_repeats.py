"""repeat in the processes of a local Dask cluster, whose executor it takes as it is."""

import os
import pathlib
import subprocess
import sys

import pytest
from dask.distributed import Client, LocalCluster

import runs
from cyclr import repeat

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "dask_repeat.py"


@pytest.fixture(scope="module")
def client():
    arguments = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**arguments) as cluster, Client(cluster) as client:
        yield client


def test_its_executor_is_taken_as_it_is(client):
    repeats = repeat(runs.run, range(6), client.get_executor(), progress=False)

    assert list(repeats.each) == list(range(6))
    assert os.getpid() not in {test.process for test in repeats.results.values()}
    assert repeats.bounds().max_lr == runs.run(0).bounds().max_lr


def test_what_dies_is_reported_and_the_rest_is_kept(client):
    repeats = repeat(runs.mortal, range(6), client.get_executor(retries=0), progress=False)

    assert {0, 1} <= repeats.each.keys() <= {0, 1, 4, 5}
    assert repeats.each.keys() | repeats.failures.keys() == set(range(6))
    assert str(repeats.failures.pop(2)) == "seed 2"
    assert 3 in repeats.failures
    # What waited on the workers that died, Dask may have given up with it.
    assert {type(error).__name__ for error in repeats.failures.values()} == {"KilledWorker"}


def test_the_example_runs():
    result = subprocess.run(
        [sys.executable, EXAMPLE],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("max_lr")
    assert result.stderr.count("range test ") == 4
