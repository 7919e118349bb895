"""Template matching by normalised cross-correlation."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv import _api, _arrays
from multiconv import _geometry as geometry
from multiconv._problem import BOUNDARIES
from multiconv._typing import Array
from multiconv.matching._deviations import squared_deviations


def match_template(
    image: Any, template: Any, *, pad_input: bool = False, boundary: str = "constant",
    cval: float = 0,
) -> Any:  # fmt: skip
    """The correlation coefficient of a template with the samples under it, at every place.

    Parameters
    ----------
    image : array_like
        Real data of any rank. Axes before the template's are batch axes.
    template : array_like
        What to look for, of at most as many axes.
    pad_input : bool, optional
        Give a result of the image's shape, each value at the centre of the template; else at its
        first sample, wherever the template lies inside the image.
    boundary, cval
        How the image goes on outside, as for `convolve`, with ``pad_input``.

    Returns
    -------
    array
        Between -1 and 1, of the image's library; float32 where both are of at most 32-bit floats,
        else float64. 0 where the template or what is under it is constant, and NaN where a NaN or
        an infinity is under it.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Notes
    -----
    As `skimage.feature.match_template`, for any rank. The variance under the template is put
    together from those of its halves, so that it stands a large offset of the image.

    Source: Lewis, "Fast normalized cross-correlation" (1995).

    Examples
    --------
    >>> import multiconv as mc
    >>> found = mc.match_template([5, 5, 7, 9, 8, 5, 5, 5], [1, 2, 1.5])
    >>> found.round(3)
    array([ 0.   ,  0.5  ,  1.   , -0.24 , -0.866,  0.   ])
    """
    restore = _arrays.restorer(image)
    x, t = _arrays.to_numpy(image, "image"), _arrays.to_numpy(template, "template")
    _check(x, t)
    dtype = np.float32 if {x.dtype.name, t.dtype.name} <= SINGLE else np.float64
    x, t = x.astype(np.float64), t.astype(np.float64)
    if pad_input:
        x = _padded(x, t.shape, boundary, cval)
    elif any(n < m for n, m in zip(x.shape[x.ndim - t.ndim :], t.shape, strict=True)):
        raise ValueError(
            f"template: shape {t.shape} does not fit into the image's {x.shape}; give a smaller "
            "one, or pad_input=True"
        )
    result = _coefficients(x, t).astype(dtype)
    return restore(result) if restore else result


SINGLE = frozenset({"float32", "float16", "bfloat16"})


def _coefficients(x: Array, t: Array) -> Array:
    known = np.isfinite(x)
    x = np.where(known, x - (x[known].mean() if known.any() else 0), np.nan)
    deviations = squared_deviations(x, t.shape)
    wanted = float(squared_deviations(t, t.shape).item())
    if wanted == 0:
        return np.where(np.isfinite(deviations), 0, np.nan)
    rounding = 4 * np.finfo(x.dtype).eps * np.abs(x[known]).max(initial=0)
    flat = deviations <= t.size * rounding**2
    deviations[flat] = 1
    together = _api.correlate(x, t - t.mean(), "valid")
    return np.clip(np.where(flat, 0, together) / np.sqrt(deviations * wanted), -1, 1)


def _padded(x: Array, size: tuple[int, ...], boundary: str, cval: float) -> Array:
    (word,) = geometry.per_axis_word(boundary, 1, "boundary", BOUNDARIES)
    widths = [(0, 0)] * (x.ndim - len(size)) + [geometry.mode_padding("same", m) for m in size]
    try:
        given = {"constant_values": float(cval)} if word == "constant" else {}
    except (TypeError, ValueError):
        raise TypeError(f"cval: {cval!r} is not allowed, give one number") from None
    padded: Array = np.pad(x, widths, word, **given)  # type: ignore[call-overload]
    return padded


def _check(x: Array, t: Array) -> None:
    for array, name in ((x, "image"), (t, "template")):
        if array.dtype.kind == "c":
            raise TypeError(f"{name}: dtype {array.dtype} is not allowed, give real numbers")
        if array.size == 0:
            raise ValueError(f"{name}: shape {array.shape} is empty, give at least one sample")
    if not 0 < t.ndim <= x.ndim:
        raise ValueError(
            f"template: shape {t.shape} has {t.ndim} axes, allowed are 1 to {x.ndim} (those of the "
            "image)"
        )
    if not np.isfinite(t).all():
        raise ValueError("template: holds NaN or infinity, allowed are finite values")
