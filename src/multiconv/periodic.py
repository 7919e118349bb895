"""Circular convolution: of signals that go round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multiconv import _api, _arrays
from multiconv import _geometry as geometry
from multiconv._operands import convolved_axes
from multiconv._typing import Array


def circular_convolve(x: Any, h: Any, n: Any = None, *, axes: Any = None) -> Any:
    """Convolution modulo ``n``: ``sum over m of h[m] x[(k - m) mod n]``.

    Parameters
    ----------
    x : array_like
        The data; axes that are not convolved are batch axes.
    h : array_like
        The kernel. It is convolved over as many trailing axes of ``x`` as it has dimensions.
    n : int or tuple of int, optional
        The period of each axis; the longer of both unless given. What is shorter goes on with
        zeros, what is longer comes round again.
    axes : int or tuple of int, optional
        The axes of ``x`` to convolve, one for each of ``h``, in this order.

    Returns
    -------
    array
        ``n`` long on the convolved axes, of the library that ``x`` is from and of dtype
        ``result_type(x, h)``; integers are exact modulo this type.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    See Also
    --------
    convolve : with ``boundary="wrap"`` the same, but centred on the kernel.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.circular_convolve([1, 2, 3, 4], [1, 10])
    array([41, 12, 23, 34])
    >>> mc.circular_convolve([1, 2, 3, 4], [1, 10], 3)
    array([35, 52, 23])
    """
    restore = _arrays.restorer(x)
    data, kernel = _arrays.to_numpy(x, "x"), _arrays.to_numpy(h, "h")
    places = convolved_axes("x", data, kernel, axes)
    sizes = [data.shape[a] for a in places]
    for array, name, found in ((data, "x", sizes), (kernel, "h", kernel.shape)):
        if 0 in found:
            raise ValueError(f"{name}: shape {array.shape} is empty on an axis to be convolved")
    periods = _periods(n, sizes, kernel.shape)
    dtype = np.result_type(data, kernel)
    last = tuple(range(-kernel.ndim, 0))
    data = _folded(np.moveaxis(data, places, last).astype(dtype), periods)
    kernel = _folded(kernel.astype(dtype), periods, longest=True)
    centred = _api.convolve(data, kernel, "same", boundary="wrap")
    # The middle tap, where mode "same" has its origin, goes back to where the first one was.
    result = np.roll(centred, [(k - 1) // 2 for k in kernel.shape], last)
    result = np.ascontiguousarray(np.moveaxis(result, last, places))
    return restore(result) if restore else result


def _folded(x: Array, periods: Sequence[int], longest: bool = False) -> Array:
    """``x`` of these lengths on its trailing axes, or of the ``longest`` of at most these."""
    for axis, period in enumerate(periods, x.ndim - len(periods)):
        size = x.shape[axis]
        if size == period or (longest and size < period):
            continue
        turns = -(-size // period)
        widths = [(0, 0)] * x.ndim
        widths[axis] = (0, turns * period - size)
        shape = (*x.shape[:axis], turns, period, *x.shape[axis + 1 :])
        x = np.pad(x, widths).reshape(shape).sum(axis, dtype=x.dtype)
    return x


def _periods(n: Any, x_sizes: Sequence[int], h_sizes: Sequence[int]) -> tuple[int, ...]:
    if n is None:
        return tuple(max(pair) for pair in zip(x_sizes, h_sizes, strict=True))
    return geometry.per_axis(n, len(h_sizes), "n", 1)
