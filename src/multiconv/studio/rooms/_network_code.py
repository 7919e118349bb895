"""One prediction as a program for each library."""

from __future__ import annotations

import base64

from multiconv._typing import Array

from ._network_layers import Weights

LIBRARIES = {
    "multiconv": """
import multiconv as mc


def layer(x, kernels, bias):
    x = mc.conv(x, kernels, bias, padding=kernels.shape[-1] // 2, activation="relu")
    return mc.max_pool(x, 2)


def scores(x):
    x = layer(x, kernels1, bias1)
    x = layer(x, kernels2, bias2)
    return mc.conv(x, kernels3, bias3).ravel()
""",
    "SciPy": """
from scipy.signal import correlate2d


def layer(x, kernels, bias):
    # SciPy has no channels: each map is a sum of correlations.
    maps = [sum(correlate2d(c, k, "same") for c, k in zip(x[0], ks)) for ks in kernels]
    x = np.maximum(np.stack(maps) + bias[:, None, None], 0)
    return x.reshape(1, len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).max((3, 5))


def scores(x):
    x = layer(x, kernels1, bias1)
    x = layer(x, kernels2, bias2)
    return np.array([sum(correlate2d(c, k, "valid").item() for c, k in zip(x[0], ks))
                     for ks in kernels3]) + bias3
""",
    "torch": """
import torch
from torch.nn.functional import conv2d, max_pool2d, relu


def layer(x, kernels, bias):
    padding = kernels.shape[-1] // 2
    x = conv2d(x, torch.from_numpy(kernels), torch.from_numpy(bias), padding=padding)
    return max_pool2d(relu(x), 2)


def scores(x):
    x = layer(torch.from_numpy(x), kernels1, bias1)
    x = layer(x, kernels2, bias2)
    x = conv2d(x, torch.from_numpy(kernels3), torch.from_numpy(bias3))
    return x.numpy().ravel()
""",
    "Keras": """
from keras import ops


def conv(x, kernels, bias, padding):
    # Keras wants the channels last.
    kernels = ops.transpose(kernels, (2, 3, 1, 0))
    return ops.add(ops.conv(x, kernels, padding=padding, data_format="channels_last"), bias)


def layer(x, kernels, bias):
    x = ops.relu(conv(x, kernels, bias, "same"))
    return ops.max_pool(x, 2, data_format="channels_last")


def scores(x):
    x = layer(ops.transpose(x, (0, 2, 3, 1)), kernels1, bias1)
    x = layer(x, kernels2, bias2)
    return ops.convert_to_numpy(conv(x, kernels3, bias3, "valid")).ravel()
""",
    "JAX": """
import jax
from jax import lax


def conv(x, kernels, bias, padding):
    return lax.conv(x, kernels, (1, 1), padding) + bias[:, None, None]


def layer(x, kernels, bias):
    x = jax.nn.relu(conv(x, kernels, bias, "SAME"))
    return lax.reduce_window(x, -np.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def scores(x):
    x = layer(x, kernels1, bias1)
    x = layer(x, kernels2, bias2)
    return np.asarray(conv(x, kernels3, bias3, "VALID")).ravel()
""",
}

NAMES = ("kernels1", "bias1", "kernels2", "bias2", "kernels3", "bias3")


def programs(weights: Weights, digit: Array) -> dict[str, str]:
    """A program for each library that ends in the probabilities of the classes."""
    return {name: _program(text, weights, digit) for name, text in LIBRARIES.items()}


def _program(text: str, weights: Weights, digit: Array) -> str:
    counts = (digit * 16).round().astype(int).tolist()
    rows = ",\n    ".join(str(row) for row in counts)
    return (
        f"import base64\n\nimport numpy as np{text}\n\n"
        "def array(text, *shape):\n"
        '    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape).copy()\n\n\n'
        f"digit = np.array([\n    {rows},\n], np.float32) / 16\n"
        + "".join(_assignment(n, a) for n, a in zip(NAMES, weights, strict=True))
        + "\npowers = np.exp(scores(digit[None, None]))\n"
        "result = powers / powers.sum()\n"
    )


def _assignment(name: str, array: Array) -> str:
    text = base64.b64encode(array.astype("<f4").tobytes()).decode()
    return f'{name} = array("{text}", {", ".join(map(str, array.shape))})\n'
