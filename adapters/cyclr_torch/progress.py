"""Progress: the bar of a range test."""

from collections.abc import MutableMapping
from typing import Any

from tqdm.auto import tqdm

from cyclr.range_test import RangeTest

__all__ = ["Bar"]


class Bar(tqdm):  # type: ignore[type-arg]
    """A bar that shows how far a test is, and the learning rate and the loss that came last.

    They are put into words where it is drawn, some times a second, and not at each update.
    """

    def __init__(self, test: RangeTest, *, disable: bool) -> None:
        self._test = test
        super().__init__(test, desc="range test", disable=disable)

    @property
    def format_dict(self) -> MutableMapping[str, Any]:
        """What is drawn."""
        shown = super().format_dict
        for lr, loss in self._test.points[-1:]:
            shown["postfix"] = f"lr={lr:.2e}, loss={loss:.4g}"
        return shown
