"""Convolution of SymPy's expressions, as formulas. SymPy is imported by the first call."""

from __future__ import annotations

from typing import Any

from multiconv._errors import MissingExtraError

__all__ = ["convolve", "discrete"]


def convolve(f: Any, g: Any, x: Any, *, timeout: float = 10.0) -> Any:
    r"""Convolve two expressions: :math:`(f * g)(x) = \int f(t)\, g(x - t)\, dt`.

    Parameters
    ----------
    f, g : sympy.Expr
        Expressions in `x`, piecewise smooth: Piecewise, Heaviside, Abs, sign, Max, Min and
        DiracDelta with its derivatives are understood. Other symbols are parameters, real if
        nothing else is said; the breakpoints must have an order, which assumptions may have to tell
        (``Symbol("a", positive=True)``).
    x : sympy.Symbol
        The variable, taken to be real.
    timeout : float, optional
        Seconds of computing that each of four rules may spend on each integral. Checking it takes
        up to a minute more, looking for a shorter form up to ten seconds for each piece of the
        result; mostly all of it is done in one.

    Returns
    -------
    sympy.Expr
        A Piecewise where there is more than one piece. Where no closed form was found, or none
        that agrees with numerical quadrature, it holds an unevaluated Integral; so it does
        where the integral diverges.

    Raises
    ------
    TypeError
        If f or g is no expression, or x no symbol.
    ValueError
        If the breakpoints cannot be found or put in order, a DiracDelta meets a jump, or the
        timeout is not positive.
    MissingExtraError
        If SymPy is not installed.

    Notes
    -----
    Both are written as smooth expressions between breakpoints plus impulses. Two smooth pieces
    on [a, b] and [c, d] make one integral for each of up to three intervals of x, with limits
    out of a, b, x - c and x - d. Polynomials times exponentials of quadratics go by parts down to
    the error function, rational functions by partial fractions or, with waves and over
    the whole line, by residues, powers by the beta function; SymPy's integrator comes last. Every
    formula is compared with tanh-sinh quadrature in 20 digits at three points of its
    interval before it is returned.

    Examples
    --------
    >>> import multiconv as mc
    >>> from sympy import Heaviside, exp, symbols
    >>> x = symbols("x", real=True)
    >>> box = Heaviside(x) - Heaviside(x - 1)
    >>> mc.continuous.symbolic.convolve(box, box, x)
    Piecewise((0, x < 0), (x, x < 1), (2 - x, x < 2), (0, True))
    >>> mc.continuous.symbolic.convolve(exp(-(x**2)), exp(-(x**2) / 2), x)
    sqrt(6)*sqrt(pi)*exp(-x**2/3)/3
    """
    sympy = _sympy()
    _check_expressions(sympy, f, g, x, "x")
    from multiconv.continuous.symbolic._convolve import convolved

    return convolved(f, g, x, _checked_timeout(timeout))


def discrete(
    f: Any, g: Any, n: Any, *, support_f: Any = None, support_g: Any = None, timeout: float = 10.0
) -> Any:
    r"""Convolve two sequences: :math:`(f * g)(n) = \sum_k f(k)\, g(n - k)`.

    Parameters
    ----------
    f, g : sympy.Expr
        Expressions in `n`.
    n : sympy.Symbol
        The index, taken to be an integer.
    support_f, support_g : (int, int), optional
        First and last index of each sequence, which is zero elsewhere; both may be infinite. Not
        given, it starts at 0 and does not end.
    timeout : float, optional
        Seconds that each rule may spend on each sum.

    Returns
    -------
    sympy.Expr
        A Piecewise; with an unevaluated Sum where no closed form was found, or none that agrees
        with the sum itself at three random indices.

    Raises
    ------
    TypeError
        If f or g is no expression, or n no symbol.
    ValueError
        If a support is empty or not made of integers.
    MissingExtraError
        If SymPy is not installed.

    Examples
    --------
    >>> import multiconv as mc
    >>> from sympy import Rational, symbols
    >>> n = symbols("n", integer=True)
    >>> mc.continuous.symbolic.discrete(Rational(1, 2) ** n, 1, n).subs(n, 3)
    15/8
    """
    sympy = _sympy()
    _check_expressions(sympy, f, g, n, "n")
    from multiconv.continuous.symbolic._sums import convolved

    return convolved(f, g, n, support_f, support_g, _checked_timeout(timeout))


def _sympy() -> Any:
    try:
        import sympy
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            "symbolic convolution needs SymPy, install it with: pip install multiconv[math]"
        ) from missing
    return sympy


def _check_expressions(sympy: Any, f: Any, g: Any, x: Any, name: str) -> None:
    if not isinstance(x, sympy.Symbol):
        raise TypeError(f"{name}: {x!r} is not allowed, give a sympy.Symbol")
    for value, label in ((f, "f"), (g, "g")):
        if not isinstance(value, (sympy.Expr, int, float)) or isinstance(value, bool):
            raise TypeError(f"{label}: {value!r} is not allowed, give a SymPy expression in {x}")


def _checked_timeout(timeout: Any) -> float:
    if not isinstance(timeout, (int, float)) or not timeout > 0:
        raise ValueError(f"timeout: {timeout!r} is not allowed, give a positive number of seconds")
    return float(timeout)
