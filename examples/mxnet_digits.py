"""Train a small network on scikit-learn's digits with bounds from a range test.

pip install "cyclr[mxnet]" scikit-learn    (MXNet 1.9.1 needs Python 3.11 or below)
python examples/mxnet_digits.py
"""

import mxnet as mx
import numpy as np
from cyclr_mxnet import Scheduler, range_test
from mxnet import autograd, gluon, nd
from sklearn.datasets import load_digits

from cyclr import Triangular2

EPOCHS = 4


def train(optimizer, settings, tuned, seed=0):
    """Return the accuracy on held-out digits, and the bounds if there was a range test."""
    mx.random.seed(seed)
    np.random.seed(seed)
    images, labels = load_digits(return_X_y=True)
    order = np.random.permutation(len(images))
    images, labels = nd.array(images[order] / 16), nd.array(labels[order])
    digits = gluon.data.ArrayDataset(images[:1348], labels[:1348])
    batches = gluon.data.DataLoader(digits, batch_size=32, shuffle=True)
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(64, activation="relu"), gluon.nn.Dense(10))
    net.initialize(mx.init.Xavier())
    net.hybridize()
    trainer = gluon.Trainer(net.collect_params(), optimizer, settings)
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()

    bounds = None
    if tuned:
        bounds = range_test(net, trainer, loss_fn, batches).bounds()
        schedule = bounds.schedule(Triangular2, step_size=len(batches))
        trainer.optimizer.lr_scheduler = Scheduler(schedule)

    for _ in range(EPOCHS):
        for inputs, targets in batches:
            with autograd.record():
                loss = loss_fn(net(inputs), targets)
            loss.backward()
            trainer.step(len(inputs))

    return (net(images[1348:]).argmax(1) == labels[1348:]).mean().asscalar(), bounds


if __name__ == "__main__":
    accuracy, bounds = train("adam", {}, tuned=True)
    print(bounds)
    print(f"Triangular2 between these bounds:  {accuracy:.1%}")
    print(f"Adam's own default, 0.001:         {train('adam', {}, tuned=False)[0]:.1%}")
