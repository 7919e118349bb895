"""The mean under a moving window: a layer whose kernels are boxes, and its adjoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from multiconv import _api
from multiconv._arrays import restorer, to_numpy
from multiconv._conventions import ShapeDtype
from multiconv._conventions._checks import as_shape
from multiconv._plan import Plan
from multiconv._pooling._largest import expect_shape
from multiconv._pooling._windows import Axis, pooled_shape, windows
from multiconv._typing import Array


def avg_pool(
    x: Any, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, count_include_pad: bool = True, data_format: str = "channels_first",
) -> Any:  # fmt: skip
    """Take the mean of the elements under each position of a window.

    Parameters
    ----------
    x : array, shape ``(N, C, *spatial)`` or ``(N, *spatial, C)``
        The data, of any numeric dtype. Without the N axis, `size` must be a sequence.
    size, stride, padding, dilation, ceil_mode, data_format
        As in `max_pool`, but padding adds zeros.
    count_include_pad : bool, optional
        Whether the zeros of the padding count as elements of the mean, as in torch; what lies
        beyond the padding never does. The padding of "same" is not counted either, as in Keras.

    Returns
    -------
    array
        Of x's library and dtype, float64 for integers and booleans. float16 and bfloat16 are summed
        in float32. A window with no element at all, which takes dilation, gives zero.

    Raises
    ------
    ValueError
        If an argument is out of range, or a window is larger than the padded input.
    TypeError
        If x is not numeric.

    Notes
    -----
    Each channel is convolved with a box, by the algorithm that is quickest for it: large windows
    cost no more than small ones. Results are those of ``torch.nn.functional.avg_pool1d``, ``2d``
    and ``3d``.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> x = np.array([[[3, 1, 4, 1, 5, 9]]])
    >>> mc.avg_pool(x, 2)
    array([[[2. , 2.5, 7. ]]])
    >>> mc.avg_pool(x, 2, stride=3, padding=1, count_include_pad=False)
    array([[[3. , 2.5, 9. ]]])
    >>> mc.avg_pool(x, None)
    array([[[3.83333333]]])
    """
    restore, x = restorer(x), to_numpy(x, "x")
    axes = windows(x.shape, size, stride, padding, dilation, ceil_mode, data_format)
    counts = _counts(axes, count_include_pad and not isinstance(padding, str))
    result = _means(x, axes, counts, data_format)
    return result if restore is None else restore(result)


def bound_avg_pool(
    x: Array, axes: tuple[Axis, ...], out: Array, data_format: str, counts_padding: bool
) -> Callable[[], object]:
    """A call that fills ``out`` with what `avg_pool` gives for ``x``, again and again.

    Both are contiguous batches of one native floating-point dtype.
    """
    counts = _counts(axes, counts_padding)
    if isinstance(counts, int):
        return _sums(x.shape, x.dtype, axes, data_format, scaled=True).bind(x, out)

    def fill() -> None:
        out[...] = _means(x, axes, counts, data_format)

    return fill


def _means(x: Array, axes: tuple[Axis, ...], counts: int | Array, data_format: str) -> Array:
    """The means under the windows, each of so many elements."""
    if x.size == 0:
        result = np.zeros(pooled_shape(x.shape, axes), _sum_dtype(x.dtype))
    else:
        scaled = isinstance(counts, int) and _sum_dtype(x.dtype) == x.dtype
        plan = _sums(x.shape, x.dtype, axes, data_format, scaled)
        result = plan(x if axes[0].number == _first(data_format) else x[None])
        result = result.reshape(pooled_shape(x.shape, axes))
        if not scaled:
            result /= _divisor(counts, axes, result)
    if x.dtype.kind not in "biu":
        result = result.astype(x.dtype, copy=False)
    return result


def avg_pool_grad(
    grad: Any, x_shape: Any, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, count_include_pad: bool = True, data_format: str = "channels_first",
) -> Any:  # fmt: skip
    """Gradient of `avg_pool` in its input.

    Parameters
    ----------
    grad : array
        Gradient at the output, of the output's shape; floating-point or complex numbers.
    x_shape : tuple of int
        Shape of the input.
    size, stride, padding, dilation, ceil_mode, count_include_pad, data_format
        As for `avg_pool`.

    Returns
    -------
    array
        Of shape ``x_shape`` and grad's dtype and library.

    Raises
    ------
    ValueError
        If an argument is out of range, or grad does not have the output's shape.
    TypeError
        If grad is not of floating-point or complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> mc.avg_pool_grad(np.array([[[2.0, 4, 6]]]), (1, 1, 6), 2)
    array([[[1., 1., 2., 2., 3., 3.]]])
    """
    restore, grad, shape = restorer(grad), to_numpy(grad, "grad"), as_shape(x_shape, "x_shape")
    if grad.dtype.kind in "biu":
        raise TypeError(f"grad: dtype {grad.dtype} is not allowed, give floating-point numbers")
    axes = windows(shape, size, stride, padding, dilation, ceil_mode, data_format)
    expect_shape(grad, shape, axes)
    counts = _counts(axes, count_include_pad and not isinstance(padding, str))
    if 0 in shape:
        result = np.zeros(shape, grad.dtype)
    else:
        wide = grad.astype(_sum_dtype(grad.dtype))
        wide /= _divisor(counts, axes, wide)
        plan = _spread(shape, wide.dtype, axes, data_format)
        result = plan(wide if axes[0].number == _first(data_format) else wide[None])
        result = result.reshape(shape).astype(grad.dtype, copy=False)
    return result if restore is None else restore(result)


def _first(data_format: str) -> int:
    """The number of the first spatial axis of a batch."""
    return 2 if data_format == "channels_first" else 1


@lru_cache(maxsize=256)
def _sums(
    shape: tuple[int, ...], dtype: np.dtype[Any], axes: tuple[Axis, ...], data_format: str,
    scaled: bool,
) -> Plan:  # fmt: skip
    """The sums under the windows, or the means if none is cut off."""
    x, boxes, options = _layer(shape, dtype, axes, data_format)
    if scaled:
        taps = reduce(lambda n, axis: n * axis.taps, axes, 1)
        options["scale"] = np.full(options["groups"], 1 / taps, dtype)
    return _api.plan(_api.conv, x, boxes, **options)


@lru_cache(maxsize=256)
def _spread(
    shape: tuple[int, ...], dtype: np.dtype[Any], axes: tuple[Axis, ...], data_format: str
) -> Plan:
    """The adjoint of the sums."""
    x, boxes, options = _layer(shape, dtype, axes, data_format)
    pooled = pooled_shape(shape, axes)
    grad = ShapeDtype((*x.shape[: len(x.shape) - len(shape)], *pooled), dtype)
    return _api.plan(_api.conv_input_grad, grad, boxes, x_shape=x.shape, **options)


def _layer(
    shape: tuple[int, ...], dtype: np.dtype[Any], axes: tuple[Axis, ...], data_format: str
) -> tuple[ShapeDtype, Array, dict[str, Any]]:
    """Data, kernels and options of the layer that sums under the windows."""
    batch = axes[0].number == _first(data_format)
    shape = shape if batch else (1, *shape)
    last = data_format == "channels_last"
    channels = shape[-1] if last else shape[1]
    axes = tuple(axis.cut for axis in axes)
    taps = tuple(axis.taps for axis in axes)
    boxes = np.ones((*taps, 1, channels) if last else (channels, 1, *taps), _sum_dtype(dtype))
    options = {
        "stride": tuple(axis.stride for axis in axes),
        "dilation": tuple(axis.dilation for axis in axes),
        "padding": tuple(axis.padding for axis in axes),
        "groups": channels, "data_format": data_format,
    }  # fmt: skip
    return ShapeDtype(shape, dtype), boxes, options


@lru_cache(maxsize=256)
def _counts(axes: tuple[Axis, ...], padded: bool) -> int | Array:
    """The number of elements under each window, 1 where it is 0; one number if all are alike."""
    counts = reduce(np.multiply.outer, [axis.counts(padded) for axis in axes])
    counts = np.maximum(counts, 1)
    taps = reduce(lambda n, axis: n * axis.taps, axes, 1)
    return taps if bool((counts == taps).all()) else counts


def _divisor(counts: int | Array, axes: tuple[Axis, ...], sums: Array) -> Array:
    """Counts, shaped to divide the sums."""
    counts = np.asarray(counts, sums.real.dtype)
    behind = sums.ndim - axes[-1].number - 1 if counts.ndim else 0
    return counts.reshape(counts.shape + (1,) * behind)


def _sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    return np.result_type(dtype, np.float32)
