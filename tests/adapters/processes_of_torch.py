"""What each of two processes does; test_torch_processes.py starts them, and reads what they say.

    torchrun --nproc-per-node 2 processes_of_torch.py FOLDER [CASE ...]

A process writes FOLDER/RANK.json: for each case what its function returns, or the error. A case
named in the command may end the process; without one, all run that leave it whole.
"""

import json
import os
import sys
import time
import warnings
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

import cyclr
from cyclr_torch import Scheduler, processes, range_test

INPUTS = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
TARGETS = INPUTS.sum(1, keepdim=True) + 0.1 * INPUTS[:, :1] ** 2
JOINT = [(INPUTS[i : i + 8], TARGETS[i : i + 8]) for i in range(0, 64, 8)]
RANK = int(os.environ.get("RANK", 0))
LR = cyclr.Triangular(0.001, 0.005, 4)
SAFE, FATAL = {}, {}


def case(table):
    """Enter a function into a table by its name."""
    return lambda function: table.setdefault(function.__name__, function)


def own(batches=JOINT):
    """Return this process's half of each batch."""
    return [(x[4 * RANK : 4 * RANK + 4], y[4 * RANK : 4 * RANK + 4]) for x, y in batches]


def network(statistics=True):
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(8), nn.Dropout(0.2)] if statistics else []
    return nn.Sequential(nn.Linear(4, 8), *middle, nn.Tanh(), nn.Linear(8, 1))


def made(wrap=DistributedDataParallel, optimizer=torch.optim.Adam, statistics=True, updates=2):
    """Return a wrapped model and its optimizer, after a few updates."""
    model = wrap(network(statistics))
    optimizer = optimizer(model.parameters(), lr=0.01)
    train(model, optimizer, updates)
    return model, optimizer


def train(model, optimizer, updates):
    torch.manual_seed(5)
    for x, y in own()[:updates]:
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()


def everything(model, optimizer):
    """Return all that must be as it was, as numbers."""
    tensors = [*model.parameters(), *model.buffers()]
    tensors += [v for state in optimizer.state.values() for v in state.values()]
    tensors = [t for t in tensors if isinstance(t, torch.Tensor)]
    local = [t.to_local() if hasattr(t, "to_local") else t for t in tensors]
    return [t.detach().double().flatten().tolist() for t in local]


def run(model, optimizer, data=None, loss_fn=F.mse_loss, **arguments):
    arguments = {"progress": False, "iterations": 20, "end_lr": 0.3, "start_lr": 1e-4} | arguments
    return range_test(model, optimizer, loss_fn, own() if data is None else data, **arguments)


def told(model, optimizer, *arguments, prepare=None, **named):
    """Run the test, and tell how it went, what it left behind, and how training goes on."""
    before = everything(model, optimizer)
    if prepare is not None:
        prepare()
    error = points = diverged = None
    started = time.monotonic()
    try:
        test = run(model, optimizer, *arguments, **named)
        points, diverged = test.points, test.diverged
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    seconds = time.monotonic() - started
    restored = everything(model, optimizer) == before
    lrs = [float(group["lr"]) for group in optimizer.param_groups]
    return {
        "points": points,
        "diverged": diverged,
        "error": error,
        "restored": restored,
        "lrs": lrs,
        "seconds": seconds,
    }


def and_then(model, optimizer, result):
    """Add what further training gives, which needs the processes to be in step."""
    train(model, optimizer, 2)
    return result | {"later": everything(model, optimizer)}


@case(SAFE)
def ddp():
    pair = made()
    return and_then(*pair, told(*pair))


@case(SAFE)
def without_a_test():
    pair = made()
    return and_then(*pair, {})


@case(SAFE)
def joint_batches_in_ddp():
    return told(*made(statistics=False, optimizer=torch.optim.SGD, updates=0))


@case(SAFE)
def joint_batches_in_one_process():
    pair = made(lambda m: m, statistics=False, optimizer=torch.optim.SGD, updates=0)
    return told(*pair, JOINT)


@case(SAFE)
def bounds():
    torch.manual_seed(0)
    model = DistributedDataParallel(nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    test = run(model, optimizer, iterations=100, start_lr=1e-5, end_lr=10.0)
    return {"points": test.points, "bounds": test.bounds().to_dict()}


@case(SAFE)
def nan_in_one_process():
    losses = iter([1.0] * 7 + [float("nan") if RANK else 1.0] * 13)
    return told(*made(), None, lambda outputs, targets: outputs.mean() * 0 + next(losses))


@case(SAFE)
def data_that_ends_in_one_process():
    pair = made()
    return and_then(*pair, told(*pair, iter(own()[:3]) if RANK else own()))


@case(SAFE)
def data_that_fails_in_one_process():
    def batches():
        yield from own()[:3]
        if RANK:
            raise OSError("a broken file")
        yield from own()

    pair = made()
    return and_then(*pair, told(*pair, batches()))


@case(SAFE)
def a_loss_that_fails_in_one_process():
    count = 0

    def loss_fn(outputs, targets):
        nonlocal count
        count += 1
        if RANK and count > 5:
            raise ZeroDivisionError("mine")
        return F.mse_loss(outputs, targets)

    pair = made()
    return and_then(*pair, told(*pair, None, loss_fn))


@case(SAFE)
def a_step_that_fails_in_one_process():
    class Failing(torch.optim.SGD):
        fails = False

        def step(self, closure=None):
            super().step(closure)
            if self.fails:
                raise ZeroDivisionError("mine")

    model, optimizer = made(optimizer=Failing)
    optimizer.fails = bool(RANK)
    result = told(model, optimizer)
    optimizer.fails = False
    return and_then(model, optimizer, result)


@case(SAFE)
def an_argument_that_is_wrong_in_one_process():
    pair = made()
    return and_then(*pair, told(*pair, 3 if RANK else own()))


@case(SAFE)
def iterations_that_differ():
    pair = made()
    return and_then(*pair, told(*pair, iterations=20 + RANK))


@case(SAFE)
def confirmation():
    torch.manual_seed(0)
    model = DistributedDataParallel(nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    arguments = {"iterations": 100, "start_lr": 1e-5, "end_lr": 10.0}
    before = everything(model, optimizer)
    test = run(model, optimizer, **arguments, confirm=True, validation=own())
    return {
        "before": run(model, optimizer, **arguments).bounds().to_dict(),
        "confirmed": test.bounds().to_dict(),
        "restored": everything(model, optimizer) == before,
    }


@case(SAFE)
def confirmation_in_one_process():
    return told(*made(), confirm=bool(RANK))


@case(SAFE)
def no_update_of_one_process():
    """Gradients overflow in one process at first; the other must skip that update, too."""
    pair = made(optimizer=torch.optim.SGD, statistics=False)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    count = 0

    def loss_fn(outputs, targets):
        nonlocal count
        count += 1
        loss = F.mse_loss(outputs, targets)
        if RANK and count in (3, 4):
            loss.register_hook(lambda gradient: gradient * float("inf"))
        return loss

    result = told(*pair, None, loss_fn, scaler=scaler, iterations=10)
    return result | {"count": count, "scale": scaler.get_scale()}


@case(SAFE)
def no_update_of_one_process_alone():
    """As it is where each process looks at its own part of the gradients."""

    count = 0

    class Skipping(torch.amp.GradScaler):
        def step(self, optimizer):
            nonlocal count
            count += 1
            if RANK and count in (3, 4):
                optimizer.param_groups[0]["params"][0].grad.mul_(float("inf"))
            return super().step(optimizer)

    scaler = Skipping("cpu", init_scale=2.0**10)
    pair = made(optimizer=torch.optim.SGD, statistics=False)
    result = told(*pair, scaler=scaler, iterations=10)
    return result | {"count": count, "scale": scaler.get_scale()}


@case(SAFE)
def accumulation_in_ddp():
    pair = made(statistics=False, optimizer=torch.optim.SGD, updates=0)
    return told(*pair, gradient_accumulation_steps=2)


@case(SAFE)
def accumulation_in_one_process():
    pair = made(lambda m: m, statistics=False, optimizer=torch.optim.SGD, updates=0)
    return told(*pair, JOINT, gradient_accumulation_steps=2)


@case(SAFE)
def lbfgs():
    model = DistributedDataParallel(network(statistics=False))
    arguments = {"max_iter": 5, "line_search_fn": "strong_wolfe"}
    return told(model, torch.optim.LBFGS(model.parameters(), lr=0.01, **arguments))


@case(SAFE)
def a_sampler_of_the_process():
    data = torch.utils.data.TensorDataset(INPUTS, TARGETS)
    sampler = torch.utils.data.DistributedSampler(data, shuffle=True, seed=3)
    sampler.set_epoch(7)
    loader = torch.utils.data.DataLoader(data, batch_size=4, sampler=sampler)
    seen = []

    def batch_loss(model, batch):
        seen.append(batch[0].sum().item())
        return F.mse_loss(model(batch[0]), batch[1])

    result = told(*made(), loader, None, batch_loss=batch_loss)
    return result | {"seen": seen, "epoch": sampler.epoch}


@case(SAFE)
def fully_sharded():
    from torch.distributed.fsdp import fully_shard

    def wrap(model):
        for layer in model:
            if isinstance(layer, nn.Linear):
                fully_shard(layer, mesh=dist.device_mesh.init_device_mesh("cpu", (2,)))
        return fully_shard(model, mesh=dist.device_mesh.init_device_mesh("cpu", (2,)))

    pair = made(wrap)

    def evaluate():
        """Look at the model, after which it holds the whole weights."""
        with torch.no_grad():
            pair[0].eval()(INPUTS)

    return and_then(*pair, told(*pair, prepare=evaluate))


@case(SAFE)
def fully_sharded_and_failing():
    from torch.distributed.fsdp import fully_shard

    pair = made(lambda m: fully_shard(m, mesh=dist.device_mesh.init_device_mesh("cpu", (2,))))
    count = 0

    def loss_fn(outputs, targets):
        nonlocal count
        count += 1
        if RANK and count > 5:
            raise ZeroDivisionError("mine")
        return F.mse_loss(outputs, targets)

    return and_then(*pair, told(*pair, None, loss_fn))


def first_fsdp(**arguments):
    from torch.distributed.fsdp import FullyShardedDataParallel

    pair = made(lambda m: FullyShardedDataParallel(m, device_id=torch.device("cpu"), **arguments))
    return and_then(*pair, told(*pair))


@case(SAFE)
def fsdp():
    return first_fsdp()


@case(SAFE)
def fsdp_with_the_original_parameters():
    return first_fsdp(use_orig_params=True)


@case(SAFE)
def sharded_optimizer():
    from torch.distributed.optim import ZeroRedundancyOptimizer

    def optimizer(parameters, lr):
        return ZeroRedundancyOptimizer(parameters, torch.optim.Adam, lr=lr)

    model, optimizer = made(optimizer=optimizer)
    before = everything(model, optimizer.optim)
    result = told(model, optimizer)
    restored = everything(model, optimizer.optim) == before
    return and_then(model, optimizer, result | {"restored": restored})


@case(SAFE)
def a_model_of_ones_own():
    """A model that isn't wrapped is each process's own: one may test it longer than the other."""
    pair = made(lambda m: m)
    return told(*pair, iterations=20 + 20 * RANK)


@case(SAFE)
def a_scheduler_counts_updates_once():
    model, optimizer = made()
    scheduler = Scheduler(optimizer, LR)
    train(model, optimizer, 3)
    run(model, optimizer)
    train(model, optimizer, 2)
    return {"iteration": scheduler.iteration, "lrs": [g["lr"] for g in optimizer.param_groups]}


@case(SAFE)
def progress_in_the_first():
    """The test reads what was printed."""
    run(*made(), progress=True)


# What ends one process, or leaves the other waiting for it.


@case(FATAL)
def backward_fails():
    """One raises while the other waits for its gradients; the first one's end releases it."""
    processes.PATIENCE = timedelta(seconds=2)
    pair = made()
    count = 0

    def fail(gradient):
        nonlocal count
        count += 1
        if RANK and count > 3:
            raise ZeroDivisionError("mine")

    pair[0].module[-1].weight.register_hook(fail)
    return told(*pair)


@case(FATAL)
def process_dies():
    count = 0

    def loss_fn(outputs, targets):
        nonlocal count
        count += 1
        if RANK and count > 3:
            os._exit(9)
        return F.mse_loss(outputs, targets)

    return told(*made(), None, loss_fn)


def main(folder, *names):
    warnings.simplefilter("error")
    # Torch's own, of what it says to use in place of it.
    warnings.filterwarnings("ignore", message=".*FSDP|.*fully_shard|.*torch.jit", category=Warning)
    dist.init_process_group("gloo", timeout=timedelta(seconds=120))
    cases = {name: (SAFE | FATAL)[name] for name in names} or SAFE
    said = {}
    for name, function in cases.items():
        try:
            said[name] = function()
        except Exception as error:
            said[name] = {"crash": f"{type(error).__name__}: {error}"}
        with open(os.path.join(folder, f"{RANK}.json"), "w") as file:
            json.dump(said, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
    if set(sys.argv[2:]) & set(FATAL):
        # Threads of torch's may still wait for the other process; Python's end would abort on them.
        os._exit(0)
