"""Dask arrays in, Dask arrays out, lazily.

`multiconv.convolve`, `correlate`, `conv` and all of `multiconv.filters` come here by themselves
when their first argument is a Dask array; there is nothing to import.

Examples
--------
>>> import dask.array as da
>>> import multiconv as mc
>>> x = da.arange(12, chunks=5)
>>> y = mc.convolve(x, [1, 1, 1], "valid")
>>> y.chunks
((4, 5, 1),)
>>> y.compute(scheduler="synchronous")
array([ 3,  6,  9, 12, 15, 18, 21, 24, 27, 30])
"""

from multiconv._errors import MissingExtraError

try:
    import dask.array  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtraError("multiconv.dask needs Dask: pip install 'multiconv[dask]'") from error

from multiconv.dask._call import call

__all__ = ["call"]
