"""Labelled arrays in, labelled arrays out.

`multiconv.convolve`, `correlate`, `conv` and all of `multiconv.filters` come here by themselves
when their first argument is an `xarray.DataArray`; there is nothing to import. Dimensions may be
named wherever axes are numbered, and a kernel that is a DataArray is convolved along its own
dimensions. Data in Dask arrays stay lazy.

Examples
--------
>>> import numpy as np
>>> import xarray as xr
>>> import multiconv as mc
>>> x = xr.DataArray(np.arange(6), dims="time", coords={"time": [10, 20, 30, 40, 50, 60]})
>>> mc.convolve(x, [1, 1, 1], "valid", stride=2)
<xarray.DataArray (time: 2)> Size: 16B
array([3, 9])
Coordinates:
  * time     (time) int64 16B 20 40
>>> picture = xr.DataArray(np.ones((3, 4, 5)), dims=("y", "band", "x"))
>>> mc.filters.gaussian(picture, 2, axes=("y", "x")).dims
('y', 'band', 'x')
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any

from multiconv._errors import MissingExtraError

try:
    from xarray import DataArray
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "multiconv.xarray needs xarray: pip install 'multiconv[xarray]'"
    ) from error

from multiconv import filters
from multiconv._blocks import Blocks, falls_into_blocks
from multiconv._geometry import Reach

__all__ = ["call"]

_NUMBERS = ("axes", "axis", "channel_axis")
_FILTERS = [getattr(filters, name) for name in filters.__all__]


def call(function: Callable[..., Any], x: Any, /, *args: Any, **options: Any) -> Any:
    """What a function returns for a DataArray: DataArrays.

    Parameters
    ----------
    function : callable
        `multiconv.convolve`, `correlate`, `conv` or a function of `multiconv.filters`.
    x : xarray.DataArray
        The data, in NumPy's or Dask's arrays.
    *args, **options
        The function's other arguments. ``axes``, ``axis`` and ``channel_axis`` may be names of
        dimensions. Where the kernel of `convolve` or `correlate` is a DataArray, ``axes`` are its
        dimensions unless given; with ``axes`` its other dimensions broadcast.

    Returns
    -------
    xarray.DataArray, or a tuple of two from `filters.gradient`
        With x's dimensions, name and attributes. Coordinates are those of the samples that the
        results are about: the windows' centres. Along dimensions on which results lie outside the
        data (``"full"``), and along channels, there are none.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Examples
    --------
    >>> import multiconv as mc
    >>> x = DataArray([[1, 2, 3], [4, 5, 6]], dims=("y", "x"), attrs={"unit": "m"})
    >>> down = DataArray([1, -1], dims="y")
    >>> result = mc.correlate(x, down)
    >>> result.values, result.attrs
    (array([[-3, -3, -3]]), {'unit': 'm'})
    """
    if not isinstance(x, DataArray):
        raise TypeError(
            f"x: an xarray {type(x).__name__} is not allowed, give a DataArray (one variable)"
        )
    if function not in _FILTERS and not falls_into_blocks(function):
        raise TypeError(f"x: {function.__name__} takes no DataArray, give x.data")
    given = dict(inspect.signature(function).bind(x, *args, **options).arguments)
    for name in ("out", "residual"):
        if given.get(name) is not None:
            raise TypeError(f"{name}: is not allowed where x is a DataArray, give x.data")
    del given["x"]
    if isinstance(given.get("h"), DataArray):
        given |= _kernel(x, given["h"], given.get("axes"))
    given |= {n: _numbers(x, n, given[n]) for n in _NUMBERS if n in given}
    coords: Any = x.coords
    if function not in _FILTERS:
        coords = _coords(x, Blocks(function, x.shape, x.dtype, **given).reaches)
    result = function(x.data, **given)
    if isinstance(result, tuple):
        return tuple(_labelled(x, part, coords) for part in result)
    return _labelled(x, result, coords)


def _labelled(x: DataArray, result: Any, coords: Any) -> DataArray:
    return DataArray(result, coords, x.dims, x.name, x.attrs)


def _kernel(x: DataArray, h: DataArray, axes: Any) -> dict[str, Any]:
    """A kernel along its own dimensions, or with others that broadcast where ``axes`` are given."""
    unknown = [d for d in h.dims if d not in x.dims]
    if unknown:
        raise ValueError(f"h: dimension {unknown[0]!r} is none of x's, which are {_listed(x)}")
    if axes is None and h.ndim < x.ndim:
        return {"h": h.data, "axes": h.dims}
    missing = [d for d in x.dims if d not in h.dims]
    return {"h": h.expand_dims(missing).transpose(*x.dims).data, "axes": axes}


def _numbers(x: DataArray, name: str, value: Any) -> Any:
    """The numbers of the axes named."""
    if isinstance(value, (tuple, list)):
        return tuple(_number(x, name, one) for one in value)
    return _number(x, name, value)


def _number(x: DataArray, name: str, value: Hashable) -> Any:
    if value in x.dims:
        return x.dims.index(value)
    if isinstance(value, str):
        raise ValueError(f"{name}: {value!r} is no dimension of x, choose one of {_listed(x)}")
    return value


def _listed(x: DataArray) -> str:
    return ", ".join(map(repr, x.dims))


def _coords(x: DataArray, reaches: tuple[Reach, ...]) -> dict[Hashable, Any]:
    """The coordinates of the samples that results are about, where there are such samples."""
    places = dict(zip(x.dims, map(_samples, reaches), strict=True))
    return {
        name: coord.isel({d: places[d] for d in coord.dims})
        for name, coord in x.coords.items()
        if all(places[d] is not None for d in coord.dims)
    }


def _samples(reach: Reach) -> slice | None:
    first, last = reach.centre(0), reach.centre(reach.out - 1)
    if not reach.stride or first < 0 or last >= reach.size:
        return None
    return slice(first, last + 1, reach.stride)
