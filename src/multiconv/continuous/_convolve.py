"""Convolution of functions: the public call."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv.continuous._checks import check_tolerances
from multiconv.continuous._comb import Comb, Copies, convolved_combs
from multiconv.continuous._convolution import Convolution, Nested
from multiconv.continuous._function import Function, Operand
from multiconv.continuous._integral import Integral
from multiconv.continuous._space import SpaceFunction
from multiconv.continuous._space_convolution import NestedSpace, SpaceConvolution


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
) -> Any:
    r"""Convolve two functions: :math:`(f * g)(x) = \int f(t)\, g(x - t)\, dt`.

    Parameters
    ----------
    f, g : callable or Comb
        Functions of one real number, or of n, with real or complex values. They are given whole
        arrays where they prove to take them (several points at once must give what the points give
        one by one), and single floats otherwise. A `Convolution` is such a function; a `comb`
        stands for impulses.
    support_f, support_g : (float, float), or n of them, optional
        Interval outside which a function counts as zero, all real numbers if not given; either end
        may be infinite. Functions are never called outside, nor at the ends. For functions of n
        numbers, n intervals, one for each. A `Convolution` brings its own; another one
        given with it cuts it off.
    breakpoints_f, breakpoints_g : sequence of float, optional
        Where f and g jump, have a kink or are singular, apart from the ends of the supports; for
        functions of n numbers one sequence for each. Those outside the support are ignored.
        Unknown jumps and kinks are found, at a price; features narrower than about a thousandth
        of a finite support, or than a hundredth of their distance from the outermost breakpoint,
        or else from zero, in an infinite one may need a breakpoint to be seen at all.
    rtol, atol : float, optional
        The error wanted is ``max(atol, rtol * abs(value))``.

    Returns
    -------
    Convolution, SpaceConvolution or Comb
        The convolution as a function of x; of n numbers where f and g are. Two combs make a comb.

    Raises
    ------
    TypeError
        If f or g is not callable, or returns what is not a number.
    ValueError
        If a support is reversed or NaN, a breakpoint or tolerance is out of range,
        a function is not finite inside its support or zero wherever it was looked at in an infinite
        one, or there is no integral: because a function grows like 1/t towards a point, or
        ``f(t) g(x - t)`` does not fall off faster than that. Functions are tried on their supports
        at once; an exception that they raise passes through, with a note of whose it is.
    MissingExtraError
        If functions of several numbers are given and SciPy is not installed.

    Notes
    -----
    Adaptive Gauss-Legendre quadrature of all points at once (the scheme of R. Piessens et al.,
    *QUADPACK*, 1983), between the breakpoints of f and those of the shifted and reflected g,
    with the error estimate of J. Berntsen and T. O. Espelid, ACM TOMS 17, 1991. A power takes out
    singularities at the ends of pieces, a reciprocal brings in infinite ones (P. J. Davis and
    P. Rabinowitz, *Methods of Numerical Integration*, 1984, sections 2.12 and 3.1). Between
    breakpoints, the result is kept as a piecewise Chebyshev series, which grows where it is asked
    for. Functions of several numbers are left to `scipy.integrate.cubature`, without series.

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

    Supports may be infinite: two Cauchy densities make a third.

    >>> def cauchy(t):
    ...     return 1 / (np.pi * (1 + t**2))
    >>> wide = mc.continuous.convolve(cauchy, cauchy)
    >>> bool(abs(wide(1.0) - 2 / (np.pi * 5)) <= wide.error(1.0) < 1e-11)
    True

    Functions of several numbers have one support for each:

    >>> pyramid = mc.continuous.convolve(
    ...     lambda x, y: 1.0, lambda x, y: 1.0,
    ...     support_f=[(0, 1), (0, 2)], support_g=[(0, 1), (0, 2)],
    ... )
    >>> round(pyramid(0.5, 3.0), 12)
    0.5
    """
    rtol, atol = check_tolerances(rtol, atol)
    if any(_axes(h, s) for h, s in ((f, support_f), (g, support_g))):
        return _in_space(f, g, support_f, support_g, breakpoints_f, breakpoints_g, rtol, atol)
    operands = [
        _operand(f, support_f, breakpoints_f, "f", rtol, atol),
        _operand(g, support_g, breakpoints_g, "g", rtol, atol),
    ]
    combs = [h for h in operands if isinstance(h, Comb)]
    functions = [h for h in operands if isinstance(h, Operand)]
    if len(combs) == 2:
        return convolved_combs(*combs)
    if combs:
        return Convolution(Copies(combs[0], functions[0]), rtol, atol)
    return Convolution(Integral(*functions), rtol, atol)


def _axes(call: Any, support: Any) -> int:
    """How many numbers a function takes, so far as its support says; 0 for one without axes."""
    if isinstance(call, SpaceConvolution):
        return len(call.support)
    return len(support) if support is not None and np.ndim(support) == 2 else 0


def _in_space(
    f: Any, g: Any, support_f: Any, support_g: Any, breakpoints_f: Any, breakpoints_g: Any,
    rtol: float, atol: float,
) -> SpaceConvolution:  # fmt: skip
    counts = _axes(f, support_f), _axes(g, support_g)
    whole = [(-np.inf, np.inf)] * max(counts)
    parts: list[SpaceFunction] = []
    for call, support, breakpoints, name in (
        (f, support_f, breakpoints_f, "f"),
        (g, support_g, breakpoints_g, "g"),
    ):
        count = _axes(call, support)
        if count != max(counts) and support is not None:
            raise ValueError(
                f"support_{name}: {support!r} is not allowed, give {max(counts)} (low, high) pairs "
                "as for the other function"
            )
        if isinstance(call, SpaceConvolution):
            parts.append(NestedSpace(call, name))
        else:
            parts.append(
                SpaceFunction(call, whole if support is None else support, breakpoints, name)
            )
    return SpaceConvolution(parts[0], parts[1], rtol, atol)


def _operand(
    call: Any, support: Any, breakpoints: Any, name: str, rtol: float, atol: float
) -> Operand | Comb:
    if isinstance(call, Comb):
        if support is not None:
            raise ValueError(f"support_{name}: a comb has its own, do not give one")
        return call
    if isinstance(call, Convolution):
        return Nested(call, support, breakpoints, name, rtol, atol)
    return Function(call, support, breakpoints, name)
