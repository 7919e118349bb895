"""From functions to sequences: samples on a grid, and the sum that approximates the integral."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._api import convolve as convolve_samples
from multiconv._typing import Array
from multiconv.continuous._checks import Floats, check_step, check_support
from multiconv.continuous._convolution import Convolution
from multiconv.continuous._function import Function

OFFSETS = {"midpoint": 0.5, "left": 0.0}


def sample(
    f: Any, support: Any = None, step: float = 1.0, *, rule: str = "midpoint"
) -> tuple[Floats, Array]:
    """Sample a function on an even grid over its support.

    The support is cut into cells of width `step`, from its low end; where they do not fit, the
    last one reaches beyond the high end, and a sample beyond it is zero.

    Parameters
    ----------
    f : callable
        Function of one real number, as in `convolve`.
    support : (float, float), optional
        Finite interval outside which f counts as zero; a `Convolution` has its own.
    step : float
        Distance of the samples.
    rule : {"midpoint", "left"}
        Where in its cell a function is sampled. Sums over midpoints approximate integrals of
        smooth functions to second order in the step, sums over left ends to first order.

    Returns
    -------
    grid, values : ndarray
        The positions, and the values there in float64 or complex128.

    Raises
    ------
    ValueError
        If the support is not finite, the step not positive, the rule unknown, or a value not
        finite. With ``rule="left"`` the value at the low end of the support is one of them.

    Examples
    --------
    >>> import multiconv as mc
    >>> grid, values = mc.continuous.sample(lambda t: t**2, (0, 1), 0.25)
    >>> grid
    array([0.125, 0.375, 0.625, 0.875])
    >>> float(values.sum() * 0.25)
    0.328125
    """
    return _sample(f, support, step, rule, "f", "support")


def discrete(
    f: Any, g: Any, support_f: Any = None, support_g: Any = None, step: float = 1.0,
    *, rule: str = "midpoint",
) -> tuple[Floats, Array]:  # fmt: skip
    r"""Approximate the convolution integral by a sum: samples, convolved, times the step.

    .. math:: (f * g)(x_k) \approx h \sum_i f(t_i)\, g(x_k - t_i)

    Parameters
    ----------
    f, g : callable
        Functions of one real number, as in `convolve`.
    support_f, support_g : (float, float), optional
        Finite intervals outside which f and g count as zero; a `Convolution` has its own.
    step : float
        The step h, the same for both.
    rule : {"midpoint", "left"}
        Where in their cells the functions are sampled, see `sample`. The error falls with the
        step to the first power for "left" and, for functions without jumps inside the supports,
        to the second for "midpoint" (which is exact for boxes that the step divides).

    Returns
    -------
    grid, values : ndarray
        The positions ``x_k``, which lie `step` apart, and the sums there.

    Raises
    ------
    ValueError
        As `sample`.

    Examples
    --------
    Two boxes at x = 1, where their convolution is 1, by left ends:

    >>> import numpy as np
    >>> import multiconv as mc
    >>> def box(t):
    ...     return np.ones_like(t)
    >>> exact = mc.continuous.convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    >>> for step in (0.5, 0.25, 0.125):
    ...     grid, values = mc.continuous.discrete(box, box, (0, 1), (0, 1), step, rule="left")
    ...     print(step, np.abs(values - exact(grid)).max().round(12))
    0.5 0.5
    0.25 0.25
    0.125 0.125
    """
    f_grid, f_values = _sample(f, support_f, step, rule, "f", "support_f")
    g_grid, g_values = _sample(g, support_g, step, rule, "g", "support_g")
    values = float(step) * convolve_samples(f_values, g_values)
    return f_grid[0] + g_grid[0] + float(step) * np.arange(values.size), values


def _sample(
    f: Any, support: Any, step: Any, rule: str, name: str, support_name: str
) -> tuple[Floats, Array]:
    if rule not in OFFSETS:
        raise ValueError(f"rule: {rule!r} is not allowed, choose one of 'midpoint' and 'left'")
    if support is None and isinstance(f, Convolution):
        support = f.support
    low, high = check_support(support, support_name)
    step, count = check_step(step, high - low, "step")
    function = Function(f, (low, high), (), name)
    grid = low + step * (np.arange(count) + OFFSETS[rule])
    inside = grid < high
    seen = function.values(grid[inside])
    values = np.zeros(count, dtype=seen.dtype)
    values[inside] = seen
    return grid, values
