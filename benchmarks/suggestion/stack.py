"""Stack: many replicas of a network, each at its own learning rate, trained as one.

Small networks cost what their calls cost, not their arithmetic: a hundred of them in one tensor
take little longer than one. The optimizers are torch's own: each steps with lr = 1, and the move
is then scaled by the replica's learning rate, in which all of them are linear.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from benchmarks.suggestion.data import Data, Part

Build = Callable[[], nn.Module]
Optimize = Callable[[list[Tensor]], torch.optim.Optimizer]


def batches(part: Part, size: int, seed: int) -> Iterator[Tensor]:
    """Yield the indices of batches, epoch after epoch, each shuffled."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(part.inputs), generator=generator)
        yield from torch.split(order, size)[: len(order) // size]


class Stack:
    """Replicas of what *build* makes, one for each of *seeds*, which may repeat themselves.

    A seed decides the weights and the batches.
    """

    def __init__(
        self, data: Data, build: Build, optimize: Optimize, batch: int, seeds: Sequence[int]
    ) -> None:
        self.data = data
        different = sorted(set(seeds))
        self.which = torch.tensor([different.index(seed) for seed in seeds])
        modules = []
        for seed in different:
            torch.manual_seed(seed)
            modules.append(build())
        parameters, _ = torch.func.stack_module_state(modules)
        self.weights = {
            name: value.detach()[self.which].requires_grad_() for name, value in parameters.items()
        }
        self.network = modules[0]
        self.optimizer = optimize(list(self.weights.values()))
        self.streams = [batches(data.train, batch, seed) for seed in different]

    def losses(self, inputs: Tensor, targets: Tensor, shared: bool) -> Tensor:
        """Return each replica's loss; *shared* data is the same for all."""

        def loss(weights: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return self.data.loss(torch.func.functional_call(self.network, weights, x), y)

        axis = None if shared else 0
        values: Tensor = torch.vmap(loss, in_dims=(0, axis, axis))(self.weights, inputs, targets)
        return values

    def step(self, lrs: Tensor) -> Tensor:
        """Train one batch, replica r at ``lrs[r]``; return the losses before the update."""
        chosen = torch.stack([next(stream) for stream in self.streams])[self.which]
        losses = self.losses(self.data.train.inputs[chosen], self.data.train.targets[chosen], False)
        self.optimizer.zero_grad()
        torch.autograd.backward(losses.sum())
        with torch.no_grad():
            before = [weight.clone() for weight in self.weights.values()]
            self.optimizer.step()
            for weight, old in zip(self.weights.values(), before, strict=True):
                scale = lrs.reshape(-1, *[1] * (weight.dim() - 1))
                weight.copy_(old + scale * (weight - old))
        return losses.detach()

    def train(self, lrs: Tensor) -> Tensor:
        """Train at ``lrs[iteration, replica]``; return the losses, shaped alike."""
        return torch.stack([self.step(row) for row in lrs])

    @torch.no_grad()
    def held_out(self, part: Part) -> Tensor:
        """Return each replica's loss on *part*."""
        return self.losses(part.inputs, part.targets, True)
