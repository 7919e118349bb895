"""The linear map that is undone, and its adjoint."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from multiconv import _api
from multiconv import _geometry as geometry
from multiconv._typing import Array


class Blur:
    """Convolution of arrays of ``shape`` with ``h`` over their trailing axes."""

    def __init__(
        self, h: Array, shape: tuple[int, ...], modes: Sequence[str], boundary: Sequence[str]
    ) -> None:
        self.h, self.shape = h, shape
        self.modes, self.boundary = tuple(modes), tuple(boundary)
        self.padding = tuple(
            geometry.mode_padding(m, k) for m, k in zip(self.modes, h.shape, strict=True)
        )

    def forward(self, x: Array) -> Array:
        """``x * h``, with zeros outside for the boundary ``"constant"``."""
        result: Array = _api.convolve(x, self.h, self.modes, boundary=self.boundary)
        return result

    def adjoint(self, y: Array) -> Array:
        """The map for which ``<forward(x), y> = <x, adjoint(y)>``, at every boundary."""
        rank = self.h.ndim
        lead, size = self.shape[:-rank], self.shape[-rank:]
        result: Array = _api.conv_input_grad(
            y.reshape(math.prod(lead), 1, *y.shape[-rank:]), self.h[None, None],
            (math.prod(lead), 1, *size), padding=self.padding, padding_mode=self.boundary,
            flip=True,
        )  # fmt: skip
        return result.reshape(self.shape)

    def constant_outside(self, cval: complex) -> Array:
        """What ``cval`` outside adds to the result."""
        dark = np.zeros(self.shape[-self.h.ndim :], self.h.dtype)
        result: Array = _api.convolve(dark, self.h, self.modes, boundary=self.boundary, cval=cval)
        return result

    @property
    def circular(self) -> bool:
        """Whether the Fourier transform diagonalises it."""
        return set(self.modes) == {"same"} and set(self.boundary) == {"wrap"}


def size_before(mode: str, size: int, taps: int) -> int:
    """Samples of an axis of which a mode leaves ``size``."""
    return {"full": size - taps + 1, "same": size, "valid": size + taps - 1}[mode]
