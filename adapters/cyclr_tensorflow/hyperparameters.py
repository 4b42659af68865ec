"""HyperparameterScheduler: momentum, beta_1, weight decay and the like follow schedules."""

import numbers
from functools import partial
from typing import Any

import keras

from cyclr import Schedule, ScheduleLike
from cyclr._checks import choice, refuse
from cyclr.schedules.compose import scheduled
from cyclr_tensorflow.scheduler import value_at

__all__ = ["Followed", "HyperparameterScheduler"]


class HyperparameterScheduler(keras.callbacks.Callback):  # type: ignore[misc]
    """Let momentum, weight decay and other numbers of an optimizer follow schedules.

    Update k of the optimizer, from 0, is made with ``schedule(k)``. It is a callback of
    ``model.fit``; the learning rate has its own place, `Scheduler`.

        >>> import keras
        >>> from cyclr import Triangular
        >>> from cyclr_tensorflow import Scheduler
        >>> lr = Triangular(0.001, 0.006, step_size=2000)
        >>> optimizer = keras.optimizers.SGD(Scheduler(lr), momentum=0.9)
        >>> callback = HyperparameterScheduler(momentum=lr.mirror(0.85, 0.95))
        >>> callback.attach(optimizer)  # as model.fit(..., callbacks=[callback]) does
        >>> f"{float(optimizer.momentum):.2f}"
        '0.95'

    Each is named as in the optimizer's arguments: *momentum*, *weight_decay*, ``beta_1``, any
    number that its step reads. A *momentum* that an optimizer doesn't have is its ``beta_1``.
    The schedules are cyclr's, or functions of the iteration, which is a tensor. They are
    evaluated within the step, so that several steps an execution, gradient accumulation and
    several replicas don't matter.

    Once attached, an optimizer follows them, in later fits too. Saved with the model are its own
    numbers, not the schedules: give the callback again after loading. In a loop of one's own, call
    `attach` before the first step is traced. What can't follow is a `TypeError` or `ValueError`
    before the training, and a `RuntimeError` after its first batch if the step doesn't ask for it.

    Use it for momentum against the learning rate (arXiv 1803.09820, section 4.2), with the
    TensorFlow and JAX backends of Keras.
    """

    def __init__(
        self,
        *,
        momentum: ScheduleLike | None = None,
        weight_decay: ScheduleLike | None = None,
        **others: ScheduleLike | None,
    ) -> None:
        super().__init__()
        given = {"momentum": momentum, "weight_decay": weight_decay, **others}
        self.schedules = {name: scheduled(name, s) for name, s in given.items() if s is not None}
        if not self.schedules:
            raise TypeError("one hyper-parameter must be given at least, as momentum=schedule")
        if "learning_rate" in self.schedules:
            raise TypeError(
                "learning_rate must be given to the optimizer"
                "\n\nHint: keras.optimizers.SGD(Scheduler(schedule))"
            )
        # Keras's torch backend updates with Python numbers, which can't follow anything.
        choice("the backend of Keras", keras.backend.backend(), ("tensorflow", "jax"))
        self._followed: dict[str, Followed] = {}
        self._traced = False

    def attach(self, optimizer: Any) -> None:
        """Have the *optimizer* follow the schedules from now on, in steps traced from now on."""
        optimizer = _innermost(optimizer)
        followed = {}
        for name, schedule in self.schedules.items():
            attribute = _attribute(optimizer, name)
            number = _number(optimizer, attribute)
            followed[attribute] = Followed(number, schedule, optimizer)
        for attribute, value in followed.items():
            setattr(optimizer, attribute, value)
        optimizer.get_config = partial(_config, optimizer)
        self._followed = followed
        self._traced = False

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Attach the model's optimizer, and have its step traced anew, unless that was done."""
        optimizer = _innermost(self.model.optimizer)
        followed = [getattr(optimizer, name, None) is f for name, f in self._followed.items()]
        if not (followed and all(followed)):
            self.attach(optimizer)
        if not self._traced:
            self.model.make_train_function(force=True)
            self._traced = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Make sure that the step has asked for the values."""
        for name, followed in self._followed.items():
            if not followed.was_read:
                optimizer = type(followed.optimizer).__name__
                raise RuntimeError(f"{name} must be read by each step: {optimizer}'s doesn't")


class Followed:
    """A number of an optimizer that each of its steps computes anew.

    Keras writes a Python number into the step's graph as it is when it is traced. This stands
    in the number's place, and is a tensor computed from the optimizer's iterations wherever an
    operation takes it. It is no `float`, which a backend could take without asking; where
    Python decides by it, as by ``momentum != 0``, the number that it replaces does.
    """

    def __init__(self, number: float, schedule: Schedule, optimizer: Any):
        self.number = number
        self.schedule = schedule
        self.optimizer = optimizer
        self.was_read = False

    @property
    def dtype(self) -> str:
        """The type of the tensor."""
        return str(keras.backend.floatx())

    def _value(self) -> Any:
        self.was_read = True
        return value_at(keras.ops.convert_to_tensor(self.optimizer.iterations), self.schedule)

    def _tensor(self, value: Any) -> Any:
        return keras.ops.cast(value, self.dtype)

    # How TensorFlow and JAX ask an object for a tensor.

    def __tf_tensor__(self, dtype: Any = None, name: Any = None) -> Any:
        return keras.ops.cast(self._value(), dtype or self.dtype)

    def __jax_array__(self) -> Any:
        return self._tensor(self._value())

    def __float__(self) -> float:
        return float(self._tensor(self._value()))

    # 1 - beta is rounded once, after it: the step divides by it.

    def __add__(self, other: Any) -> Any:
        return self._tensor(self._value() + other)

    def __sub__(self, other: Any) -> Any:
        return self._tensor(self._value() - other)

    def __rsub__(self, other: Any) -> Any:
        return self._tensor(other - self._value())

    def __mul__(self, other: Any) -> Any:
        return self._tensor(self._value()) * other

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return self.number == other

    def __gt__(self, other: float) -> bool:
        return self.number > other

    def __bool__(self) -> bool:
        return bool(self.number)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self.number!r}, following {self.schedule!r}>"


def _innermost(optimizer: Any) -> Any:
    """Return the optimizer, also from within a loss scale."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _attribute(optimizer: Any, name: str) -> str:
    """Return where the optimizer has a hyper-parameter."""
    if name == "momentum" and not hasattr(optimizer, name) and hasattr(optimizer, "beta_1"):
        return "beta_1"
    return name


def _number(optimizer: Any, name: str) -> float:
    """Return the optimizer's own number, which must be one that can be replaced."""
    kind = type(optimizer).__name__
    config = _config(optimizer)
    if name not in config:
        del config["learning_rate"]
        known = ", ".join(key for key, value in config.items() if _is_number(value))
        raise ValueError(f"{name} must be a number of the optimizer: {kind} has {known}")
    value = config[name]
    if not _is_number(value):
        refuse(name, f"be a number in the optimizer, {kind}", value)
    if name == "momentum" and value == 0:
        raise ValueError(
            f"momentum must be above 0 in {kind}, which otherwise keeps no velocity: got {value}"
            f"\n\nHint: keras.optimizers.{kind}(..., momentum=0.9)"
        )
    return float(value)


def _config(optimizer: Any) -> dict[str, Any]:
    """Return an optimizer's configuration, with its own numbers."""
    config = type(optimizer).get_config(optimizer)
    return {k: v.number if isinstance(v, Followed) else v for k, v in config.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
