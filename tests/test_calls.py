"""Calls that are run without a step in Python: the same results, and no mix-ups."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import multiconv as mc
from multiconv import _api, _conventions, _core


@pytest.fixture(autouse=True)
def _forget():
    _core.forget_calls()
    _api._plans.clear()
    yield
    _core.forget_calls()


def known(x, h, mode="full", cval=0, out=None):
    return _core.call(
        _conventions.convolve,
        x,
        h,
        mode,
        None,
        "constant",
        cval,
        1,
        1,
        None,
        "default",
        "auto",
        out,
    )


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64", "complex128"])
@pytest.mark.parametrize(
    ("shape", "taps"), [((9,), (4,)), ((6, 7), (3, 2)), ((2, 5, 4, 7), (2, 3))]
)
def test_second_call_equals_the_first_and_was_kept(dtype, shape, taps):
    rng = np.random.default_rng(1)
    for mode in ("full", "same", "valid"):
        x = rng.integers(-9, 9, shape).astype(dtype)
        h = rng.integers(-9, 9, taps).astype(dtype)
        assert known(x, h, mode) is None
        first = mc.convolve(x, h, mode)
        again = known(x, h, mode)
        assert again.dtype == first.dtype
        np.testing.assert_array_equal(again, first)
        np.testing.assert_array_equal(mc.convolve(x, h, mode), first)
        reference = mc.convolve(x, h, mode, method="reference")
        np.testing.assert_array_equal(first, reference)


def test_layers_are_kept_too():
    rng = np.random.default_rng(2)
    x = rng.integers(-5, 5, (2, 4, 6, 7)).astype(np.float32)
    w = rng.integers(-5, 5, (6, 2, 3, 2)).astype(np.float32)
    first = mc.conv(x, w, groups=2, padding=1)
    np.testing.assert_array_equal(mc.conv(x, w, groups=2, padding=1), first)
    np.testing.assert_array_equal(mc.conv(x, w, groups=2, padding=1, method="reference"), first)


def test_every_argument_counts():
    x, h = np.arange(7.0), np.array([1.0, 2.0, 5.0])
    calls = [
        dict(zip(("mode", "boundary", "cval", "stride"), v, strict=True))
        for v in itertools.product(("full", "same"), ("constant", "wrap"), (0, 3), (1, 2))
    ]
    fresh = []
    for options in calls:
        _core.forget_calls()
        fresh.append(mc.convolve(x, h, **options))
    for _ in range(2):
        for options, result in zip(calls, fresh, strict=True):
            np.testing.assert_array_equal(mc.convolve(x, h, **options), result)


def test_functions_do_not_share_calls():
    x, h = np.arange(7.0), np.array([1.0, 2.0, 5.0])
    for _ in range(2):
        assert mc.convolve(x, h, "valid")[0] == 4
        assert mc.correlate(x, h, "valid")[0] == 12


@pytest.mark.parametrize(
    "x",
    [
        np.arange(14.0)[::2],
        np.arange(7.0)[::-1],
        np.arange(7.0).astype(">f8"),
        np.frombuffer(b"\0" + np.arange(7.0).tobytes(), np.uint8)[1:].view(np.float64),
        np.arange(7.0, dtype=np.float32),
        np.arange(8.0),
        np.arange(7.0)[None],
        np.arange(7.0).view(type("Sub", (np.ndarray,), {})),
        list(range(7)),
    ],
)
def test_other_arrays_do_not_take_a_kept_call(x):
    plain, h = np.arange(7.0), np.array([1.0, 2.0, 5.0])
    mc.convolve(plain, h)
    assert known(plain, h) is not None
    assert known(x, h) is None
    expected = np.convolve(np.asarray(x, dtype=np.float64).ravel(), h)
    np.testing.assert_array_equal(np.ravel(mc.convolve(x, h)), expected)


def test_what_needs_python_is_not_kept():
    x, h = np.arange(7.0), np.array([1.0, 2.0, 5.0])
    out = np.empty(9)
    assert mc.convolve(x, h, out=out) is out
    assert known(x, h, out=out) is None
    assert mc.convolve(x, h, out=out) is out
    assert mc.convolve(x.astype(np.float16), h.astype(np.float16)).dtype == np.float16
    assert known(x.astype(np.float16), h.astype(np.float16)) is None
    mc.convolve(x + 1j, h)
    assert known(x + 1j, h) is None


def test_options_that_can_change_are_not_kept():
    x, h = np.ones((4, 6)), np.ones((2, 3))
    stride = [1, 2]
    first = mc.convolve(x, h, stride=stride)
    stride[0] = 2
    assert mc.convolve(x, h, stride=stride).shape != first.shape


@pytest.mark.parametrize("again", [{"stride": 1.0}, {"stride": (1, 1.0)}, {"groups": 1.0}])
def test_arguments_that_merely_equal_a_kept_calls_are_refused(again):
    x, w = np.ones((1, 2, 6, 7)), np.ones((2, 2, 3, 2))
    name = next(iter(again))
    same = (1, 1) if isinstance(again[name], tuple) else 1
    for _ in range(2):
        mc.conv(x, w, **{name: same})
        with pytest.raises(TypeError, match=name):
            mc.conv(x, w, **again)
        with pytest.raises(TypeError, match=name):
            mc.conv(x, w, np.ones(2), **again)


def test_results_are_new_arrays():
    x, h = np.arange(7.0), np.array([1.0, 2.0])
    results = [mc.convolve(x, h) for _ in range(4)]
    assert len({r.ctypes.data for r in results}) == 4
    assert all(r.flags.owndata and r.flags.writeable for r in results)


def test_many_calls_are_kept_within_bounds():
    h = np.array([1.0, 2.0])
    for n in range(1, 5000):
        mc.convolve(np.ones(n), h)
    np.testing.assert_array_equal(mc.convolve(np.ones(3), h), [1, 3, 3, 2])


def test_arguments_of_a_call_are_checked():
    assert _core.call(1) is None
    assert _core.call(1, 2, 3) is None
    x = np.ones(3)
    assert _core.call(None, x, x, *range(40)) is None
