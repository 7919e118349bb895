"""Against torch: layers of rank 1 to 3, transposed ones, gradients, padding modes, activations."""

import pytest
import torch
from torch.nn import functional as fn

import multiconv as mc

CONV = {1: fn.conv1d, 2: fn.conv2d, 3: fn.conv3d}
TRANSPOSE = {1: fn.conv_transpose1d, 2: fn.conv_transpose2d, 3: fn.conv_transpose3d}
LAYER = {1: torch.nn.Conv1d, 2: torch.nn.Conv2d, 3: torch.nn.Conv3d}
SIZE, KERNEL = (11, 12, 9), (3, 2, 4)

GEOMETRIES = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": (3, 1, 2), "padding": (0, 2, 1)},
    {"dilation": 2, "padding": (3, 0, 2)},
    {"stride": (2, 3, 1), "dilation": (1, 3, 2), "padding": 3},
    {"groups": 2, "padding": 1},
    {"groups": 4, "stride": 2, "dilation": (2, 1, 1)},
]


def draw(rng, *shapes, dtype=torch.float64):
    made = [torch.tensor(rng.standard_normal(s)) for s in shapes]
    if dtype.is_complex:
        made = [torch.complex(m, torch.tensor(rng.standard_normal(m.shape))) for m in made]
    return [m.to(dtype) for m in made]


def fit(options, rank):
    """The options' first entries, one per axis."""
    return {k: v[:rank] if isinstance(v, tuple) else v for k, v in options.items()}


def close(got, expected, tolerance=1e-11):
    assert got.dtype == expected.dtype
    torch.testing.assert_close(got, expected.detach(), rtol=tolerance, atol=tolerance)


def shapes(rank, groups=1, channels=4, filters=8):
    return (3, channels, *SIZE[:rank]), (filters, channels // groups, *KERNEL[:rank])


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.complex128], ids=str)
def test_layers(rank, geometry, dtype, rng):
    options = fit(geometry, rank)
    x, w, bias = draw(rng, *shapes(rank, options.get("groups", 1)), 8, dtype=dtype)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-11
    close(mc.conv(x, w, bias, **options), CONV[rank](x, w, bias, **options), tolerance)
    ours = (mc.conv1d, mc.conv2d, mc.conv3d)[rank - 1]
    close(ours(x, w, bias, **options), CONV[rank](x, w, bias, **options), tolerance)
    close(mc.conv(x[0], w, **options), CONV[rank](x[0], w, **options), tolerance)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_layers_with_channels_last(rank, geometry, rng):
    options = fit(geometry, rank)
    x, w, bias = draw(rng, *shapes(rank, options.get("groups", 1)), 8)
    expected = CONV[rank](x, w, bias, **options)
    last = x.movedim(1, -1), w.movedim((0, 1), (-1, -2))
    got = mc.conv(*last, bias, data_format="channels_last", **options)
    close(got.movedim(-1, 1), expected)
    copied = mc.conv(*(a.contiguous() for a in last), bias, data_format="channels_last", **options)
    close(copied.movedim(-1, 1), expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 3, 16, 17])
def test_depthwise_layers(rank, channels, rng):
    x, w = draw(rng, (2, channels, *SIZE[:rank]), (2 * channels, 1, *KERNEL[:rank]))
    close(mc.conv(x, w, groups=channels), CONV[rank](x, w, groups=channels))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)])
@pytest.mark.parametrize("dilation", [1, (2, 3)])
def test_same_padding(size, dilation, rng):
    x, w = draw(rng, (2, 3, 13, 14), (5, 3, *size))
    expected = torch_same(x, w, dilation)
    close(mc.conv(x, w, padding="same", dilation=dilation), expected)
    close(mc.conv(x, w, padding="valid"), fn.conv2d(x, w, padding="valid"))


def torch_same(x, w, dilation):
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
        return fn.conv2d(x, w, padding="same", dilation=dilation)


@pytest.mark.parametrize("mode", ["zeros", "replicate", "reflect", "circular"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_padding_modes(rank, mode, dtype, rng):
    options = fit({"stride": (2, 1, 3), "padding": (3, 2, 4), "dilation": (1, 2, 1)}, rank)
    layer = LAYER[rank](4, 6, KERNEL[:rank], padding_mode=mode, dtype=dtype, groups=2, **options)
    (x,) = draw(rng, (2, 4, *SIZE[:rank]), dtype=dtype)
    with torch.no_grad():
        got = mc.conv(x, layer.weight, layer.bias, groups=2, padding_mode=mode, **options)
        close(got, layer(x), 1e-5 if dtype == torch.float32 else 1e-11)


TRANSPOSED = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": (3, 2, 4), "padding": (0, 1, 2), "output_padding": (2, 1, 3)},
    {"stride": 3, "dilation": (2, 3, 1), "output_padding": 1},
    {"dilation": 3, "output_padding": (2, 1, 0), "padding": 2},
    {"stride": 2, "groups": 2},
    {"stride": 5, "groups": 4, "output_padding": 4},
]


@pytest.mark.parametrize("geometry", TRANSPOSED)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_transposed_layers(rank, geometry, dtype, rng):
    options = fit(geometry, rank)
    groups = options.get("groups", 1)
    shapes = (2, 4, *(6, 5, 4)[:rank]), (4, 8 // groups, *KERNEL[:rank]), 8
    x, w, bias = draw(rng, *shapes, dtype=dtype)
    expected = TRANSPOSE[rank](x, w, bias, **options)
    close(mc.conv_transpose(x, w, bias, **options), expected)
    close(mc.conv_transpose(x[1], w, bias, **options), expected[1])
    last = x.movedim(1, -1), w.movedim((0, 1), (-1, -2))
    got = mc.conv_transpose(*last, bias, data_format="channels_last", **options)
    close(got.movedim(-1, 1), expected)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_gradients(rank, geometry, dtype, rng):
    options = fit(geometry, rank)
    x, w = draw(rng, *shapes(rank, options.get("groups", 1)), dtype=dtype)
    x.requires_grad_()
    w.requires_grad_()
    y = CONV[rank](x, w, **options)
    (grad,) = draw(rng, y.shape, dtype=dtype)
    y.backward(grad)
    with torch.no_grad():
        close(mc.conv_input_grad(grad, w, x.shape, **options), x.grad)
        close(mc.conv_weight_grad(x, grad, w.shape, **options), w.grad)


@pytest.mark.parametrize("mode", ["replicate", "reflect", "circular"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_gradients_through_padding_modes(rank, mode, rng):
    options = fit({"stride": (2, 1, 3), "padding": (3, 2, 4)}, rank)
    layer = LAYER[rank](4, 6, KERNEL[:rank], padding_mode=mode, bias=False, dtype=torch.float64,
                        **options)  # fmt: skip
    (x,) = draw(rng, (2, 4, *SIZE[:rank]))
    x.requires_grad_()
    y = layer(x)
    (grad,) = draw(rng, y.shape)
    y.backward(grad)
    options["padding_mode"] = mode
    with torch.no_grad():
        close(mc.conv_input_grad(grad, layer.weight, x.shape, **options), x.grad)
        close(mc.conv_weight_grad(x, grad, layer.weight.shape, **options), layer.weight.grad)


ACTIVATIONS = {
    "relu": fn.relu, "relu6": fn.relu6, "leaky_relu": fn.leaky_relu, "silu": fn.silu,
    "gelu": fn.gelu, "gelu_tanh": lambda x: fn.gelu(x, approximate="tanh"),
    "hard_swish": fn.hardswish, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_activations(name, dtype, rng):
    x, w, bias = draw(rng, (2, 3, 8, 9), (5, 3, 3, 2), 5, dtype=dtype)
    got = mc.conv(3 * x, w, bias, activation=name)
    wide = fn.conv2d((3 * x).double(), w.double(), bias.double())
    tolerance = {torch.float64: 1e-13, torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
    torch.testing.assert_close(
        got.double(), ACTIVATIONS[name](wide), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_numbers_far_out(name):
    x = torch.tensor([[[-1e30, -1000.0, -90.0, -1.0, -0.0, 0.0, 1.0, 90.0, 1000.0, 1e30]]])
    got = mc.conv(x, torch.ones((1, 1, 1)), activation=name)
    torch.testing.assert_close(got, ACTIVATIONS[name](x), rtol=1e-5, atol=1e-6, equal_nan=True)


def test_the_founding_layers(rng):
    x, w, bias = draw(rng, (1, 3, 5, 5), (6, 3, 3, 3), 6, dtype=torch.float32)
    close(mc.conv(x, w, bias, padding=1), fn.conv2d(x, w, bias, padding=1), 1e-5)
    x, w = draw(rng, (1, 3, 5, 5, 5), (64, 3, 3, 3, 3), dtype=torch.float32)
    last = mc.conv(x.movedim(1, -1), w.movedim((0, 1), (-1, -2)), data_format="channels_last")
    assert last.shape == (1, 3, 3, 3, 64)
    close(last.movedim(-1, 1), fn.conv3d(x, w), 1e-4)
