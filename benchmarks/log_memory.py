"""What `cyclr analyze` needs for logs of up to ten million rows: memory and processor time.

    python -m benchmarks.log_memory            # measure, in about ten minutes and 2 GB of /tmp
    python -m benchmarks.log_memory --report   # print the table of what was measured

Each log is written to a file and read by a process of its own, whose largest resident memory is
asked of the operating system.
"""

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "log_memory.json"
SIZES = 10_000, 1_000_000, 10_000_000  # rows

Rows = Iterator[tuple[int, float, float]]


def rows(count: int) -> Rows:
    """A range test: flat, then falling, then diverging."""
    for i in range(count):
        lr = 1e-6 * 1e7 ** (i / count)
        noise = i * 2654435761 % 1000 / 10_000
        yield i, lr, 2.3 - 2 / (1 + 0.01 / lr) + (lr / 3) ** 4 + noise


def csv(rows: Rows) -> Iterator[str]:
    yield "step,lr,loss\n"
    yield from (f"{i},{lr:.8g},{loss:.8g}\n" for i, lr, loss in rows)


def gaps(rows: Rows) -> Iterator[str]:
    """As Lightning's CSVLogger: a row is two lines."""
    yield "epoch,lr-SGD,step,train_loss\n"
    yield from (f",{lr:.8g},{i},\n0,,{i},{loss:.8g}\n" for i, lr, loss in rows)


def json_lines(rows: Rows) -> Iterator[str]:
    yield from (f'{{"step": {i}, "lr": {lr:.8g}, "loss": {loss:.8g}}}\n' for i, lr, loss in rows)


def text(rows: Rows) -> Iterator[str]:
    yield from (f"step {i}: lr={lr:.8g} loss={loss:.8g}\n" for i, lr, loss in rows)


FORMATS: dict[str, tuple[Callable[[Rows], Iterator[str]], Callable[..., Any]]] = {
    "CSV": (csv, open),
    "CSV, gzip": (csv, gzip.open),
    "CSV with gaps, two lines a row": (gaps, open),
    "JSON Lines": (json_lines, open),
    "text": (text, open),
}


def measure(path: Path) -> dict[str, float]:
    """Analyse the log in a process of its own."""
    command = [sys.executable, "-m", "cyclr", "analyze", "--json", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    bounds = json.load(process.stdout)["bounds"]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert bounds
    return {
        "MB of file": round(path.stat().st_size / 1e6, 1),
        "MB of memory": round(usage.ru_maxrss * 1024 / 1e6, 1),  # Linux counts in KiB
        "seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "max_lr": float(f"{bounds['max_lr']:.3g}"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true")
    if not parser.parse_args().report:
        results: dict[str, Any] = {"machine": f"Python {platform.python_version()}, Linux"}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "log")
            for name, (write, opened) in FORMATS.items():
                for count in SIZES:
                    with opened(path, "wt") as file:
                        file.writelines(write(rows(count)))
                    results.setdefault(name, {})[count] = measure(path)
                    print(name, count, results[name][count], flush=True)
                    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    results = json.loads(RESULT.read_text())
    print(results.pop("machine"))
    print("\n| log | rows | file, MB | memory, MB | seconds | max_lr |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, sizes in results.items():
        for count, result in sizes.items():
            print(f"| {name} | {int(count):,} | {' | '.join(map(str, result.values()))} |")


if __name__ == "__main__":
    main()
