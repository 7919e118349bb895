"""Arrays of every kind in, the same kind out; memory in every shape."""

import warnings

import ml_dtypes
import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import as_strided

import multiconv as mc

KERNEL = np.array([1.0, -2.0, 4.0])


def other_memory(x):
    """The same values in memory that is awkward to read, by what is awkward."""
    spread = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    spread[::2, ::3] = x
    padded = np.zeros(x.nbytes + 1, np.uint8)
    padded[1:].view(x.dtype)[...] = x.ravel()
    rest = {"complex64": "f4", "complex128": "f8"}.get(x.dtype.name, "u1")
    record = np.zeros(x.shape, [("value", x.dtype), ("rest", rest)])
    record["value"] = x
    locked = x.copy()
    locked.flags.writeable = False
    return {
        "gaps": spread[::2, ::3],
        "backwards": x[::-1, ::-1].copy()[::-1, ::-1],
        "transposed": np.asfortranarray(x),
        "unaligned": padded[1:].view(x.dtype).reshape(x.shape),
        "record": record["value"],
        "other byte order": x.astype(x.dtype.newbyteorder()),
        "read-only": locked,
        "subclass": x.view(type("Sub", (np.ndarray,), {})),
    }


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int16", "?"])
@pytest.mark.parametrize("what", other_memory(np.zeros((2, 3))))
def test_memory_in_every_shape(what, dtype, rng):
    x = (rng.standard_normal((11, 13)) * 5).astype(dtype)
    h = (rng.standard_normal((3, 4)) * 5).astype(dtype)
    expected = mc.convolve(x, h, "same", boundary="wrap")
    for first, second in ((other_memory(x)[what], h), (x, other_memory(h)[what])):
        for _ in range(2):  # planned, then found again
            got = mc.convolve(first, second, "same", boundary="wrap")
            assert type(got) is np.ndarray
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("what", ["gaps", "backwards", "transposed", "unaligned", "record"])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_results_into_memory_in_every_shape(what, dtype, rng):
    x, h = (rng.standard_normal(s).astype(dtype) for s in ((11, 13), (3, 4)))
    expected = mc.convolve(x, h, "same")
    out = other_memory(np.zeros_like(expected))[what]
    assert mc.convolve(x, h, "same", out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_broadcast_arrays_with_zero_strides(rng):
    x = np.broadcast_to(rng.standard_normal(9), (4, 5, 9))
    expected = mc.convolve(x.copy(), KERNEL, "same")
    np.testing.assert_array_equal(mc.convolve(x, KERNEL, "same"), expected)
    one = np.broadcast_to(2.5, (6, 7))
    expected = mc.convolve(one.copy(), one[:2, :3].copy())
    np.testing.assert_array_equal(mc.convolve(one, one[:2, :3]), expected)


def test_a_result_over_its_own_input_is_right(rng):
    for shape in ((50,), (9, 31)):
        x = rng.standard_normal(shape)
        expected = mc.convolve(x, KERNEL, "same")
        assert mc.convolve(x, KERNEL, "same", out=x) is x
        np.testing.assert_array_equal(x, expected)


def test_a_result_over_a_shifted_input_is_right(rng):
    memory = rng.standard_normal(60)
    expected = mc.convolve(memory[:50], KERNEL, "same")
    mc.convolve(memory[:50], KERNEL, "same", out=memory[3:53])
    np.testing.assert_array_equal(memory[3:53], expected)


def test_a_result_over_the_kernel_is_right(rng):
    x, h = rng.standard_normal(3), rng.standard_normal(3)
    expected = mc.convolve(x, h, "same")
    mc.convolve(x, h, "same", out=h)
    np.testing.assert_array_equal(h, expected)


def test_a_result_lands_in_the_array_given(rng):
    x, w = rng.standard_normal((2, 3, 8, 9)), rng.standard_normal((4, 3, 3, 3))
    out = np.full((2, 4, 6, 7), np.nan)
    assert mc.conv(x, w, out=out) is out
    np.testing.assert_array_equal(out, mc.conv(x, w))
    plan = mc.plan(mc.conv, x, w)
    out[...] = np.nan
    assert plan(x, out=out) is out
    np.testing.assert_array_equal(out, plan(x))


def test_odd_strides_on_axes_of_size_one(rng):
    x = rng.standard_normal(7)
    for odd in (3, -5, 0, 2**40 + 1):
        view = as_strided(x, (1, 7, 1), (odd, 8, odd))
        got = mc.convolve(view, np.full((1, 2, 1), 2.0), "valid")
        np.testing.assert_array_equal(got.ravel(), 2 * (x[1:] + x[:-1]))


TORCH = [torch.float32, torch.float64, torch.complex64, torch.complex128, torch.int8, torch.int64,
         torch.uint8, torch.bool, torch.float16, torch.bfloat16]  # fmt: skip


@pytest.mark.parametrize("dtype", TORCH, ids=str)
def test_torch_in_torch_out(dtype, rng):
    x = torch.tensor(rng.integers(-4, 5, (2, 3, 8, 9))).to(dtype)
    w = torch.tensor(rng.integers(-4, 5, (4, 3, 3, 2))).to(dtype)
    got = mc.conv(x, w, padding=1)
    assert isinstance(got, torch.Tensor)
    assert got.dtype == dtype
    exact = mc.conv(x.to(torch.complex128).numpy(), w.to(torch.complex128).numpy(), padding=1)
    assert torch.equal(got, torch.tensor(exact if dtype.is_complex else exact.real).to(dtype))


def test_torch_memory_is_read_in_place_and_handed_on(rng):
    from multiconv import _arrays

    for tensor in (torch.ones(5), torch.ones((4, 6)).T, torch.ones(8, dtype=torch.bfloat16)[::2]):
        array = _arrays.to_numpy(tensor, "x")
        assert array.ctypes.data == tensor.data_ptr()
        back = _arrays.restorer(tensor)(array)
        assert back.data_ptr() == tensor.data_ptr()
        assert back.dtype == tensor.dtype


def test_torch_with_a_numpy_kernel_and_the_other_way_round():
    assert isinstance(mc.convolve(torch.ones(5), np.ones(3, np.float32)), torch.Tensor)
    assert isinstance(mc.convolve(np.ones(5, np.float32), torch.ones(3)), np.ndarray)


def test_torch_that_records_gradients_is_refused_unless_told_not_to():
    x = torch.ones(5, requires_grad=True)
    with pytest.raises(TypeError, match="detach"):
        mc.convolve(x, np.ones(3))
    with torch.no_grad():
        assert mc.convolve(x, np.ones(3, np.float32)).tolist() == [1, 2, 3, 3, 3, 2, 1]


def test_torch_views_that_are_conjugated_or_negated_lazily():
    x = torch.tensor([1 + 2j, 3 - 1j, 2j])
    got = mc.convolve(x.conj(), np.array([1.0, 10.0], np.float32))
    np.testing.assert_allclose(got.numpy(), np.convolve(x.numpy().conj(), [1, 10]))
    got = mc.convolve(x.conj().imag, np.array([1.0, 10.0], np.float32))
    np.testing.assert_allclose(got.numpy(), np.convolve(-x.numpy().imag, [1, 10]))


def test_torch_out_of_plans(rng):
    plan = mc.plan(mc.conv, mc.ShapeDtype((1, 2, 9), "float32"), np.ones((3, 2, 4), np.float32))
    assert isinstance(plan(torch.ones((1, 2, 9))), torch.Tensor)


def test_bfloat16_from_numpy(rng):
    x = rng.integers(-3, 4, (9, 8)).astype(ml_dtypes.bfloat16)
    h = rng.integers(-3, 4, (2, 3)).astype(ml_dtypes.bfloat16)
    got = mc.convolve(x, h)
    assert got.dtype == ml_dtypes.bfloat16
    expected = mc.convolve(x.astype(np.float32), h.astype(np.float32))
    np.testing.assert_array_equal(got, expected.astype(ml_dtypes.bfloat16))


def test_memory_mapped_files(tmp_path, rng):
    np.save(tmp_path / "x.npy", rng.standard_normal((20, 30)))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected = mc.convolve(np.array(mapped), KERNEL)
    np.testing.assert_array_equal(mc.convolve(mapped, KERNEL), expected)


def test_matrices_are_arrays():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        matrix = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(mc.convolve(matrix, [[1.0, 1.0]]), [[1, 3, 2], [3, 7, 4]])


def test_anything_with_an_array_interface():
    class Box:
        def __array__(self, dtype=None, copy=None):
            return np.array([1.0, 2.0, 3.0])

    assert mc.convolve(Box(), [1, 1]).tolist() == [1, 3, 5, 3]


DTYPES = [
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16",
    "float32", "float64", "longdouble", "complex64", "complex128", "clongdouble",
]  # fmt: skip


@pytest.mark.parametrize("x_dtype", DTYPES)
def test_results_have_numpys_dtype_and_value(x_dtype, rng):
    for h_dtype in DTYPES:
        x = rng.integers(0, 3, 9).astype(x_dtype)
        h = rng.integers(0, 3, 4).astype(h_dtype)
        wide = np.result_type(x, h, np.float64)
        got = mc.convolve(x, h)
        assert got.dtype == np.result_type(x, h)
        expected = np.convolve(x.astype(wide), h.astype(wide)).astype(got.dtype)
        np.testing.assert_array_equal(got, expected)
