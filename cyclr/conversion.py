"""What the adapters say where another library's schedule has no equal, or not quite."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ConversionWarning", "conversion_of"]


class ConversionWarning(UserWarning):
    """A schedule differs from the one that it was made from, or keeps its defect."""


@contextmanager
def conversion_of(name: str) -> Iterator[None]:
    """Say which schedule of another library it was that has a value no schedule takes."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name} has no equal among the schedules: {error}") from None
