"""Convolution of functions of several real numbers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from multiconv._errors import MissingExtraError
from multiconv._typing import Array
from multiconv.continuous._checks import Floats
from multiconv.continuous._function import Evaluation
from multiconv.continuous._source import merged
from multiconv.continuous._space import CubeProduct, SpaceFunction, Supports
from multiconv.continuous._warnings import IntegrationWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHUNK = 64
"""Points integrated together."""
MOST_CUTS = 400
"""Subdivisions of the unit cube, at which refinement gives up."""
RULES = {1: "gk21", 2: "gk21", 3: "gk15"}


class SpaceConvolution:
    """The convolution of two functions of n numbers, itself one; made by `convolve`.

    It is called with n numbers or arrays, which broadcast; outside its support it is exactly zero,
    and at NaN it is NaN. Where the tolerances are not reached, an `IntegrationWarning` names the
    error that was.

    Attributes
    ----------
    support : tuple of (float, float)
        For each axis the sum of the supports of the operands.
    breakpoints : tuple of tuple of float
        For each axis where it may have a kink.
    rtol, atol : float
        The error wanted is ``max(atol, rtol * abs(value))``.
    """

    def __init__(self, f: SpaceFunction, g: SpaceFunction, rtol: float, atol: float) -> None:
        self._f, self._g = f, g
        self.rtol, self.atol = rtol, atol
        pairs = zip(f.support, g.support, strict=True)
        self.support: Supports = tuple((a[0] + b[0], a[1] + b[1]) for a, b in pairs)
        edges = zip(f.edges, g.edges, strict=True)
        self.breakpoints = tuple(tuple(_sums(a, b).tolist()) for a, b in edges)

    def __call__(self, *x: Any) -> Any:
        """The value at a point, or an array of them."""
        values, errors = self.evaluate(*x)
        excess = errors - np.maximum(self.atol, self.rtol * np.abs(values))
        if np.any(excess > 0):
            warnings.warn(
                f"the tolerances rtol={self.rtol:g}, atol={self.atol:g} were not reached at "
                f"{np.count_nonzero(excess > 0)} of {values.size} points: the largest error is "
                f"estimated as {np.nanmax(errors):.3g}; give the breakpoints of the functions, or "
                "larger tolerances",
                IntegrationWarning,
                stacklevel=2,
            )
        return values if values.ndim else values.item()

    def error(self, *x: Any) -> Any:
        """The estimated error of the value at a point, with a bound of what rounding adds."""
        errors = self.evaluate(*x)[1]
        return errors if errors.ndim else errors.item()

    def evaluate(self, *x: Any) -> Evaluation:
        """Values and errors together, without a warning."""
        points = np.broadcast_arrays(*(self._checked(x)))
        flat = np.stack([p.ravel() for p in points])
        low, high = np.array(self.support).T[:, :, None]
        lost = np.isnan(flat).any(axis=0)
        inside = np.flatnonzero(((flat > low) & (flat < high) & np.isfinite(flat)).all(axis=0))
        values, errors = np.zeros(flat.shape[1]), np.where(lost, np.nan, 0.0)
        values[lost] = np.nan
        for start in range(0, inside.size, CHUNK):
            chosen = inside[start : start + CHUNK]
            value, error = self._integrated(list(flat[:, chosen]))
            values = values.astype(np.result_type(values, value), copy=False)
            values[chosen], errors[chosen] = value, error
        return values.reshape(points[0].shape), errors.reshape(points[0].shape)

    def plot(self, axes: Axes | None = None, *, points: int = 61, **mesh: Any) -> Axes:
        """Draw it as a picture of its support, or of its bulk; for two axes.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            What to draw on; a new figure's if not given.
        points : int, optional
            Number of points along each axis.
        **mesh
            Further arguments of `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ValueError
            If there are not two axes.
        MissingExtraError
            If Matplotlib is not installed.
        """
        from multiconv.continuous._plot import drawn_plane

        return drawn_plane(self, axes, points, mesh)

    def __repr__(self) -> str:
        return f"SpaceConvolution(support={self.support}, rtol={self.rtol}, atol={self.atol})"

    def _checked(self, x: tuple[Any, ...]) -> list[Floats]:
        if len(x) != len(self.support):
            raise TypeError(f"x: {len(x)} coordinates are given, {len(self.support)} are needed")
        points = [np.asarray(c) for c in x]
        for point in points:
            if point.dtype.kind not in "biuf":
                raise TypeError(f"x: {point.dtype} is not allowed, give real numbers")
        return [p.astype(np.float64) for p in points]

    def _integrated(self, x: list[Floats]) -> tuple[Array, Floats]:
        product, count = CubeProduct(self._f, self._g, x), len(x)
        found = _cubature()(
            product, np.zeros(count), np.ones(count), rule=RULES.get(count, "genz-malik"),
            rtol=self.rtol / 2, atol=self.atol / 2, max_subdivisions=MOST_CUTS,
        )  # fmt: skip
        real, imaginary, doubt = found.estimate
        values = real + 1j * imaginary if imaginary.any() else real
        return values, np.abs(doubt) + np.abs(found.error).sum(axis=0)


class NestedSpace(SpaceFunction):
    """A `SpaceConvolution` as an operand of another, with its errors."""

    def __init__(self, inner: SpaceConvolution, name: str) -> None:
        super().__init__(inner, inner.support, inner.breakpoints, name)

    def evaluate(self, *x: Floats) -> Evaluation:
        found: Evaluation = self.call.evaluate(*x)
        return found


def _sums(f: Floats, g: Floats) -> Floats:
    """All finite sums of two sets of points."""
    return merged((f[np.isfinite(f)][:, None] + g[np.isfinite(g)]).ravel())


def _cubature() -> Any:
    try:
        from scipy.integrate import cubature
    except ImportError as missing:
        raise MissingExtraError(
            "convolving functions of several numbers needs SciPy 1.15 or newer, install it with: "
            "pip install multiconv[math]"
        ) from missing
    return cubature
