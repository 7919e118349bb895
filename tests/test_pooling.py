"""Pooling: against torch and Keras where they have it, against a plain loop elsewhere."""

from __future__ import annotations

import itertools
import math
import os

import ml_dtypes
import numpy as np
import pytest
import scipy.ndimage
import torch

import multiconv as mc
from multiconv import _window_max, testing
from multiconv._geometry import pooled_length
from multiconv._pooling import _largest, _windows, avg_pool, avg_pool_grad, max_pool, max_pool_grad

RNG = np.random.default_rng(2)


def draw_problem(rank):
    """Sizes, window, stride, padding, dilation, ceil_mode, with no two axes alike."""
    sizes = tuple(RNG.permutation(np.arange(3, 12))[:rank].tolist())
    size = tuple(RNG.integers(1, 6, rank).tolist())
    stride = None if RNG.random() < 0.2 else tuple(RNG.integers(1, 5, rank).tolist())
    padding = tuple(int(RNG.integers(0, k // 2 + 1)) for k in size)
    dilation = tuple(RNG.integers(1, 4, rank).tolist())
    return sizes, size, stride, padding, dilation, bool(RNG.random() < 0.5)


def outcome(function, *arguments, **options):
    """The result, or None where the arguments are refused."""
    try:
        return np.asarray(function(*arguments, **options))
    except (ValueError, RuntimeError):
        return None


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_max_pool_is_torchs(rank, dtype):
    torchs = getattr(torch.nn.functional, f"max_pool{rank}d")
    compared = 0
    for _ in range(120):
        sizes, size, stride, padding, dilation, ceil_mode = draw_problem(rank)
        x = RNG.standard_normal((2, 3, *sizes)).astype(dtype)
        x[RNG.random(x.shape) < 0.02] = np.nan
        want = outcome(torchs, torch.from_numpy(x), size, stride, padding, dilation, ceil_mode)
        got = outcome(
            max_pool, x, size,
            stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode,
        )  # fmt: skip
        assert (got is None) == (want is None)
        if got is not None:
            np.testing.assert_array_equal(got, want)
            assert got.dtype == dtype
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padded", [True, False])
def test_avg_pool_is_torchs(rank, padded):
    torchs = getattr(torch.nn.functional, f"avg_pool{rank}d")
    compared = 0
    for _ in range(120):
        sizes, size, stride, padding, _, ceil_mode = draw_problem(rank)
        if any(k > n for k, n in zip(size, sizes, strict=True)):
            continue  # torch refuses some of these in three dimensions only
        x = RNG.standard_normal((2, 3, *sizes))
        want = outcome(torchs, torch.from_numpy(x), size, stride, padding, ceil_mode, padded)
        got = outcome(
            avg_pool, x, size,
            stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=padded,
        )  # fmt: skip
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)
        compared += 1
    assert compared > 20


def loop_windows(shape, size, stride, padding, dilation, ceil_mode):
    """For each output: how many taps are on the padded input, and the positions on the input."""
    axes = []
    for n, k, s, (low, high), d in zip(shape, size, stride, padding, dilation, strict=True):
        end = low + n + high
        starts = [i * s for i in range(end) if i * s + (k - 1) * d < end]
        uncovered = starts[-1] + (k - 1) * d + 1 < end
        if ceil_mode and uncovered and starts[-1] + s < low + n:
            starts.append(starts[-1] + s)
        windows = [[start + j * d - low for j in range(k)] for start in starts]
        axes.append(
            [(sum(t < n + high for t in taps), [t for t in taps if 0 <= t < n]) for taps in windows]
        )
    return axes


def loop_pool(x, axes, reduce):
    """Pool the trailing axes of x by one Python loop over outputs."""
    out = np.empty(x.shape[: -len(axes)] + tuple(len(axis) for axis in axes), object)
    for index in np.ndindex(*(len(axis) for axis in axes)):
        windows = [axis[i] for axis, i in zip(axes, index, strict=True)]
        taken = x[(..., *np.ix_(*(np.array(positions, int) for _, positions in windows)))]
        taken = taken.reshape((*x.shape[: -len(axes)], -1))
        count = int(np.prod([taps for taps, _ in windows]))
        for lead in np.ndindex(*out.shape[: -len(axes)]):
            out[lead + index] = reduce(taken[lead], count)
    return out


LOOP_CASES = [
    ((5, 4, 7, 6), (2, 3, 1, 4), (1, 2, 3, 2), ((1, 0), (0, 1), (0, 0), (2, 1)), (1, 1, 2, 1)),
    ((3, 6, 5, 8), (3, 2, 4, 2), (2, 3, 1, 4), ((1, 1), (1, 0), (0, 2), (0, 1)), (1, 2, 1, 3)),
]


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("case", LOOP_CASES)
@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.bool_, np.float32, ">f8"])
def test_rank_four_pairs_and_integers_against_a_loop(case, ceil_mode, dtype):
    shape, size, stride, padding, dilation = case
    x = RNG.integers(-100, 100, (2, 1, *shape)).astype(dtype)
    axes = loop_windows(shape, size, stride, padding, dilation, ceil_mode)
    options = {
        "stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode
    }  # fmt: skip

    got = max_pool(x, size, **options)
    assert got.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(got, loop_pool(x, axes, lambda v, _: v.max()).astype(got.dtype))

    for padded in (True, False):
        got = avg_pool(x, size, count_include_pad=padded, **options)
        assert got.dtype == (np.float32 if dtype == np.float32 else np.float64)
        want = loop_pool(
            x, axes, lambda v, n, p=padded: v.sum(dtype=np.float64) / (n if p else v.size)
        ).astype(np.float64)
        np.testing.assert_allclose(got, want, rtol=1e-6 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("pool", [max_pool, avg_pool])
def test_channels_last_is_channels_first_moved(pool):
    x = RNG.standard_normal((2, 3, 9, 5, 7))
    options = {"stride": (2, 1, 3), "padding": (1, 0, 1), "ceil_mode": True}
    first = pool(x, (3, 2, 4), **options)
    last = pool(np.moveaxis(x, 1, -1), (3, 2, 4), data_format="channels_last", **options)
    np.testing.assert_array_equal(np.moveaxis(last, -1, 1), first)
    assert last.flags.c_contiguous


UNEVEN = [((7, 10), (3, 2), (2, 3)), ((8, 5), (4, 3), (1, 2)), ((9, 4), (1, 2), (3, 1))]
EVEN = [((7, 6), (3, 4), (2, 2)), ((9, 10), (5, 3), (1, 1)), ((4, 9), (2, 5), (2, 4))]


@pytest.mark.filterwarnings("ignore")  # Keras' own
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_words_of_padding_are_keras(padding):
    """Means with uneven "same" padding differ among Keras' backends, and are tested below."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    pools = (max_pool, keras.ops.max_pool), (avg_pool, keras.ops.average_pool)
    for (ours, theirs), (sizes, size, stride) in itertools.product(pools, UNEVEN + EVEN):
        if ours is avg_pool and padding == "same" and (sizes, size, stride) in UNEVEN:
            continue
        x = RNG.standard_normal((2, *sizes, 3)).astype(np.float32)
        want = theirs(x, size, stride, padding, data_format="channels_last")
        got = ours(x, size, stride=stride, padding=padding, data_format="channels_last")
        assert got.shape == want.shape
        np.testing.assert_allclose(got, keras.ops.convert_to_numpy(want), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("sizes", "size", "stride"), UNEVEN + EVEN)
def test_same_padding_is_never_counted(sizes, size, stride):
    x = RNG.standard_normal((1, 2, *sizes))
    pads = []
    for n, k, s in zip(sizes, size, stride, strict=True):
        total = max((math.ceil(n / s) - 1) * s + k - n, 0)
        pads.append((total // 2, total - total // 2))
    axes = loop_windows(sizes, size, stride, pads, (1, 1), ceil_mode=False)
    want = loop_pool(x, axes, lambda values, _: values.mean()).astype(float)
    got = avg_pool(x, size, stride=stride, padding="same", count_include_pad=True)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    assert got.shape[2:] == tuple(math.ceil(n / s) for n, s in zip(sizes, stride, strict=True))


def test_int_size_takes_all_axes_and_a_sequence_allows_no_batch():
    x = RNG.standard_normal((2, 3, 8, 6))
    np.testing.assert_array_equal(max_pool(x, 2), max_pool(x, (2, 2)))
    np.testing.assert_array_equal(max_pool(x, (2, 2))[1], max_pool(x[1], (2, 2)))
    assert max_pool(x, np.int64(3)).shape == (2, 3, 2, 2)
    assert max_pool(x[0], [3]).shape == (3, 8, 2)


def test_nan_and_infinity_reach_their_windows_only():
    x = np.zeros((1, 1, 6, 8))
    x[0, 0, 2, 3], x[0, 0, 5, 7] = np.nan, -np.inf
    largest, mean = max_pool(x, (3, 2), stride=1), avg_pool(x, (3, 2), stride=1)
    held = np.zeros((4, 7), bool)
    held[0:3, 2:4] = True
    np.testing.assert_array_equal(np.isnan(largest[0, 0]), held)
    np.testing.assert_array_equal(np.isnan(mean[0, 0]), held)
    assert np.isneginf(mean[0, 0, 3, 6])
    assert np.isfinite(np.delete(mean[0, 0].ravel(), 27)[~np.delete(held.ravel(), 27)]).all()


def test_windows_whose_taps_are_all_outside():
    """A window of two far taps around a short input."""
    options = {"dilation": 4, "padding": 1, "stride": 1}
    x = np.array([[[5, 6, 7]]])
    np.testing.assert_array_equal(max_pool(x.astype(np.int8), 2, **options), [[[-128]]])
    np.testing.assert_array_equal(max_pool(x.astype(float), 2, **options), [[[-np.inf]]])
    for padded in (True, False):
        np.testing.assert_array_equal(
            avg_pool(x, 2, count_include_pad=padded, **options), [[[0.0]]]
        )
    options["dilation"] = 3
    np.testing.assert_array_equal(avg_pool(x, 2, **options), [[[3.5, 2.5]]])
    np.testing.assert_array_equal(
        avg_pool(x, 2, count_include_pad=False, **options), [[[7.0, 5.0]]]
    )


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_is_summed_in_float32(dtype):
    x = (RNG.integers(0, 8, (1, 2, 40, 50)) + 1000).astype(dtype)
    wide = x.astype(np.float32)
    got = avg_pool(x, (33, 37), stride=(2, 3))
    assert got.dtype == dtype
    want = avg_pool(wide, (33, 37), stride=(2, 3)).astype(dtype)
    np.testing.assert_array_equal(got.astype(np.float32), want.astype(np.float32))
    largest = max_pool(x, (3, 5), padding=(1, 2))
    assert largest.dtype == dtype
    np.testing.assert_array_equal(
        largest.astype(np.float32), max_pool(wide, (3, 5), padding=(1, 2))
    )


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, np.longdouble])
def test_means_of_other_dtypes(dtype):
    x = (RNG.standard_normal((2, 1, 9)) * (1 + 2j if np.dtype(dtype).kind == "c" else 1)).astype(
        dtype
    )
    got = avg_pool(x, 3, stride=2, padding=1, count_include_pad=False)
    assert got.dtype == dtype
    np.testing.assert_allclose(got[:, :, 0], x[:, :, :2].mean(-1), rtol=1e-6)
    np.testing.assert_allclose(got[:, :, 1], x[:, :, 1:4].mean(-1), rtol=1e-6)


@pytest.mark.parametrize("pool", [max_pool, avg_pool])
def test_strange_memory_layouts_and_an_untouched_input(pool):
    base = RNG.standard_normal((2, 3, 14, 9))
    expected = pool(np.ascontiguousarray(base[:, ::-1, ::2]), (3, 2), stride=1)
    view = base[:, ::-1, ::2]
    view.flags.writeable = False
    before = view.copy()
    np.testing.assert_array_equal(pool(view, (3, 2), stride=1), expected)
    np.testing.assert_array_equal(view, before)
    swapped = view.astype(">f8")
    np.testing.assert_array_equal(pool(swapped, (3, 2), stride=1), expected)
    constant = np.broadcast_to(np.float32(3), (1, 2, 5, 5))
    np.testing.assert_array_equal(pool(constant, 2), np.full((1, 2, 2, 2), 3, np.float32))


@pytest.mark.parametrize("pool", [max_pool, avg_pool])
def test_empty_batch_or_channels(pool):
    assert pool(np.empty((0, 3, 8, 6)), (3, 2), padding=1).shape == (0, 3, 3, 4)
    assert pool(np.empty((2, 0, 8)), 4).shape == (2, 0, 2)


@pytest.mark.parametrize("pool", [max_pool, avg_pool])
def test_huge_windows_cost_no_more_than_the_input(pool):
    x = np.array([[[4.0, 9.0]]])
    huge = 2**40
    result = pool(x, huge, stride=1, padding=huge // 2)
    assert result.shape == (1, 1, 3)
    assert result[0, 0, 1] == (9 if pool is max_pool else 13 / huge)
    assert pool(x, 1, stride=2**61).shape == (1, 1, 1)


DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
          "float16", "float32", "float64"]  # fmt: skip


def draw_windows(dtype, rng):
    """Data in some memory order, windows of any size, and what `_axes` makes of them."""
    rank = int(rng.integers(1, 4))
    sizes = [int(rng.integers(1, (140, 60, 20)[rank - 1])) for _ in range(rank)]
    few = rng.random() < 0.4
    taps = [int(rng.integers(1, 4 if few else min(n + 6, 40) + 1)) for n in sizes]
    options = {
        "stride": [int(rng.choice([1, 1, 2, 2, 3, 5])) for _ in sizes],
        "dilation": [int(rng.choice([1, 1, 1, 2, 3])) for _ in sizes],
        "padding": [tuple(rng.integers(0, k // 2 + 1, 2).tolist()) for k in taps],
        "ceil_mode": bool(rng.random() < 0.3),
        "data_format": str(rng.choice(["channels_first", "channels_last"])),
    }
    channels = int(rng.choice([1, 2, 3, 16, 20]))
    last = options["data_format"] == "channels_last"
    shape = (2, *sizes, channels) if last else (2, channels, *sizes)
    x = rng.integers(0, 100, shape).astype(dtype) if dtype != "bool" else rng.random(shape) < 0.02
    if x.dtype.kind == "f" and rng.random() < 0.5:
        x.reshape(-1)[rng.integers(x.size)] = np.nan
    x = (x, x[::-1], np.asfortranarray(x))[rng.integers(3)]
    return x, taps, options


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", DTYPES)
def test_native_maxima_are_those_of_plain_passes(dtype, target):
    rng = np.random.default_rng(DTYPES.index(dtype))
    done = 0
    while done < 25:
        x, taps, options = draw_windows(dtype, rng)
        try:
            axes = _windows.windows(x.shape, taps, **options)
        except ValueError:  # a window that does not fit
            continue
        assert _window_max.can_run(x.dtype, axes)
        with testing.forced_target(target):
            found = max_pool(x, taps, **options)
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, _largest._pass_by_pass(x, axes), strict=True)
        done += 1


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 15, 16, 101, 640])
def test_windows_of_any_size_are_scipys(size):
    x = RNG.standard_normal((311, 640)).astype(np.float32)
    for sizes in ((size, 3), (2, size), (min(size, 311), size)):
        # A window of even size reaches further down in scipy.
        pads = [(k // 2, (k - 1) // 2) for k in sizes]
        found = max_pool(x[None, None], sizes, stride=1, padding=pads)[0, 0]
        want = scipy.ndimage.maximum_filter(x, sizes, mode="constant", cval=-np.inf)
        np.testing.assert_array_equal(found, want)


def test_a_long_line_and_one_of_many_channels():
    x = RNG.integers(-1000, 1000, 300_000).astype(np.int16)
    for shape in [(1, 1, 300_000), (1, 300_000, 1), (3, 1, 100_000)]:
        line = x.reshape(shape)
        axis = int(np.argmax(shape))
        options = {"data_format": "channels_last" if axis == 1 else "channels_first"}
        found = max_pool(line, [701], stride=1, padding=350, **options)
        want = scipy.ndimage.maximum_filter1d(line, 701, axis=axis, mode="constant", cval=-32768)
        np.testing.assert_array_equal(found, want)


def test_any_number_of_threads_gives_the_same_maxima():
    x = RNG.standard_normal((2, 3, 400, 300))
    results = []
    for threads in (1, 2, 3):
        with mc.num_threads(threads):
            results.append(max_pool(x, (30, 21), stride=(1, 2)).tobytes())
    assert len(set(results)) == 1


def test_maxima_larger_than_the_memory_limit_are_refused(monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "1KB")
    with pytest.raises(mc.MemoryLimitError, match="result: shape"):
        max_pool(np.zeros((1, 1, 90, 90)), 2)


def test_torch_tensors_come_back_as_torch_tensors():
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    assert torch.equal(max_pool(x, 2), torch.nn.functional.max_pool2d(x, 2))
    assert torch.equal(avg_pool(x, 2), torch.nn.functional.avg_pool2d(x, 2))


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        ((10, 3, 2, 0, 0), 4), ((10, 3, 2, 0, 0, True), 5), ((10, 3, 2, 1, 0), 5),
        ((3, 2, 2, 1, 1, True), 2), ((2, 3, 2, 0, 0), 0), ((2, 3, 2, 0, 0, True), 1),
        ((5, 1, 7, 0, 0, True), 1),
    ],
)  # fmt: skip
def test_lengths(arguments, length):
    assert pooled_length(*arguments) == length


IMAGE = np.zeros((1, 2, 8, 6))


@pytest.mark.parametrize("pool", [max_pool, avg_pool])
@pytest.mark.parametrize(
    ("x", "size", "options", "error", "message"),
    [
        (IMAGE, 0, {}, ValueError, "size: 0 is too small, the least allowed is 1"),
        (IMAGE, 2.5, {}, TypeError, "size: 2.5 is not allowed"),
        (IMAGE, (2, 2, 2, 2), {}, ValueError, r"x: shape \(1, 2, 8, 6\) has 4 axes, needed are"),
        (np.zeros((3, 4)), 2, {}, ValueError, "has 2 axes, needed are batch, channels and"),
        (np.float64(3), 2, {}, ValueError, "has 0 axes"),
        (IMAGE, (), {}, ValueError, "has 4 axes"),
        (IMAGE, (2, 7), {}, ValueError, "size: the window covers 7 elements on spatial axis 1"),
        (IMAGE, 3, {"dilation": 4}, ValueError, "size: the window covers 9 elements on spatial"),
        (IMAGE, 2, {"stride": 0}, ValueError, "stride: 0 is too small"),
        (IMAGE, 2, {"stride": (1, 2, 3)}, ValueError, "stride: .* has 3 values"),
        (IMAGE, 2, {"dilation": -1}, ValueError, "dilation: -1 is too small"),
        (IMAGE, 3, {"padding": 2}, ValueError, "padding: 2 is not allowed for a window of size 3, "
         "allowed is 0 to 1"),
        (IMAGE, 3, {"padding": -1}, ValueError, "padding: -1 is not allowed"),
        (IMAGE, 3, {"padding": ((0, 1), (0, 2))}, ValueError, "padding: 2 is not allowed"),
        (IMAGE, 3, {"padding": "full"}, ValueError, "padding: 'full' is not allowed, choose"),
        (IMAGE, 3, {"padding": 2**63}, ValueError, "padding: .*out of range"),
        (IMAGE, 2**62, {"dilation": 2**10}, ValueError, "size: .*out of range"),
        (IMAGE, 2, {"data_format": "NCHW"}, ValueError, "data_format: 'NCHW' is not allowed"),
        (np.zeros((1, 2, 0, 6)), 2, {}, ValueError, "has a spatial axis without elements"),
        (np.array([[["a"]]]), 1, {}, TypeError, "x: dtype <U1 is not allowed"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_sentence(pool, x, size, options, error, message):
    with pytest.raises(error, match=message):
        pool(x, size, **options)


def test_complex_numbers_have_no_maximum():
    with pytest.raises(TypeError, match="x: dtype complex128 has no order"):
        max_pool(np.zeros((1, 1, 4), complex), 2)


def torchs_gradient(function, x, grad, *arguments, **options):
    leaf = torch.from_numpy(x).requires_grad_()
    function(leaf, *arguments, **options).backward(torch.from_numpy(grad))
    return leaf.grad.numpy()


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_gradient_of_max_pool_is_torchs(rank, dtype, data_format, target):
    torchs = getattr(torch.nn.functional, f"max_pool{rank}d")
    compared = 0
    while compared < 12:
        sizes, size, *options = draw_problem(rank)
        x = RNG.integers(-3, 4, (2, int(RNG.choice([1, 3, 67])), *sizes)).astype(dtype)  # many ties
        x[RNG.random(x.shape) < 0.01] = np.nan
        wanted = outcome(torchs, torch.from_numpy(x), size, *options)
        if wanted is None:
            continue
        grad = RNG.integers(-9, 10, wanted.shape).astype(dtype)
        given = [np.moveaxis(a, 1, -1) if data_format == "channels_last" else a for a in (grad, x)]
        if RNG.random() < 0.5:
            given = [np.ascontiguousarray(a) for a in given]
        names = ("stride", "padding", "dilation", "ceil_mode")
        with testing.forced_target(target):
            found = max_pool_grad(
                *given, size, **dict(zip(names, options, strict=True)), data_format=data_format
            )
        assert found.dtype == dtype
        if data_format == "channels_last":
            found = np.moveaxis(found, -1, 1)
        np.testing.assert_array_equal(found, torchs_gradient(torchs, x, grad, size, *options))
        compared += 1


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_gradient_of_avg_pool_is_torchs(rank, padded, data_format):
    torchs = getattr(torch.nn.functional, f"avg_pool{rank}d")
    compared = 0
    while compared < 20:
        sizes, size, stride, padding, _, ceil_mode = draw_problem(rank)
        if any(k > n for k, n in zip(size, sizes, strict=True)):
            continue
        x = RNG.standard_normal((2, 3, *sizes))
        options = (size, stride, padding, ceil_mode, padded)
        grad = RNG.standard_normal(torchs(torch.from_numpy(x), *options).shape)
        shape, given = x.shape, grad
        if data_format == "channels_last":
            shape, given = (2, *sizes, 3), np.moveaxis(grad, 1, -1)
        found = avg_pool_grad(
            given, shape, size, stride=stride, padding=padding, ceil_mode=ceil_mode,
            count_include_pad=padded, data_format=data_format,
        )  # fmt: skip
        assert found.shape == shape
        if data_format == "channels_last":
            found = np.moveaxis(found, -1, 1)
        want = torchs_gradient(torchs, x, grad, *options)
        np.testing.assert_allclose(found, want, rtol=1e-13, atol=1e-14)
        compared += 1


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_gradients_of_half_precision(dtype):
    x = RNG.integers(0, 100, (2, 3, 9, 11)).astype(dtype)
    grad = RNG.integers(-9, 9, (2, 3, 4, 5)).astype(dtype)
    largest, mean = max_pool_grad(grad, x, 2), avg_pool_grad(grad, x.shape, 2)
    assert largest.dtype == mean.dtype == dtype
    wide = max_pool_grad(grad.astype(float), x.astype(float), 2)
    np.testing.assert_array_equal(largest.astype(float), wide)
    np.testing.assert_array_equal(mean.astype(float), avg_pool_grad(grad.astype(float), x.shape, 2))


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3, 9, 11), (3, 5, 6, 7), (2, 40, 9, 11)])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_global_pooling(shape, data_format):
    x = RNG.standard_normal(shape)
    if data_format == "channels_last":
        x = np.moveaxis(x, 1, -1)
    spatial = (1, 2, 3)[: x.ndim - 2] if data_format == "channels_last" else (2, 3, 4)[: x.ndim - 2]
    options = {"data_format": data_format}
    np.testing.assert_array_equal(max_pool(x, None, **options), x.max(spatial, keepdims=True))
    mean = x.mean(spatial, keepdims=True)
    np.testing.assert_allclose(avg_pool(x, None, **options), mean, rtol=1e-12, atol=1e-14)
    back = avg_pool_grad(mean, x.shape, None, **options)
    np.testing.assert_allclose(back, np.broadcast_to(mean / np.prod(shape[2:]), x.shape))
    winners = max_pool_grad(np.ones_like(mean), x, None, **options)
    np.testing.assert_array_equal(winners, x == x.max(spatial, keepdims=True))


def test_gradients_of_the_wrong_shape_or_dtype_are_refused():
    x = np.ones((1, 1, 6))
    with pytest.raises(ValueError, match=r"grad: shape \(1, 1, 2\) does not fit.*\(1, 1, 3\)"):
        max_pool_grad(np.ones((1, 1, 2)), x, 2)
    with pytest.raises(ValueError, match=r"grad: shape \(1, 1, 2\) does not fit"):
        avg_pool_grad(np.ones((1, 1, 2)), x.shape, 2)
    with pytest.raises(TypeError, match="x: dtype int64 has no gradient"):
        max_pool_grad(np.ones((1, 1, 3)), x.astype(np.int64), 2)
    with pytest.raises(TypeError, match="grad: dtype int64 is not allowed"):
        avg_pool_grad(np.ones((1, 1, 3), np.int64), x.shape, 2)


def test_arguments_that_merely_equal_known_ones_are_refused_again():
    x = np.ones((1, 1, 6, 6))
    avg_pool(x, (2, 2))
    for size in (2.0, (2.0, 2)):
        with pytest.raises(TypeError, match="size"):
            avg_pool(x, size)
