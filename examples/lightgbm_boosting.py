"""Boost trees at a learning rate that falls: LightGBM takes a schedule as it is.

pip install cyclr lightgbm scikit-learn
python examples/lightgbm_boosting.py
"""

import lightgbm
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from cyclr import Constant, Exponential

ROUNDS = 200  # what LightGBM calls an iteration is a tree
USUAL = Constant(0.1)  # LightGBM's default
FALLING = Exponential(0.3, 0.003, ROUNDS)


def train(schedule, seed=0):
    """Return the model, and its loss on held-out patients."""
    x, y = load_breast_cancer(return_X_y=True)
    x, held_x, y, held_y = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=y)
    model = lightgbm.train(
        {"objective": "binary", "num_leaves": 7, "verbosity": -1, "seed": seed, "num_threads": 1},
        lightgbm.Dataset(x, y),
        num_boost_round=ROUNDS,
        callbacks=[lightgbm.reset_parameter(learning_rate=schedule)],
    )
    return model, log_loss(held_y, model.predict(held_x))


if __name__ == "__main__":
    losses = [(train(USUAL, seed)[1], train(FALLING, seed)[1]) for seed in range(10)]
    usual, falling = (sum(each) / len(losses) for each in zip(*losses, strict=True))
    better = sum(b < a for a, b in losses)
    print(f"held-out loss at 0.1:               {usual:.3f}")
    print(f"held-out loss from 0.3 to 0.003:    {falling:.3f}, lower in {better} of 10 splits")
