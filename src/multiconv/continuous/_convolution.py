"""A convolution of two functions, which is a function itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats, check_breakpoints
from multiconv.continuous._function import Evaluation, Operand
from multiconv.continuous._series import SHARE, WORSE, PiecewiseSeries
from multiconv.continuous._source import Source
from multiconv.continuous._warnings import IntegrationWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INNER = 1 / 16
"""Share of the tolerances that a convolution gets when it is an operand of another."""
FINEST_RTOL, FINEST_ATOL = 2e-14, 1e-300
"""Below which rounding leaves nothing to ask for."""


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

    def __init__(self, source: Source, rtol: float, atol: float) -> None:
        self._source = source
        self.rtol, self.atol = rtol, atol
        self.support: tuple[float, float] = source.support
        self.breakpoints: tuple[float, ...] = tuple(source.breakpoints.tolist())

    def __call__(self, x: Any) -> Any:
        """The value at ``x``: a real number or an array of them."""
        points = _points(x)
        values, errors = self.evaluate(points)
        self._warn(points, values, errors)
        return values if points.ndim else values.item()

    def error(self, x: Any) -> Any:
        """A bound of the error of the value at ``x``, of the same shape.

        It is the estimate of the quadrature and of what its series leaves out, plus bounds of the
        rounding errors, and of the operands' errors where these are convolutions themselves.
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
        return self._values.evaluate(points)

    def plot(self, axes: Axes | None = None, *, points: int = 801, **line: Any) -> Axes:
        """Draw it over its support, or over its bulk where that is infinite.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            What to draw on; a new figure's if not given.
        points : int, optional
            Number of points, to which the breakpoints are added.
        **line
            Further arguments of `matplotlib.axes.Axes.plot`. Of complex values the real part gets
            this line, the imaginary part a dashed one.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            If Matplotlib is not installed.
        """
        from multiconv.continuous._plot import drawn

        return drawn(self, self._source, axes, points, line)

    def __repr__(self) -> str:
        return f"Convolution(support={self.support}, rtol={self.rtol}, atol={self.atol})"

    @cached_property
    def _values(self) -> Values:
        return Values(self._source, self.rtol, self.atol, WORSE)

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


class Values:
    """Values of a source anywhere, to given tolerances; `settle` as of `PiecewiseSeries`."""

    def __init__(self, source: Source, rtol: float, atol: float, settle: float = 1.0) -> None:
        self._source = source
        self._evaluate: Callable[[Floats], Evaluation]
        self._evaluate = partial(source.evaluate, rtol=rtol, atol=atol)
        if source.is_dear:
            fine = partial(
                source.evaluate,
                rtol=max(SHARE * rtol, FINEST_RTOL),
                atol=max(SHARE * atol, FINEST_ATOL),
            )
            series = PiecewiseSeries(
                fine, self._evaluate, source.edges(), source.features, rtol, atol, settle
            )
            self._evaluate = series.evaluate

    def evaluate(self, points: Floats) -> Evaluation:
        """Values and error bounds: zero outside the support, NaN at NaN and in infinity."""
        low, high = self._source.support
        flat = points.ravel()
        values = np.zeros(flat.size, dtype=self._source.dtype)
        errors = np.zeros(flat.size)
        lost = np.isnan(flat) | (np.isinf(flat) & (low <= flat) & (flat <= high))
        values[lost] = errors[lost] = np.nan
        inside = np.flatnonzero((flat > low) & (flat < high) & ~lost)
        value, error = self._evaluate(flat[inside])
        values = values.astype(np.result_type(values, value), copy=False)
        values[inside], errors[inside] = value, error
        return values.reshape(points.shape), errors.reshape(points.shape)


class Nested(Operand):
    """A `Convolution` as an operand of another, with its errors."""

    finest = 32

    def __init__(
        self, inner: Convolution, support: Any, breakpoints: Any, name: str,
        rtol: float, atol: float,
    ) -> None:  # fmt: skip
        given = check_breakpoints(breakpoints, f"breakpoints_{name}")
        super().__init__(
            inner.support if support is None else support,
            np.append(given, inner.breakpoints), name,
        )  # fmt: skip
        own_low, own_high = inner.support
        if self.high <= own_low or self.low >= own_high:
            raise ValueError(
                f"support_{name}: {support!r} is not allowed, it does not overlap the "
                f"convolution's own, {inner.support}"
            )
        rtol, atol = min(INNER * rtol, inner.rtol), min(INNER * atol, inner.atol)
        self._values = Values(inner._source, max(rtol, FINEST_RTOL), max(atol, FINEST_ATOL))

    def evaluate(self, points: Floats) -> Evaluation:
        return self._values.evaluate(points)


def _points(x: Any) -> Floats:
    """Points as float64, of any shape."""
    points = np.asarray(x)
    if points.dtype.kind not in "biuf":
        raise TypeError(
            f"x: {type(x).__name__} of {points.dtype} is not allowed, give real numbers"
        )
    return points.astype(np.float64)
