"""Handover: how a spawned process gives a value to the process that spawned it."""

import json
from typing import Any

import torch

__all__ = ["Handover"]


class Handover:
    """A place for one value, as JSON, that spawned processes share with the one that spawns.

    Lightning's ``ddp_spawn`` trains in processes that have a copy of everything, and brings
    back the weights and the metrics alone. The memory of a shared tensor is not copied.
    """

    def __init__(self, capacity: int):
        self._memory: Any = torch.zeros(capacity, dtype=torch.uint8)
        self._memory.share_memory_()  # type: ignore[no-untyped-call]

    def put(self, value: Any) -> None:
        """Give the value; it replaces the one before."""
        data = json.dumps(value).encode().ljust(len(self._memory))
        self._memory.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))

    def get(self) -> Any:
        """Return the value, or None if there is none."""
        data = bytes(self._memory.tolist())
        return json.loads(data) if any(data) else None
