"""What convolution is known to obey, whatever computes it."""

import functools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import multiconv as mc
from multiconv._registry import registered
from multiconv._traits import UNKNOWN

SHAPES = [((40,), (7,)), ((13, 22), (4, 5)), ((7, 9, 11), (2, 4, 3)), ((4, 6, 5, 7), (3, 1, 2, 4))]
ANY_KERNEL = mc.Problem.parse("in13x22 k4x5 float64")
METHODS = [n for n, a in registered().items() if a.accepts(ANY_KERNEL, UNKNOWN) is None]


def draw(rng, shape, dtype=np.float64):
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


def inner(a, b):
    return np.sum(np.conj(a) * b)


@pytest.fixture(params=["auto", *METHODS])
def run(request):
    """Convolution by one method."""
    return functools.partial(mc.convolve, method=request.param)


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_linear_in_the_data_and_in_the_kernel(run, x_shape, h_shape, rng):
    x, y, h, g = (draw(rng, s) for s in (x_shape, x_shape, h_shape, h_shape))
    close(run(2 * x - 3 * y, h, "same"), 2 * run(x, h, "same") - 3 * run(y, h, "same"))
    close(run(x, 2 * h - 3 * g, "same"), 2 * run(x, h, "same") - 3 * run(x, g, "same"))


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_a_single_one_gives_the_kernel(run, x_shape, h_shape, rng):
    h = draw(rng, h_shape)
    x = np.zeros(x_shape)
    where = tuple(n // 3 for n in x_shape)
    x[where] = 1
    full = run(x, h)
    window = tuple(slice(w, w + k) for w, k in zip(where, h_shape, strict=True))
    close(full[window], h)
    full[window] = 0
    close(full, 0)


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_a_kernel_of_one_tap_shifts(run, x_shape, h_shape, rng):
    x, h = draw(rng, x_shape), np.zeros(h_shape)
    where = tuple(k - 1 - k // 3 for k in h_shape)
    h[where] = 1
    shifted = run(x, h)[tuple(slice(w, w + n) for w, n in zip(where, x_shape, strict=True))]
    close(shifted, x)


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_shifting_the_data_shifts_the_result(run, x_shape, h_shape, rng):
    x, h = draw(rng, x_shape), draw(rng, h_shape)
    by = tuple(range(1, x.ndim + 1))
    axes = tuple(range(x.ndim))
    whole = run(x, h, "same", boundary="wrap")
    close(run(np.roll(x, by, axes), h, "same", boundary="wrap"), np.roll(whole, by, axes))


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_data_and_kernel_may_change_places(x_shape, h_shape, rng):
    x, h = draw(rng, x_shape), draw(rng, h_shape, complex)
    close(mc.convolve(x, h), mc.convolve(h, x))


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_one_after_the_other_is_both_at_once(x_shape, h_shape, rng):
    x, h, g = draw(rng, x_shape), draw(rng, h_shape), draw(rng, tuple(k + 1 for k in h_shape))
    close(mc.convolve(mc.convolve(x, h), g), mc.convolve(x, mc.convolve(h, g)))


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_sums_multiply(run, x_shape, h_shape, rng):
    x, h = draw(rng, x_shape), draw(rng, h_shape)
    close(run(x, h).sum(), x.sum() * h.sum())


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_correlation_is_convolution_with_the_flipped_conjugate(x_shape, h_shape, rng):
    x, h = draw(rng, x_shape, complex), draw(rng, h_shape, complex)
    for mode in ("full", "valid"):
        close(mc.correlate(x, h, mode), mc.convolve(x, np.flip(h).conj(), mode))


@pytest.mark.parametrize(("x_shape", "h_shape"), SHAPES)
def test_the_spectrum_of_a_wrapped_result_is_the_product(x_shape, h_shape, rng):
    x, h = draw(rng, x_shape), draw(rng, h_shape)
    got = mc.convolve(x, h, "full", boundary="wrap")[tuple(slice(0, n) for n in x_shape)]
    axes = range(x.ndim)
    close(np.fft.fftn(got), np.fft.fftn(x) * np.fft.fftn(h, x_shape, axes))


@pytest.mark.parametrize("stride", [2, 3, (1, 3)])
def test_a_stride_keeps_every_so_manyth_output(run, stride, rng):
    x, h = draw(rng, (23, 31)), draw(rng, (4, 6))
    steps = (stride, stride) if isinstance(stride, int) else stride
    for mode in ("full", "same", "valid"):
        whole = run(x, h, mode, boundary="edge")
        close(run(x, h, mode, boundary="edge", stride=stride), whole[:: steps[0], :: steps[1]])


@pytest.mark.parametrize("dilation", [2, 3, (1, 4)])
def test_a_dilation_spreads_the_taps(run, dilation, rng):
    x, h = draw(rng, (23, 31)), draw(rng, (4, 3))
    steps = (dilation, dilation) if isinstance(dilation, int) else dilation
    spread = np.zeros([(k - 1) * d + 1 for k, d in zip(h.shape, steps, strict=True)])
    spread[:: steps[0], :: steps[1]] = h
    for mode in ("full", "same", "valid"):
        close(run(x, h, mode, dilation=dilation), run(x, spread, mode))


@pytest.mark.parametrize("boundary", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("size", [(2, 3), (9, 14), (25, 30)])
def test_a_boundary_is_what_numpy_would_pad(run, boundary, size, rng):
    x, h = draw(rng, (9, 14)), draw(rng, size)
    options = {"cval": 2.5} if boundary == "constant" else {}
    words = {"constant_values": 2.5} if boundary == "constant" else {}
    wide = [(k - 1, k - 1) for k in size]
    padded = np.pad(x, wide, boundary, **words)
    close(run(x, h, boundary=boundary, **options), run(padded, h, "valid"))


@st.composite
def layers(draw):
    """Shapes and arguments of a layer, and how many samples its stride leaves over at the end."""
    rank = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 3))
    channels, filters = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    kernel = [draw(st.integers(1, 4)) for _ in range(rank)]
    size = [draw(st.integers(k, 9)) + a for a, k in enumerate(kernel)]
    options = {
        "stride": tuple(draw(st.integers(1, 3)) for _ in range(rank)),
        "dilation": tuple(draw(st.integers(1, 3)) for _ in range(rank)),
        "padding": tuple((draw(st.integers(-1, 4)), draw(st.integers(-1, 4))) for _ in range(rank)),
        "groups": groups,
        "data_format": draw(st.sampled_from(["channels_first", "channels_last"])),
    }
    first = options["data_format"] == "channels_first"
    n = draw(st.integers(1, 3))
    lead = (n,) if draw(st.booleans()) else ()
    c, o = groups * channels, groups * filters
    x_shape = (*lead, c, *size) if first else (*lead, *size, c)
    w_shape = (o, channels, *kernel) if first else (*kernel, channels, o)
    spare = [
        s + low + high - (k - 1) * d - 1
        for k, d, s, (low, high) in zip(kernel, options["dilation"], size, options["padding"],
                                        strict=True)
    ]  # fmt: skip
    assume(min(spare) >= 0)
    left = tuple(n % s for n, s in zip(spare, options["stride"], strict=True))
    return x_shape, w_shape, options, left


DTYPES = st.sampled_from([np.float64, np.complex128])
PADDING_MODES = st.sampled_from(["zeros", "replicate", "reflect", "circular", "symmetric"])


@given(layers(), PADDING_MODES, st.booleans(), DTYPES, st.integers(0, 2**32))
@settings(max_examples=4 * settings.default.max_examples)
def test_the_gradients_are_the_adjoints(layer, padding_mode, flip, dtype, seed):
    x_shape, w_shape, options, _ = layer
    options |= {"padding_mode": padding_mode, "flip": flip}
    rng = np.random.default_rng(seed)
    x, w = draw(rng, x_shape, dtype), draw(rng, w_shape, dtype)
    y = mc.conv(x, w, **options)
    grad = draw(rng, y.shape, dtype)
    expected = inner(grad, y)
    back = mc.conv_input_grad(grad, w, x_shape, **options)
    assert back.shape == x_shape
    assert inner(back, x) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    back = mc.conv_weight_grad(x, grad, w_shape, **options)
    assert back.shape == w_shape
    assert inner(back, w) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(layers(), DTYPES, st.integers(0, 2**32))
@settings(max_examples=2 * settings.default.max_examples)
def test_the_transpose_is_the_adjoint(layer, dtype, seed):
    x_shape, w_shape, options, left = layer
    rng = np.random.default_rng(seed)
    x, w = draw(rng, x_shape, dtype), draw(rng, w_shape, dtype)
    y = mc.conv(x, w, **options)
    grad = draw(rng, y.shape, dtype)
    back = mc.conv_transpose(grad, w.conj(), output_padding=left, **options)
    assert back.shape == x_shape
    assert inner(back, x) == pytest.approx(inner(grad, y), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("padding", [0, 1, "same", "valid"])
def test_the_transpose_spreads_every_sample(extra, padding, rng):
    x, w = draw(rng, (2, 4, 6)), draw(rng, (4, 3, 5))
    got = mc.conv_transpose(x, w, stride=3, padding=padding, output_padding=extra)
    full = np.zeros((2, 3, (6 - 1) * 3 + 5 + extra))
    for i in range(6):
        full[:, :, 3 * i : 3 * i + 5] += np.einsum("nc,cok->nok", x[:, :, i], w)
    cut = {"same": (1, 1), "valid": (0, 0)}.get(padding, (padding, padding))
    close(got, full[:, :, cut[0] : full.shape[2] - cut[1]])
