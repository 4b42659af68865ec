"""A small neural network in plain Python: 64 pixels, 32 rectified units, 10 digits.

    hidden = relu(x W1ᵀ + b1)
    scores = hidden W2ᵀ + b2
    loss   = -log softmax(scores)[label]

trained by gradient descent with momentum: velocity = momentum * velocity + gradient;
weight -= lr * velocity. A constant 1 at the end of each input carries the biases b1 and b2
as one more column of W1 and W2.
"""

import math
import random
from collections.abc import Sequence
from operator import mul

__all__ = ["Network"]

Matrix = list[list[float]]


def _times(a: Matrix, b: Matrix) -> Matrix:
    """Return a bᵀ: rows of *a* with rows of *b*."""
    return [[sum(map(mul, x, y)) for y in b] for x in a]


def _transposed(a: Matrix) -> Matrix:
    return [list(column) for column in zip(*a, strict=True)]


class Network:
    """A network with one hidden layer; the *seed* decides its first weights."""

    def __init__(
        self,
        inputs: int = 64,
        hidden: int = 32,
        classes: int = 10,
        momentum: float = 0.9,
        seed: int = 0,
    ) -> None:
        gauss = random.Random(seed).gauss
        # He's start: the variance 2 / inputs keeps the signal's size through rectified units.
        self.w1 = [
            [gauss(0, math.sqrt(2 / inputs)) for _ in range(inputs)] + [0.0] for _ in range(hidden)
        ]
        self.w2 = [
            [gauss(0, math.sqrt(2 / hidden)) for _ in range(hidden)] + [0.0] for _ in range(classes)
        ]
        self.momentum = momentum
        self.v1 = [[0.0] * (inputs + 1) for _ in range(hidden)]
        self.v2 = [[0.0] * (hidden + 1) for _ in range(classes)]

    def train(self, images: Matrix, labels: Sequence[int], lr: float) -> float:
        """Take one step at the rate *lr* on one batch; return the batch's mean loss before it."""
        x = [[*image, 1.0] for image in images]
        h, scores = self._forward(x)

        loss, errors = 0.0, []  # errors: d loss / d scores = (softmax - label) / batch size
        for row, label in zip(scores, labels, strict=True):
            top = max(row)
            powers = [math.exp(score - top) for score in row]
            total = sum(powers)
            loss += (math.log(total) + top - row[label]) / len(labels)
            error = [power / total / len(labels) for power in powers]
            error[label] -= 1 / len(labels)
            errors.append(error)

        back = _times(errors, _transposed(self.w2)[:-1])
        hidden_errors = [
            [error if unit > 0 else 0.0 for error, unit in zip(row, units[:-1], strict=True)]
            for row, units in zip(back, h, strict=True)
        ]
        self._descend(self.w2, self.v2, _times(_transposed(errors), _transposed(h)), lr)
        self._descend(self.w1, self.v1, _times(_transposed(hidden_errors), _transposed(x)), lr)
        return loss

    def accuracy(self, images: Matrix, labels: Sequence[int]) -> float:
        """Return the share of *images* whose highest score is their label's."""
        _, scores = self._forward([[*image, 1.0] for image in images])
        guesses = [row.index(max(row)) for row in scores]
        return sum(map(int.__eq__, guesses, labels)) / len(labels)

    def _forward(self, x: Matrix) -> tuple[Matrix, Matrix]:
        h = [[max(0.0, unit) for unit in row] + [1.0] for row in _times(x, self.w1)]
        return h, _times(h, self.w2)

    def _descend(self, weights: Matrix, velocities: Matrix, gradients: Matrix, lr: float) -> None:
        for w, v, g in zip(weights, velocities, gradients, strict=True):
            v[:] = [self.momentum * old + new for old, new in zip(v, g, strict=True)]
            w[:] = [weight - lr * velocity for weight, velocity in zip(w, v, strict=True)]
