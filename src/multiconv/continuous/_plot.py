"""Pictures of convolutions, drawn by Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from multiconv._errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from multiconv.continuous._convolution import Convolution
    from multiconv.continuous._source import Source
    from multiconv.continuous._space_convolution import SpaceConvolution


def drawn(
    h: Convolution, source: Source, axes: Axes | None, points: int, line: dict[str, Any]
) -> Axes:
    """A curve over the support, or over the bulk where that is infinite."""
    axes = _axes() if axes is None else axes
    x = np.union1d(np.linspace(*source.bulk, points), source.breakpoints)
    values = h.evaluate(x)[0]
    (real,) = axes.plot(x, values.real, **line)
    if np.iscomplexobj(values):
        axes.plot(x, values.imag, color=real.get_color(), linestyle="--")
    return axes


def drawn_plane(h: SpaceConvolution, axes: Axes | None, points: int, mesh: dict[str, Any]) -> Axes:
    """Colours over the support, or between the breakpoints and 4 beyond where it is infinite."""
    if len(h.support) != 2:
        raise ValueError(f"plot: {len(h.support)} axes cannot be drawn, there must be two")
    axes = _axes() if axes is None else axes
    spans = [
        (max(low, b[0] - BEYOND), min(high, b[-1] + BEYOND))
        for (low, high), b in zip(h.support, h.breakpoints, strict=True)
    ]
    x, y = (np.linspace(low, high, points) for low, high in spans)
    values = h.evaluate(x[:, None], y)[0]
    axes.pcolormesh(x, y, values.real.T, **({"shading": "gouraud"} | mesh))
    return axes


BEYOND = 4.0


def _axes() -> Axes:
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            "plot needs Matplotlib, install it with: pip install matplotlib"
        ) from missing
    axes: Axes = pyplot.subplots()[1]
    return axes
