"""All passes of a separable kernel at once: slabs in parts, rounded rows, every instruction set."""

import math

import numpy as np
import pytest

import multiconv as mc
from multiconv import _core, testing

RANDOM = np.random.default_rng(8)
BOUNDARIES = ("symmetric", "wrap", "constant", "edge")


def outer(*lines):
    return math.prod(np.array(line, float).reshape(-1, *(1,) * (len(lines) - a - 1))
                     for a, line in enumerate(lines))  # fmt: skip


def whole_lines(*sizes):
    """Lines that are not symmetric, of powers of two: their quotients are exact."""
    return [RANDOM.choice([-2, -1, 1, 2], n) for n in sizes]


def expected(x, lines, boundary):
    """One axis after the other, in integers."""
    for axis, line in enumerate(lines):
        x = mc.convolve(x, line.astype(np.int64), "same", axes=(axis,), boundary=boundary,
                        method="direct")  # fmt: skip
    return x


@pytest.mark.parametrize("target", _core.targets())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "sizes"),
    [((9, 300, 700), (3, 5, 2)), ((6, 140, 500), (2, 31, 4)), ((5, 160, 33), (4, 70, 3)),
     ((3, 140, 9, 300), (2, 5, 4, 3)), ((1, 9, 200, 40), (1, 3, 6, 2)), ((9, 170, 40), (3, 1, 5)),
     ((40, 30, 50), (17, 3, 5)), ((37, 41, 43), (16, 18, 19)), ((70, 90), (33, 20))],
)  # fmt: skip
def test_slabs_in_parts(shape, sizes, dtype, target):
    """Whole numbers below 2**24 are summed exactly, in whatever order."""
    x, lines = RANDOM.integers(0, 4, shape), whole_lines(*sizes)
    for boundary in BOUNDARIES[: 4 if target == "avx2" else 1]:
        with testing.forced_target(target):
            found = mc.convolve(x.astype(dtype), outer(*lines).astype(dtype), "same",
                                boundary=boundary, method="fused")  # fmt: skip
        np.testing.assert_array_equal(found, expected(x, lines, boundary))


@pytest.mark.parametrize("target", _core.targets())
@pytest.mark.parametrize("cval", [3, 0.5, -2])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_constants_beyond_the_rows(dtype, cval, target):
    """Whether or not the type of the samples holds it."""
    x, lines = RANDOM.integers(0, 4, (40, 50)).astype(dtype), whole_lines(19, 6)
    options = {"mode": "same", "boundary": "constant", "cval": cval, "dtype": "float32"}
    kernel = outer(*lines).astype("float32")
    with testing.forced_target(target):
        found = mc.convolve(x, kernel, **options, method="fused")
    np.testing.assert_array_equal(found, mc.convolve(x, kernel, **options, method="reference"))


@pytest.mark.parametrize("target", _core.targets())
@pytest.mark.parametrize("sums", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_rounded_rows(dtype, sums, target):
    """Half to even and clipped, at every position of a row that vectors do not fill."""
    bounds = np.iinfo(dtype)
    x = RANDOM.integers(bounds.min, bounds.max, (4, 6, 77), dtype, endpoint=True)
    kernel = outer([1, 2], [0.25, 0.5], [-1, 2, 1]).astype(sums)
    with testing.forced_target(target):
        found = mc.convolve(x, kernel, "same", dtype=dtype, method="fused")
    exact = mc.convolve(x.astype(float), kernel.astype(float), "same", method="direct")
    assert ((exact < bounds.min).any(), (exact > bounds.max).any(), (exact % 1 == 0.5).any()) == (
        True, True, True)  # fmt: skip
    np.testing.assert_array_equal(found, np.rint(exact).clip(bounds.min, bounds.max))
