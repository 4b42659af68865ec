"""Training by Accelerate, in as many processes as started it: run by the tests, as a script.

python -m torch.distributed.run --nproc-per-node 2 processes_of_accelerate.py FOLDER

Each process writes what it has seen to FOLDER, as RANK.json.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from accelerate import Accelerator

import cyclr
from cyclr_torch import Scheduler, range_test

LR = cyclr.Triangular2(0.125, 0.75, 3)
TEST = {"start_lr": 1e-4, "end_lr": 0.1, "iterations": 10, "progress": False}


class Slope(torch.nn.Module):
    """A weight whose gradient is 1, so that it falls by the learning rate of each update."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, inputs):
        return self.weight.sum() + 0 * inputs.sum()


def falls(updates, accumulated, prepared, split):
    """Return what the weight falls by in each update, and what the scheduler has counted."""
    accelerator = Accelerator(
        cpu=True, gradient_accumulation_steps=accumulated, split_batches=split
    )
    model = Slope()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    data = torch.utils.data.DataLoader(torch.zeros(128, 1), batch_size=2)
    if prepared:  # the Scheduler is made of the optimizer that Accelerate has wrapped
        model, optimizer, data = accelerator.prepare(model, optimizer, data)
        scheduler = accelerator.prepare(Scheduler(optimizer, LR))
    else:
        scheduler = Scheduler(optimizer, LR)
        model, optimizer, data, scheduler = accelerator.prepare(model, optimizer, data, scheduler)
    found, before = [], 0.0
    for inputs in data:
        with accelerator.accumulate(model):
            accelerator.backward(model(inputs))
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
        after = sum(parameter.item() for parameter in model.parameters())
        if after != before:
            found.append(before - after)
            before = after
        if len(found) == updates:
            break
    return {"falls": found, "iteration": scheduler.scheduler.iteration}


def tested():
    """Return the range test of a prepared model, before and after which it is the same."""
    accelerator = Accelerator(cpu=True)
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    inputs = torch.randn(64, 4)
    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(inputs, inputs.sum(1, keepdim=True)), batch_size=4
    )
    optimizer = torch.optim.Adam(model.parameters())
    model, optimizer, data = accelerator.prepare(model, optimizer, data)
    before = [parameter.tolist() for parameter in model.parameters()]
    test = range_test(model, optimizer, torch.nn.functional.mse_loss, data, **TEST)
    after = [parameter.tolist() for parameter in model.parameters()]
    return {"points": test.points, "before": before, "after": after, "optimizer": test.optimizer}


def trainer(folder):
    """Return the learning rates of a Trainer's updates."""
    transformers.set_seed(0)
    config = transformers.BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    model = transformers.BertForSequenceClassification(config)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    rates = []
    optimizer.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    scheduler = Scheduler(optimizer, LR * 0.01)
    arguments = transformers.TrainingArguments(
        str(folder / "trainer"),
        max_steps=8,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        save_strategy="no",
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
    )
    data = [{"input_ids": [i % 30] * 6, "labels": i % 2} for i in range(32)]
    transformers.Trainer(
        model, arguments, train_dataset=data, optimizers=(optimizer, scheduler)
    ).train()
    return {"rates": rates, "iteration": scheduler.iteration}


def main(folder):
    seen = {
        f"{accumulated} {prepared} {split}": falls(8, accumulated, prepared, split)
        for accumulated in (1, 3)
        for prepared in (False, True)
        for split in (False, True)
    }
    accelerator = Accelerator(cpu=True)
    seen["processes"] = accelerator.num_processes
    seen["tested"] = tested()
    seen["trainer"] = trainer(folder)
    (folder / f"{accelerator.process_index}.json").write_text(json.dumps(seen))
    accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
