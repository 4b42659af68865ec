"""The range test itself, run from one's own loop."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, SupportsFloat

from cyclr._checks import number, whole
from cyclr.range_test.analysis import analyze
from cyclr.range_test.bounds import Bounds
from cyclr.range_test.confirmation import Probe, confirm
from cyclr.range_test.divergence import Divergence
from cyclr.range_test.optimizers import prior
from cyclr.range_test.points import number_of
from cyclr.range_test.reasons import InconclusiveRangeTest
from cyclr.schedules import Exponential

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RangeTest"]


class RangeTest(Iterator[float]):
    """Run a learning-rate range test from any training loop.

    Learning rates rise from *start_lr* to *end_lr*, *iterations* in all, by the same factor each:

        lr(i) = start_lr * (end_lr / start_lr)^(i / (iterations - 1))

    They end with the ramp, or as soon as the loss diverges: when it is not finite, or stays above
    where it started by as much as it had fallen below and by more than its noise explains.

        >>> test = RangeTest(1e-3, 10.0, iterations=5)
        >>> for lr in test:
        ...     test.record(2.0 if lr < 0.5 else float("nan"))
        >>> [f"{lr:.3g}: {loss}" for lr, loss in test.points], test.diverged
        (['0.001: 2.0', '0.01: 2.0', '0.1: 2.0', '1: nan'], True)

    Train one batch at each learning rate, and record its loss before the update: the usual step.
    Each learning rate is recorded once, before the next, otherwise a `RuntimeError` says so. A
    second loop over the same test goes on where the first stopped, so that an interruption
    loses nothing; after the end there is nothing to go on with. `len(test)` is *iterations*.

    *optimizer* and *momentum* (see `analyze`) may be given here, so that `bounds()` knows them.
    *start_lr* is above 0, *end_lr* above *start_lr*, *iterations* at least 2, otherwise a
    `ValueError` says so. Use it where no adapter fits; 200 iterations are clearly better than 100.
    """

    def __init__(
        self,
        start_lr: float = 1e-6,
        end_lr: float = 10.0,
        iterations: int = 200,
        *,
        optimizer: str | None = None,
        momentum: float | None = None,
    ) -> None:
        start_lr = number("start_lr", start_lr, above=0)
        end_lr = number("end_lr", end_lr, above=start_lr)
        iterations = whole("iterations", iterations, at_least=2)
        prior(optimizer, momentum)  # refuses now what it would refuse after the test
        self.ramp = Exponential(start_lr, end_lr, iterations - 1)
        self.iterations = iterations
        self.optimizer = optimizer
        self.momentum = momentum
        self._divergence = Divergence()
        self._points: list[tuple[float, float]] = []
        self._accuracies: list[tuple[float, float]] = []
        self._lr: float | None = None  # given out and not yet recorded
        self._confirmed: Bounds | None = None

    def __len__(self) -> int:
        return self.iterations

    def __repr__(self) -> str:
        return (
            f"RangeTest({self.ramp.start!r}, {self.ramp.end!r}, {self.iterations}): "
            f"{len(self._points)} recorded{', diverged' if self.diverged else ''}"
        )

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The (learning rate, loss) pairs recorded so far."""
        return tuple(self._points)

    @property
    def accuracies(self) -> tuple[tuple[float, float], ...]:
        """The (learning rate, accuracy) pairs recorded so far."""
        return tuple(self._accuracies)

    @property
    def diverged(self) -> bool:
        """Whether the loss has diverged, which ends the test."""
        return self._divergence.diverged

    def __next__(self) -> float:
        if self._lr is not None:
            raise RuntimeError(
                f"the loss at lr {self._lr:.3g} must be recorded before the next learning rate. "
                "Hint: test.record(loss)"
            )
        if self._divergence.diverged or len(self._points) == self.iterations:
            raise StopIteration
        self._lr = self.ramp(len(self._points))
        return self._lr

    def record(self, loss: SupportsFloat, accuracy: SupportsFloat | None = None) -> None:
        """Record the *loss* at the learning rate that came last; not finite means diverged.

        An *accuracy* may come with it, for ``bounds(metric="accuracy")``.
        """
        if self._lr is None:
            raise RuntimeError(
                "a loss must be recorded once for each learning rate, after it. "
                "Hint: for lr in test: test.record(train_one_batch(lr))"
            )
        if type(loss) is not float:
            loss = number_of("loss", loss)
        if accuracy is not None:
            self._accuracies.append((self._lr, number_of("accuracy", accuracy)))
        self._points.append((self._lr, loss))
        self._lr = None
        self._divergence.add(loss)

    def bounds(
        self,
        *,
        optimizer: str | None = None,
        momentum: float | None = None,
        metric: str = "loss",
        rule: str | None = None,
    ) -> Bounds:
        """Return `analyze` of the points; what is not given here is taken from the constructor.

        With ``metric="accuracy"`` it is the accuracies that are read. Without any arguments, what
        was confirmed comes first.
        """
        asked = any(argument is not None for argument in (optimizer, momentum, rule))
        if self._confirmed and not asked and metric == "loss":
            return self._confirmed
        if metric == "accuracy" and not self._accuracies:
            raise ValueError(
                'an accuracy must be recorded with each loss for metric="accuracy"'
                "\n\nHint: test.record(loss, accuracy)"
            )
        return analyze(
            self._accuracies if metric == "accuracy" else self._points,
            optimizer=self.optimizer if optimizer is None else optimizer,
            momentum=self.momentum if momentum is None else momentum,
            metric=metric,
            rule=rule,
        )

    def confirm(
        self,
        probe: Probe,
        candidates: int = 5,
        iterations: int = 120,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> Bounds:
        """Return the bounds as `cyclr.confirm` confirms them, which are then those of `bounds`."""
        self._confirmed = None
        bounds = self.bounds()
        self._confirmed = confirm(bounds, probe, candidates, iterations, progress=progress)
        return self._confirmed

    def plot(
        self,
        *,
        optimizer: str | None = None,
        momentum: float | None = None,
        metric: str = "loss",
        rule: str | None = None,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the test, with `bounds` or the reasons why there are none; see `Bounds.plot`.

        A test without a loss raises a `ValueError`. Use it when the test is over.
        """
        from cyclr.plotting.axes import paint
        from cyclr.plotting.range_tests import picture_of_range_test

        picture = picture_of_range_test(
            self, metric=metric, optimizer=optimizer, momentum=momentum, rule=rule
        )
        return paint(picture, ax)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the picture, and the bounds or why there are none."""
        from cyclr.plotting.range_tests import picture_of_range_test
        from cyclr.plotting.svg import captioned

        if not self._points:
            return captioned(None, repr(self))
        try:
            answer = str(self.bounds())
        except InconclusiveRangeTest as error:
            answer = str(error)
        return captioned(picture_of_range_test(self), f"{self!r}\n\n{answer}")
