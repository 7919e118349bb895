"""Transposed convolution."""

from __future__ import annotations

from typing import Any

import keras

from multiconv.keras._layer import EngineLayer, Tensor, engine, register


class _Transposed(EngineLayer):
    def _convolve(self: Any, x: Tensor, w: Tensor, bias: Tensor, activation: Any) -> Tensor:
        options = self._options() | {"padding": self._cuts()}
        return engine.conv_transpose(x, w, bias, activation, **options)

    def _cuts(self: Any) -> tuple[tuple[int, int], ...]:
        extra = self.output_padding or (None,) * self.rank
        axes = zip(self.kernel_size, self.strides, self.dilation_rate, extra, strict=True)
        return tuple(_cut(self.padding, (k - 1) * d + 1, s, e) for k, s, d, e in axes)


def _cut(padding: str, span: int, stride: int, extra: int | None) -> tuple[int, int]:
    """How many of all the sums of an axis to take off its ends; a negative number adds zeros."""
    if padding == "valid":
        total = min(span - stride, 0) if extra is None else -extra
    else:
        total = span - stride if extra is None else span - span % 2 - extra
    low = max(total // 2, 0)
    return low, total - low


@register
class Conv1DTranspose(_Transposed, keras.layers.Conv1DTranspose):
    """`keras.layers.Conv1DTranspose` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import Conv1DTranspose
    >>> layer = Conv1DTranspose(1, 3, strides=2, kernel_initializer="ones")
    >>> layer(np.ones((1, 3, 1)))[0, :, 0].tolist()
    [1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 1.0]
    """


@register
class Conv2DTranspose(_Transposed, keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import Conv2DTranspose
    >>> layer = Conv2DTranspose(8, (3, 2), strides=2, padding="same")
    >>> tuple(layer(np.ones((1, 6, 7, 3))).shape)
    (1, 12, 14, 8)
    """


@register
class Conv3DTranspose(_Transposed, keras.layers.Conv3DTranspose):
    """`keras.layers.Conv3DTranspose` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import Conv3DTranspose
    >>> layer = Conv3DTranspose(8, (3, 2, 1))
    >>> tuple(layer(np.ones((1, 5, 6, 7, 3))).shape)
    (1, 7, 7, 7, 8)
    """
