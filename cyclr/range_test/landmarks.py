"""Landmarks: the learning rates at which something happens to the loss."""

import math
from dataclasses import dataclass

from cyclr.range_test.curve import Curve

__all__ = ["Landmarks", "wobble"]

SHARE = 1 / 3  # of the lagged minimum in the middle, on a logarithmic scale
GROUPS = 10  # left out in turn, to see how far the middle moves


@dataclass(frozen=True)
class Landmarks:
    """The learning rates at which something happens to the loss.

    - *onset*: the loss has come a tenth of its whole fall and does not go back.
    - *drop_90*: it has come nine tenths (centred average: no lag).
    - *minimum*: the lowest value of the lagged average, which goes on falling past the curve's
      own minimum until the damage outweighs what was won.
    - *edge*: the test diverged here, or `None`.

    Use them to draw the curve, and to see what a rule was given.
    """

    onset: float
    drop_90: float
    minimum: float
    edge: float | None

    @classmethod
    def of(cls, curve: Curve) -> "Landmarks":
        """Return the landmarks of *curve*; they mean something if it falls somewhere."""
        smooth = curve.centred
        bottom = min(smooth)
        ninth = next(i for i, x in enumerate(smooth) if x <= max(0.9 * bottom, bottom))
        flat = [i for i in range(ninth) if smooth[i] > 0.1 * bottom]
        lowest = min(range(len(smooth)), key=curve.lagged.__getitem__)
        return cls(
            onset=curve.lrs[flat[-1] + 1 if flat else 0],
            drop_90=curve.lrs[ninth],
            minimum=curve.lrs[lowest],
            edge=curve.edge,
        )

    @property
    def middle(self) -> float:
        """The weighted geometric mean of *drop_90* and *minimum*, from which our rule starts."""
        return math.pow(self.drop_90, 1 - SHARE) * math.pow(self.minimum, SHARE)


def wobble(curve: Curve) -> float:
    """Return how uncertain the *curve* leaves the middle of its landmarks: a sigma in decades.

    A jackknife: the middle without each tenth of the points (every tenth one, from the first, the
    second, ...). It knows the noise of this run, not how tasks or seeds differ.
    """
    middles = [
        math.log10(Landmarks.of(curve.without(GROUPS, offset)).middle) for offset in range(GROUPS)
    ]
    mean = sum(middles) / GROUPS
    return math.sqrt((GROUPS - 1) / GROUPS * sum((middle - mean) ** 2 for middle in middles))
