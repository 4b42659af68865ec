"""Snapshot: what training changes, put back as it was."""

import copy
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cyclr_torch.course import wrapped

__all__ = ["kept", "restored"]

PutBack: TypeAlias = Callable[[], Any]


@contextmanager
def restored(
    optimizer: Optimizer, *roots: nn.Module, data: object = None, scaler: object = None
) -> Iterator[None]:
    """Put back what training in the block has changed, however the block ends.

    That is the weights, gradients, buffers and training modes of the modules in *roots*, the
    groups and the state of the optimizer, the *scaler*, and the random state: of Python, NumPy,
    torch and CUDA, as far as they are in use, and of the generators of *data*. Tensors, lists and
    dicts keep their identity: what they held is put back into them.
    """
    modules = list(dict.fromkeys(module for root in roots for module in root.modules()))
    _reshard(modules)
    optimizers = wrapped(optimizer)
    numbers = [_numbers(each) for each in optimizers]
    put_back = kept(
        [
            list(map(_held, modules)),
            [[each.param_groups, each.state] for each in optimizers],
            numbers,
            {} if scaler is None else vars(scaler),
        ],
        {},
    )
    modes = [module.training for module in modules]
    random_states = _random_states(data)
    try:
        _put_gradients_aside([p for module in modules for p in module.parameters(recurse=False)])
        _put_gradients_aside(
            [p for each in optimizers for g in each.param_groups for p in g["params"]]
        )
        yield
    finally:
        _reshard(modules)
        with torch.no_grad():
            put_back()
        for each, held in zip(optimizers, numbers, strict=True):
            vars(each).update(held)
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        for set_state in random_states:
            set_state()


def _held(module: nn.Module) -> list[Any]:
    """Return what a module itself holds."""
    tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    # A forward pass may set buffers, or add modules. Scripted modules have no dicts of them.
    named = [module._parameters, module._buffers, module._modules]
    return [tensors, *(names for names in named if isinstance(names, dict))]


def _reshard(modules: list[nn.Module]) -> None:
    """Have modules that are sharded by `fully_shard` hold their shards, as between updates."""
    for module in modules:
        reshard: Any = getattr(module, "reshard", None)
        if callable(reshard):
            reshard()


def _numbers(optimizer: Optimizer) -> dict[str, Any]:
    """Return what an optimizer keeps as attributes: its count of steps, say, or its mode."""
    kinds = (bool, int, float, Tensor)
    return {name: value for name, value in vars(optimizer).items() if isinstance(value, kinds)}


def kept(value: Any, memo: dict[int, PutBack]) -> PutBack:
    """Return a function that returns *value* as it is now; *memo* has those that it met before."""
    if id(value) not in memo:
        memo[id(value)] = _newly_kept(value, memo)
    return memo[id(value)]


def _newly_kept(value: Any, memo: dict[int, PutBack]) -> PutBack:
    if isinstance(value, Tensor):
        contents = value.detach().clone()
        gradient = _gradient(value, memo) if value.is_leaf else None
        return partial(_refill_tensor, value, contents, gradient)
    if isinstance(value, dict):
        return partial(_refill_dict, value, {key: kept(value[key], memo) for key in value})
    if isinstance(value, list):
        return partial(_refill_list, value, [kept(item, memo) for item in value])
    if type(value) is tuple:
        return partial(_tuple_of, [kept(item, memo) for item in value])
    same = value if isinstance(value, nn.Module) else copy.deepcopy(value)
    return lambda: same


def _gradient(tensor: Tensor, memo: dict[int, PutBack]) -> PutBack:
    gradient = tensor.grad
    return kept(gradient, memo) if _is_shared(gradient) else lambda: gradient


def _put_gradients_aside(tensors: list[Tensor]) -> None:
    """Have gradients be none, as between updates: what is put aside need not be copied."""
    for tensor in tensors:
        if tensor.is_leaf and not _is_shared(tensor.grad):
            tensor.grad = None


def _is_shared(gradient: Tensor | None) -> bool:
    """Tell a gradient whose memory others write to, as a bucket of DistributedDataParallel is."""
    return gradient is not None and gradient._is_view()


def _refill_tensor(tensor: Tensor, contents: Tensor, gradient: PutBack | None) -> Tensor:
    if not _is_expanded(tensor):
        tensor.copy_(contents)
    if gradient is not None:
        tensor.grad = gradient()
    return tensor


def _is_expanded(tensor: Tensor) -> bool:
    """Tell a tensor of which some elements are one: it can't be written, so it wasn't."""
    return tensor.layout is torch.strided and any(
        size > 1 and stride == 0 for size, stride in zip(tensor.shape, tensor.stride(), strict=True)
    )


def _refill_dict(value: dict[Any, Any], items: dict[Any, PutBack]) -> dict[Any, Any]:
    contents = {key: item() for key, item in items.items()}
    value.clear()
    value.update(contents)
    return value


def _refill_list(value: list[Any], items: list[PutBack]) -> list[Any]:
    value[:] = [item() for item in items]
    return value


def _tuple_of(items: list[PutBack]) -> tuple[Any, ...]:
    return tuple(item() for item in items)


def _random_states(data: object) -> list[PutBack]:
    """Return functions that set the random state to what it is now."""
    states: list[PutBack] = [
        partial(random.setstate, random.getstate()),
        partial(torch.set_rng_state, torch.get_rng_state()),
    ]
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        states.append(partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        states.append(partial(numpy_random.set_state, numpy_random.get_state()))
    for source in (data, getattr(data, "sampler", None), getattr(data, "batch_sampler", None)):
        generator = getattr(source, "generator", None)
        if isinstance(generator, torch.Generator):
            states.append(partial(generator.set_state, generator.get_state()))
    return states
