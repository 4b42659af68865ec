"""How a learning rate rises: shapes on t in [0, 1], from 0 to 1; a fall is a rise mirrored in time.

Each is written so that it loses no digit where it is near 0, which is where a learning rate
near its lower bound is decided: 1 - cos, 1 - (1-t)^2 and 1 - sqrt(1-t) would cancel there.
"""

import math
from collections.abc import Callable
from typing import Any

__all__ = ["RISES", "Rise"]

Rise = Callable[[Any, Any, Any], Any]
"""A rise is called with t, the namespace for its kind of number, and the power."""


def cosine(t: Any, xp: Any, power: Any) -> Any:  # noqa: ARG001
    """Rise as sin^2(pi t / 2), half a cosine: the Hann window."""
    sine = xp.sin(t * (math.pi / 2))
    return sine * sine


def parabolic(t: Any, xp: Any, power: Any) -> Any:  # noqa: ARG001
    """Rise as 1 - (1-t)^2: the Welch window."""
    return t * (2 - t)


def polynomial(t: Any, xp: Any, power: Any) -> Any:  # noqa: ARG001
    """Rise as t^power."""
    return t**power


def one_minus_sqrt(t: Any, xp: Any, power: Any) -> Any:  # noqa: ARG001
    """Rise as 1 - sqrt(1-t)."""
    return t / (1 + xp.sqrt(1 - t))


RISES: dict[str, Rise | None] = {
    "linear": None,  # t itself, for which no call is made
    "cosine": cosine,
    "parabolic": parabolic,
    "polynomial": polynomial,
    "1-sqrt": one_minus_sqrt,
}
