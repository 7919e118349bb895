"""Canny's edge detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._arrays import restorer, to_numpy
from multiconv._problem import BOUNDARIES, accumulator
from multiconv._typing import Array
from multiconv.kernels._arguments import number

from ._arguments import word
from ._arrays import for_all_arrays
from ._derivative import sobel
from ._gaussian import gaussian
from ._hysteresis import connected
from ._thinning import ridges


@for_all_arrays
def canny(
    x: Any, sigma: Any = 1.0, low_threshold: float | None = None,
    high_threshold: float | None = None, *, mask: Any = None, use_quantiles: bool = False,
    boundary: str = "constant",
) -> Any:  # fmt: skip
    """Find edges: thin lines along which a grey picture is steepest.

    Parameters
    ----------
    x : array_like, shape (rows, columns)
        The picture, of real numbers.
    sigma : float or sequence of float, default 1.0
        Standard deviation in pixels of the Gaussian that smooths it, for both axes or for each.
    low_threshold : float, optional
        Lines go on as far as the slope's magnitude (`gradient_magnitude` of the kind ``"sobel"``)
        is at least this; a tenth of the dtype's largest value (of 1 for floats) unless given.
    high_threshold : float, optional
        Lines start only where the magnitude is at least this; twice the default of
        ``low_threshold`` unless given.
    mask : array_like of bool, shape (rows, columns), optional
        Which pixels count. Edges keep away from the others by one pixel.
    use_quantiles : bool, default False
        Whether the thresholds are quantiles of the magnitude, from 0 to 1.
    boundary : {"constant", "symmetric", "edge", "reflect", "wrap"}, default "constant"
        How the picture goes on outside while it is smoothed; with ``"constant"`` what lies outside
        has no weight.

    Returns
    -------
    array of bool, shape (rows, columns)
        True on edges; never on the outermost pixels. Of x's library.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Notes
    -----
    Smoothing, Sobel's slopes, thinning to the ridges of their magnitude (compared with the two
    magnitudes interpolated one step up and down the gradient), and hysteresis over the eight
    neighbours. Results are those of `skimage.feature.canny` but for ties, such as the two sides of
    a sharp step: neighbours of equal magnitude are both edges here, while there rounding errors
    decide. OpenCV's ``Canny`` does not smooth, and compares with the nearest neighbours.

    References
    ----------
    J. Canny, "A computational approach to edge detection", IEEE Trans. Pattern Anal. Mach. Intell.
    8 (1986).

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> picture = np.zeros((7, 8))
    >>> picture[:, 4:] = 1
    >>> np.flatnonzero(mc.filters.canny(picture, sigma=0.5)[3])
    array([3, 4])
    """
    restore, x = restorer(x), to_numpy(x, "x")
    check_picture(x)
    word("boundary", boundary, BOUNDARIES)
    counted = None if mask is None else _counted(mask, x.shape)
    low, high = thresholds(low_threshold, high_threshold, bool(use_quantiles), x.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        slopes = slopes_of(smoothed(x, sigma, counted, boundary))
        if use_quantiles and x.size:
            low, high = np.quantile(slopes[0], [low, high])
        weak, strong = lines(slopes, inner(x.shape, counted), low, high)
    edges = connected(weak, strong)
    return edges if restore is None else restore(edges)


def check_picture(x: Any) -> None:
    """Refuse what is no grey picture."""
    if x.ndim != 2 or x.dtype.kind == "c":
        raise ValueError(
            f"x: {x.dtype} of shape {x.shape} is no grey picture, give rows and columns of real "
            "numbers"
        )


def _counted(mask: Any, shape: tuple[int, ...]) -> Array | None:
    """Which pixels count; None if all do."""
    counted = to_numpy(mask, "mask")
    if counted.shape != shape:
        raise ValueError(f"mask: shape {counted.shape} does not fit, x has {shape}")
    return None if counted.all() else counted.astype(np.bool_)


def thresholds(
    low: float | None, high: float | None, quantiles: bool, dtype: np.dtype[Any]
) -> tuple[float, float]:
    """The two thresholds, checked, or those that suit a dtype."""
    full = 1.0 if quantiles or dtype.kind not in "iu" else float(np.iinfo(dtype).max)
    least = 0.1 * full if low is None else number("low_threshold", low)
    most = 0.2 * full if high is None else number("high_threshold", high)
    for name, value in (("low_threshold", least), ("high_threshold", most)):
        if quantiles and not 0 <= value <= 1:
            raise ValueError(f"{name}: {value!r} is no quantile, give a number from 0 to 1")
    if most < least:
        raise ValueError(
            f"high_threshold: {most:g} is below the low_threshold {least:g}, give at least as much"
        )
    return least, most


def smoothed(x: Any, sigma: Any, counted: Any, boundary: str) -> Any:
    """The Gaussian mean of the pixels that count, all for None; any library's arrays do."""
    work = np.dtype(np.float64) if x.dtype.kind in "biu" else accumulator(x.dtype)
    image = x if counted is None else np.where(counted, x, np.zeros((), x.dtype))
    smooth = gaussian(image, sigma, boundary=boundary, dtype=work)
    if counted is None and boundary != "constant":
        return smooth
    weighed = np.ones_like(x, np.bool_) if counted is None else counted
    weight = gaussian(weighed, sigma, boundary=boundary, dtype=work)
    # A transform may leave a rounding error below zero where nothing counts.
    return smooth / (np.maximum(weight, 0) + np.finfo(work).eps)


def slopes_of(smooth: Array) -> tuple[Array, Array, Array]:
    """The slope's magnitude, and the slopes down and to the right."""
    down, right = sobel(smooth, 0), sobel(smooth, 1)
    return np.sqrt(down * down + right * right), down, right


def lines(
    slopes: tuple[Array, Array, Array], allowed: Array, low: float, high: float
) -> tuple[Array, Array]:
    """The thinned pixels that a line may go on by, and those among them that start one."""
    magnitude, down, right = slopes
    weak = ridges(magnitude, down, right, allowed & (magnitude >= low))
    return weak, weak & (magnitude >= high)


def inner(shape: tuple[int, ...], counted: Array | None) -> Array:
    """Pixels all of whose eight neighbours are there, and count."""
    found = np.zeros(shape, np.bool_)
    if counted is None:
        found[1:-1, 1:-1] = True
        return found
    rows = counted[:-2] & counted[1:-1] & counted[2:]
    found[1:-1, 1:-1] = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return found
