"""What can be wrong with a log, and with a row of it."""

from typing import NamedTuple

__all__ = ["BadRow", "MalformedRow", "RewrittenLog", "UnusableLog"]


class UnusableLog(ValueError):
    """A file holds nothing that can be read as a log; the message says what was found."""


class RewrittenLog(UnusableLog):
    """A file was written anew while it was followed: only its beginning is worth reading now."""


class MalformedRow(ValueError):
    """A row of a log is not a learning rate and a loss; the message says why."""


class BadRow(NamedTuple):
    """A row that was skipped; printed, it names the file, the line and the reason.

    >>> print(BadRow("log.csv", 17, "loss is empty"))
    log.csv:17: loss is empty

    In a TensorBoard event file the line is the number of the record.
    """

    log: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.log}:{self.line}: {self.reason}"
