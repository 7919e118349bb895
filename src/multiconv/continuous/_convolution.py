"""The convolution integral of two functions with finite supports."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats, check_breakpoints, check_tolerances
from multiconv.continuous._function import Evaluation, Function, Operand
from multiconv.continuous._overlap import overlap_rays
from multiconv.continuous._product import sampled_product
from multiconv.continuous._quadrature import Ints, Sampled, integrate
from multiconv.continuous._rule import EPS, with_ends
from multiconv.continuous._scout import scout
from multiconv.continuous._warnings import IntegrationWarning

CHUNK = 2**13
"""Rays integrated together, which bounds the scratch memory."""
Tolerances = tuple[float, float]

INNER = 1 / 16
"""Share of the tolerances that a convolution gets when it is an operand of another."""


def convolve(
    f: Any,
    g: Any,
    *,
    support_f: Any = None,
    support_g: Any = None,
    breakpoints_f: Any = (),
    breakpoints_g: Any = (),
    rtol: float = 1e-10,
    atol: float = 1e-12,
) -> Convolution:
    r"""Convolve two functions: :math:`(f * g)(x) = \int f(t)\, g(x - t)\, dt`.

    Parameters
    ----------
    f, g : callable
        Functions of one real number, with real or complex values. They are given whole arrays
        where they prove to take them (several points at once must give what the points give one
        by one), and single floats otherwise. A `Convolution` is such a function.
    support_f, support_g : (float, float)
        Finite intervals outside which f and g count as zero; the functions are never called
        outside them, nor at their ends. A `Convolution` brings its own support; another one
        given with it cuts it off.
    breakpoints_f, breakpoints_g : sequence of float, optional
        Where f and g jump, have a kink or are singular, apart from the ends of the supports.
        Those outside the support are ignored. Unknown jumps and kinks are found, at a price;
        features narrower than about a thousandth of the support may need a breakpoint to be
        seen at all.
    rtol, atol : float, optional
        The error wanted is ``max(atol, rtol * abs(value))``.

    Returns
    -------
    Convolution
        The convolution as a function of x.

    Raises
    ------
    TypeError
        If f or g is not callable, or returns what is not a number.
    ValueError
        If a support is missing, reversed or infinite, a breakpoint or tolerance is out of range,
        or a function is not finite inside its support. Functions are tried on their supports at
        once, and an exception that they raise passes through.

    Notes
    -----
    Adaptive Gauss-Legendre quadrature of all points at once (the scheme of R. Piessens et al.,
    *QUADPACK*, 1983), between the breakpoints of f and those of the shifted and reflected g,
    with the error estimate of J. Berntsen and T. O. Espelid, ACM TOMS 17, 1991.

    Examples
    --------
    Two boxes make a triangle, and a third makes a quadratic B-spline:

    >>> import numpy as np
    >>> import multiconv as mc
    >>> def box(t):
    ...     return np.ones_like(t)
    >>> triangle = mc.continuous.convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    >>> triangle.support
    (0.0, 2.0)
    >>> triangle([0.5, 1.0, 1.75]).round(12)
    array([0.5 , 1.  , 0.25])
    >>> spline = mc.continuous.convolve(triangle, box, support_g=(0, 1))
    >>> round(spline(1.5), 12)
    0.75
    >>> bool(abs(spline(1.5) - 0.75) <= spline.error(1.5) < 1e-12)
    True
    """
    rtol, atol = check_tolerances(rtol, atol)
    share = INNER * rtol, INNER * atol
    return Convolution(
        _operand(f, support_f, breakpoints_f, "f", share),
        _operand(g, support_g, breakpoints_g, "g", share),
        rtol,
        atol,
    )


class Convolution:
    """The convolution of two functions, itself a function; made by `convolve`.

    Calling it with a number gives a number, with an array an array of the same shape; outside
    its support it is exactly zero, and at NaN it is NaN. Where the tolerances are not reached,
    an `IntegrationWarning` names the error that was.

    Attributes
    ----------
    support : (float, float)
        Sum of the supports of the operands.
    breakpoints : tuple of float
        Where it may have a kink: the sums of the operands' breakpoints and support ends.
    rtol, atol : float
        The error wanted is ``max(atol, rtol * abs(value))``.
    """

    def __init__(self, f: Operand, g: Operand, rtol: float, atol: float) -> None:
        self._f, self._g = f, g
        self._f_mesh, self._g_mesh = (scout(h.values, h.edges, h.finest) for h in (f, g))
        self.rtol, self.atol = rtol, atol
        self.support: tuple[float, float] = (f.low + g.low, f.high + g.high)
        sums = _merged((f.edges[:, None] + g.edges).ravel())
        self.breakpoints: tuple[float, ...] = tuple(sums.tolist())

    def __call__(self, x: Any) -> Any:
        """The value at ``x``: a real number or an array of them."""
        points = _points(x)
        values, errors = self.evaluate(points)
        self._warn(points, values, errors)
        return values if points.ndim else values.item()

    def error(self, x: Any) -> Any:
        """A bound of the error of the value at ``x``, of the same shape.

        It is the estimate of the quadrature plus bounds of the rounding errors, and of the
        operands' errors where these are convolutions themselves.
        """
        errors = self.evaluate(_points(x))[1]
        return errors if errors.ndim else errors.item()

    def evaluate(self, points: Floats) -> Evaluation:
        """Values and error bounds together, without a warning.

        Parameters
        ----------
        points : ndarray of float64

        Returns
        -------
        values, errors : ndarray
            Both of the shape of ``points``.
        """
        return self._evaluate(points, self.rtol, self.atol)

    def __repr__(self) -> str:
        return f"Convolution(support={self.support}, rtol={self.rtol}, atol={self.atol})"

    def _evaluate(self, points: Floats, rtol: float, atol: float) -> Evaluation:
        low, high = self.support
        flat = points.ravel()
        values = np.zeros(flat.size, dtype=np.result_type(self._f_mesh.dtype, self._g_mesh.dtype))
        errors = np.zeros(flat.size)
        values[np.isnan(flat)] = errors[np.isnan(flat)] = np.nan
        inside = np.flatnonzero((flat > low) & (flat < high))
        pieces = 2 * (self._f_mesh.edges.size + self._g_mesh.edges.size)
        step = max(CHUNK // pieces, 1)
        for start in range(0, inside.size, step):
            chosen = inside[start : start + step]
            value, error = self._integrate(flat[chosen], rtol, atol)
            values = values.astype(np.result_type(values, value), copy=False)
            values[chosen], errors[chosen] = value, error
        return values.reshape(points.shape), errors.reshape(points.shape)

    def _integrate(self, x: Floats, rtol: float, atol: float) -> Evaluation:
        rays = overlap_rays(x, self._f_mesh, self._g_mesh)

        def integrand(ray: Ints, low: Floats, high: Floats) -> Sampled:
            return sampled_product(self._f, self._g, rays, ray, with_ends(low, high))

        value, error = integrate(integrand, rays, x.size, rtol, atol)
        rounded_away = np.bincount(rays.owner, minlength=x.size) == 0
        error[rounded_away] = self._rounding_of_the_overlap()
        return value, error

    def _rounding_of_the_overlap(self) -> float:
        """What an overlap can hold that is too narrow for floating-point numbers."""
        width = 4 * EPS * max(map(abs, (*self._f.edges, *self._g.edges)))
        return float(width * self._f_mesh.peak * self._g_mesh.peak)

    def _warn(self, points: Floats, values: Array, errors: Floats) -> None:
        excess = np.atleast_1d(errors - np.maximum(self.atol, self.rtol * np.abs(values)))
        missed = excess > 0
        if not missed.any():
            return
        worst = int(np.argmax(np.where(missed, excess, 0)))
        warnings.warn(
            f"the tolerances rtol={self.rtol:g}, atol={self.atol:g} were not reached at "
            f"{np.count_nonzero(missed)} of {missed.size} points: the error at "
            f"x={points.flat[worst]:.17g} is estimated as {errors.flat[worst]:.3g}; give the "
            "breakpoints of the functions, or larger tolerances",
            IntegrationWarning,
            stacklevel=3,
        )


class _Nested(Operand):
    """A `Convolution` as an operand of another, with its errors."""

    finest = 32

    def __init__(
        self, inner: Convolution, support: Any, breakpoints: Any, name: str, share: Tolerances
    ) -> None:
        given = check_breakpoints(breakpoints, f"breakpoints_{name}")
        support = inner.support if support is None else support
        super().__init__(support, np.append(given, inner.breakpoints), name)
        self._inner = inner
        self._tolerances = min(share[0], inner.rtol), min(share[1], inner.atol)

    def evaluate(self, points: Floats) -> Evaluation:
        return self._inner._evaluate(points, *self._tolerances)


def _operand(call: Any, support: Any, breakpoints: Any, name: str, share: Tolerances) -> Operand:
    if isinstance(call, Convolution):
        return _Nested(call, support, breakpoints, name, share)
    return Function(call, support, breakpoints, name)


def _merged(points: Floats) -> Floats:
    """Increasing points; of those that differ by rounding errors only one, the ends unchanged."""
    points = np.unique(points)
    scale = max(abs(points[0]), abs(points[-1]))
    apart = np.diff(points) > 8 * EPS * scale
    kept: Floats = points[np.concatenate([[True], apart])]
    kept[-1] = points[-1]
    return kept


def _points(x: Any) -> Floats:
    """Points as float64, of any shape."""
    points = np.asarray(x)
    if points.dtype.kind not in "biuf":
        raise TypeError(
            f"x: {type(x).__name__} of {points.dtype} is not allowed, give real numbers"
        )
    return points.astype(np.float64)
