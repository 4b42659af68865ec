"""Write the range-test logs that the tests read: real ones, good and of every trouble.

    OMP_NUM_THREADS=1 KERAS_BACKEND=torch python -m benchmarks.range_test_logs

Needs PyTorch and scikit-learn, and Keras for the logs that Keras makes.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_diabetes, load_digits
from torch import nn

from cyclr.schedules import Exponential

FOLDER = Path(__file__).parents[1] / "tests" / "range_test" / "data"
Rows = list[tuple[float, ...]]
Batch = tuple[torch.Tensor, torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Optimizer = Callable[[Any], torch.optim.Optimizer]


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=1.0)


def momentum(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=1.0, momentum=0.9)


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=1.0)


def digits() -> Batch:
    inputs, targets = load_digits(return_X_y=True)
    return torch.as_tensor(inputs / 16, dtype=torch.float32), torch.as_tensor(targets)


def diabetes() -> Batch:
    inputs, targets = load_diabetes(return_X_y=True)
    targets = (targets - targets.mean()) / targets.std()
    return (
        torch.as_tensor(inputs / inputs.std(0), dtype=torch.float32),
        torch.as_tensor(targets, dtype=torch.float32)[:, None],
    )


def layers(*sizes: int) -> nn.Sequential:
    inward, hidden, outward = sizes
    return nn.Sequential(nn.Linear(inward, hidden), nn.ReLU(), nn.Linear(hidden, outward))


def likelihood(output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The negative log-likelihood of a normal distribution: below zero where it fits well."""
    mean, log_variance = output.split(1, dim=1)
    return nn.functional.gaussian_nll_loss(mean, 0.05 * targets, log_variance.exp())


def shuffled(data: Batch, size: int) -> Iterator[Batch]:
    while True:
        for chosen in reversed(torch.split(torch.randperm(len(data[0])), size)[:-1]):
            yield data[0][chosen], data[1][chosen]


def in_order(data: Batch, size: int) -> Iterator[Batch]:
    while True:
        yield from zip(*(torch.split(part, size)[:-1] for part in data), strict=True)


def exponential(start: float, end: float, iterations: int = 200) -> list[float]:
    ramp = Exponential(start, end, iterations - 1)
    return [ramp(i) for i in range(iterations)]


def linear(end: float, iterations: int) -> list[float]:
    return [end * (i + 1) / iterations for i in range(iterations)]


class Training:
    """A network, trained one batch at a time."""

    def __init__(
        self,
        data: Batch,
        network: nn.Module,
        loss: Loss,
        build: Optimizer,
        batches: Callable[[Batch, int], Iterator[Batch]] = shuffled,
        size: int = 32,
    ) -> None:
        self.network, self.loss = network, loss
        self.optimizer = build(network.parameters())
        self.stream = batches(data, size)

    def step(self, lr: float) -> float:
        return self.learn(*next(self.stream), lr)

    def learn(self, inputs: torch.Tensor, targets: torch.Tensor, lr: float) -> float:
        loss = self.loss(self.network(inputs), targets)
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss.item())

    def accuracy(self, data: Batch) -> float:
        with torch.no_grad():
            guesses = self.network(data[0]).argmax(1)
        return float((guesses == data[1]).float().mean().item())


def classification(build: Optimizer, lrs: Sequence[float], **how: Any) -> Rows:
    torch.manual_seed(0)
    data = digits()
    training = Training(data, layers(64, 64, 10), nn.functional.cross_entropy, build, **how)
    return [(lr, training.step(lr)) for lr in lrs]


def regression(build: Optimizer, lrs: Sequence[float], loss: Loss, outputs: int = 1) -> Rows:
    torch.manual_seed(0)
    training = Training(diabetes(), layers(10, 48, outputs), loss, build)
    return [(lr, training.step(lr)) for lr in lrs]


def accuracies(build: Optimizer, lrs: Sequence[float], every: int) -> Rows:
    """The accuracy on held-out digits, every so many iterations, as the paper plots it."""
    torch.manual_seed(0)
    x, y = digits()
    cut = len(x) * 3 // 4
    training = Training((x[:cut], y[:cut]), layers(64, 64, 10), nn.functional.cross_entropy, build)
    rows: Rows = []
    for i, lr in enumerate(lrs, start=1):
        training.step(lr)
        if i % every == 0:
            rows.append((lr, training.accuracy((x[cut:], y[cut:]))))
    return rows


def batch_accuracies(build: Optimizer, lrs: Sequence[float]) -> Rows:
    """The accuracy on the batch itself: there is nothing cheaper, and nothing noisier."""
    torch.manual_seed(0)
    training = Training(digits(), layers(64, 64, 10), nn.functional.cross_entropy, build)
    rows: Rows = []
    for lr in lrs:
        batch = next(training.stream)
        accuracy = training.accuracy(batch)
        training.learn(*batch, lr)
        rows.append((lr, accuracy))
    return rows


def keras_run(lrs: Sequence[float]) -> Rows:
    """What Keras hands to a callback after each batch: the mean so far, in epochs of 57."""
    import keras

    keras.utils.set_random_seed(0)
    x, y = (part.numpy() for part in digits())
    network = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(lrs[0], momentum=0.9), loss)
    rows: Rows = []

    class Ramp(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_begin(self, *_: Any, **__: Any) -> None:
            network.optimizer.learning_rate = lrs[min(len(rows), len(lrs) - 1)]

        def on_train_batch_end(self, *_: Any, logs: Any) -> None:
            if len(rows) < len(lrs):
                rows.append((lrs[len(rows)], logs["loss"]))

    network.fit(x, y, batch_size=32, epochs=-(-len(lrs) // 57), verbose=0, callbacks=[Ramp()])
    return rows


RAMP = exponential(1e-6, 10.0)
LOGS: dict[str, Callable[[], Rows]] = {
    "digits_sgd": lambda: classification(sgd, RAMP),
    "digits_momentum": lambda: classification(momentum, RAMP),
    "digits_adam": lambda: classification(adam, RAMP),
    # To the end: what a test that knows no stop would log.
    "diverges": lambda: regression(sgd, RAMP, nn.functional.mse_loss),
    "below_zero": lambda: regression(adam, RAMP, likelihood, outputs=2),
    "starts_diverged": lambda: regression(sgd, exponential(3.0, 1e3), nn.functional.mse_loss),
    "never_diverges": lambda: classification(sgd, exponential(1e-6, 0.3)),
    "not_shuffled": lambda: classification(
        sgd, exponential(1e-6, 10.0, 400), batches=in_order, size=64
    ),
    "keras": lambda: keras_run(exponential(1e-6, 10.0, 400)),
    "accuracy": lambda: accuracies(momentum, linear(1.0, 1000), every=10),
    "batch_accuracy": lambda: batch_accuracies(momentum, exponential(1e-5, 10.0, 400)),
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, write in LOGS.items():
        rows = [",".join(f"{value:.6g}" for value in row) for row in write()]
        column = "accuracy" if name.endswith("accuracy") else "loss"
        (FOLDER / f"{name}.csv").write_text("\n".join([f"lr,{column}", *rows]) + "\n")
        print(f"{name}.csv: {len(rows)} rows")
