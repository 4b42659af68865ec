"""Two replicas on this machine's CPU, by tf.distribute.

All tests share one strategy: each counts its exchanges from the same number, and TensorFlow, which
remembers their shapes as long as the process lives, refuses those of a second one.
"""

import functools

import tensorflow as tf

__all__ = ["two_replicas"]

# Before TensorFlow starts, which no module does on import: two devices for two replicas.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@functools.cache
def two_replicas() -> tf.distribute.MirroredStrategy:
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    return strategy
