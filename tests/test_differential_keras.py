"""Against Keras: channels last, `same` with strides, transposed and depthwise layers."""

import keras
import numpy as np
import pytest
import torch

import multiconv as mc

SIZE, KERNEL = (11, 12, 9), (3, 2, 4)


def draw(rng, *shapes):
    return [rng.standard_normal(s) for s in shapes]


def numbers(tensor):
    return tensor.detach().numpy()


def close(got, expected, tolerance=1e-11):
    np.testing.assert_allclose(got, numbers(expected), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_strided_layers(rank, padding, stride, data_format, rng):
    x, w = draw(rng, (2, *SIZE[:rank], 4), (*KERNEL[:rank], 4, 6))
    got = mc.conv(x, w, stride=stride, padding=padding, data_format="channels_last")
    if data_format == "channels_first":
        x = np.moveaxis(x, -1, 1)
        first = mc.conv(x, np.moveaxis(w, (-1, -2), (0, 1)), stride=stride, padding=padding)
        np.testing.assert_allclose(np.moveaxis(first, 1, -1), got, atol=1e-11)
        got = first
    expected = keras.ops.conv(
        torch.tensor(x), torch.tensor(w), strides=stride, padding=padding, data_format=data_format
    )
    close(got, expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dilation", [2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_dilated_grouped_layers(rank, padding, dilation, groups, rng):
    x, w = draw(rng, (2, *(14, 15, 16)[:rank], 4), (*KERNEL[:rank], 4 // groups, 6))
    options = {"padding": padding, "data_format": "channels_last"}
    got = mc.conv(x, w, dilation=dilation, groups=groups, **options)
    expected = keras.ops.conv(torch.tensor(x), torch.tensor(w), dilation_rate=dilation, **options)
    close(got, expected)


LAYERS = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D, 3: keras.layers.Conv3D}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("activation", "ours"), [
    ("relu", "relu"), ("silu", "silu"), ("sigmoid", "sigmoid"), ("tanh", "tanh"),
    (lambda x: keras.activations.gelu(x, approximate=False), "gelu"),
    (lambda x: keras.activations.gelu(x, approximate=True), "gelu_tanh"),
])  # fmt: skip
def test_whole_layers(rank, activation, ours, rng):
    layer = LAYERS[rank](
        6, KERNEL[:rank], strides=2, padding="same", activation=activation,
        bias_initializer="random_normal", dtype="float64",
    )  # fmt: skip
    (x,) = draw(rng, (2, *SIZE[:rank], 3))
    expected = layer(x)
    got = mc.conv(
        x, numbers(layer.kernel.value), numbers(layer.bias.value), stride=2, padding="same",
        activation=ours, data_format="channels_last",
    )  # fmt: skip
    close(got, expected, 1e-9)


def test_causal_layers(rng):
    layer = keras.layers.Conv1D(5, 4, dilation_rate=3, padding="causal", dtype="float64")
    (x,) = draw(rng, (2, 20, 3))
    expected = layer(x)
    got = mc.conv(x, numbers(layer.kernel.value), padding=((9, 0),), dilation=3,
                  data_format="channels_last")  # fmt: skip
    close(got, expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5])
def test_transposed_layers(rank, padding, stride, taps, rng):
    x, w = draw(rng, (2, *(6, 5, 4)[:rank], 4), (*(taps,) * rank, 3, 4))
    options = {"padding": padding, "data_format": "channels_last"}
    got = mc.conv_transpose(x, w, stride=stride, **options)
    expected = keras.ops.conv_transpose(torch.tensor(x), torch.tensor(w), strides=stride, **options)
    assert got.shape == tuple(expected.shape)
    close(got, expected)


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("multiplier", [1, 3])
def test_depthwise_layers(rank, padding, stride, multiplier, rng):
    x, w = draw(rng, (2, *SIZE[:rank], 5), (*KERNEL[:rank], 5, multiplier))
    expected = keras.ops.depthwise_conv(
        torch.tensor(x), torch.tensor(w), strides=stride, padding=padding,
        data_format="channels_last",
    )  # fmt: skip
    got = mc.conv(
        x, w.reshape(*KERNEL[:rank], 1, 5 * multiplier), stride=stride, padding=padding, groups=5,
        data_format="channels_last",
    )  # fmt: skip
    close(got, expected)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_layers_on_few_samples(size, rng):
    x, w = draw(rng, (1, size, 1), (5, 1, 2))
    expected = keras.ops.conv(torch.tensor(x), torch.tensor(w), padding="same")
    close(mc.conv(x, w, padding="same", data_format="channels_last"), expected)
