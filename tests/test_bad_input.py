"""Bad arguments: one sentence that names the argument, what came and what is allowed."""

import numpy as np
import pytest

import multiconv as mc
from multiconv._registry import registered

X, H = np.arange(20.0).reshape(4, 5), np.ones((2, 3))
D, W = np.ones((2, 4, 6, 7)), np.ones((6, 4, 3, 2))
G = np.ones((2, 6, 4, 6))
INTEGERS = np.arange(5)
BIG = 2**63


def convolve(*args, h=H, **options):
    return mc.convolve(X, h, *args, **options)


def conv(x=D, w=W, **options):
    return mc.conv(x, w, **options)


def transpose(**options):
    return mc.conv_transpose(D, np.ones((4, 3, 3, 2)), **options)


CALLS = {
    # mode, boundary, cval
    "a mode": (lambda: convolve("middle"), "mode: 'middle' 'full', 'same', 'valid'"),
    "a mode of another type": (lambda: convolve(3), "mode: 3 'full'"),
    "modes for other axes": (lambda: convolve(("full",) * 3), "mode 3 words 2"),
    "one wrong mode of two": (lambda: convolve(("full", "most")), "mode 'most' 'same'"),
    "no mode": (lambda: convolve(None), "mode None 'full'"),
    "a boundary": (lambda: convolve(boundary="mirror"), "boundary 'mirror' 'reflect' 'symmetric'"),
    "a complex cval for reals": (lambda: convolve(cval=1j), "cval 1j complex float64"),
    "a cval between integers": (
        lambda: mc.convolve(INTEGERS, INTEGERS, cval=0.5), "cval 0.5 int64 dtype="),
    "an infinite cval for integers": (
        lambda: mc.convolve(INTEGERS, INTEGERS, cval=np.inf), "cval inf int64 dtype="),
    "a NaN cval for integers": (
        lambda: mc.convolve(INTEGERS, INTEGERS, cval=np.nan), "cval nan int64 dtype="),
    "a cval too large": (
        lambda: mc.convolve(INTEGERS.astype("u1"), [1], dtype="i8", cval=2**63), "cval int64"),
    "a negative cval for unsigned": (
        lambda: mc.convolve(INTEGERS.astype("u1"), np.ones(2, "u1"), cval=-1), "cval -1 uint8"),
    # shapes
    "a kernel too large": (
        lambda: mc.convolve(H, X, "valid"), "kernel window covers 4 samples axis 0 only 2 'valid'"),
    "a kernel too long when dilated": (
        lambda: convolve("valid", dilation=4), "kernel covers 5 samples only 4"),
    "a kernel of more axes": (lambda: mc.convolve(X[0], H), "h (2, 3) more axes x (5,)"),
    "a kernel without axes": (lambda: mc.convolve(X, 2.0), "h axis scalar"),
    "a kernel without taps": (lambda: mc.convolve(X, H[:, :0]), "h (2, 0) no taps at least 1"),
    "no data": (lambda: mc.convolve(X[:, :0], H), "x (4, 0) empty mode='same'"),
    "axes out of range": (lambda: convolve(axes=(0, 2)), "axes 2 out of range -2 to 1"),
    "axes twice": (lambda: convolve(axes=(1, -1)), "axes (1, -1) once"),
    "no axes": (lambda: convolve(axes=()), "axes () at least one"),
    "a kernel that fits no axes": (
        lambda: mc.convolve(X, np.ones((2, 2, 2)), axes=0), "h (2, 2, 2) 3 axes axes=0 1 2"),
    "other axes that do not broadcast": (
        lambda: mc.convolve(X, np.ones((3, 2)), axes=1), "h (3, 2) broadcast (4, 5) equal or 1"),
    # stride, dilation, padding, groups
    "a stride of none": (lambda: convolve(stride=0), "stride 0 least 1"),
    "a negative stride": (lambda: conv(stride=(1, -2)), "stride -2 least 1"),
    "too many strides": (lambda: conv(stride=(1, 2, 3)), "stride (1, 2, 3) 3 values 1 or 2"),
    "a huge stride": (lambda: conv(stride=BIG), f"stride {BIG} 2**62"),
    "a dilation of none": (lambda: convolve(dilation=0), "dilation 0 least 1"),
    "a huge dilation": (lambda: convolve(dilation=BIG), f"dilation {BIG} 2**62"),
    "a padding near the end of numbers": (
        lambda: conv(padding=BIG - 1), f"padding {BIG - 1} 2**62"),
    "a padding near the other end": (lambda: conv(padding=-BIG), f"padding {-BIG} 2**62"),
    "a padding whose sum is too large": (lambda: conv(padding=2**62), "axis padding 2**62"),
    "a word for padding": (lambda: conv(padding="full"), "padding 'full' 'valid' 'same'"),
    "half a padding": (lambda: conv(padding=0.5), "padding 0.5 integer (low, high)"),
    "a padding of three": (lambda: conv(padding=(1, 2, 3)), "padding (1, 2, 3) 2 spatial axes"),
    "a padding of triples": (lambda: conv(padding=((1, 2, 3), 1)), "padding pair"),
    "a crop of everything": (lambda: conv(padding=-4), "kernel window only"),
    "a padding mode": (lambda: conv(padding_mode="mirror"), "padding_mode 'mirror' 'reflect'"),
    "groups that do not divide": (lambda: conv(groups=3), "groups 3 4 input 6 output"),
    "groups of none": (lambda: conv(groups=0), "groups 0 divide"),
    "negative groups": (lambda: conv(groups=-2), "groups -2 divide"),
    "groups without their kernel": (lambda: conv(groups=2), "w 4 input channels 2 groups 4"),
    # layers
    "a kernel of other channels": (lambda: conv(w=W[:, :3]), "w 3 input channels x 4"),
    "a kernel of too few axes": (lambda: conv(w=W[0, 0]), "w (3, 2) 2 axes at least 3"),
    "data of too few axes": (lambda: conv(x=D[0, 0]), "x (6, 7) 2 axes 4 3"),
    "data of too many axes": (lambda: conv(x=D[None]), "x 5 axes 4"),
    "a bias of another length": (lambda: conv(bias=np.ones(5)), "bias (5,) (6,)"),
    "a bias of more axes": (lambda: conv(bias=np.ones((6, 1))), "bias (6, 1) (6,)"),
    "a data format": (lambda: conv(data_format="NHWC"), "data_format 'NHWC' 'channels_last'"),
    "an activation": (lambda: conv(activation="swish"), "activation 'swish' 'silu'"),
    "a layer of no taps": (lambda: conv(w=W[..., :0]), "w (6, 4, 3, 0) taps"),
    "wrapping nothing": (
        lambda: conv(x=D[:, :, :0], padding=2, padding_mode="circular"), "padding_mode 'wrap'"),
    "a layer of another rank": (lambda: mc.conv1d(D, W), "weight 4 axes conv1d"),
    "output padding as large as the stride": (
        lambda: transpose(stride=2, output_padding=2), "output_padding 2 smaller stride (2)"),
    "negative output padding": (lambda: transpose(output_padding=-1), "output_padding -1 least 0"),
    "a transposed kernel of other channels": (
        lambda: mc.conv_transpose(D, W), "w 6 input channels x 4"),
    "a transposed layer of nothing": (lambda: transpose(padding=9), "padding 9 too large outputs"),
    "a gradient of another shape": (
        lambda: mc.conv_input_grad(G[:, :5], W, D.shape), "grad (2, 5, 4, 6) (2, 6, 4, 6)"),
    "a gradient of another shape for the kernel": (
        lambda: mc.conv_weight_grad(D, G[1:], W.shape), "grad (1, 6, 4, 6) (2, 6, 4, 6)"),
    "an input's shape that is none": (
        lambda: mc.conv_input_grad(G, W, (2, 4, -6, 7)), "x_shape (2, 4, -6, 7)"),
    # precision, method, out
    "a precision": (lambda: convolve(precision="exact"), "precision 'exact' 'highest' 'fast'"),
    "a method": (lambda: convolve(method="magic"), "method 'magic' 'auto' 'reference'"),
    "a method that refuses": (
        lambda: mc.convolve(INTEGERS, INTEGERS, method="overlap_save"), "method integers"),
    "an out of another shape": (
        lambda: convolve("same", out=np.empty((5, 4))), "out (5, 4) float64 (4, 5)"),
    "an out of another dtype": (
        lambda: convolve("same", out=np.empty((4, 5), "f4")), "out float32 float64"),
    "a narrower dtype": (lambda: convolve(dtype="float32"), "dtype float32 cannot hold float64"),
    "integers for reals": (lambda: convolve(dtype=int), "dtype int64 float64"),
    "bytes for reals": (lambda: convolve(dtype="V8"), "dtype float64"),
    "a dtype of text": (lambda: convolve(dtype="U20"), "dtype float64"),
    "a dtype of objects": (lambda: convolve(dtype=object), "dtype float64"),
    # values
    "rows that differ in length": (lambda: mc.convolve([[1, 2], [3]], [1]), "x rows length"),
    "a kernel whose rows differ": (lambda: mc.convolve([1], [[1, 2], [3]]), "h rows length"),
    "a bias whose rows differ": (lambda: conv(bias=[1, [2]]), "bias rows length"),
    "a weight whose rows differ": (lambda: mc.conv2d(D, [[1], [2, 3]]), "weight rows length"),
    "a NaN kernel for a transform": (
        lambda: convolve(method="overlap_save", h=H * np.nan), "method 'overlap_save' NaN"),
    "an out of another byte order": (
        lambda: convolve("same", out=np.empty((4, 5), ">f8")), "out >f8 float64"),
    "a transposed layer with a huge stride": (lambda: transpose(stride=2**61), "2**62"),
    "paddings whose difference is small": (
        lambda: conv(padding=((2**61, 0), (-(2**61), 2**61))), "padding 2**62"),
    "a huge dilation in a huge padding": (
        lambda: conv(dilation=2**62, padding=2**62), "dilation 2**62"),
    "a channel's size for the gradient": (
        lambda: mc.conv_input_grad(G, W, (2, 3, 6, 7)), "4 input channels 3"),
    "a kernel's shape that is none": (
        lambda: mc.conv_weight_grad(D, G, (6, 4, -3, 2)), "w_shape (6, 4, -3, 2)"),
    "a plan's mode": (lambda: mc.plan(mc.convolve, X, H, mode="half"), "mode 'half' 'full'"),
    "a plan's method": (lambda: mc.plan(mc.convolve, X, H, method="magic"), "method 'magic'"),
    "a plan of a size without end": (
        lambda: mc.plan(mc.convolve, mc.ShapeDtype((BIG,)), H[0]), f"{BIG} 2**62"),
    "a negative shape": (lambda: mc.ShapeDtype((-1, 2)), "shape (-1, 2) negative"),
    "a pool of nothing": (lambda: mc.max_pool(D, 0), "size 0 least 1"),
    "a pool too large": (lambda: mc.max_pool(D, 20), "size 20 elements 6"),
    "a pool's padding": (lambda: mc.avg_pool(D, 2, padding=BIG), f"padding {BIG} 2**62"),
}  # fmt: skip

TYPES = {
    "text": (lambda: mc.convolve(["a"], [1]), "x dtype numbers"),
    "nothing": (lambda: mc.convolve([1], None), "h dtype numbers"),
    "objects": (lambda: mc.convolve(np.array([1, "a"], object), [1]), "x object numbers"),
    "dates": (lambda: mc.convolve(np.zeros(3, "M8[s]"), [1]), "x datetime64 numbers"),
    "records": (lambda: mc.convolve(np.zeros(3, "f4,f8"), [1]), "x numbers"),
    "masked arrays": (lambda: mc.convolve(np.ma.array([1, 2]), [1]), "x masked fill"),
    "masked kernels": (lambda: mc.convolve([1], np.ma.array([1, 2])), "h masked fill"),
    "masked gradients": (
        lambda: mc.conv_input_grad(np.ma.array(G), W, D.shape), "grad masked fill"),
    "numbers beyond 64 bits": (lambda: mc.convolve([10**30, 1], [1]), "x object numbers"),
    "text for a bias": (lambda: conv(bias="abcdef"), "bias numbers"),
    "text for a pool": (lambda: mc.max_pool("abc", 2), "x numbers"),
    "text for a plan": (lambda: mc.plan(mc.convolve, "abc", H), "x numbers"),
    "no dilation": (lambda: convolve(dilation=None), "dilation None integer"),
    "half an axis": (lambda: convolve(axes=0.5), "axes 0.5 integer"),
    "no method": (lambda: convolve(method=None), "method None 'auto'"),
    "many methods": (lambda: convolve(method=["auto"]), "method ['auto'] name"),
    "a kernel's shape of words": (lambda: mc.conv_weight_grad(D, G, None), "w_shape None integers"),
    "half a size": (lambda: mc.ShapeDtype((2.5,)), "shape (2.5,) integers"),
    "a shape of text": (lambda: mc.ShapeDtype((2,), "U3"), "dtype <U3 numbers"),
    "a shape of no dtype": (lambda: mc.ShapeDtype((2,), "float99"), "dtype 'float99' NumPy"),
    "a pool of complex numbers": (lambda: mc.max_pool(D * 1j, 2), "x complex128 real"),
    "a tuned kernel without values": (
        lambda: mc.tune(mc.convolve, X, mc.ShapeDtype((2, 3))), "w object numbers"),
    "sets": (lambda: mc.convolve({1, 2}, [1]), "x object numbers"),
    "a cval of words": (lambda: convolve(cval="zero"), "cval 'zero' number"),
    "a cval of many numbers": (lambda: convolve(cval=(1, 2)), "cval (1, 2) one number"),
    "axes of another type": (lambda: convolve(axes="all"), "axes integer"),
    "half a stride": (lambda: conv(stride=1.5), "stride 1.5 integer"),
    "groups of another type": (lambda: conv(groups=2.0), "groups 2.0 integer"),
    "an out of another kind": (lambda: convolve(out=[1, 2]), "out list NumPy array"),
    "a dtype that is none": (lambda: convolve(dtype="float33"), "dtype float33 NumPy"),
    "an activation of complex numbers": (
        lambda: conv(w=W * 1j, activation="relu"), "activation 'relu' real complex128"),
    "an activation of integers": (
        lambda: conv(D.astype(int), W.astype(int), activation="relu"), "activation 'relu' int64"),
    "a shape that is none": (lambda: mc.conv_input_grad(G, W, 5), "x_shape 5 tuple integers"),
    "a function without plans": (lambda: mc.plan(np.convolve, X, H), "function mc.convolve"),
    "an unknown argument": (lambda: mc.plan(mc.convolve, X, H, colour=3), "colour"),
    "out for a plan": (lambda: mc.plan(mc.convolve, X, H, out=X), "out plan"),
    "a plan without its kernel": (
        lambda: mc.plan(mc.convolve, X, mc.ShapeDtype((2,)))(X), "w kernel"),
    "a plan without its bias": (
        lambda: mc.plan(mc.conv, D, W, mc.ShapeDtype((6,)))(D), "bias needs"),
    "a shape of words": (lambda: mc.ShapeDtype("ab"), "shape"),
    "a shape that is a number": (lambda: mc.ShapeDtype(5), "shape 5"),
}  # fmt: skip


@pytest.fixture
def nothing_runs(monkeypatch):
    """Whatever is computed is an error."""

    def run(*args):
        raise AssertionError("it computed")

    for algorithm in registered().values():
        monkeypatch.setattr(type(algorithm), "run", run)


def check_words(message, words):
    for word in words.replace(", ", ",_").split():
        assert word.replace(",_", ", ") in message
    assert "\n" not in message
    assert not message.endswith(".")
    assert len(message) < 480


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(("call", "words"), CALLS.values(), ids=CALLS)
def test_values_that_are_not_allowed(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    check_words(str(caught.value), words)


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(("call", "words"), TYPES.values(), ids=TYPES)
def test_types_that_are_not_allowed(call, words):
    with pytest.raises(TypeError) as caught:
        call()
    check_words(str(caught.value), words)


@pytest.mark.parametrize("name", [*CALLS, *TYPES])
def test_the_same_again_is_refused_again(name):
    call, _ = {**CALLS, **TYPES}[name]
    for _ in range(2):
        with pytest.raises((ValueError, TypeError)):
            call()


def test_plans_take_only_what_they_were_made_for():
    plan = mc.plan(mc.convolve, mc.ShapeDtype((4, 5)), H)
    for x, words in ((X.T, "x (5, 4) (4, 5)"), (X.astype("f4"), "x float32 float64")):
        with pytest.raises(ValueError, match="does not fit this plan") as caught:
            plan(x)
        check_words(str(caught.value), words)
    with pytest.raises(ValueError, match=r"w: .*\(3, 2\).*\(2, 3\)"):
        plan(X, H.T)


def test_plans_check_their_bias():
    plan = mc.plan(mc.conv, D, W, mc.ShapeDtype((6,)))
    for bias in (np.ones(5), np.ones((6, 1)), 3.0):
        with pytest.raises(ValueError, match=r"bias: .*\(6,\)"):
            plan(D, bias=bias)
    with pytest.raises((ValueError, TypeError), match="bias"):
        mc.plan(mc.conv, D, W)(D, bias=np.ones(6))


def test_read_only_results_are_refused():
    out = np.zeros((5, 7))
    out.flags.writeable = False
    with pytest.raises(ValueError, match=r"out: .*read-only"):
        convolve(out=out)


def test_nothing_is_written_when_something_is_wrong():
    out = np.full((4, 5), 7.0)
    for options in ({"boundary": "no"}, {"precision": "no"}, {"method": "no"}, {"stride": 0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            convolve("same", out=out, **options)
    assert (out == 7).all()


def test_jobs_beyond_the_memory_limit_name_both_numbers():
    shape = mc.ShapeDtype((2**20, 2**20))
    both = rf"result: .* {2**43} bytes, .*limit is \d+ bytes"
    with pytest.raises(mc.MemoryLimitError, match=both):
        mc.plan(mc.convolve, shape, H, mode="same")
    big = np.broadcast_to(0.0, (2**20, 2**20))
    for error in (MemoryError, ValueError):
        with pytest.raises(error, match="MULTICONV_MEMORY_LIMIT"):
            mc.convolve(big, H, "same")


@pytest.mark.parametrize(("size", "padding"), [(2**30, 0), (5, 2**50), (2**40, 2**40)])
def test_huge_results_are_refused_at_once(size, padding):
    x = np.broadcast_to(np.float32(1), (1, 1, size, 4096))
    w = np.ones((1, 1, 2, 2), np.float32)
    with pytest.raises(mc.MemoryLimitError):
        mc.conv(x, w, padding=((padding, 0), (0, 0)))


def test_the_library_of_missing_arrays_is_named():
    dask_array = type("Array", (), {"__module__": "dask.array.core"})()
    with pytest.raises(TypeError, match=r"x: .*Dask.*compute\(\)"):
        mc.convolve(dask_array, [1.0])


@pytest.mark.parametrize("method", ["auto", "reference"])
def test_scratch_beyond_the_memory_limit_is_refused_with_both_numbers(method, monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "1000")
    with pytest.raises(mc.MemoryLimitError, match=r"\b\d{4,} bytes.*\b1000 bytes"):
        mc.convolve(np.ones(101, "f2"), np.ones(13, "f2"), method=method)


def test_results_beyond_a_limit_of_ones_own_are_refused(monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "1MB")
    with pytest.raises(mc.MemoryLimitError, match=r"\b1600088 bytes.*\b1000000 bytes"):
        mc.convolve(np.ones(200_001), np.ones(11))


def test_an_algorithm_beyond_the_memory_limit_is_not_taken(monkeypatch):
    shapes = mc.ShapeDtype((1, 1, 1 << 20), "f4"), mc.ShapeDtype((1, 1, 2), "f4")
    reference = mc.plan(mc.conv, *shapes, method="reference")
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", str(reference.scratch_bytes - 1))
    plan = mc.plan(mc.conv, *shapes)
    assert plan.scratch_bytes < reference.scratch_bytes
    rows = {r.algorithm: r for r in plan.explain().rows}
    assert "bytes of scratch" in rows["reference"].reason


@pytest.mark.parametrize("limit", ["nonsense", "-1", "0", "1e999GB", "5 apples"])
def test_a_limit_that_is_no_amount_of_memory_is_refused(limit, monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", limit)
    with pytest.raises(ValueError, match=f"MULTICONV_MEMORY_LIMIT: '{limit}' .*'2GB'"):
        mc.convolve(np.ones(57), np.ones(19))


def overlapping(memory, n=31, m=6):
    """Two inputs and the result of ``full`` that lie over one another, by how."""
    x, h, size = memory[:n], memory[60 : 60 + m], n + m - 1
    return {
        "result over x": (x, h, memory[:size]),
        "result behind x": (x, h, memory[5 : size + 5]),
        "result before x": (memory[5 : n + 5], h, memory[:size]),
        "result backwards": (x, h, memory[:size][::-1]),
        "result over the kernel": (x, h, memory[58 : size + 58]),
        "all over one another": (x, memory[3 : m + 3], memory[1 : size + 1]),
        "kernel over x": (x, memory[2 : m + 2], memory[70 : size + 70]),
    }


@pytest.mark.parametrize("where", overlapping(np.zeros(120)))
def test_results_over_their_inputs_are_right(where, rng):
    values = rng.standard_normal(120)
    rows = mc.plan(mc.convolve, *overlapping(values)[where][:2]).explain().rows
    accepted = [row.algorithm for row in rows if row.accepted]
    assert len(accepted) > 2
    for name in accepted:
        x, h, out = overlapping(values.copy())[where]
        expected = np.convolve(x, h)
        assert mc.convolve(x, h, method=name, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-13)


def test_results_over_their_bias_are_right(rng):
    out = rng.standard_normal((2, 6, 4, 6))
    bias = out.reshape(-1)[10:16]
    expected = mc.conv(D, W, bias.copy())
    mc.conv(D, W, bias, out=out)
    np.testing.assert_array_equal(out, expected)
