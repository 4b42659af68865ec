"""Caffe's cifar10_full, each piece beside its formula written out in NumPy."""

import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from benchmarks.paper.data import Cifar10, read
from benchmarks.paper.network import Cifar10Full, local_response, parameter_groups


@pytest.fixture(scope="module")
def network():
    return Cifar10Full(seed=0)


def random(*shape, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal(shape)


def conv(x, weight, bias):
    """5x5, zeros of width 2 around: one output channel and place after the other."""
    n, _, height, width = x.shape
    x = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))
    out = np.empty((n, len(weight), height, width))
    for i in range(height):
        for j in range(width):
            out[:, :, i, j] = np.einsum("ncij,ocij->no", x[:, :, i : i + 5, j : j + 5], weight)
    return out + bias[:, None, None]


def pool(x, kind):
    """3x3, stride 2, rounded up; a window over the edge is clipped (Caffe's pooling_layer.cpp)."""
    height, width = x.shape[2:]
    rows, columns = (int(np.ceil((size - 3) / 2)) + 1 for size in (height, width))
    out = np.empty((*x.shape[:2], rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = x[:, :, 2 * i : min(2 * i + 3, height), 2 * j : min(2 * j + 3, width)]
            out[:, :, i, j] = kind(window, axis=(2, 3))
    return out


def lrn(x):
    """x (1 + 5e-5 m)^-0.75, m the sum of the squares in 3x3 with zeros around, over 9."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))) ** 2
    height, width = x.shape[2:]
    m = sum(padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9
    return x * (1 + 5e-5 * m) ** -0.75


def test_the_layers_have_caffes_parameters_and_fillers(network):
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    assert shapes == {
        "conv1.weight": (32, 3, 5, 5),
        "conv1.bias": (32,),
        "conv2.weight": (32, 32, 5, 5),
        "conv2.bias": (32,),
        "conv3.weight": (64, 32, 5, 5),
        "conv3.bias": (64,),
        "ip1.weight": (10, 1024),
        "ip1.bias": (10,),
    }
    assert sum(p.numel() for p in network.parameters()) == 89_578
    for name, std in {"conv1": 0.0001, "conv2": 0.01, "conv3": 0.01, "ip1": 0.01}.items():
        layer = getattr(network, name)
        spread = 5 / (2 * layer.weight.numel()) ** 0.5  # five standard errors of an estimate
        assert layer.weight.std().item() == pytest.approx(std, rel=spread)
        assert abs(layer.weight.mean().item()) < 5 * std / layer.weight.numel() ** 0.5
        assert not layer.bias.any()


def test_the_seed_alone_decides_the_first_weights(network):
    torch.manual_seed(99)
    same, other = Cifar10Full(seed=0), Cifar10Full(seed=1)

    assert torch.equal(same.conv2.weight, network.conv2.weight)
    assert not torch.equal(other.conv2.weight, network.conv2.weight)


def test_lrn_is_the_formula():
    x = random(2, 3, 6, 5, scale=150)

    np.testing.assert_allclose(local_response(torch.tensor(x)).numpy(), lrn(x), rtol=1e-12)
    assert abs(lrn(x) / x).min() < 0.7  # of inputs on which it does something


def test_the_gradient_of_lrn_is_that_of_the_formula():
    x = torch.tensor(random(2, 2, 4, 5, scale=150), requires_grad=True)

    assert torch.autograd.gradcheck(local_response, [x], eps=1e-3, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("size", [32, 16, 8, 7])
def test_torchs_pooling_rounded_up_is_caffes(size):
    x = random(2, 3, size, size)

    for ours, kind in ((F.max_pool2d, np.max), (F.avg_pool2d, np.mean)):
        expected = pool(x, kind)
        np.testing.assert_allclose(
            ours(torch.tensor(x), 3, 2, ceil_mode=True).numpy(), expected, rtol=1e-12
        )
    assert expected.shape[2] == size // 2


def test_the_network_is_its_layers_in_caffes_order(network):
    double = Cifar10Full(seed=0).double()
    with torch.no_grad():
        for seed, parameter in enumerate(double.parameters()):
            parameter.copy_(torch.tensor(random(*parameter.shape, seed=seed, scale=0.05)))
    p = {name: value.detach().numpy() for name, value in double.named_parameters()}
    x = random(2, 3, 32, 32, scale=60)

    # MAX, then ReLU, then LRN; ReLU, then AVE, then LRN; ReLU, then AVE.
    h = lrn(np.maximum(pool(conv(x, p["conv1.weight"], p["conv1.bias"]), np.max), 0))
    h = lrn(pool(np.maximum(conv(h, p["conv2.weight"], p["conv2.bias"]), 0), np.mean))
    h = pool(np.maximum(conv(h, p["conv3.weight"], p["conv3.bias"]), 0), np.mean)
    expected = h.reshape(2, 1024) @ p["ip1.weight"].T + p["ip1.bias"]

    np.testing.assert_allclose(double(torch.tensor(x)).detach().numpy(), expected, rtol=1e-9)


def test_each_parameter_has_caffes_multiples_of_rate_and_decay(network):
    groups, multiples = parameter_groups(network)
    names = {id(p): name for name, p in network.named_parameters()}
    found = {
        names[id(p)]: (multiple, group["weight_decay"])
        for group, multiple in zip(groups, multiples, strict=True)
        for p in group["params"]
    }

    assert found == {
        "conv1.weight": (1, 0.004),
        "conv1.bias": (2, 0.004),
        "conv2.weight": (1, 0.004),
        "conv2.bias": (2, 0.004),
        "conv3.weight": (1, 0.004),
        "conv3.bias": (1, 0.004),
        "ip1.weight": (1, 1.0),
        "ip1.bias": (2, 0.0),
    }


def images(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


def test_batches_come_in_file_order_less_the_mean_image_and_start_again(tmp_path):
    x, y = images(250), np.arange(250, dtype=np.uint8) % 10
    np.savez(tmp_path / "tiny.npz", x_train=x, y_train=y, x_test=x[:120], y_test=y[:120])
    data = read(tmp_path / "tiny.npz")
    mean = x.astype(float).mean(axis=0)

    for i, order in ((0, range(100)), (1, range(100, 200)), (2, [*range(200, 250), *range(50)])):
        inputs, labels = data.batch(i)
        expected = (x[list(order)] - mean).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(inputs.numpy(), expected, atol=2e-5)
        assert labels.tolist() == y[list(order)].tolist()
    tests = data.test_batches()
    assert [len(labels) for _, labels in tests] == [100, 20]
    np.testing.assert_allclose(tests[0][0][0].numpy(), (x[0] - mean).transpose(2, 0, 1), atol=2e-5)


def test_the_folder_and_the_archive_are_the_same_data(tmp_path):
    x, y = images(60), list(np.arange(60) % 10)
    for n, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        rows = slice(10 * n, 10 * n + 10)
        planes = x[rows].transpose(0, 3, 1, 2).reshape(10, 3072)  # red, green, blue
        file = {b"data": planes, b"labels": [int(label) for label in y[rows]]}
        (tmp_path / name).write_bytes(pickle.dumps(file))
    archive = tmp_path / "same.npz"
    np.savez(archive, x_train=x[:50], y_train=y[:50], x_test=x[50:], y_test=y[50:])
    folder, same = read(tmp_path), read(archive)

    assert isinstance(folder, Cifar10)
    for name in ("train", "train_labels", "test", "test_labels", "mean"):
        assert torch.equal(getattr(folder, name), getattr(same, name)), name
    assert folder.train.numpy().tolist() == x[:50].tolist()


def test_other_images_are_refused(tmp_path):
    x = images(10).transpose(0, 3, 1, 2)
    np.savez(tmp_path / "planes.npz", x_train=x, y_train=[0] * 10, x_test=x, y_test=[0] * 10)
    with pytest.raises(ValueError, match=r"bytes of shape \(10, 32, 32, 3\): got uint8"):
        read(tmp_path / "planes.npz")
