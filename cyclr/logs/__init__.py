"""Logs of range tests as pairs (lr, loss), whatever wrote them.

One way through, each module knowing only what comes before it:

    sources (bytes) -> lines -> a format (rows) -> pairs -> recognition -> log

A format is a module: a class that cuts a log into records and reads a record as a row, that is, as
fields by name. What is a learning rate or a loss, and what belongs together, is not its affair.
"""

from cyclr.logs._errors import BadRow, RewrittenLog, UnusableLog
from cyclr.logs._log import Log, read_log
from cyclr.logs._sources import find_logs

__all__ = ["BadRow", "Log", "RewrittenLog", "UnusableLog", "find_logs", "read_log"]
