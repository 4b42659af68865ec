"""Run range tests of a small network in the processes of a Dask cluster, and combine them.

pip install cyclr distributed
python examples/dask_repeat.py
"""

from dask.distributed import Client, LocalCluster

from cyclr import RangeTest, repeat
from cyclr.demo import batches
from cyclr.demo.data import load
from cyclr.demo.network import Network


def run(seed):
    """Return the range test of a network; the seed decides its weights, and its batches."""
    digits, _ = load()
    network = Network(momentum=0.9, seed=seed)
    test = RangeTest(start_lr=1e-4, end_lr=10.0, iterations=100, optimizer="sgd", momentum=0.9)
    for lr, (images, labels) in zip(test, batches(digits, seed), strict=False):
        test.record(network.train(images, labels, lr))
    return test


if __name__ == "__main__":
    # For the machines of a cluster: Client("scheduler:8786"), and nothing else changes.
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        repeats = repeat(run, seeds=range(4), executor=client.get_executor())
    print(repeats.bounds())
