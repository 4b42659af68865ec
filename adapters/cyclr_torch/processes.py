"""Processes: those that train one model together, and come to one decision."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

__all__ = ["Processes"]

PATIENCE = timedelta(seconds=30)  # how long a process that failed waits for others to hear of it
WIDTH = 6  # numbers that each says at a meeting


class Processes:
    """The processes that train *model* together; of a model that isn't wrapped, this one alone.

    They meet at the same points of the program, and say numbers. What raises in the block whose
    context manager this is, is told at the next meeting, where the others raise, too: unless they
    wait for the failed one inside the model. It gives up on them after a while, and its end
    releases them. Meetings have a group of their own, on the CPU, so that they can't be taken for
    one of the model's collectives.
    """

    def __init__(self, model: nn.Module) -> None:
        ranks = _ranks(model)
        self.count = len(ranks) or 1
        self.index = 0
        self._group: Any = None
        self._told = False
        if self.count > 1:
            self._group = _meeting_place(tuple(ranks))
            self.index = dist.get_group_rank(self._group, dist.get_rank())

    def meet(self, *numbers: float) -> list[list[float]]:
        """Wait for all, and return the numbers of each, in the same order everywhere."""
        if self._group is None:
            return [list(numbers)]
        rows = self._said(0.0, *numbers)
        if any(failed for failed, *_ in rows):
            raise RuntimeError("range_test failed in " + "; ".join(self._failures("")))
        return [row[1 : 1 + len(numbers)] for row in rows]

    def means(self, *numbers: float) -> Sequence[float]:
        """Return the mean of each number over all, to the bit the same everywhere."""
        if self._group is None:
            return numbers
        return [sum(column) / self.count for column in zip(*self.meet(*numbers), strict=True)]

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.meet()
        elif self._group is not None and not self._told:
            # Whatever comes of telling it, the error itself is what the user has to see.
            with suppress(Exception):
                self._said(1.0, timeout=PATIENCE)
                self._failures(f"{type(error).__name__}: {error}")

    def _said(self, *numbers: float, timeout: timedelta | None = None) -> list[list[float]]:
        """Return a row for each, which it has filled: a sum is what can time out, and is exact."""
        rows = torch.zeros(self.count, 1 + WIDTH, dtype=torch.float64)
        rows[self.index, : len(numbers)] = torch.tensor(numbers, dtype=torch.float64)
        options = dist.AllreduceOptions()
        if timeout is not None:
            options.timeout = timeout
        self._group.allreduce([rows], options).wait()
        return rows.tolist()

    def _failures(self, own: str) -> list[str]:
        """Return what failed, each with its rank, once all know that something did."""
        self._told = True
        texts: list[Any] = [None] * self.count
        dist.all_gather_object(texts, own, self._group)
        ranks = dist.get_process_group_ranks(self._group)
        return [f"process {rank}: {text}" for rank, text in zip(ranks, texts, strict=True) if text]


_meeting_places: WeakKeyDictionary[Any, dict[tuple[int, ...], Any]] = WeakKeyDictionary()


def _meeting_place(ranks: tuple[int, ...]) -> Any:
    """Return the group in which these processes meet, which lasts as long as torch's own.

    Torch would connect a new group by what it remembers of one that had been there and gone.
    """
    groups = _meeting_places.setdefault(dist.group.WORLD, {})
    if ranks not in groups:
        groups[ranks] = dist.new_group(list(ranks), backend="gloo", use_local_synchronization=True)
    return groups[ranks]


def _ranks(model: nn.Module) -> list[int]:
    """Return the processes that train the model together, if it is wrapped."""
    if not dist.is_available() or not dist.is_initialized():
        return []
    for module in model.modules():
        if isinstance(module, DistributedDataParallel):
            return dist.get_process_group_ranks(module.process_group)
        if hasattr(module, "sharding_strategy"):  # FSDP, the first of its name
            return list(range(dist.get_world_size()))
    for parameter in model.parameters():
        mesh = getattr(parameter, "device_mesh", None)  # fully_shard, tensor parallelism
        if mesh is not None:
            return mesh.mesh.flatten().tolist()  # type: ignore[no-any-return]
    return []
