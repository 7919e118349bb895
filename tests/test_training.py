"""A small network learns as well by these layers and gradients as by torch's."""

import numpy as np
import pytest
import sklearn.datasets
import torch

import multiconv as mc

SEEDS = range(5)
STEPS, BATCH = 60, 128


class Layer(torch.autograd.Function):
    """`conv` and its two gradients, padded to keep the size."""

    @staticmethod
    def forward(ctx, x, w, bias, method):
        ctx.save_for_backward(x, w)
        ctx.method = method
        return mc.conv(x, w, bias, padding=1, method=method)

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        grad = grad.contiguous()
        to_x = mc.conv_input_grad(grad, w, tuple(x.shape), padding=1, method=ctx.method)
        to_w = mc.conv_weight_grad(x, grad, tuple(w.shape), padding=1)
        return to_x, to_w, grad.sum((0, 2, 3)), None


def theirs(x, w, bias):
    return torch.nn.functional.conv2d(x, w, bias, padding=1)


def ours(method):
    """By one algorithm where there are channels enough for any."""
    return lambda x, w, bias: Layer.apply(x, w, bias, method if x.shape[1] > 1 else "auto")


def parameters(seed):
    torch.manual_seed(seed)
    shapes = [(16, 1, 3, 3), (16,), (32, 16, 3, 3), (32,), (10, 32 * 4)]
    scales = [1 / 3, 0.0, 1 / 12, 0.0, 1 / 11]
    return [(torch.randn(n) * s).requires_grad_() for n, s in zip(shapes, scales, strict=True)]


def loss_after_training(layer, seed):
    """The mean loss over all digits after a few steps of gradient descent with momentum."""
    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    x = torch.tensor(images.reshape(-1, 1, 8, 8) / 16, dtype=torch.float32)
    y = torch.tensor(labels)
    w1, b1, w2, b2, dense = learned = parameters(seed)
    optimizer = torch.optim.SGD(learned, lr=0.1, momentum=0.9)
    order = np.random.default_rng(seed)

    def loss_of(x, y):
        hidden = torch.nn.functional.max_pool2d(torch.relu(layer(x, w1, b1)), 2)
        hidden = torch.nn.functional.max_pool2d(torch.relu(layer(hidden, w2, b2)), 2)
        return torch.nn.functional.cross_entropy(hidden.flatten(1) @ dense.T, y)

    for _ in range(STEPS):
        chosen = torch.from_numpy(order.choice(len(x), BATCH, replace=False))
        optimizer.zero_grad()
        loss_of(x[chosen], y[chosen]).backward()
        optimizer.step()
    with torch.no_grad():
        return float(loss_of(x, y))


@pytest.fixture(scope="module")
def expected():
    return np.array([loss_after_training(theirs, seed) for seed in SEEDS])


@pytest.mark.parametrize("method", ["auto", "winograd"])
def test_training_reaches_the_same_loss(method, expected):
    found = np.array([loss_after_training(ours(method), seed) for seed in SEEDS])
    assert expected.max() < 0.5  # from 2.3: it has learned
    assert abs(found.mean() - expected.mean()) < expected.std()
