"""A line at the bottom of a terminal that says how far a long reading is."""

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from cyclr.logs import Log

__all__ = ["Progress"]

PATIENCE = 1.0  # seconds before there is a line: most logs are read in less
PAUSE = 0.1  # seconds between two of them


class Progress:
    """Show on *stream* how far logs are read, if it is a terminal and it takes long.

    tqdm would say as much and be a dependency; the adapters, which have it, use it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0  # characters

    def watch(self, log: "Log") -> Iterable[tuple[float, float]]:
        """Return the pairs of *log*, which will be watched as they are taken."""
        return self._watched(log) if self._stream.isatty() else log

    def clear(self) -> None:
        """Remove the line, to make room for another."""
        if self._shown:
            self._write("")

    def _watched(self, log: "Log") -> Iterator[tuple[float, float]]:
        start = monotonic()
        due = start + PATIENCE
        try:
            for pair in log:
                yield pair
                if (now := monotonic()) >= due:
                    due = now + PAUSE
                    self._write(_line(log, pair, now - start))
        finally:
            self.clear()

    def _write(self, line: str) -> None:
        self._stream.write(f"\r{line:{self._shown}}\r{line}")
        self._stream.flush()
        self._shown = len(line)


def _line(log: "Log", pair: tuple[float, float], seconds: float) -> str:
    if log.progress:
        left = seconds / log.progress - seconds
        return f"{log.rows:,} rows, {log.progress:.0%}, {left:.0f} s left"
    return f"{log.rows:,} rows, lr {pair[0]:.2g}, loss {pair[1]:.4g}"
