"""The Trainer of transformers: it takes a Scheduler as it is, and its model can be tested."""

import runpy
from pathlib import Path

import pytest
import torch
import transformers

import cyclr
from cyclr_torch import Scheduler, on_cycle_end

EXAMPLE = Path(__file__).parents[2] / "examples" / "transformers_digits.py"
LR = cyclr.Triangular2(1e-4, 1e-3, 3)
SHORT = {"start_lr": 1e-4, "end_lr": 1e-2, "iterations": 10, "progress": False}
TOKENS = torch.randint(1, 30, (48, 8), generator=torch.Generator().manual_seed(0))
DATA = [{"input_ids": tokens, "labels": int(tokens[0] > 15)} for tokens in TOKENS]


def bert(dropout=0.1):
    """Return a tiny model made from its configuration, with nothing downloaded."""
    transformers.set_seed(0)
    config = transformers.BertConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=8,
        hidden_dropout_prob=dropout,
    )
    return transformers.BertForSequenceClassification(config)


class Note(transformers.TrainerCallback):
    """Notes the learning rate that each update is made with."""

    def __init__(self):
        self.rates = []

    def on_pre_optimizer_step(self, args, state, control, optimizer=None, **others):
        self.rates.append([group["lr"] for group in optimizer.param_groups])


def trainer(folder, lr=LR, model=None, schedule=True, **arguments):
    """Return a Trainer, for 12 updates unless told otherwise, and its scheduler."""
    model = model or bert()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = Scheduler(optimizer, lr, **({} if schedule is True else schedule))
    settings = {
        "per_device_train_batch_size": 8,
        "max_steps": 12,
        "save_strategy": "no",
        "use_cpu": True,
        "report_to": [],
        "disable_tqdm": True,
        "logging_strategy": "no",
    }
    made = transformers.Trainer(
        model,
        transformers.TrainingArguments(str(folder), **settings | arguments),
        train_dataset=DATA,
        optimizers=(optimizer, scheduler),
        callbacks=[Note()],
    )
    return made, scheduler


def rates(made):
    note = next(c for c in made.callback_handler.callbacks if isinstance(c, Note))
    return [pair[0] for pair in note.rates]


def weights(made):
    return [parameter.clone() for parameter in made.model.state_dict().values()]


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("unit", ["update", "call"])
def test_update_k_uses_the_schedules_value_at_k(tmp_path, steps, unit):
    made, scheduler = trainer(tmp_path, schedule={"unit": unit}, gradient_accumulation_steps=steps)
    made.train()

    assert rates(made) == [LR(k) for k in range(12)]
    assert scheduler.iteration == made.state.global_step == 12


def test_its_log_has_the_learning_rate_of_the_next_update(tmp_path):
    made, _ = trainer(tmp_path, logging_strategy="steps", logging_steps=1)
    made.train()

    logged = [row["learning_rate"] for row in made.state.log_history if "learning_rate" in row]
    assert logged == [LR(k) for k in range(1, 13)]
    made, _ = trainer(
        tmp_path, schedule={"unit": "call"}, logging_strategy="steps", logging_steps=1
    )
    made.train()
    logged = [row["learning_rate"] for row in made.state.log_history if "learning_rate" in row]
    assert logged == [LR(k) for k in range(12)]


@pytest.mark.parametrize("updates", [2, 5, 7])  # an epoch is 6
def test_a_run_that_goes_on_in_mid_cycle_is_bit_equal_to_an_uninterrupted_one(tmp_path, updates):
    saving = {"save_strategy": "steps", "save_steps": updates}
    whole, _ = trainer(tmp_path, **saving)
    whole.train()
    checkpoint = tmp_path / f"checkpoint-{updates}"
    resumed, scheduler = trainer(tmp_path / "other")
    resumed.train(resume_from_checkpoint=str(checkpoint))

    assert rates(resumed) == [LR(k) for k in range(updates, 12)]
    assert scheduler.iteration == 12
    assert same(weights(whole), weights(resumed))


def test_its_checkpoint_is_read_with_weights_alone(tmp_path):
    made, _ = trainer(tmp_path, save_strategy="steps", save_steps=5)
    made.train()
    state = torch.load(tmp_path / "checkpoint-5" / "scheduler.pt", weights_only=True)

    assert state["iteration"] == 5
    assert state["schedules"] == {"lr": LR.to_dict()}


def test_another_schedule_than_the_checkpoints_is_an_error(tmp_path):
    made, _ = trainer(tmp_path, save_strategy="steps", save_steps=5)
    made.train()
    other, _ = trainer(tmp_path, cyclr.Constant(1e-3))

    with pytest.raises(ValueError, match=r"(?s)lr in the checkpoint: Triangular2.*lr here: Consta"):
        other.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))


def test_something_is_done_where_cycles_end(tmp_path):
    made, scheduler = trainer(tmp_path)
    ends = []
    on_cycle_end(scheduler, lambda cycle: ends.append((cycle, weights(made))))
    made.train()
    stopped, _ = trainer(tmp_path, max_steps=6)
    stopped.train()

    assert [cycle for cycle, _ in ends] == [1, 2]
    assert same(ends[0][1], weights(stopped))


# The range test, as the example has it.


example = runpy.run_path(str(EXAMPLE))


def on_demand(made):
    return example["range_test_of"](made, **SHORT)


def test_a_range_test_measures_what_the_trainer_would(tmp_path):
    lrs = [lr for lr, _ in on_demand(trainer(tmp_path)[0]).points]
    made, _ = trainer(
        tmp_path,
        cyclr.RangeTest(**{k: v for k, v in SHORT.items() if k != "progress"}).ramp,
        model=bert(dropout=0.0),
        max_steps=10,
        logging_strategy="steps",
        logging_steps=1,
    )
    test = on_demand(made)
    made.train()

    logged = [float(row["loss"]) for row in made.state.log_history if "loss" in row]
    assert rates(made) == pytest.approx(lrs)
    assert [loss for _, loss in test.points] == pytest.approx(logged, abs=1e-4)
    assert (test.optimizer, test.momentum) == ("adamw", 0.9)


def test_training_after_it_is_training_without_it(tmp_path):
    runs = []
    for test in (False, True):
        made, scheduler = trainer(tmp_path)
        before = weights(made)
        if test:
            points = on_demand(made).points
            assert len(points) == 10
            assert same(before, weights(made))
            assert scheduler.iteration == 0
        made.train()
        runs.append(weights(made))
    assert same(*runs)
    assert not same(before, runs[0])


def test_the_example_trains_with_the_bounds_of_its_range_test(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")

    printed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("max_lr") for line in printed)
    name, accuracy = printed[-1].split(": ")
    assert name == "OneCycle to max_lr, 20 epochs"
    assert float(accuracy.rstrip("%")) > 90  # of ten digits, guessing gets a tenth right
