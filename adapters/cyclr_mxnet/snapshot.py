"""Snapshot: what training changes, put back as it was."""

import random
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import numpy
from mxnet.gluon import Parameter

__all__ = ["restored", "restored_random_state"]


@contextmanager
def restored(parameters: Collection[Parameter]) -> Iterator[None]:
    """Put back what training in the block has changed in *parameters*, however it ends.

    That is their values (of which running statistics are some), their gradients, and whether
    these are fresh. Arrays keep their identity, on every device.
    """
    trained = [parameter for parameter in parameters if parameter.grad_req != "null"]
    arrays = [array for parameter in parameters for array in parameter.list_data()]
    arrays += [array for parameter in trained for array in parameter.list_grad()]
    kept = [(array, array.copy()) for array in arrays]
    fresh = [(array, array._fresh_grad) for p in trained for array in p.list_data()]
    try:
        yield
    finally:
        for array, contents in kept:
            array[:] = contents
        for array, is_fresh in fresh:
            array._fresh_grad = is_fresh


@contextmanager
def restored_random_state() -> Iterator[None]:
    """Put back the random state of Python and NumPy; MXNet gives no way to read its own."""
    states = random.getstate(), numpy.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        numpy.random.set_state(states[1])
