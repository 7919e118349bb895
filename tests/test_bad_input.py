"""Bad arguments: one sentence that names the argument, what came and what is allowed."""

import numpy as np
import pytest

import multiconv as mc

X, H = np.arange(20.0).reshape(4, 5), np.ones((2, 3))
D, W = np.ones((2, 4, 6, 7)), np.ones((6, 4, 3, 2))
G = np.ones((2, 6, 4, 6))
INTEGERS = np.arange(5)
BIG = 2**63


def convolve(*args, **options):
    return mc.convolve(X, H, *args, **options)


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
}  # fmt: skip

TYPES = {
    "text": (lambda: mc.convolve(["a"], [1]), "x dtype numbers"),
    "nothing": (lambda: mc.convolve([1], None), "h dtype numbers"),
    "objects": (lambda: mc.convolve(np.array([1, "a"], object), [1]), "x object numbers"),
    "dates": (lambda: mc.convolve(np.zeros(3, "M8[s]"), [1]), "x datetime64 numbers"),
    "records": (lambda: mc.convolve(np.zeros(3, "f4,f8"), [1]), "x numbers"),
    "masked arrays": (lambda: mc.convolve(np.ma.array([1, 2]), [1]), "x masked fill"),
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


def check_words(message, words):
    for word in words.replace(", ", ",_").split():
        assert word.replace(",_", ", ") in message
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize(("call", "words"), CALLS.values(), ids=CALLS)
def test_values_that_are_not_allowed(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    check_words(str(caught.value), words)


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
