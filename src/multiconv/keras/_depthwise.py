"""Depthwise convolution, alone and before a pointwise one."""

from __future__ import annotations

from typing import Any

import keras

from multiconv.keras._layer import EngineLayer, Tensor, engine, register


class _Depthwise(EngineLayer):
    def _convolve(self: Any, x: Tensor, w: Tensor, bias: Tensor, activation: Any) -> Tensor:
        return _depthwise(x, w, bias, activation, **self._options())


class _Separable(EngineLayer):
    def _kernels(self: Any) -> tuple[Any, ...]:
        return (self.depthwise_kernel, self.pointwise_kernel)

    def _convolve(
        self: Any, x: Tensor, depthwise: Tensor, pointwise: Tensor, bias: Tensor, activation: Any
    ) -> Tensor:
        x = _depthwise(x, depthwise, None, None, **self._options())
        ones = (1,) * self.rank
        return engine.conv(x, pointwise, bias, activation, stride=ones, padding="valid",
                           dilation=ones, groups=1, data_format=self.data_format)  # fmt: skip


def _depthwise(x: Tensor, w: Tensor, bias: Tensor, activation: Any, **options: Any) -> Tensor:
    *size, channels, multiplier = w.shape
    w = keras.ops.reshape(w, (*size, 1, channels * multiplier))
    return engine.conv(x, w, bias, activation, groups=channels, **options)


@register
class DepthwiseConv1D(_Depthwise, keras.layers.DepthwiseConv1D):
    """`keras.layers.DepthwiseConv1D` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import DepthwiseConv1D
    >>> layer = DepthwiseConv1D(3, depth_multiplier=2)
    >>> tuple(layer(np.ones((1, 6, 5))).shape)
    (1, 4, 10)
    """


@register
class DepthwiseConv2D(_Depthwise, keras.layers.DepthwiseConv2D):
    """`keras.layers.DepthwiseConv2D` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import DepthwiseConv2D
    >>> layer = DepthwiseConv2D((3, 2), strides=2, padding="same")
    >>> tuple(layer(np.ones((1, 6, 7, 5))).shape)
    (1, 3, 4, 5)
    """


@register
class SeparableConv1D(_Separable, keras.layers.SeparableConv1D):
    """`keras.layers.SeparableConv1D` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import SeparableConv1D
    >>> layer = SeparableConv1D(8, 3)
    >>> tuple(layer(np.ones((1, 6, 5))).shape)
    (1, 4, 8)
    """


@register
class SeparableConv2D(_Separable, keras.layers.SeparableConv2D):
    """`keras.layers.SeparableConv2D` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import SeparableConv2D
    >>> layer = SeparableConv2D(8, (3, 2), activation="relu")
    >>> tuple(layer(np.ones((1, 6, 7, 5))).shape)
    (1, 4, 6, 8)
    """
