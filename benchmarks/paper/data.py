"""CIFAR-10 as Caffe's example reads it: raw pixels less the mean image, in file order."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

__all__ = ["BATCH_SIZE", "Cifar10", "read"]

BATCH_SIZE = 100


@dataclass(frozen=True)
class Cifar10:
    """Images, bytes of shape (n, 32, 32, 3), and labels; *mean* is that of the training images."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    mean: Tensor

    def batch(self, i: int) -> tuple[Tensor, Tensor]:
        """Return the batch of iteration *i*, from 0: neither shuffled, nor cropped, nor mirrored.

        The images come in the order of the file, and from the start again at its end.
        """
        first = i * BATCH_SIZE
        order = torch.arange(first, first + BATCH_SIZE, device=self.train.device) % len(self.train)
        return self._inputs(self.train[order]), self.train_labels[order]

    def test_batches(self) -> list[tuple[Tensor, Tensor]]:
        """Return the whole test set, in order."""
        parts = zip(self.test.split(BATCH_SIZE), self.test_labels.split(BATCH_SIZE), strict=True)
        return [(self._inputs(images), labels) for images, labels in parts]

    def _inputs(self, images: Tensor) -> Tensor:
        # As torch counts the dimensions, (n, 3, 32, 32); in memory the channels stay last.
        return (images - self.mean).permute(0, 3, 1, 2)


def read(path: Path, device: torch.device | str = "cpu") -> Cifar10:
    """Read *path*: the folder ``cifar-10-batches-py``, or an .npz of the same.

    The arrays of an .npz are x_train, y_train, x_test, y_test, images (n, 32, 32, 3). The folder
    is the unpacked "python version" of https://www.cs.toronto.edu/~kriz/cifar.html. Its files are
    pickles, which can run code: read only what comes from there.
    """
    if path.is_dir():
        train = _batches([path / f"data_batch_{n}" for n in range(1, 6)])
        test = _batches([path / "test_batch"])
    else:
        with np.load(path) as arrays:
            train = arrays["x_train"], arrays["y_train"]
            test = arrays["x_test"], arrays["y_test"]
    for images, labels in (train, test):
        if images.dtype != np.uint8 or images.shape != (len(labels), 32, 32, 3):
            raise ValueError(
                f"the images of {path} must be bytes of shape ({len(labels)}, 32, 32, 3): "
                f"got {images.dtype}, {images.shape}"
            )
    mean = train[0].mean(axis=0, dtype=np.float64).astype(np.float32)
    return Cifar10(
        train=torch.from_numpy(train[0]).to(device),
        train_labels=torch.from_numpy(train[1]).to(device).long(),
        test=torch.from_numpy(test[0]).to(device),
        test_labels=torch.from_numpy(test[1]).to(device).long(),
        mean=torch.from_numpy(mean).to(device),
    )


def _batches(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and labels of the files, one after the other."""
    files = [pickle.loads(path.read_bytes(), encoding="bytes") for path in paths]
    images = np.concatenate([file[b"data"] for file in files]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([np.asarray(file[b"labels"]) for file in files])
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)), labels
