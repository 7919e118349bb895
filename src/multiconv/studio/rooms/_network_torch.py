"""Loss and gradients by torch's autograd: with this engine's layers, or with torch's own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, relu

from multiconv import _core
from multiconv._typing import Array
from multiconv.torch._threads import threads

from ._network_layers import POOL, Weights, padding_of

LAYERS = {"multiconv.torch": "multiconv.torch", "torch": "torch.nn.functional"}
"""Where each has its ``conv2d`` and ``max_pool2d``."""

Loss = Callable[[Weights, Array, Array], tuple[float, Weights]]


def loss_by(trainer: str) -> Loss:
    """A function of weights, digits and classes: mean cross-entropy, gradient in the weights."""
    layers = import_module(LAYERS[trainer])
    # Importing multiconv.torch put the engine on torch's threads: give all rooms its own back.
    _core.run_threads_by(0)
    torch.set_num_threads(1)  # a batch is too small for more

    def loss(weights: Weights, digits: Array, classes: Array) -> tuple[float, Weights]:
        leaves = [torch.from_numpy(a).requires_grad_() for a in weights]
        with threads():  # once: each layer would change the engine's number and change it back
            scores = _scores(layers, leaves, torch.from_numpy(digits), padding_of(weights))
            mean = cross_entropy(scores.flatten(1), torch.from_numpy(classes))
            gradients = torch.autograd.grad(mean, leaves)
        return mean.item(), Weights(*(g.numpy() for g in gradients))

    return loss


def _scores(layers: Any, weights: list[Tensor], x: Tensor, padding: int) -> Tensor:
    """Forward, layer by layer as in `forward`."""
    first, first_bias, second, second_bias, last, last_bias = weights
    for kernels, bias in ((first, first_bias), (second, second_bias)):
        x = layers.max_pool2d(relu(layers.conv2d(x, kernels, bias, padding=padding)), POOL)
    scores: Tensor = layers.conv2d(x, last, last_bias)
    return scores
