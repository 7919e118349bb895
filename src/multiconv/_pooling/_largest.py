"""The largest element under a moving window, and where its gradient goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multiconv._arrays import restorer, to_numpy
from multiconv._pooling._windows import Axis, pooled_shape, windows
from multiconv._typing import Array
from multiconv._window_max import bound_window_max, can_run, window_max
from multiconv._window_max_gradient import window_max_gradient


def max_pool(
    x: Any, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, data_format: str = "channels_first",
) -> Any:  # fmt: skip
    """Take the largest element under each position of a window.

    Parameters
    ----------
    x : array, shape ``(N, C, *spatial)`` or ``(N, *spatial, C)``
        The data: booleans, integers or real numbers. Without the N axis, `size` must be a sequence.
    size : int, sequence of int or None
        Size of the window, one number for each spatial axis if it is a sequence. None is all there
        is: global pooling.
    stride : int or sequence of int, optional
        Distance between windows; the window's size unless given.
    padding : int, sequence of int, sequence of (low, high) pairs, "valid" or "same", optional
        What is added on both sides of each spatial axis, at most half of `size`: elements smaller
        than all others. "same" pads as Keras does, to ``ceil(size / stride)`` outputs.
    dilation : int or sequence of int, optional
        Distance between the elements of a window.
    ceil_mode : bool, optional
        Whether windows that reach beyond the padded input are kept, if they start on the input or
        on the padding before it.
    data_format : {"channels_first", "channels_last"}, optional
        Where the channels are.

    Returns
    -------
    array
        Of x's dtype and library. A window with no element at all, which takes dilation, gives the
        dtype's smallest value. NaN reaches every window that holds one.

    Raises
    ------
    ValueError
        If an argument is out of range, or a window is larger than the padded input.
    TypeError
        If x is complex or not numeric.

    Notes
    -----
    The maximum is taken along one axis after the other (a window is the sum of its sides: J. Serra,
    *Image Analysis and Mathematical Morphology*, 1982), in time that depends little on the size:
    down the rows with three comparisons (M. van Herk, Pattern Recognition Letters 13, 1992), along
    them by doubling. Results are those of ``torch.nn.functional.max_pool1d``, ``2d`` and ``3d``.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> x = np.array([[[3, 1, 4, 1, 5, 9]]])
    >>> mc.max_pool(x, 2)
    array([[[3, 4, 9]]])
    >>> mc.max_pool(x, 3, stride=2, padding=1)
    array([[[3, 4, 9]]])
    >>> mc.max_pool(x, None)
    array([[[9]]])
    """
    restore, x = restorer(x), _ordered(x)
    axes = windows(x.shape, size, stride, padding, dilation, ceil_mode, data_format)
    x = _largest(x, axes)
    return x if restore is None else restore(x)


def max_pool_grad(
    grad: Any, x: Any, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, data_format: str = "channels_first",
) -> Any:  # fmt: skip
    """Gradient of `max_pool` in its input.

    Parameters
    ----------
    grad : array
        Gradient at the output, of the output's shape.
    x : array, shape ``(N, C, *spatial)`` or ``(N, *spatial, C)``
        The input, real floating-point numbers.
    size, stride, padding, dilation, ceil_mode, data_format
        As for `max_pool`.

    Returns
    -------
    array
        Of x's shape, dtype and library. What came for a window goes to the first of its largest
        elements in row-major order, or to its last NaN, as torch sends it; float16 and bfloat16 are
        summed in float32.

    Raises
    ------
    ValueError
        If an argument is out of range, or grad does not have the output's shape.
    TypeError
        If x is not of real floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> x = np.array([[[3.0, 1, 4, 1, 5, 9]]])
    >>> mc.max_pool_grad(np.array([[[1.0, 2, 3]]]), x, 2)
    array([[[1., 0., 2., 0., 0., 3.]]])
    """
    restore, x, grad = restorer(x), _ordered(x), to_numpy(grad, "grad")
    if x.dtype.kind in "biu":
        raise TypeError(f"x: dtype {x.dtype} has no gradient, allowed are floating-point numbers")
    axes = windows(x.shape, size, stride, padding, dilation, ceil_mode, data_format)
    expect_shape(grad, x.shape, axes)
    result = window_max_gradient(grad, x, axes, data_format == "channels_last")
    return result if restore is None else restore(result)


def bound_max_pool(x: Array, axes: tuple[Axis, ...], out: Array) -> Callable[[], object]:
    """A call that fills ``out`` with what `max_pool` gives for ``x``, again and again.

    Both are contiguous arrays of one native floating-point dtype.
    """

    def fill() -> None:
        out[...] = _largest(x, axes)

    return (bound_window_max(x, axes, out) if can_run(x.dtype, axes) else None) or fill


def expect_shape(grad: Array, shape: tuple[int, ...], axes: tuple[Axis, ...]) -> None:
    """Refuse a gradient that is not of the output's shape."""
    wanted = pooled_shape(shape, axes)
    if grad.shape != wanted:
        raise ValueError(f"grad: shape {grad.shape} does not fit, the output's is {wanted}")


def _ordered(x: Any) -> Array:
    array: Array = to_numpy(x, "x")
    if array.dtype.kind == "c":
        raise TypeError(f"x: dtype {array.dtype} has no order, allowed are real numbers")
    return array


def _largest(x: Array, axes: tuple[Axis, ...]) -> Array:
    return window_max(x, axes) if can_run(x.dtype, axes) else _pass_by_pass(x, axes)


def _pass_by_pass(x: Array, axes: tuple[Axis, ...]) -> Array:
    """What `window_max` gives, a pass for each tap that meets the input."""
    for axis in sorted(axes, key=lambda axis: axis.length / axis.size):
        shape = (*x.shape[: axis.number], axis.length, *x.shape[axis.number + 1 :])
        largest = np.full(shape, _least(x.dtype), x.dtype)
        before = (slice(None),) * axis.number
        for written, read in axis.reads():
            part = largest[(*before, written)]
            np.maximum(part, x[(*before, read)], out=part)
        x = largest
    return x


def _least(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b":
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf
