"""Scheduler: the learning rate of a Keras optimizer follows a schedule."""

from typing import Any

import keras

from cyclr import Schedule, ScheduleLike, from_dict
from cyclr._checks import whole
from cyclr.schedules.compose import scheduled

__all__ = ["Scheduler", "value_at"]


@keras.saving.register_keras_serializable(package="cyclr")
class Scheduler(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Let an optimizer's learning rate follow a schedule.

    Update k of the optimizer, from 0, is made with ``schedule(k)``, in ``model.fit`` and in any
    loop of one's own, in graphs too, on every backend of Keras. There is nothing else to call.

        >>> import keras
        >>> from cyclr import Triangular
        >>> lr = Scheduler(Triangular(0.001, 0.006, step_size=2000))
        >>> optimizer = keras.optimizers.SGD(lr)
        >>> [f"{float(lr(step)):.4f}" for step in (0, 1000, 2000, 10**9 + 2000)]
        ['0.0010', '0.0035', '0.0060', '0.0060']

    *schedule* is a cyclr schedule, or a function of the iteration, which it gets as a tensor.
    *gradient_accumulation_steps* is the optimizer's own: Keras hands on the count of batches,
    which is divided by it, so that the schedule follows the updates. On TensorFlow the value is
    computed in float64, elsewhere as the backend divides integers; then it is rounded to
    ``keras.backend.floatx()``.

    It is saved and loaded with the model, and goes on where the optimizer's iterations are, in
    mid-cycle too; import cyclr_tensorflow before ``keras.saving.load_model``. A function of one's
    own can't be written out: saving the whole model then is a `ValueError`. Wrong arguments are a
    `TypeError` or a `ValueError` at once.

    Use it in place of any learning rate; for momentum and others, `HyperparameterScheduler`.
    """

    def __init__(self, schedule: ScheduleLike, gradient_accumulation_steps: int = 1) -> None:
        self.schedule = scheduled("schedule", schedule)
        self.gradient_accumulation_steps = whole(
            "gradient_accumulation_steps", gradient_accumulation_steps, at_least=1
        )

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after *step* batches, a tensor."""
        batches = keras.ops.convert_to_tensor(step)
        value = value_at(batches // self.gradient_accumulation_steps, self.schedule)
        return keras.ops.cast(value, keras.backend.floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as data, with the schedule as `Schedule.to_dict` writes it."""
        try:
            schedule = self.schedule.to_dict()
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"{reason}\n\nHint: model.save_weights(path), and make the model anew in code"
            ) from None
        steps = self.gradient_accumulation_steps
        return {"schedule": schedule, "gradient_accumulation_steps": steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Scheduler":
        """Return the scheduler that `get_config` has written."""
        return cls(from_dict(config["schedule"]), config["gradient_accumulation_steps"])

    def __repr__(self) -> str:
        steps = self.gradient_accumulation_steps
        accumulation = "" if steps == 1 else f", gradient_accumulation_steps={steps}"
        return f"Scheduler({self.schedule!r}{accumulation})"


def value_at(update: Any, schedule: Schedule) -> Any:
    """Return the schedule's value, a tensor in the precision that it was computed in."""
    if keras.backend.backend() == "tensorflow":
        # Its integers don't take Python's floats, which a function of one's own may have; the
        # values are those at the integers, to the bit, as float64 has every count up to 2^53.
        update = keras.ops.cast(update, "float64")
    return schedule(update)
