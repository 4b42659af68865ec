"""Logs of range tests as pairs (lr, loss), whatever wrote them.

A format is a module: a class that is made from a file's first lines and turns a line into a pair.
"""

from cyclr.logs._errors import BadRow, UnusableLog
from cyclr.logs._log import Log, read_log

__all__ = ["BadRow", "Log", "UnusableLog", "read_log"]
