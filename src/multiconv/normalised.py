"""Convolution of data with gaps: what is missing is left out, and the rest weighs more."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv import _api, _arrays
from multiconv._geometry import per_axis_word
from multiconv._operands import floating_dtype
from multiconv._typing import Array

TREATMENTS = ("interpolate", "fill", "propagate")
SMALLEST_SUM = 1e-8
"""The sum of a kernel in units of that of its magnitudes, from which on it can be divided by."""


def convolve_nan(
    x: Any, h: Any, mode: Any = "same", *, nan: str = "interpolate", fill_value: complex = 0,
    normalize: bool = True, mask: Any = None, preserve_nan: bool = False, axes: Any = None,
    boundary: Any = "constant", cval: complex = 0,
) -> Any:  # fmt: skip
    """Convolution with a kernel of sum 1, in which missing samples need not be missed.

    Parameters
    ----------
    x : array_like
        The data. NaN is missing; of a `numpy.ma.MaskedArray` also what is masked.
    h : array_like
        The kernel, as for `convolve`.
    mode : {"same", "full", "valid"} or tuple of these, optional
        As for `convolve`.
    nan : {"interpolate", "fill", "propagate"}, optional
        ``interpolate``: missing samples weigh nothing, those present the more; NaN remains where
        none is under the kernel. ``fill``: they are ``fill_value``. ``propagate``: every output
        that they reach is NaN.
    fill_value : number, optional
        For ``nan="fill"``.
    normalize : bool, optional
        Divide by the sum of ``h``.
    mask : array_like of bool, optional
        Further missing samples are true; broadcasts to the shape of ``x``.
    preserve_nan : bool, optional
        Leave missing samples NaN in the result, of mode ``"same"``.
    axes, boundary
        As for `convolve`.
    cval : number, optional
        The value outside for the boundary ``"constant"``. NaN: outside everything is missing.

    Returns
    -------
    array
        Of x's library; of the floating-point dtype of ``x`` and ``h``, float64 for integers.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Notes
    -----
    The results are `astropy.convolution.convolve`'s, for any rank, any boundary and kernels of even
    size, and without its warning where NaN remains. There the boundary ``"extend"`` is ``"edge"``,
    and one ``fill_value`` stands for ``fill_value`` and ``cval``.

    Source: Knutsson & Westin, "Normalized and differential convolution" (1993).

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> x = [1.0, 2, np.nan, 4, 5]
    >>> mc.convolve_nan(x, [1, 2, 1], boundary="edge")
    array([1.25      , 1.66666667, 3.        , 4.33333333, 4.75      ])
    >>> mc.convolve_nan(x, [1, 2, 1], nan="propagate", boundary="edge")
    array([1.25,  nan,  nan,  nan, 4.75])
    """
    if nan not in TREATMENTS:
        words = ", ".join(repr(t) for t in TREATMENTS)
        raise ValueError(f"nan: {nan!r} is not allowed, choose one of {words}")
    restore = _arrays.restorer(x)
    data, missing = _split(x, mask)
    kernel = _arrays.to_numpy(h, "h")
    dtype = floating_dtype(data, kernel)
    data, kernel = data.astype(dtype), kernel.astype(dtype)
    cval, fill_value = _number("cval", cval), _number("fill_value", fill_value)
    gaps = missing.any() or np.isnan(cval)
    total = _total(kernel, data.ndim, axes)
    if normalize or (gaps and nan == "interpolate"):
        _check_total(total, kernel)
    options = {"mode": mode, "axes": axes, "boundary": boundary}
    if gaps and nan == "interpolate":
        result = _interpolated(data, kernel, missing, cval, options) * (1 if normalize else total)
    else:
        filler = np.nan if nan == "propagate" else fill_value
        filled = np.where(missing, filler, data).astype(dtype) if gaps else data
        outside = filler if np.isnan(cval) else cval
        result = _api.convolve(filled, kernel, **options, cval=outside) / (
            total if normalize else 1
        )  # fmt: skip
    if preserve_nan:
        if set(per_axis_word(mode, kernel.ndim, "mode", ("full", "same", "valid"))) != {"same"}:
            raise ValueError(f"preserve_nan: needs mode='same', mode is {mode!r}")
        result[np.broadcast_to(missing, result.shape)] = np.nan
    return restore(result) if restore else result


def _interpolated(
    data: Array, kernel: Array, missing: Array, cval: Any, options: dict[str, Any]
) -> Array:
    """Weighted means of what is present, NaN where nothing is."""
    outside = not np.isnan(cval)
    present = ~missing
    sums = _api.convolve(
        np.where(present, data, 0), kernel, **options, cval=cval if outside else 0
    )  # fmt: skip
    weights = _api.convolve(present.astype(kernel.real.dtype), kernel, **options, cval=outside)
    # Counted, since rounded weights do not tell nothing from little.
    counts = _api.convolve(
        present.astype(np.int32), (kernel != 0).astype(np.int32), **options, cval=outside
    )  # fmt: skip
    known = (counts > 0) & (weights != 0)
    means: Array = np.divide(sums, weights, out=np.full_like(sums, np.nan), where=known)
    return means


def _split(x: Any, mask: Any) -> tuple[Array, Array]:
    """The data, and where they are missing."""
    data = _arrays.to_numpy(np.ma.getdata(x) if isinstance(x, np.ma.MaskedArray) else x, "x")
    missing = np.isnan(data)
    if isinstance(x, np.ma.MaskedArray):
        missing = missing | np.ma.getmaskarray(x)
    if mask is None:
        return data, missing
    given = _arrays.to_numpy(mask, "mask")
    if given.dtype != bool:
        raise TypeError(f"mask: dtype {given.dtype} is not allowed, give booleans")
    try:
        return data, missing | np.broadcast_to(given, data.shape)
    except ValueError:
        raise ValueError(
            f"mask: shape {given.shape} does not broadcast to x's {data.shape}"
        ) from None


def _total(h: Array, ndim: int, axes: Any) -> Array:
    """The sum of the taps, of each kernel where ``h`` holds several."""
    if axes is None or h.ndim < ndim:
        return np.asarray(h.sum())
    named = axes if isinstance(axes, (tuple, list)) else (axes,)
    return np.asarray(h.sum(tuple(named), keepdims=True))


def _check_total(total: Array, h: Array) -> None:
    if h.size == 0:
        raise ValueError(f"h: shape {h.shape} has no taps, every kernel axis needs at least 1")
    if not np.isfinite(h).all():
        raise ValueError("h: holds NaN or infinity, allowed are finite values")
    if not (np.abs(total) > SMALLEST_SUM * np.abs(h).sum()).all():
        raise ValueError(
            f"h: its taps sum to {np.abs(total).min():.3g}, which cannot be divided by; give "
            "normalize=False, and nan='fill' for data with gaps"
        )


def _number(name: str, value: Any) -> complex:
    if isinstance(value, (int, float, complex, np.number)):
        return complex(value) if isinstance(value, (complex, np.complexfloating)) else float(value)
    raise TypeError(f"{name}: {value!r} is not allowed, give one number")
