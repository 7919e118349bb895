"""The public function: checks, and the choice of the method."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv import _arrays
from multiconv import _geometry as geometry
from multiconv._operands import convolved_axes, floating_dtype
from multiconv._problem import BOUNDARIES
from multiconv._typing import Array
from multiconv.deconvolution._arguments import check_counts, check_finite, optional_number
from multiconv.deconvolution._balance import Choice
from multiconv.deconvolution._blur import Blur, size_before
from multiconv.deconvolution._conjugate_gradients import conjugate_gradients
from multiconv.deconvolution._progress import Limits, last_estimate
from multiconv.deconvolution._richardson_lucy import richardson_lucy
from multiconv.deconvolution._wiener import laplacian, wiener
from multiconv.kernels._arguments import integer, number

METHODS = ("wiener", "richardson_lucy", "least_squares")


def deconvolve(
    y: Any, h: Any, mode: Any = "same", *, method: str = "wiener", axes: Any = None,
    boundary: Any = "constant", cval: Any = 0, balance: Any = None, regularizer: Any = None,
    noise: Any = None, iterations: int = 50, rtol: float = 1e-4, callback: Any = None,
) -> Any:  # fmt: skip
    """An ``x`` whose convolution with ``h`` explains ``y``.

    The model is ``y = convolve(x, h, mode, boundary=boundary, cval=cval)`` plus noise.

    Parameters
    ----------
    y : array_like
        The blurred data, finite. Axes that were not convolved are batch axes.
    h : array_like
        The kernel, of as many axes as were convolved. It is taken as it is: one whose taps sum to 1
        keeps the brightness.
    mode : {"same", "full", "valid"} or tuple of these, optional
        Which part of the convolution ``y`` is. The result is shorter than ``y`` for ``full``, and
        longer for ``valid``.
    method : {"wiener", "richardson_lucy", "least_squares"}, optional
        ``wiener``: the minimum of ``|y - x * h|^2 + balance |x * regularizer|^2``. ``wrap`` has it
        in closed form, the Wiener-Hunt filter; other boundaries by a few iterations from there.
        ``richardson_lucy``: the likeliest non-negative ``x`` behind counts, for ``y`` and ``h``
        without negative values; the sum of ``x * h`` is that of ``y``.
        ``least_squares``: the same minimum as ``wiener`` by conjugate gradients from 0 on; with
        ``balance=0`` the number of iterations regularises.
    axes : int or tuple of int, optional
        The axes of ``y`` that were convolved; the last ones unless given.
    boundary, cval
        How ``x`` went on outside, as for `convolve`.
    balance : float, optional
        Weight of the penalty. For ``wiener`` chosen by generalised cross-validation unless given,
        or by ``noise``; 0 for ``least_squares``.
    regularizer : array_like, optional
        The kernel that makes what is penalised, with as many axes as ``h``: for ``wiener`` the
        Laplacian unless given, for ``least_squares`` a single 1 (Tikhonov).
    noise : float, optional
        Standard deviation of the noise. The discrepancy principle: ``wiener`` takes the balance,
        the others the first iteration, at which ``y - x * h`` is no larger.
    iterations : int, optional
        At most so many.
    rtol : float, optional
        Stop when an iteration changes the estimate by no more than this share of its norm.
    callback : callable, optional
        Called after each iteration with a `Progress`: ``iteration``, ``estimate``, ``residual``.
        Where it returns something true, that estimate is the result.

    Returns
    -------
    array
        Of y's library; of the floating-point dtype of ``y`` and ``h``, float64 for integers.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Notes
    -----
    With ``boundary="wrap"`` and kernels of odd size the Wiener filter is
    ``skimage.restoration.wiener(..., clip=False)``; kernels of even size are centred one sample
    earlier here, at ``(k - 1) // 2``. ``skimage.restoration.richardson_lucy`` has the boundary
    ``"constant"``, but does not divide by the adjoint of ones: images are equal where no border is
    within reach, and brighter at the border here.

    Choosing the balance needs memory of several times ``y``, mirrored along each axis.

    Sources: Hunt, "The application of constrained least squares estimation to image restoration by
    digital computer" (1973); Richardson (1972) and Lucy (1974); Bjorck, "Numerical Methods for
    Least Squares Problems" (1996).

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> x, h = np.array([0.0, 0, 1, 4, 2, 0, 0, 3, 0, 0]), [0.6, 0.3, 0.1]
    >>> y = mc.convolve(x, h, "same")
    >>> np.abs(mc.deconvolve(y, h, method="least_squares", rtol=0) - x).max() < 1e-6
    np.True_
    >>> mc.deconvolve(y, h, method="richardson_lucy", iterations=500).round(1)
    array([0., 0., 1., 4., 2., 0., 0., 3., 0., 0.])
    """
    if method not in METHODS:
        words = ", ".join(repr(m) for m in METHODS)
        raise ValueError(f"method: {method!r} is not allowed, choose one of {words}")
    restore = _arrays.restorer(y)
    given, kernel = _arrays.to_numpy(y, "y"), _arrays.to_numpy(h, "h")
    check_finite(given, "y")
    check_finite(kernel, "h")
    if not kernel.any():
        raise ValueError(f"h: shape {kernel.shape} holds no tap but 0, nothing can be recovered")
    places = convolved_axes("y", given, kernel, axes)
    last = tuple(range(-kernel.ndim, 0))
    dtype = floating_dtype(given, kernel)
    data = np.ascontiguousarray(np.moveaxis(given.astype(dtype), places, last))
    blur = _blur_of(data, kernel.astype(dtype), mode, boundary)
    limits = Limits(
        integer("iterations", iterations, low=1), number("rtol", rtol, low=0),
        optional_number("noise", noise), callback,
    )  # fmt: skip
    if callback is not None and not callable(callback):
        raise TypeError(f"callback: {callback!r} is not callable, give a function of a Progress")
    background = blur.constant_outside(cval)
    weight = optional_number("balance", balance)
    if method == "richardson_lucy":
        check_counts(data, blur.h, np.asarray(cval), weight, regularizer)
        x = last_estimate(richardson_lucy(blur, data, background), limits)
    else:
        penalty = _penalty(blur, regularizer, method)
        x = _smooth(method, blur, data - background, weight, penalty, limits)
    x = np.ascontiguousarray(np.moveaxis(x, last, places))
    return restore(x) if restore else x


def _smooth(
    method: str, blur: Blur, y: Array, balance: float | None, penalty: Blur | None, limits: Limits
) -> Array:
    """The minimum of the penalised squares."""
    if method == "least_squares":
        return last_estimate(conjugate_gradients(blur, y, balance or 0.0, penalty), limits)
    assert penalty is not None
    if balance is not None and limits.noise is not None:
        raise ValueError("balance, noise: both are given, a Wiener filter takes one of them")
    if balance is None:
        choice = Choice(blur, penalty, y)
        noise = limits.noise
        balance = choice.by_cross_validation() if noise is None else choice.for_noise(noise)
    return last_estimate(wiener(blur, y, balance, penalty), limits._replace(noise=None))


def _blur_of(y: Array, h: Array, mode: Any, boundary: Any) -> Blur:
    modes = geometry.per_axis_word(mode, h.ndim, "mode", geometry.MODES)
    boundaries = geometry.per_axis_word(boundary, h.ndim, "boundary", BOUNDARIES)
    lead, size = y.shape[: -h.ndim], y.shape[-h.ndim :]
    before = tuple(size_before(*axis) for axis in zip(modes, size, h.shape, strict=True))
    if min(before) < 1:
        raise ValueError(
            f"y: shape {y.shape} is no result of mode={mode!r} with a kernel of shape {h.shape}; "
            "give more samples, or another mode"
        )
    return Blur(h, lead + before, modes, boundaries)


def _penalty(blur: Blur, regularizer: Any, method: str) -> Blur | None:
    rank, dtype = blur.h.ndim, blur.h.dtype
    if regularizer is None:
        if method == "least_squares":
            return None
        kernel = laplacian(rank, dtype)
    else:
        kernel = _arrays.to_numpy(regularizer, "regularizer")
        if kernel.ndim != rank or not kernel.any():
            raise ValueError(
                f"regularizer: shape {kernel.shape} is not allowed, give a kernel of {rank} axes "
                "with a tap other than 0"
            )
        kernel = kernel.astype(dtype)
    return Blur(kernel, blur.shape, ("same",) * rank, blur.boundary)
