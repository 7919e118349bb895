"""A network of three convolutions: forward, and the gradients back.

Digits of 8x8 -> convolution, ReLU, pooling -> 4x4 -> convolution, ReLU, pooling -> 2x2 -> a
convolution whose kernels cover all that is left: one score for each class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import multiconv as mc
from multiconv._typing import Array

SIDE, POOL, CLASSES = 8, 2, 10
LEFT = SIDE // POOL // POOL


class Weights(NamedTuple):
    """Kernels of shape (out, in, rows, columns), and a bias for each channel out."""

    first: Array
    first_bias: Array
    second: Array
    second_bias: Array
    last: Array
    last_bias: Array


class Maps(NamedTuple):
    """What each layer gives, of shape (digits, channels, rows, columns)."""

    digits: Array
    first: Array
    first_pooled: Array
    second: Array
    second_pooled: Array
    scores: Array


def initial(filters: int, size: int, seed: int = 0) -> Weights:
    """Random kernels (He et al., "Delving Deep into Rectifiers", 2015), biases of zero."""
    rng = np.random.default_rng(seed)
    arrays = []
    for out, channels, k in ((filters, 1, size), (2 * filters, filters, size),
                             (CLASSES, 2 * filters, LEFT)):  # fmt: skip
        spread = np.sqrt(2 / (channels * k * k))
        arrays += [
            (rng.standard_normal((out, channels, k, k)) * spread).astype(np.float32),
            np.zeros(out, np.float32),
        ]
    return Weights(*arrays)


def forward(weights: Weights, digits: Array) -> Maps:
    """Every layer's result for digits of shape (digits, 1, 8, 8)."""
    padding = padding_of(weights)
    first = _layer(digits, weights.first, weights.first_bias, padding)
    first_pooled = mc.max_pool(first, POOL)
    second = _layer(first_pooled, weights.second, weights.second_bias, padding)
    second_pooled = mc.max_pool(second, POOL)
    scores = mc.conv(second_pooled, weights.last, weights.last_bias)
    return Maps(digits, first, first_pooled, second, second_pooled, scores)


def sums(weights: Weights, maps: Maps, layer: int) -> Array:
    """What a layer sums up, before ReLU: of layer 1, 2 or 3."""
    padding = padding_of(weights)
    if layer == 3:
        return maps.scores
    if layer == 2:
        x, w, bias = maps.first_pooled, weights.second, weights.second_bias
    else:
        x, w, bias = maps.digits, weights.first, weights.first_bias
    result: Array = mc.conv(x, w, bias, padding=padding)
    return result


def _layer(x: Array, kernels: Array, bias: Array, padding: int) -> Array:
    result: Array = mc.conv(x, kernels, bias, padding=padding, activation="relu")
    return result


def probabilities(scores: Array) -> Array:
    """Softmax of scores of shape (digits, classes, 1, 1): (digits, classes)."""
    scores = scores.reshape(scores.shape[:2]).astype(np.float64)
    powers = np.exp(scores - scores.max(1, keepdims=True))
    shares: Array = powers / powers.sum(1, keepdims=True)
    return shares


def to_second(weights: Weights, maps: Maps, scores: Array) -> Array:
    """Gradient in the second layer's sums (before ReLU), from one in the scores."""
    pooled = mc.conv_input_grad(scores, weights.last, maps.second_pooled.shape)
    return _through_pooling(pooled, maps.second)


def to_first(weights: Weights, maps: Maps, second: Array) -> Array:
    """Gradient in the first layer's sums, from one in the second's."""
    shape, padding = maps.first_pooled.shape, padding_of(weights)
    pooled = mc.conv_input_grad(second, weights.second, shape, padding=padding)
    return _through_pooling(pooled, maps.first)


def to_digits(weights: Weights, maps: Maps, first: Array) -> Array:
    """Gradient in the digits, from one in the first layer's sums."""
    shape, padding = maps.digits.shape, padding_of(weights)
    result: Array = mc.conv_input_grad(first, weights.first, shape, padding=padding)
    return result


def weight_gradients(weights: Weights, maps: Maps, scores: Array) -> Weights:
    """Gradient in every weight, from one in the scores."""
    second = to_second(weights, maps, scores)
    first = to_first(weights, maps, second)
    padding = padding_of(weights)
    return Weights(
        mc.conv_weight_grad(maps.digits, first, weights.first.shape, padding=padding),
        first.sum((0, 2, 3)),
        mc.conv_weight_grad(maps.first_pooled, second, weights.second.shape, padding=padding),
        second.sum((0, 2, 3)),
        mc.conv_weight_grad(maps.second_pooled, scores, weights.last.shape),
        scores.sum((0, 2, 3)),
    )


def winners(maps: Array) -> Array:
    """Where maps are what pooling passes on, and more than nothing: 1, elsewhere 0."""
    count, channels, rows, columns = maps.shape
    ones = np.ones((count, channels, rows // POOL, columns // POOL), np.float32)
    return _through_pooling(ones, maps)


def padding_of(weights: Weights) -> int:
    """What keeps the size of the maps."""
    return weights.first.shape[-1] // 2


def _through_pooling(pooled: Array, maps: Array) -> Array:
    """Gradient in sums, from one in what is left of them after ReLU and pooling."""
    result: Array = mc.max_pool_grad(pooled, maps, POOL) * (maps > 0)
    return result
