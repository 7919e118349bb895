"""Shapes, padding and boundaries against plain counting and `numpy.pad`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import multiconv as mc
from multiconv import _geometry as geometry
from multiconv import testing
from multiconv._problem import BOUNDARIES


@given(testing.problems(max_rank=3))
def test_output_sizes_are_what_counting_gives(problem):
    for axis, size in enumerate(geometry.out_size(problem)):
        low, high = problem.padding[axis]
        extent = (problem.in_size[axis] - 1) * problem.in_dilation[axis] + 1
        taps = [k * problem.dilation[axis] for k in range(problem.kernel[axis])]
        starts = range(-low, extent + high, problem.stride[axis])
        assert size == sum(start + taps[-1] < extent + high for start in starts)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("padding", [(0, 0), (2, 1), (5, 9), (30, 41)])
def test_index_tables_read_what_numpy_pads(boundary, size, padding, rng):
    problem = mc.Problem(
        in_size=(size,), kernel=(1,), padding=(padding,), boundary=(boundary,), cval=9
    )
    x = rng.permutation(size) + 10
    table = geometry.index_table(problem, 0)
    read = np.where(table == geometry.OUTSIDE, 9, x[np.maximum(table, 0)])
    extra = {"constant_values": 9} if boundary == "constant" else {}
    np.testing.assert_array_equal(read, np.pad(x, padding, boundary, **extra))


def test_index_tables_know_holes_from_the_outside():
    problem = mc.Problem.parse("in3 k1 id2 p1:2")
    expected = [-1, 0, -2, 1, -2, 2, -1, -1]
    np.testing.assert_array_equal(geometry.index_table(problem, 0), expected)


def test_index_tables_crop():
    problem = mc.Problem.parse("in6 k2 d2 s3 p-1:1")
    np.testing.assert_array_equal(geometry.index_table(problem, 0), [1, 2, 3, 4, 5, -1])


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("padding", [((1, 2), (0, 3)), ((4, 9), (7, 0)), ((-1, 2), (3, -2))])
def test_folding_is_the_adjoint_of_padding(boundary, padding, rng):
    x = rng.standard_normal((2, 4, 5))
    extended = x
    for axis, (low, high) in enumerate(padding):
        index = np.arange(-low, x.shape[1 + axis] + high)
        problem = mc.Problem(
            in_size=(x.shape[1 + axis],), kernel=(1,), padding=((low, high),), boundary=(boundary,)
        )
        table = geometry.index_table(problem, 0)
        assert table.size == index.size
        taken = np.take(extended, np.maximum(table, 0), axis=1 + axis)
        shape = [-1 if a == 1 + axis else 1 for a in range(3)]
        extended = np.where((table == geometry.OUTSIDE).reshape(shape), 0, taken)
    y = rng.standard_normal(extended.shape)
    folded = geometry.fold_padding(y, (4, 5), padding, (boundary, boundary))
    assert np.vdot(extended, y) == pytest.approx(np.vdot(x, folded))


@given(st.integers(1, 40), st.integers(1, 12))
def test_modes_have_numpys_lengths(size, kernel):
    for mode in geometry.MODES:
        if mode == "valid" and kernel > size:
            continue
        low, high = geometry.mode_padding(mode, kernel)
        found = geometry.output_length(size, kernel, 1, low, high)
        expected = size if mode == "same" else np.convolve([0] * size, [0] * kernel, mode).size
        assert found == expected


@given(st.integers(1, 60), st.integers(1, 15), st.integers(1, 7))
def test_same_padding_gives_one_output_per_stride(size, win, stride):
    low, high = geometry.same_padding(size, win, stride)
    assert low <= high <= low + 1
    assert geometry.output_length(size, win, stride, low, high) == -(-size // stride)


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3),
       st.integers(-2, 8), st.integers(-2, 8))  # fmt: skip
def test_the_adjoint_has_the_inputs_size(size, kernel, stride, dilation, low, high):
    win = geometry.window(kernel, dilation)
    outputs = geometry.output_length(size, win, stride, low, high)
    if outputs < 1:
        return
    back = geometry.adjoint_padding(size, outputs, win, stride, low)
    extent = geometry.dilated(outputs, stride)
    assert geometry.output_length(extent, win, 1, *back) == size


@pytest.mark.parametrize(("kernel", "dilation", "win"), [(1, 9, 1), (3, 1, 3), (3, 4, 9)])
def test_windows(kernel, dilation, win):
    assert geometry.window(kernel, dilation) == win


@pytest.mark.parametrize("text", ["in5 k6", "in5x5 k2x3 d1x3", "in5 k3 p-1:-2", "in9 k2 p0:-8"])
def test_kernels_that_do_not_fit_are_refused(text):
    with pytest.raises(ValueError, match="use a smaller kernel, more padding"):
        geometry.out_size(mc.Problem.parse(text))


@pytest.mark.parametrize(
    "text",
    [f"in5 k2 d{2**63} p{2**63}:0", f"in5 k2 p{2**62}:{2**62}", f"in{2**40} k1 id{2**40}",
     f"in5 k{2**40} d{2**40} p{2**62}:0"],
)  # fmt: skip
def test_sizes_beyond_64_bit_arithmetic_are_refused(text):
    with pytest.raises(ValueError, match="2\\*\\*62"):
        geometry.out_size(mc.Problem.parse(text))


@pytest.mark.parametrize(
    ("value", "result"),
    [(2, (2, 2, 2)), ((3,), (3, 3, 3)), ([1, 2, 3], (1, 2, 3)), (np.array([4, 5, 6]), (4, 5, 6)),
     (np.int8(7), (7, 7, 7))],
)  # fmt: skip
def test_one_number_or_one_per_axis(value, result):
    assert geometry.per_axis(value, 3, "stride", 1) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [(2, ((2, 2), (2, 2))), ((1, 3), ((1, 1), (3, 3))), (((1, 2), (3, 4)), ((1, 2), (3, 4))),
     ([(1, 2), 5], ((1, 2), (5, 5))), (-1, ((-1, -1), (-1, -1))),
     (np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4)))],
)  # fmt: skip
def test_padding_in_all_its_forms(value, result):
    assert geometry.per_axis_pairs(value, 2, "padding") == result
