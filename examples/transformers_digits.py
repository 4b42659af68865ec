"""Train a tiny vision transformer on scikit-learn's digits with Hugging Face's Trainer.

Its range test goes through the Trainer's own loss and data; nothing is downloaded.

pip install "cyclr[torch]" "transformers[torch]" scikit-learn
python examples/transformers_digits.py
"""

import tempfile

import torch
from sklearn.datasets import load_digits
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import random_split
from transformers import Trainer, TrainingArguments, ViTConfig, ViTForImageClassification, set_seed

from cyclr import OneCycle
from cyclr_torch import Scheduler, range_test

EPOCHS = 20


def range_test_of(trainer, **arguments):
    """Run a range test of what the Trainer would train, as it would: its clipping, too."""
    model, optimizer, args = trainer.model, trainer.create_optimizer(), trainer.args

    def clip(*_):
        clip_grad_norm_(model.parameters(), args.max_grad_norm)

    handle = optimizer.register_step_pre_hook(clip)
    try:
        return range_test(
            model,
            optimizer,
            data=trainer.get_train_dataloader(),
            batch_loss=trainer.compute_loss,
            gradient_accumulation_steps=args.gradient_accumulation_steps,
            **arguments,
        )
    finally:
        handle.remove()


def train(folder, seed=0):
    """Return the accuracy on held-out digits, and the bounds."""
    set_seed(seed)
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    pixels = images.float().reshape(-1, 1, 8, 8) / 16
    data = [{"pixel_values": x, "labels": y} for x, y in zip(pixels, labels, strict=True)]
    training, held_out = random_split(data, [0.75, 0.25])
    config = ViTConfig(
        image_size=8,
        patch_size=2,
        num_channels=1,
        num_labels=10,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
    )
    trainer = Trainer(
        ViTForImageClassification(config),
        TrainingArguments(
            folder,
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=32,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
        ),
        train_dataset=training,
    )
    bounds = range_test_of(trainer).bounds()
    updates = EPOCHS * len(trainer.get_train_dataloader())
    trainer.lr_scheduler = Scheduler(
        trainer.optimizer, bounds.schedule(OneCycle, iterations=updates)
    )
    trainer.train()

    predicted = trainer.predict(held_out).predictions.argmax(-1)
    return (predicted == [int(item["labels"]) for item in held_out]).mean(), bounds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        accuracy, bounds = train(folder)
    print(bounds)
    print(f"OneCycle to max_lr, {EPOCHS} epochs: {accuracy:.1%}")
