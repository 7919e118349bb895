"""Faults that bit other convolution libraries: at least one test a row of the table, by number."""

import itertools
import re
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

import multiconv as mc
from multiconv import testing
from multiconv._geometry import out_size
from multiconv._planner import DEFAULT_ERROR_FACTOR, output_rounding, planner
from multiconv._problem import BOUNDARIES
from multiconv._registry import registered
from multiconv._traits import look
from multiconv.algorithms._base import NO_EPILOGUE, Epilogue


def small(shape, dtype, rng):
    """Integers whose sums every float holds exactly."""
    values = rng.integers(0 if np.dtype(dtype).kind in "bu" else -3, 4, shape)
    return values.astype(dtype)


def data(problem, rng, draw=small):
    x = draw(
        (problem.batch, problem.groups, problem.group_in, *problem.in_size), problem.x_dtype, rng
    )
    shape = (problem.groups, problem.group_out, problem.group_in, *problem.kernel)
    w = draw(shape, problem.w_dtype, rng)
    bias = draw((problem.out_channels,), problem.acc_dtype, rng) if problem.bias else None
    return x, w, Epilogue(bias)


def run(name, problem, x, w, epilogue=NO_EPILOGUE):
    """What an algorithm makes of a problem, None where it refuses."""
    algorithm, traits = registered()[name], look(w, problem.rank)
    if algorithm.accepts(problem, traits) is not None:
        return None
    shape = (problem.batch, problem.groups, problem.group_out, *out_size(problem))
    out = np.empty(shape, problem.out_dtype)
    algorithm.run(algorithm.prepare(problem, w, traits, planner), x, epilogue, out)
    return out


def methods(function, *arrays, **options):
    """Names of the algorithms that take a call."""
    return [r.algorithm for r in mc.plan(function, *arrays, **options).explain().rows if r.accepted]


def outcome(function, *arrays, **options):
    """The message of a ValueError, or None and the result."""
    try:
        return None, function(*arrays, **options)
    except ValueError as error:
        return str(error), None


def separable_kernel(shape, rng):
    factors = [rng.uniform(0.5, 2, n) for n in shape]
    return factors[0] if len(shape) == 1 else np.multiply.outer(*factors)


STEPS = {"float64": 1e9, "float32": 1e3}


def steep(dtype):
    """Nothing for long, then numbers that grow by many orders of magnitude."""
    return np.concatenate([np.zeros(10000), STEPS[dtype] ** np.arange(10)]).astype(dtype)


def lost(auto, direct, size):
    """The largest share of an output's terms that the choice of algorithm changed."""
    assert (direct[size == 0] == 0).all()
    return float((np.abs(auto - direct)[size > 0] / size[size > 0]).max())


@pytest.mark.parametrize("dtype", STEPS)
def test_steep_kernels_lose_nothing(dtype):
    """Row 1: a transform destroys small values next to large ones, from some size on."""
    x = steep(dtype)[:-4]  # so that no product overflows
    for y in (x, x[::-1], np.concatenate([x[6000:], x[5000::-1]])):
        auto, direct = (mc.convolve(x, y, method=m) for m in ("auto", "direct"))
        assert np.isfinite(direct).all()
        np.testing.assert_allclose(auto, direct, rtol=1e-12 if dtype == "float64" else 1e-5)
    exact = np.convolve(x.astype("f8"), x.astype("f8"))
    np.testing.assert_allclose(mc.convolve(x, x), exact, rtol=1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("dtype", STEPS)
@pytest.mark.parametrize("n", [3000, 100_000])
@pytest.mark.parametrize("what", ["steep", "steep backwards", "spike", "step", "tiny before large"])
def test_what_direct_summation_keeps_is_kept_in_signals(what, n, dtype, rng):
    """Row 1: the same with ordinary kernels, where a transform is what the planner takes."""
    large = 1e20 if dtype == "float64" else 1e10
    x = np.zeros(n) if "s" in what[:2] and what != "step" else np.ones(n)
    if what.startswith("steep"):
        x = np.concatenate([np.zeros(n), steep(dtype)[-10:]])[:: -1 if "back" in what else 1]
    elif what == "spike":
        x = rng.standard_normal(n)
        x[n // 3] = large
    elif what == "step":
        x[n // 2 :] = large
    else:
        x = np.zeros(n)
        x[[n // 2, n // 2 + 1]] = 1 / large, 1
    x, h = x.astype(dtype), (rng.standard_normal(1001) + 3).astype(dtype)
    assert mc.plan(mc.convolve, x, h).algorithm in ("overlap_save", "partitioned")
    auto, direct = (mc.convolve(x, h, method=m) for m in ("auto", "direct"))
    size = mc.convolve(np.abs(x), np.abs(h), method="direct")
    assert lost(auto, direct, size) < 0.01


@pytest.mark.parametrize("dtype", STEPS)
@pytest.mark.parametrize("what", ["spike", "dark half", "corner"])
def test_what_direct_summation_keeps_is_kept_in_images(what, dtype, rng):
    """Row 1: in two dimensions."""
    large = 1e20 if dtype == "float64" else 1e10
    x = rng.uniform(0.5, 1, (300, 260))
    if what == "spike":
        x[100, 110] = large
    elif what == "dark half":
        x[:, 130:] *= large
    else:
        x[:150], x[150:, :100] = 0, 0
        x[150, 100], x[150, 101:], x[151:, 100] = 1, large, large
    x, h = x.astype(dtype), (rng.standard_normal((41, 33)) + 3).astype(dtype)
    assert mc.plan(mc.convolve, x, h).algorithm in ("overlap_save", "partitioned")
    auto, direct = (mc.convolve(x, h, method=m) for m in ("auto", "direct"))
    size = mc.convolve(np.abs(x), np.abs(h), method="direct")
    assert lost(auto, direct, size) < 0.01


LAYERS_ALONE = {"cropped", "depthwise", "depthwise_gradient", "depthwise_transposed",
                "fft_gradient", "fft_tiled", "gemm", "gemm_pairs", "gemm_quads", "gemm_tiles",
                "merged", "narrow", "panel_sum", "parts", "pixel_sum", "planar", "polyphase",
                "winograd", "winograd_gradient"}  # fmt: skip
"""What takes none of these: the conformance suite and tests of their own show them the same."""


@pytest.mark.parametrize("name", registered())
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_windows(name, strange, rng):
    """Row 2: one NaN or infinity fills the whole output of a transform."""
    took = 0
    for size, kernel, dtype in [((4000,), (211,), "f4"), ((90, 70), (12, 9), "f8"),
                                ((90, 70), (12, 9), "f2"), ((30, 40), (5, 4), "c8")]:  # fmt: skip
        x = rng.standard_normal(size).astype(dtype)
        x[tuple(n // 3 for n in size)] = x[tuple(n - 2 for n in size)] = strange
        h = separable_kernel(kernel, rng).astype(dtype)
        options = {}
        if name not in ("separable", "fused"):
            h[(1,) * h.ndim] = 0
        if name == "sparse":
            h[..., 2::3] = h[..., 3::3] = 0
        if name == "running_sum":
            h[...] = 0.5
        if name == "sliding_dct" and len(size) == 1:
            h[...] = np.hanning(h.size + 2)[1:-1]
            options["precision"] = "fast"
        if name not in methods(mc.convolve, x, h, **options):
            continue
        took += 1
        got = mc.convolve(x, h, "same", method=name, **options)
        window = np.ones(kernel)
        marked = mc.convolve((~np.isfinite(x)).astype(int), window.astype(int), "same")
        np.testing.assert_array_equal(np.isfinite(got), marked == 0)
    if name not in LAYERS_ALONE:
        assert took
    x = rng.standard_normal((1, 3, 9, 40)).astype("f4")
    x[0, 1, 4, 13] = strange
    w = rng.standard_normal((4, 3, 2, 5)).astype("f4")
    if name in methods(mc.conv, x, w):
        marked = mc.conv((~np.isfinite(x)).astype(int), np.ones(w.shape, int), padding=2)
        got = mc.conv(x, w, padding=2, method=name)
        np.testing.assert_array_equal(np.isfinite(got), marked == 0)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_integers_are_exact_modulo_their_type(dtype, rng):
    """Row 3: integers wrap around where they need not, or are rounded on the way through floats."""
    info = np.iinfo(dtype)
    x, h = (rng.integers(info.min, info.max, n, dtype, endpoint=True) for n in (400, 150))
    exact = np.convolve(x.astype(object), h.astype(object))
    expected = np.array([int(v) % 2**info.bits for v in exact], f"u{info.bits // 8}").view(dtype)
    for method in ("auto", *methods(mc.convolve, x, h)):
        got = mc.convolve(x, h, method=method)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, expected)


def test_large_integers_are_not_rounded():
    """Row 3: above 2**53 a float holds no longer every integer."""
    x = 2**53 + np.arange(1, 5000)
    h = np.zeros(1500, int)
    h[[0, 700]] = 1, 3
    expected = np.convolve(x.astype(object), h.astype(object)).astype(int)
    np.testing.assert_array_equal(mc.convolve(x, h), expected)
    np.testing.assert_array_equal(mc.convolve(x, h.astype("i1")), expected)
    assert mc.convolve([2**31], [2**31]).tolist() == [2**62]


def test_a_wider_type_may_be_asked_for():
    """Row 3: and then nothing wraps."""
    x, h = np.full(9, 127, "i1"), np.full(4, -128, "i1")
    wide = mc.convolve(x, h, dtype="i4")
    np.testing.assert_array_equal(wide, np.convolve(x.astype("i4"), h.astype("i4")))
    assert (mc.convolve(x, h) == wide.astype("i1")).all()
    assert mc.convolve(x, [0.5]).tolist() == [63.5] * 9


@pytest.mark.slow
def test_arrays_of_more_than_2_to_the_31_elements():
    """Row 4: indices of 32 bits overflow. Takes 5 GB."""
    n = 2**31 + 1000
    x = np.zeros(n, np.int8)
    at = np.array([0, 5, 2**31 - 2, 2**31 - 1, 2**31, n - 1])
    x[at] = 1, 2, 3, 5, 7, 11
    out = mc.convolve(x, np.array([1, 2, 4], np.int8), "same")
    expected = {}
    for place, value in zip(at.tolist(), (1, 2, 3, 5, 7, 11), strict=True):
        for shift, tap in ((-1, 1), (0, 2), (1, 4)):
            if 0 <= place + shift < n:
                expected[place + shift] = expected.get(place + shift, 0) + tap * value
    assert out.size == n
    assert np.count_nonzero(out) == len(expected)
    for place, value in expected.items():
        assert out[place] == value


@pytest.mark.parametrize("dtype", ["i1", "f4", "c16"])
def test_positions_beyond_2_to_the_31(dtype):
    """Row 4: the same without the memory, by arrays without strides."""
    x = np.broadcast_to(np.array(3, dtype), 2**33 + 5)
    h = np.array([1, 2], dtype)
    assert mc.convolve(x, h, "valid", stride=2**31).tolist() == [9] * 5
    layer = mc.conv(
        x[None, None], np.ones((3, 1, 2), dtype), stride=2**31, padding=((-(2**32), 0),)
    )
    assert layer.tolist() == [[[6] * 3] * 3]
    crop = mc.conv(x[None, None], h[None, None], padding=((-(2**32), 3 - 2**32),))
    assert crop.tolist() == [[[9] * 7]]


def test_strides_and_dilations_beyond_2_to_the_31():
    """Row 4: products of sizes are checked, not wrapped."""
    x = np.arange(1.0, 10)
    assert mc.convolve(x, [1.0, 10], stride=2**61).tolist() == [1]
    assert mc.convolve(x, [5.0], dilation=2**60).tolist() == (5 * x).tolist()
    one = x[None, None, :5]
    w = np.array([[[1.0, 10, 100]]])
    far = {"stride": 2**39, "padding": 2**40}
    assert mc.conv(one, w, **far).ravel().tolist() == [0, 0, 321, 0, 0]
    edge = mc.conv(one, w, **far, padding_mode="edge").ravel()
    assert edge.tolist() == [111, 111, 321, 555, 555]
    spread = mc.conv_transpose(one, w, stride=2**40, padding=2**41)
    assert spread.ravel().tolist() == [3, 30, 300]


@pytest.mark.parametrize(
    "options",
    [{"padding": 2**62}, {"padding": 2**63 - 1}, {"padding": 2**64}, {"padding": -(2**63)},
     {"dilation": 2**62}, {"dilation": 2**63}, {"dilation": 2**31, "padding": 2**62 - 1},
     {"padding": ((2**62, 2**62), (0, 0))}, {"padding": 2**40}, {"padding": 2**31},
     {"dilation": 2**40, "padding": 2**40}, {"stride": 2**63, "padding": 1}],
    ids=str,
)  # fmt: skip
def test_huge_geometry_is_refused_at_once(options):
    """Row 5: output sizes overflow, then too little memory is taken."""
    x, w = np.ones((1, 2, 5, 6), np.float32), np.ones((3, 2, 2, 3), np.float32)
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"2\*\*62|bytes"):
        mc.conv(x, w, **options)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - start < 2
    assert taken < 2**20


@pytest.mark.parametrize("dilation", [2**31 + 1, 2**40, 2**55, 2**60])
@pytest.mark.parametrize("boundary", ["constant", "wrap"])
def test_huge_dilations_are_planned_at_once(dilation, boundary):
    """Row 5: nothing that takes long or much memory may be tried on the way."""
    x, start = np.arange(1.0, 8), time.perf_counter()
    options = {"mode": "same", "dilation": dilation, "boundary": boundary}
    message, got = outcome(mc.convolve, x, [1.0, 10], **options)
    assert time.perf_counter() - start < 2
    if got is None:
        assert "bytes" in message
        return
    for i, value in enumerate(got):
        read = [i + dilation // 2 - m * dilation for m in (0, 1)]
        inside = [boundary == "wrap" or 0 <= at < 7 for at in read]
        assert value == sum(
            tap * x[at % 7] for tap, at, on in zip((1, 10), read, inside, strict=True) if on
        )


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("mode", ["full", "same"])
@pytest.mark.parametrize("kernel", [(7, 4), (2, 11), (9, 13), (40, 33)])
def test_kernels_larger_than_the_image(kernel, mode, boundary, rng):
    """Row 6: a kernel larger than the image crashes."""
    x, h = rng.standard_normal((3, 5)), rng.standard_normal(kernel)
    padding = [(k - 1, k - 1) if mode == "full" else (k // 2, (k - 1) // 2) for k in kernel]
    windows = sliding_window_view(np.pad(x, padding, boundary), kernel)
    expected = np.einsum("ijkl,kl", windows, h[::-1, ::-1])
    for method in ("auto", *methods(mc.convolve, x, h, mode=mode, boundary=boundary)):
        got = mc.convolve(x, h, mode, boundary=boundary, method=method)
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)
    with pytest.raises(ValueError, match="kernel: its window covers"):
        mc.convolve(x, h, "valid", boundary=boundary)


GUARDED = """
import ctypes, mmap, sys
import numpy as np
from multiconv import testing
from multiconv._geometry import out_size
from multiconv._planner import planner
from multiconv._problem import Problem
from multiconv._registry import registered
from multiconv._traits import look
from multiconv.algorithms._base import Epilogue

libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
PAGE, kept = mmap.PAGESIZE, []

def guarded(values, at_end):
    "A copy that touches a page which must not be touched."
    pages = -(-values.nbytes // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + (pages + 1) * PAGE):
        assert libc.mprotect(page, PAGE, 0) == 0
    offset = PAGE + (pages * PAGE - values.nbytes if at_end else 0)
    array = np.frombuffer(memory, values.dtype, values.size, offset).reshape(values.shape)
    array[...] = values
    kept[:] = [memory, *kept[:16]]
    return array

def draw(shape, dtype):
    values = rng.integers(-3 if dtype.kind not in "bu" else 0, 4, shape)
    return values.astype(dtype)

def place(values, last, at_end):
    if not last:
        return guarded(values, at_end)
    return np.moveaxis(guarded(np.ascontiguousarray(np.moveaxis(values, 2, -1)), at_end), -1, 2)

def epilogue(last, at_end):
    return Epilogue(None if bias is None else guarded(bias, at_end),
                    None if scale is None else guarded(scale, at_end),
                    None if residual is None else place(residual, last, at_end))

rng = np.random.default_rng(5)
ran = set()
for text in sys.stdin.read().split("\\n"):
    problem = Problem.parse(text)
    p = problem
    x = draw((p.batch, p.groups, p.group_in, *p.in_size), p.x_dtype)
    w = draw((p.groups, p.group_out, p.group_in, *p.kernel), p.w_dtype)
    kind = rng.integers(4)
    if kind == 0:
        w[...] = 2
    elif kind == 1:  # two outer products with gaps
        w[...] = sum(np.indices(p.kernel)) + 1
        w[..., 1::3] = w[..., 2::3] = 0
    if p.precision == "fast":  # smooth along the last axis
        w[...] = np.hanning(p.kernel[-1] + 2)[1:-1]
    bias = draw((p.out_channels,), p.acc_dtype) if p.bias else None
    scale = draw((p.out_channels,), p.acc_dtype) if p.scale else None
    out = np.zeros((p.batch, p.groups, p.group_out, *out_size(p)), p.out_dtype)
    residual = draw(out.shape, p.out_dtype) if p.residual else None
    traits, expected = look(w, p.rank, fast=p.precision == "fast"), None
    for name, algorithm in sorted(registered().items(), key=lambda item: item[0] != "reference"):
        for target in testing.targets():
            with testing.forced_target(target):
                if algorithm.accepts(problem, traits) is not None:
                    continue
                for at_end in (True, False):
                    for last in (False, True):
                        prepared = algorithm.prepare(problem, guarded(w, at_end), traits, planner)
                        result = place(out, last, at_end)
                        algorithm.run(prepared, place(x, last, at_end),
                                      epilogue(last, at_end), result)
                        expected = result.copy() if expected is None else expected
                        if w.dtype.kind in "iu" or (name == "direct" and (w == w.round()).all()):
                            assert (result == expected).all(), (text, name, target)
                        else:
                            near = 1e-2 if p.out_dtype.name == "bfloat16" else 1e-5
                            same = np.allclose(result, expected, near, atol=1e-2)
                            assert same, (text, name, target)
                ran.add((name, target))
print(len(ran))
"""

WIDTHS = (1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 129)
GUARD = [
    *(f"in{n} k3 p1:1 {dtype}" for n in WIDTHS for dtype in ("float32", "float64")),
    *(f"in{n} k2 s3 p4:5 b=wrap complex64" for n in WIDTHS),
    *(f"mb2 ic3 oc5 in4x{n} k2x3 p0:1,1:1 {t} bias" for n in WIDTHS for t in ("float32", "int8")),
    *(f"ic2 oc6 g2 in3x{n} k2x3 p1:2 d1x2 b=reflect,edge float64" for n in WIDTHS if n > 1),
    *(f"in{n}x{n + 1} k5x4 p2:2,3:0 b=symmetric float32" for n in WIDTHS[3:12]),
    "in130x140 k5x7 p2:2,3:3 float32", "in70x257 k3x4 float64", "in129x131 k3x3 p1:1 int32",
    "in129x131 k4x3 p-1:2,3:-2 float32", "in17x1100 k5x3 p4:4,2:2 b=wrap float32",
    "mb1 ic4 oc4 g4 in67x65 k3x5 p1:1,2:2 float32", "in8x47x49 k3x2x5 p1:1 float64",
    "in40001 k33 p16:16 float32", "in30000 k700 p700:0 float64", "in200x190 k31x40 p15:15 float32",
    "in90x61 k9x15 p4:4 float32", "in40x51 k13x12 p6:5 b=edge float64",
    "mb3 in50x45 k14x16 p3:9,2:2 float32", "in33x30 k11x13 p5:5 s2x1 b=wrap float64",
    "in19x23 k2x3 id2x3 p1:2 float32", "ic3 oc4 in9x11 k3x2 s2x3 p2:2 int64",
    "mb2 ic3 oc4 in19x17 k4x3 p2:2 float16 bias", "in19x18 k4x3 p3:2 cval=1 bool",
    *(f"mb2 ic{c} oc{n} in5x{n + 1} k3x2 p1:1 dt={t},int8,int32,int32 bias"
      for n in WIDTHS[1:12] for c, t in ((5, "int8"), (65, "uint8"), (8, "int16"))),
    *(f"mb2 ic66 oc{n} in5x{n + 1} k3x2 p1:1 bfloat16 bias{r}"
      for n in WIDTHS[5:12] for r in ("", " res channels_last")),
    "mb2 ic12 oc17 in9x11 k1x1 dt=int8,int8,int32,int32",
    *(f"mb{n} ic2 oc9 in9x{n + 1} k9x{n + 1} p1:1 {t}" for n in WIDTHS[5:12]
      for t in ("float32", "float64")), "mb8 ic3 oc17 in14x9 k12x7 p1:1 float32",
    *(f"in{n}x{n + 1} k{k} p1:1 {t} scale bias res"
      for n in WIDTHS[3:] for k, t in (("3x3", "float32"), ("2x1", "complex64"))),
    "mb2 ic3 oc5 in13x19 k3x2 s1x2 float64 scale res act=relu", "in3000 k70 float32 scale res",
    "in4000 k900 p450:449 float32 scale bias res", "in140x150 k15x17 p7:8 float32 scale res",
    "mb2 ic9 oc20 in3x5 k9x11 p4:4,5:5 float32", "ic3 oc2 in5x7 k4x5 id2x3 p2:1 float64",
    *(f"mb2 g{n} ic{n} oc{n} in5x{n} k3x4 id2 p1:2,2:1 {t} res"
      for n in WIDTHS[3:] for t in ("float32", "float64")),
    "g9 ic9 oc18 in4x9 k2x3 id3x4 p1:1 float64 bias act=relu", "g5 ic5 oc5 in31 k9 id2 p4:5 int16",
    *(f"g{n} ic{n} oc{n} in9x{n + 2} k8x{n} p1:0 {t}{last}" for n in WIDTHS[3:12]
      for t in ("float32", "float64") for last in ("", " channels_last")),
    *(f"mb2 g{n} ic{n} oc{n} in5x{m} k3x3 p1:1 {s} float32 bias channels_last"
      for n in (16, 17, 48) for m in (5, 9, 23) for s in ("s1", "s2")),
    *(f"mb2 g{g} ic{g} oc{g} in3x{n}x5 k{k} {t}" for n in WIDTHS[3:] for g in (1, 3)
      for k, t in (("1x1x2", "float32"), ("2x1x1", "float64"))),
    "in16500 k5 p2:2 complex64 bias res", "mb2 in67x131 k3x4 p1:1,2:2 complex128",
    "in40x67 k3x3 p1:1 int16", "in41x50 k3x5 p1:1,2:2 uint8",
    "in37x270 k1x41 p0:0,20:20 float32 precision=fast", "in41x35 k33x1 p16:16,0:0 b=edge float64 "
    "precision=fast",
]  # fmt: skip


@pytest.mark.skipif("not hasattr(__import__('os'), 'fork')", reason="needs mprotect")
def test_nothing_beyond_the_arrays_is_touched():
    """Row 7: an origin off by one reads or writes beyond the array."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", GUARDED], input="\n".join(GUARD), text=True,
        capture_output=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    reports = [testing.check(name, "ic4 oc4 in9 k3 dt=int8,int8,int32,int32", target=target)
               for name in registered() for target in testing.targets()]  # fmt: skip
    missing = sum("instruction set" in (r.refusal or "") for r in reports)
    assert int(done.stdout) == len(reports) - missing


def test_empty_arrays_have_a_result_or_a_clear_error():
    """Row 8: an empty array crashes."""
    shapes = [s for n in (1, 2, 3) for s in itertools.product((0, 3), repeat=n) if 0 in s]
    for shape, mode, h in itertools.product(shapes, ("full", "same", "valid"), (1, 2)):
        x, kernel = np.ones(shape), np.ones((2,) * min(h, len(shape)))
        message, got = outcome(mc.convolve, x, kernel, mode)
        assert 0 in got.shape if message is None else re.match("x: |kernel: ", message)
        with pytest.raises(ValueError, match=r"h: .*(no taps|more axes)"):
            mc.convolve(np.ones(3), x)
    for shape, w in itertools.product(
        itertools.product((0, 2), (0, 4), (0, 5)), itertools.product((0, 4), (0, 4), (0, 3))
    ):
        message, got = outcome(mc.conv, np.ones(shape), np.ones(w), np.ones(w[0]), padding=1)
        if message is None:
            assert got.shape[:2] == (shape[0], w[0])
            assert (got == 1).all() or w[1] == 4
        else:
            assert re.match("[xw]: |groups: |kernel: ", message)


@pytest.mark.parametrize(("channels", "filters"), [(1, 1), (1, 4), (3, 1)])
@pytest.mark.parametrize("batch", [1, 2])
def test_channels_last_with_one_channel(batch, channels, filters, rng):
    """Row 9: a layout that looks like another one where an axis has size one."""
    x = rng.standard_normal((batch, 7, 11, channels)).astype("f4")
    w = rng.standard_normal((3, 2, channels, filters)).astype("f4")
    first, w_first = np.moveaxis(x, -1, 1), w.transpose(3, 2, 0, 1)
    expected = mc.conv(first.copy(), w_first.copy(), padding=1, method="reference")
    for method in ("auto", *methods(mc.conv, x, w, padding=1, data_format="channels_last")):
        last = mc.conv(x, w, padding=1, data_format="channels_last", method=method)
        np.testing.assert_allclose(np.moveaxis(last, -1, 1), expected, rtol=1e-4, atol=1e-5)
        strided = mc.conv(first, w_first, padding=1, method=method)
        np.testing.assert_allclose(strided, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("odd", [3, -5, 0, 2**40 + 1, -(2**62)])
def test_strides_of_axes_of_size_one_mean_nothing(odd, rng):
    """Row 10: libraries trust the strides of axes that have one element."""
    x, w = rng.standard_normal((9, 12)), rng.standard_normal((3, 2))
    memory, out = np.zeros((8, 13)), np.zeros((8, 13))
    expected = mc.conv(x[None, None], w[None, None], padding=((0, 1), (1, 1)), method="reference")
    odd_x = as_strided(x, (1, 1, 9, 12), (odd, odd, *x.strides))
    odd_w = as_strided(w, (1, 1, 3, 2), (odd, odd, *w.strides))
    odd_out = as_strided(out, (1, 1, 8, 13), (odd, odd, *out.strides))
    for method in ("auto", *methods(mc.conv, x[None, None], w[None, None])):
        out[...] = memory
        mc.conv(odd_x, odd_w, padding=((0, 1), (1, 1)), method=method, out=odd_out)
        np.testing.assert_allclose(out, expected[0, 0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int16"])
def test_padded_columns_on_every_instruction_set(dtype, target, rng):
    """Row 11: results are wrong on one instruction set only, at padded columns only."""
    shapes = ("mb1 ic3 oc9", "mb2 ic1 oc1", "mb1 ic6 oc6 g6")
    for width, lead, pad in zip(
        range(1, 40), itertools.cycle(shapes), itertools.cycle(("1:1", "2:1", "0:3", "4:4")),
        strict=False,
    ):  # fmt: skip
        problem = mc.Problem.parse(f"{lead} in5x{width} k3x3 p1:2,{pad} {dtype}")
        if width + sum(map(int, pad.split(":"))) < 3:
            continue
        x, w, _ = data(problem, rng)
        expected = run("reference", problem, x, w)
        last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 2, -1)), -1, 2)
        for name in registered():
            for memory in (x, last):
                with testing.forced_target(target):
                    got = run(name, problem, memory, w)
                if got is not None:
                    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3, err_msg=name)
                if got is not None and name not in ("overlap_save", "fft_tiled", "winograd"):
                    np.testing.assert_array_equal(got, expected, err_msg=f"{name} {problem}")


LARGE = [
    "mb1 ic64 oc64 in4096x4096 k11x11 p5:5 float32",
    "mb8 ic128 oc128 in512x512 k7x7 p3:3 float32",
    "mb1 ic32 oc32 in256x256x256 k5x5x5 p2:2 float32",
    "mb1 ic512 oc512 g512 in2048x2048 k31x31 p15:15 float32",
    "mb1 in100000000 k100000 float32",
    "mb1 ic16 oc16 in20000000 k1001 float64",
    "mb1 in30000x30000 k101x101 int16",
    "mb1 ic64 oc64 in2048x2048 k5x5 id2 p4:5 float32",
]


@pytest.mark.parametrize("text", LARGE)
def test_scratch_is_small_beside_the_data(text, monkeypatch):
    """Row 12: unfolding the input would take terabytes."""
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "100GB")
    problem = mc.Problem.parse(text)
    step = planner.step(problem, look(np.ones((1, 1, 2)), 1))
    held = problem.batch * problem.in_channels * np.prod(problem.in_size, dtype=float)
    threads = planner.machine.threads
    assert step.cost.bytes < held * problem.x_dtype.itemsize * max(threads / 2, 1)
    assert step.cost.bytes < threads * 2**27


@pytest.mark.parametrize("function", ["conv", "conv_input_grad", "conv_weight_grad"])
def test_scratch_is_what_the_plan_states(python, function):
    """Row 12: an unfolded input would be 1.6 GB here."""
    code = f"""
import resource, numpy as np, multiconv as mc
x, w = np.ones((1, 8, 900, 800), "f4"), np.ones((9, 8, 7, 7), "f4")
out = np.ones((1, 9, 894, 794), "f4")
call = {{"conv": (x, w), "conv_input_grad": (out, w, x.shape),
        "conv_weight_grad": (x, out, w.shape)}}["{function}"]
f = getattr(mc, "{function}")
plan = mc.plan(f, *call[:2], **({{}} if len(call) == 2 else
               {{("x_shape" if "input" in f.__name__ else "w_shape"): call[2]}}))
result = np.zeros(plan._request.out_shape, "f4")
result += 1
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
f(*call, out=result)
taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
print(taken, plan.scratch_bytes, plan.prepared_bytes)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    taken, stated, prepared = map(int, done.stdout.split())
    assert stated < 2**27
    assert taken < stated + prepared + 2**25


@pytest.mark.parametrize("crop", [((-1, 0), (-3, -2)), ((2, -3), (-4, 5)), ((-5, -1), (0, -11))])
@pytest.mark.parametrize("mode", ["zeros", "replicate", "circular"])
def test_negative_padding_crops(crop, mode, rng):
    """Row 13: negative padding reads beyond the array."""
    x, w = rng.standard_normal((2, 3, 11, 17)), rng.standard_normal((4, 3, 3, 2))
    (a, b), (c, d) = ((max(-lo, 0), max(-hi, 0)) for lo, hi in crop)
    if mode == "zeros" or max(map(max, crop)) <= 0:
        cropped = x[:, :, a : 11 - b, c : 17 - d]
        rest = tuple((max(lo, 0), max(hi, 0)) for lo, hi in crop)
        expected = mc.conv(cropped.copy(), w, padding=rest, method="reference")
    else:
        word = {"replicate": "edge", "circular": "wrap"}[mode]
        around = np.pad(x, ((0, 0), (0, 0), (9, 9), (9, 9)), word)
        (low, high), (left, right) = crop
        wide = around[:, :, 9 - low : 20 + high, 9 - left : 26 + right]
        expected = mc.conv(wide.copy(), w, method="reference")
    options = {"padding": crop, "padding_mode": mode}
    for method in ("auto", *methods(mc.conv, x, w, **options)):
        got = mc.conv(x, w, **options, method=method)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", ["constant", "reflect"])
def test_the_kernels_size_changes_nothing_but_the_kernel(boundary, rng):
    """Row 14: another algorithm above some size brings another anchor, flip or border."""
    x = rng.standard_normal((64, 61))
    for k in range(3, 34):
        h = rng.standard_normal((k, 36 - k))
        options = {"mode": "same", "boundary": boundary}
        auto = mc.convolve(x, h, **options)
        direct = mc.convolve(x, h, **options, method="direct")
        np.testing.assert_allclose(auto, direct, rtol=0, atol=1e-12 * np.abs(h).sum())
        lone = np.zeros((k, 36 - k))
        lone[0, -1] = 1  # the kernel at which an anchor or a flip would show
        moved = np.pad(x, 40, "constant" if boundary == "constant" else "reflect")
        top, left = 40 + (k - 1) // 2, 40 + (35 - k) // 2 - (35 - k)
        expected = moved[top : top + 64, left : left + 61]
        np.testing.assert_allclose(mc.convolve(x, lone, **options), expected, atol=1e-13)


FORKS = """
import multiprocessing, os, threading, warnings
import numpy as np, multiconv as mc
warnings.simplefilter("ignore", DeprecationWarning)
mc.set_num_threads(3)
rng = np.random.default_rng(1)
x, w = rng.standard_normal((2, 8, 60, 50)), rng.standard_normal((12, 8, 3, 3))
long, h = rng.standard_normal(30000), rng.standard_normal(900)

def work(seed=0):
    return mc.conv(x, w, padding=1), mc.convolve(long, h)

def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b))

expected = work()

def child(depth):
    pid = os.fork()
    if pid == 0:
        good = same(work(), expected) and (depth == 0 or child(depth - 1))
        os._exit(0 if good else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

assert child(2)
stop = threading.Event()
def busy():
    while not stop.is_set():
        work()
threads = [threading.Thread(target=busy) for _ in range(3)]
for t in threads: t.start()
forked = [child(0) for _ in range(6)]
stop.set()
for t in threads: t.join()
assert all(forked)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert all(same(r, expected) for r in pool.map(work, range(4)))
found = []
def from_a_thread():
    found.append(child(1))
threads = [threading.Thread(target=from_a_thread) for _ in range(3)]
for t in threads: t.start()
for t in threads: t.join()
assert found == [True] * 3 and same(work(), expected)
print("good")
"""


@pytest.mark.skipif("not hasattr(__import__('os'), 'fork')", reason="no fork on this system")
def test_forks_after_threads_compute(python):
    """Row 15: a process forked after threads were used hangs."""
    done = python(FORKS, timeout=100)
    assert (done.returncode, done.stdout) == (0, "good\n"), done.stderr


MODE = """
import ctypes, ctypes.util, platform, sys, threading
import numpy as np
if platform.machine() not in ("x86_64", "AMD64"):
    print("same"); sys.exit()
libm = ctypes.CDLL(ctypes.util.find_library("m") or None)
CONTROL = 0xFFC0  # all of MXCSR but the flags that any operation may raise

def mode():
    state = ctypes.create_string_buffer(64)
    assert libm.fegetenv(state) == 0
    return int.from_bytes(state.raw[28:32], "little") & CONTROL

def set_mode(value):
    state = ctypes.create_string_buffer(64)
    libm.fegetenv(state)
    state[28:32] = value.to_bytes(4, "little")
    assert libm.fesetenv(state) == 0

def tiny_survives():
    return np.float32(1e-40) * np.float32(1) != 0 and np.float64(1e-310) * np.float64(1) != 0

before = mode()
import multiconv as mc
assert mode() == before and tiny_survives(), "import"
rng = np.random.default_rng(2)
mc.set_num_threads(3)

def work():
    return [
        mc.convolve(rng.standard_normal((200, 210)), np.ones((3, 5)) * 1e-310, "same"),
        mc.convolve(np.full(20000, 1e-40, "f4"), rng.standard_normal(600).astype("f4")),
        mc.conv(np.full((1, 8, 60, 50), 1e-40, "f4"), np.ones((8, 8, 3, 3), "f4")),
        mc.convolve(np.full(30000, 1e-310), rng.standard_normal(3)),
    ]

results = work()
assert mode() == before and tiny_survives(), "calls"
assert results[2].min() > 0 and np.count_nonzero(results[3]) > 29000, "subnormal results"
found = []
def in_a_thread():
    found.append((mode() == before, work() and mode() == before, bool(tiny_survives())))
thread = threading.Thread(target=in_a_thread)
thread.start(); thread.join()
assert found == [(True, True, True)], found
for other in (before | 0x8040, before | 0x6000):  # flushing, rounding towards zero
    set_mode(other)
    work()
    left = mode()
    set_mode(before)
    assert left == other & CONTROL, hex(left)
assert tiny_survives()
print("same")
"""


def test_the_floating_point_mode_is_left_as_found(python):
    """Row 16: subnormals are slow, and flushing them for good changes everybody's arithmetic."""
    done = python(MODE)
    assert (done.returncode, done.stdout) == (0, "same\n"), done.stderr


def test_import_flushes_nobodys_subnormals(python):
    """Row 17: a library linked with fast-math flushes subnormals from its import on."""
    code = """
import numpy as np, threading
found = []
def look():
    for t in (np.float32, np.float64):
        least = np.array([np.finfo(t).smallest_subnormal] * 9)
        found.append(bool((least * t(1) > 0).all() and (least + least > least).all()))
import multiconv
look()
thread = threading.Thread(target=look); thread.start(); thread.join()
multiconv.convolve(np.ones((300, 300)), np.ones((3, 3)))
look()
print(found)
"""
    assert python(code).stdout.strip() == str([True] * 6)


def moved(array, shift):
    """The same values at an address that many bytes further."""
    memory = np.empty(array.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + shift
    view = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


@pytest.mark.parametrize(
    ("x", "w", "dtype"),
    [((1, 1, 300, 211), (1, 1, 5, 7), "f4"), ((2, 16, 33, 40), (24, 16, 3, 2), "f4"),
     ((1, 1, 30011), (1, 1, 601), "f8"), ((2, 6, 40, 33), (6, 1, 3, 5), "f8"),
     ((1, 1, 200, 150), (1, 1, 31, 28), "f4"), ((1, 3, 30, 31), (5, 3, 2, 4), "c16")],
)  # fmt: skip
def test_threads_and_addresses_leave_every_bit(x, w, dtype, rng):
    """Row 18: the result depends on the number of threads, or on where the memory lies."""
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in (x, w))
    groups, results = x.shape[1] // w.shape[1], set()
    for threads, shift in itertools.product((1, 2, 3, 7), (0, 8, 48)):
        with mc.num_threads(threads):
            out = moved(np.zeros_like(mc.conv(x, w, groups=groups)), 64 - shift)
            mc.conv(moved(x, shift), moved(w, 16), groups=groups, out=out)
            results.add(out.tobytes())
            results.add(mc.conv(x, w, groups=groups).tobytes())
    assert len(results) == 1


@pytest.mark.parametrize(
    ("x", "w", "dtype"),
    [((1, 8, 30, 31), (6, 8, 3, 3), "f4"), ((1, 64, 14, 15), (32, 64, 3, 3), "f4"),
     ((1, 1, 9000), (1, 1, 901), "f4"), ((1, 1, 120, 90), (1, 1, 21, 24), "f4"),
     ((1, 1, 120, 90), (1, 1, 21, 24), "f8"), ((1, 3, 20, 21), (4, 3, 5, 4), "f2"),
     ((1, 2, 20, 21), (3, 2, 5, 4), "c8")],
)  # fmt: skip
@pytest.mark.parametrize("values", ["normal", "positive", "alternating", "separable"])
def test_stated_errors_hold_and_are_near_direct_summations(values, x, w, dtype, rng):
    """Row 19: what is taken by default is too inexact for those who take it."""
    x, w = (rng.standard_normal(shape) for shape in (x, w))
    if values == "positive":
        x, w = np.abs(x) + 1, np.abs(w)
    elif values == "alternating":
        x = (-1.0) ** np.arange(x.size).reshape(x.shape)
    elif values == "separable" and w.shape[:2] == (1, 1):
        w = separable_kernel(w.shape[2:], rng).reshape(w.shape)
    x, w = x.astype(dtype), w.astype(dtype)
    wide = "c32" if dtype[0] == "c" else "longdouble"
    exact = mc.conv(x.astype(wide), w.astype(wide))
    size = np.abs(mc.conv(np.abs(x).astype("longdouble"), np.abs(w).astype("longdouble"))).max()
    exactest = mc.plan(mc.conv, x, w, precision="highest").error_bound
    assert mc.plan(mc.conv, x, w).error_bound <= DEFAULT_ERROR_FACTOR * exactest
    for method in ("auto", *methods(mc.conv, x, w)):
        plan = mc.plan(mc.conv, x, w, method=method)
        error = np.abs(plan(x).astype(wide) - exact).max() / size
        assert error <= plan.error_bound
        assert plan.error_bound >= output_rounding(plan.problem)


def test_kernels_are_flipped_as_numpy_flips_them(rng):
    """Row 20: symmetric kernels hide that a kernel is not flipped."""
    assert mc.convolve([1.0, 2, 3], [0, 1, 0.5]).tolist() == [0, 1, 2.5, 4, 1.5]
    assert mc.correlate([1.0, 2, 3], [0, 1, 0.5], "full").tolist() == [0.5, 2, 3.5, 3, 0]
    x, h = rng.standard_normal(40), rng.standard_normal(7)
    impulse, kernel = np.zeros((9, 11)), separable_kernel((3, 4), rng)
    impulse[4, 5] = 1
    for method in ("auto", *methods(mc.convolve, x, h)):
        for mode in ("full", "same", "valid"):
            got, expected = mc.convolve(x, h, mode, method=method), np.convolve(x, h, mode)
            np.testing.assert_allclose(got, expected, atol=1e-13)
            got = mc.correlate(x, h, mode, method=method)
            np.testing.assert_allclose(got, np.correlate(x, h, mode), atol=1e-13)
    for method in ("auto", *methods(mc.convolve, impulse, kernel)):
        found = mc.convolve(impulse, kernel, method=method)[4:7, 5:9]
        np.testing.assert_allclose(found, kernel, atol=1e-14)
        found = mc.correlate(impulse, kernel, "full", method=method)[4:7, 5:9]
        np.testing.assert_allclose(found, kernel[::-1, ::-1], atol=1e-14)


DTYPES = [">i2", ">i4", ">u8", ">f4", ">f8", ">c8", ">c16", "f2", ">f2", "?"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_byte_orders_and_half_floats_are_taken(dtype, rng):
    """Row 21: big-endian data or float16 are refused, or read as they stand."""
    native = np.dtype(dtype).newbyteorder("=")
    x, h = small((9, 11), native, rng), small((2, 3), native, rng)
    a, b = x.astype(dtype), h.astype(dtype)
    wide = np.result_type(native, np.float64)
    expected = mc.convolve(x.astype(wide), h.astype(wide)).astype(native)
    for pair in ((a, b), (a, h), (x, b)):
        got = mc.convolve(*pair)
        assert got.dtype == native
        np.testing.assert_array_equal(got, expected)
    layer = mc.conv(a[None, None], b[None, None], b[0, :1])
    np.testing.assert_array_equal(layer, mc.conv(x[None, None], h[None, None], h[0, :1]))
    np.testing.assert_array_equal(mc.avg_pool(a[None, None], 2), mc.avg_pool(x[None, None], 2))
    plan = mc.plan(mc.convolve, mc.ShapeDtype(a.shape, dtype), b)
    np.testing.assert_array_equal(plan(a), expected)
    grad = mc.conv_input_grad(a[None, None], b[None, None], (1, 1, 10, 13))
    np.testing.assert_array_equal(grad[0, 0], expected)


@pytest.mark.parametrize("dtype", [">f8", ">c16", "<f8"])
def test_results_of_an_asked_byte_order_hold_the_right_values(dtype):
    """Row 21: a result type in the other byte order means that type, not its bytes."""
    for x in (np.arange(7), np.arange(7.0), np.arange(7, dtype=">f4")):
        got = mc.convolve(x, [1, 2, 4], dtype=dtype)
        np.testing.assert_array_equal(got, np.convolve(np.arange(7), [1, 2, 4]))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(
    ("x", "h", "axes"),
    [((1, 100), (7, 10), 1), ((7, 100), (1, 10), 1), ((100, 1), (10, 7), 0),
     ((3, 1, 40), (1, 5, 6), -1),
     ((2, 9, 1, 30), (2, 4, 3, 1), 1), ((2, 1, 12, 30), (1, 3, 5, 4), (2, 3))],
)  # fmt: skip
def test_broadcasting_batches_is_whole_in_every_mode(x, h, axes, mode, rng):
    """Row 22: batches that come from the kernel's side are cut in ``same`` mode."""
    x, h = rng.standard_normal(x), rng.standard_normal(h)
    named = tuple(a % x.ndim for a in np.atleast_1d(axes))
    got = mc.convolve(x, h, mode, axes=axes)
    others = [a for a in range(x.ndim) if a not in named]
    lead = np.broadcast_shapes(*([s[a] for a in others] for s in (x.shape, h.shape)))
    x, h, got = (np.moveaxis(a, named, range(-len(named), 0)) for a in (x, h, got))
    x, h = (np.broadcast_to(a, (*lead, *a.shape[len(lead) :])) for a in (x, h))
    assert got.shape[: len(lead)] == lead
    for index in np.ndindex(lead):
        one = mc.convolve(x[index], h[index], mode, method="reference")
        np.testing.assert_allclose(got[index], one, rtol=1e-12, atol=1e-12)


HAMMER = """
import gc, threading
import numpy as np, multiconv as mc
mc.set_num_threads(2)
rng = np.random.default_rng(3)
jobs = [
    (mc.convolve, rng.standard_normal(4000), rng.standard_normal(500)),
    (mc.convolve, rng.integers(-9, 9, (40, 50)), rng.integers(-9, 9, (3, 4))),
    (mc.conv, rng.standard_normal((1, 6, 20, 30)), rng.standard_normal((8, 6, 3, 2))),
    (mc.convolve, rng.standard_normal((60, 50)), np.ones((5, 6))),
    (mc.convolve, rng.standard_normal(300).astype("f2"), np.ones(9, "f2")),
    (mc.max_pool, rng.standard_normal((1, 2, 30, 40)), 3),
]
expected = [f(*a) for f, *a in jobs]
wrong = []
def hammer(seed):
    for i in range(40):
        k = (seed + i) % len(jobs)
        f, *a = jobs[k]
        if not np.array_equal(f(*a), expected[k]):
            wrong.append(k)
        mc.convolve(np.ones(50 + seed + 20 * i), np.ones(3))  # planned anew
        try:
            mc.convolve(np.ones(3), np.ones(5), "valid")
        except ValueError:
            pass
        if i % 10 == seed % 10:
            gc.collect()
threads = [threading.Thread(target=hammer, args=(i,)) for i in range(10)]
for t in threads: t.start()
for t in threads: t.join()
assert not wrong
print("good")
"""


def test_no_python_memory_is_touched_without_the_lock(python):
    """Row 23: Python's allocator is called by others than the lock's owner; it would abort here."""
    done = python(HAMMER, PYTHONMALLOC="debug", PYTHONFAULTHANDLER="1")
    assert (done.returncode, done.stdout) == (0, "good\n"), done.stderr[-3000:]


def test_other_threads_run_while_kernels_do(rng):
    """Row 23: the lock is released indeed."""
    x, h = rng.standard_normal((1900, 1800)), rng.standard_normal((25, 24))
    mc.convolve(x, h, method="direct")
    thread = threading.Thread(target=mc.convolve, args=(x, h), kwargs={"method": "direct"})
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.001)
        turns += 1
    assert turns > 3  # one at most, were the lock kept


def test_every_row_of_the_table_has_a_test():
    """Rows 1 to 23; the last one, speed, is measured by the benchmarks."""
    texts = [f.__doc__ or "" for name, f in globals().items() if name.startswith("test_")]
    rows = {int(number) for text in texts for number in re.findall(r"^Row (\d+):", text)}
    assert rows == set(range(1, 24))
