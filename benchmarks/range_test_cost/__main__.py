"""What a range test costs in time and memory, beside Lightning's and pytorch-lr-finder's.

    pip install lightning torch-lr-finder
    OMP_NUM_THREADS=1 python -m benchmarks.range_test_cost --json FILE

Two networks: a small one, where all that is done around an update shows (`small.py`), and a large
one, for the memory (`large.py`). The same model, optimizer and batches for all finders, each in
processes of its own, in turns; all run as their documentation shows. The kept figures are
benchmarks/results/range_test_cost.json.
"""

import argparse
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from benchmarks.range_test_cost import large, small

SMALL = {
    "DataLoader": ["cyclr", "pytorch-lr-finder", "Lightning", "by hand"],
    "list": ["cyclr", "by hand"],  # the others need a DataLoader
    "DataLoader, 128": ["cyclr", "by hand"],
}
LARGE = ["cyclr", "pytorch-lr-finder", "Lightning"]
# What is freed stays with the process. Otherwise it is chance, in plain training too, whether the
# C library hands the memory of all gradients back at each update and has it cleared anew.
KEEP = {"MALLOC_TRIM_THRESHOLD_": str(2**33), "MALLOC_MMAP_THRESHOLD_": str(2**33)}


def in_a_process(*one: str, keep: bool = False) -> dict[str, Any]:
    """Return what is measured in a new process."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.range_test_cost", "--one", *one],
        env={**os.environ, **(KEEP if keep else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return dict(json.loads(result.stdout.splitlines()[-1]))


def one(network: str, name: str, how: str) -> dict[str, Any]:
    """Measure in this process."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if network == "small":
        return small.measured(name, how)
    return large.measured(name, gradients=how == "gradients")


def all_of_them(count: int) -> Iterator[dict[str, Any]]:
    """Measure everything, in turns; yield what there is after each round."""
    rounds: dict[str, list[dict[str, Any]]] = {}
    for _ in range(count):
        for kind, names in SMALL.items():
            for name in names:
                key = f"small, {kind}: {name}"
                rounds.setdefault(key, []).append(in_a_process("small", name, kind))
        for name in LARGE:
            for how in ("gradients", "no gradients"):
                key = f"large, {how}: {name}"
                rounds.setdefault(key, []).append(in_a_process("large", name, how, keep=True))
            key = f"large, memory handed back: {name}"
            rounds.setdefault(key, []).append(in_a_process("large", name, "gradients"))
        yield rounds


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"| {' | '.join(columns)} |")
    print(f"| --- |{' ---: |' * (len(columns) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def middle(rounds: list[dict[str, Any]], what: str) -> float:
    return statistics.median(each[what] for each in rounds)


def percent(rounds: list[dict[str, Any]], once: bool) -> str:
    """Return how much longer an iteration takes than plain training's, with the spread."""
    more = sorted(
        100 * ((each["test"] + once * each["once"] / small.RAMP.iterations) / each["plain"] - 1)
        for each in rounds
    )
    return f"{statistics.median(more):.1f} ({more[0]:.1f} to {more[-1]:.1f})"


def report(rounds: dict[str, Any]) -> None:
    """Print the tables."""
    rows = []
    for kind, names in SMALL.items():
        for name in names:
            these = rounds[f"small, {kind}: {name}"]
            rows.append(
                [
                    f"{name}, {kind}",
                    f"{middle(these, 'plain'):.0f}",
                    f"{middle(these, 'plain, loss not asked for'):.0f}",
                    f"{middle(these, 'test'):.0f}",
                    percent(these, once=False),
                    f"{middle(these, 'once') / 1000:.1f}",
                    percent(these, once=True),
                ]
            )
    columns = ["small network", "plain, µs", "without `item()`, µs", "test, µs", "more, %"]
    columns += ["once a test, ms", f"more with it, {small.RAMP.iterations} iterations, %"]
    table(columns, rows)

    rows = []
    for name in LARGE:
        these = rounds[f"large, gradients: {name}"]
        ratios = {
            how: sorted(
                each["seconds"] / each["iterations"] / statistics.mean(each["plain"])
                for each in rounds[f"large, {how}: {name}"]
            )
            for how in ("gradients", "memory handed back")
        }
        back = ratios["memory handed back"]
        rows.append(
            [
                name,
                f"{middle(these, 'iterations'):.0f}",
                f"{statistics.median(ratios['gradients']):.2f}",
                f"{statistics.median(back):.2f} ({back[0]:.2f} to {back[-1]:.2f})",
                f"{middle(these, 'memory'):.0f}",
                f"{middle(rounds[f'large, no gradients: {name}'], 'memory'):.0f}",
                f"{middle(these, 'file'):.0f}",
                ", ".join(these[0]["changed"]) or "nothing",
            ]
        )
    columns = ["large network", "iterations", "an iteration / plain", "... memory handed back"]
    columns += ["memory, MiB", "... without gradients", "file, MiB", "left changed"]
    table(columns, rows)
    weights = large.size(large.network())
    print(f"weights and buffers {weights:.0f} MiB; with Adam's state {3 * weights:.0f} MiB")
    plain = sorted(
        1000 * each
        for name in LARGE
        for one in rounds[f"large, memory handed back: {name}"]
        for each in one["plain"]
    )
    print(f"plain training with memory handed back: {plain[0]:.0f} to {plain[-1]:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("NETWORK", "FINDER", "HOW"))
    parser.add_argument("--rounds", type=int, default=5, help="of all, 5 unless told otherwise")
    parser.add_argument("--json", metavar="FILE", help="keep the figures, those of each round")
    parser.add_argument("--read", metavar="FILE", help="print the tables of kept figures")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(*arguments.one)))
        return
    if arguments.read:
        with open(arguments.read) as file:
            kept = json.load(file)
    else:
        version = f"torch {torch.__version__}, Python {platform.python_version()}"
        kept = {"versions": f"{version}, {platform.machine()}"}
        for rounds in all_of_them(arguments.rounds):
            kept["rounds"] = rounds
            if arguments.json:
                with open(arguments.json, "w") as file:
                    json.dump(kept, file, indent=1)
    print(kept["versions"], end="\n\n")
    report(kept["rounds"])


if __name__ == "__main__":
    main()
