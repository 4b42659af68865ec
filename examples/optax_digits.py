"""Train a small network on scikit-learn's digits with bounds from a range test.

pip install "cyclr[optax]" flax scikit-learn
python examples/optax_digits.py
"""

import flax.linen as nn
import jax
import numpy as np
import optax
from cyclr_optax import range_test
from sklearn.datasets import load_digits

from cyclr import Triangular2

EPOCHS = 4


class Network(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(nn.relu(nn.Dense(64)(x)))


class Batches:
    """Batches of 32, in another order each time that they are gone through."""

    def __init__(self, images, labels, generator):
        self.images, self.labels, self.generator = images, labels, generator

    def __len__(self):
        return len(self.images) // 32

    def __iter__(self):
        order = self.generator.permutation(len(self.images))
        for rows in order[: 32 * len(self)].reshape(-1, 32):
            yield self.images[rows], self.labels[rows]


def train(make_optimizer, tuned, seed=0):
    """Return the accuracy on held-out digits, and the bounds if there was a range test."""
    images, labels = load_digits(return_X_y=True)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(images))
    images, labels = images[order].astype(np.float32) / 16, labels[order]
    batches = Batches(images[:1344], labels[:1344], generator)
    network = Network()
    parameters = network.init(jax.random.key(seed), images[:1])

    def loss_fn(parameters, inputs, targets):
        logits = network.apply(parameters, inputs)
        return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()

    def update(optimizer, state, batch, **given):
        parameters, memory = state
        loss, gradients = jax.value_and_grad(loss_fn)(parameters, *batch)
        updates, memory = optimizer.update(gradients, optax.tree.set(memory, **given))
        return (optax.apply_updates(parameters, updates), memory), loss

    lr, bounds = 0.001, None
    if tuned:
        settable = optax.inject_hyperparams(make_optimizer)(learning_rate=0.0)
        step = jax.jit(lambda state, batch, lr: update(settable, state, batch, learning_rate=lr))
        state = parameters, settable.init(parameters)
        bounds = range_test(step, state, batches, optimizer=make_optimizer.__name__).bounds()
        lr = bounds.schedule(Triangular2, step_size=len(batches))

    optimizer = make_optimizer(lr)  # optax takes a schedule as it is
    state = parameters, optimizer.init(parameters)
    step = jax.jit(lambda state, batch: update(optimizer, state, batch))
    for _ in range(EPOCHS):
        for batch in batches:
            state, _ = step(state, batch)

    predicted = network.apply(state[0], images[1344:]).argmax(1)
    return (predicted == labels[1344:]).mean().item(), bounds


if __name__ == "__main__":
    accuracy, bounds = train(optax.adam, tuned=True)
    print(bounds)
    print(f"Triangular2 between these bounds:  {accuracy:.1%}")
    print(f"Adam at 0.001:                     {train(optax.adam, tuned=False)[0]:.1%}")
