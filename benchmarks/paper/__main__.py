"""Train the CIFAR-10 runs of the paper again, and set the results beside its numbers.

    python -m benchmarks.paper --data cifar-10-batches-py            # every run, seed 0
    python -m benchmarks.paper --data cifar-10-batches-py --runs triangular2 decay --seeds 0 1 2
    python -m benchmarks.paper --report                              # table and figures so far

A run that was interrupted goes on from its checkpoint when the same command is given again, and
ends with the same bits as if nothing had happened, on the same machine with the same number of
threads. Runs are independent: give different ones to different processes.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.paper.bounds import with_own_bounds
from benchmarks.paper.data import read
from benchmarks.paper.report import report
from benchmarks.paper.runs import RUNS
from benchmarks.paper.training import train

RESULTS = Path(__file__).parents[1] / "results" / "paper"


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    head, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        "python -m benchmarks.paper",
        description=head,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="cifar-10-batches-py, or an .npz of the same")
    parser.add_argument("--runs", nargs="+", default=list(RUNS), choices=RUNS, metavar="RUN")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="SEED")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="of a CPU")
    parser.add_argument("--stop-at", type=int, metavar="ITERATION", help="and go on another time")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints", "paper"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="train nothing")
    chosen = parser.parse_args(argv)
    if chosen.data is None and not chosen.report:
        parser.error("--data must be given, or --report")
    return chosen


def main(argv: Sequence[str] | None = None) -> None:
    chosen = arguments(argv)
    if not chosen.report:
        torch.set_num_threads(chosen.threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.allow_tf32 = False
        data = read(chosen.data, chosen.device)
        for seed in chosen.seeds:
            for run in map(RUNS.__getitem__, chosen.runs):
                train(
                    with_own_bounds(run, seed, data) if run.own_bounds else run,
                    seed,
                    data,
                    chosen.checkpoints,
                    chosen.results,
                    stop_at=chosen.stop_at,
                )
    report(chosen.results)


if __name__ == "__main__":
    main()
