"""Train a small network on scikit-learn's digits with bounds from a range test.

pip install "cyclr[tensorflow]" scikit-learn
python examples/tensorflow_digits.py
"""

import keras
from cyclr_tensorflow import Scheduler, range_test
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from cyclr import Triangular2

EPOCHS = 4


def train(make_optimizer, tuned, seed=0):
    """Return the accuracy on held-out digits, and the bounds if there was a range test."""
    keras.utils.set_random_seed(seed)
    images, labels = load_digits(return_X_y=True)
    inputs, held_out, targets, held_out_targets = train_test_split(
        images.astype("float32") / 16, labels, test_size=0.25, random_state=seed
    )
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(make_optimizer(), loss=loss, metrics=["accuracy"])

    bounds = None
    if tuned:
        bounds = range_test(model, (inputs, targets), batch_size=32).bounds()
        schedule = bounds.schedule(Triangular2, step_size=len(inputs) // 32)
        model.compile(make_optimizer(Scheduler(schedule)), loss=loss, metrics=["accuracy"])

    model.fit(inputs, targets, batch_size=32, epochs=EPOCHS, verbose=0)
    return model.evaluate(held_out, held_out_targets, verbose=0)[1], bounds


if __name__ == "__main__":
    accuracy, bounds = train(keras.optimizers.Adam, tuned=True)
    print(bounds)
    print(f"Triangular2 between these bounds:  {accuracy:.1%}")
    print(f"Adam's own default, 0.001:         {train(keras.optimizers.Adam, tuned=False)[0]:.1%}")
