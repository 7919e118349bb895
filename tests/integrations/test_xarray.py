"""DataArrays in, DataArrays out: dimensions by name, coordinates where results lie."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import multiconv as mc


@pytest.fixture
def cube(rng):
    coords = {
        "band": ["r", "g", "b"],
        "y": [1.0, 2, 4, 8, 16, 32],
        "x": np.arange(7) * 10,
        "height": (("y", "x"), rng.standard_normal((6, 7))),
        "time": 3,
    }
    values = rng.integers(-9, 10, (3, 6, 7))
    return xr.DataArray(values, coords, ("band", "y", "x"), "cube", {"unit": "m"})


def test_what_is_kept(cube):
    found = mc.convolve(cube, np.ones((2, 3), int), "same")
    assert (found.dims, found.name, found.attrs) == (cube.dims, "cube", {"unit": "m"})
    xr.testing.assert_equal(found.coords.to_dataset(), cube.coords.to_dataset())
    np.testing.assert_array_equal(found, mc.convolve(cube.values, np.ones((2, 3), int), "same"))
    found.attrs["unit"] = "km"
    assert cube.attrs["unit"] == "m"


def test_axes_by_name(cube):
    h = np.array([[1, 2, 3], [4, 5, 7]])
    by_name = mc.correlate(cube, h, "same", axes=("y", "band"), boundary=("wrap", "edge"))
    by_number = mc.correlate(cube.values, h, "same", axes=(1, 0), boundary=("wrap", "edge"))
    np.testing.assert_array_equal(by_name, by_number)
    np.testing.assert_array_equal(
        mc.convolve(cube, [1, 2], axes="y"), mc.convolve(cube.values, [1, 2], axes=1)
    )


def test_a_kernel_with_names(cube):
    h = xr.DataArray([[1, 2, 3], [4, 5, 7]], dims=("x", "band"))
    np.testing.assert_array_equal(
        mc.convolve(cube, h), mc.convolve(cube.values, h.values, axes=(2, 0))
    )
    every = h.expand_dims(y=2)
    np.testing.assert_array_equal(
        mc.convolve(cube, every), mc.convolve(cube.values, every.transpose(*cube.dims).values)
    )


def test_a_kernel_for_each_band(cube):
    h = xr.DataArray([[1, 2, 3], [4, 5, 7]], dims=("x", "band"))
    expected = mc.convolve(cube.values, h.values.T[:, None, :], axes=2)
    np.testing.assert_array_equal(mc.convolve(cube, h, axes="x"), expected)


def test_coordinates_are_those_of_the_windows_centres(cube):
    valid = mc.convolve(cube, np.ones((2, 3), int), "valid")
    assert valid.y.values.tolist() == [2, 4, 8, 16, 32]
    assert valid.x.values.tolist() == [10, 20, 30, 40, 50]
    np.testing.assert_array_equal(valid.height, cube.height[1:, 1:-1])
    same = mc.convolve(cube, np.ones((2, 3), int), "same")
    np.testing.assert_array_equal(valid, same.sel(y=valid.y, x=valid.x))


def test_coordinates_of_strides(cube):
    for mode in ("same", "valid"):
        h = np.array([[1, 2, 3], [4, 5, 7]])
        found = mc.convolve(cube, h, mode, stride=(2, 3), dilation=(1, 2))
        every = mc.convolve(cube, h, mode, dilation=(1, 2))
        assert found.x.size == -(-every.x.size // 3)
        np.testing.assert_array_equal(found, every.sel(y=found.y, x=found.x))


def test_results_outside_the_data_have_no_coordinates(cube):
    found = mc.convolve(cube, np.ones((2, 3), int), ("full", "same"))
    assert set(found.coords) == {"band", "x", "time"}
    assert found.sizes == {"band": 3, "y": 7, "x": 7}


def test_layers(cube, rng):
    w = rng.integers(-9, 10, (2, 3, 3, 2))
    found = mc.conv(cube, w, stride=(2, 1), padding=(1, 0))
    np.testing.assert_array_equal(found, mc.conv(cube.values, w, stride=(2, 1), padding=(1, 0)))
    assert set(found.coords) == {"y", "x", "height", "time"}
    assert found.y.values.tolist() == [1, 4, 16]
    last = mc.conv(cube.transpose("y", "x", "band"), w.transpose(2, 3, 1, 0),
                   stride=(2, 1), padding=(1, 0), data_format="channels_last")  # fmt: skip
    np.testing.assert_array_equal(last.transpose("band", "y", "x"), found)


@pytest.mark.parametrize("name", mc.filters.__all__)
def test_filters(name, cube):
    function, options = getattr(mc.filters, name), {"axes": ("y", "x"), "boundary": "edge"}
    data, numbers = cube, {"axes": (1, 2)}
    if name == "canny":
        data, numbers = cube[0], {}
        del options["axes"]
    found, expected = function(data, **options), function(data.values, **(options | numbers))
    for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (found, expected)), strict=True):
        assert isinstance(a, xr.DataArray)
        xr.testing.assert_equal(a, data.copy(data=b))
        assert a.attrs == data.attrs


def test_other_arguments_that_number_axes(cube):
    f = mc.filters
    by_name = f.sobel(cube, axis="y", channel_axis="band")
    np.testing.assert_array_equal(by_name, f.sobel(cube.values, axis=1, channel_axis=0))
    np.testing.assert_array_equal(f.box(cube, axes=["x"]), f.box(cube.values, axes=[2]))


def test_dask_inside_stays_lazy(cube):
    lazy = cube.chunk({"y": 4, "x": 3})
    for call in (
        lambda x: mc.convolve(x, [[1, 2, 4]], "valid", stride=(1, 2)),
        lambda x: mc.filters.gaussian(x, 2, axes=("y", "x")),
    ):
        found = call(lazy)
        assert isinstance(found.data, da.Array)
        xr.testing.assert_equal(found.compute(scheduler="synchronous"), call(cube))


def test_a_dataset_maps(cube):
    data = xr.Dataset({"a": cube, "b": 2 * cube})
    found = data.map(mc.filters.box, args=(3,), axes=("y", "x"))
    xr.testing.assert_equal(found["b"], mc.filters.box(2 * cube, axes=("y", "x")))


X = xr.DataArray(np.ones((4, 5)), dims=("y", "x"))
BAD = [
    (lambda: mc.convolve(X, [1], axes="z"), ValueError, "axes: 'z' is no dimension of x, choose"),
    (lambda: mc.filters.sobel(X, "z"), ValueError, "axis: 'z' is no dimension"),
    (lambda: mc.convolve(X, X.rename(y="t")), ValueError, "h: dimension 't' is none of x's"),
    (lambda: mc.convolve(X.to_dataset(name="a"), [1]), TypeError, "x: an xarray Dataset is not"),
    (lambda: mc.convolve(X, [1], out=np.ones((4, 5))), TypeError, "out: is not allowed"),
    (lambda: mc.conv_transpose(X, np.ones((4, 1, 3))), TypeError, "x: conv_transpose takes no"),
    (lambda: mc.convolve(X, [[1]], boundary="odd"), ValueError, "boundary: 'odd'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[m for *_, m in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_missing_xarray_is_named(python):
    done = python("import sys; sys.modules['xarray'] = None; import multiconv.xarray")
    assert "multiconv.xarray needs xarray: pip install 'multiconv[xarray]'" in done.stderr
