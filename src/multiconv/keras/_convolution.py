"""Convolution."""

from __future__ import annotations

from typing import Any

import keras

from multiconv.keras._layer import EngineLayer, Tensor, engine, register, takes


class _Convolution(EngineLayer):
    def call(self: Any, inputs: Tensor) -> Tensor:
        """The layer's output."""
        if type(self).convolution_op is not _Convolution.convolution_op:
            return super(EngineLayer, self).call(inputs)  # type: ignore[misc]
        return super().call(inputs)

    def convolution_op(self: Any, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The sums alone, which Keras lets a subclass compute in its own way."""
        kernel = keras.ops.convert_to_tensor(kernel)
        if not takes(inputs, kernel):
            return super().convolution_op(inputs, kernel)  # type: ignore[misc]
        return self._convolve(inputs, kernel, None, None)

    def _convolve(self: Any, x: Tensor, w: Tensor, bias: Tensor, activation: Any) -> Tensor:
        options = self._options()
        if self.padding == "causal":
            options["padding"] = ((self.dilation_rate[0] * (self.kernel_size[0] - 1), 0),)
        return engine.conv(x, w, bias, activation, groups=self.groups, **options)


@register
class Conv1D(_Convolution, keras.layers.Conv1D):
    """`keras.layers.Conv1D` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import Conv1D
    >>> layer = Conv1D(1, 3, padding="causal", kernel_initializer="ones")
    >>> layer(np.ones((1, 4, 1)))[0, :, 0].tolist()
    [1.0, 2.0, 3.0, 3.0]
    """


@register
class Conv2D(_Convolution, keras.layers.Conv2D):
    """`keras.layers.Conv2D` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import Conv2D
    >>> layer = Conv2D(8, (3, 2), padding="same", activation="relu")
    >>> tuple(layer(np.ones((1, 6, 7, 3))).shape)
    (1, 6, 7, 8)
    """


@register
class Conv3D(_Convolution, keras.layers.Conv3D):
    """`keras.layers.Conv3D` on the engine, with its arguments, weights and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.keras import Conv3D
    >>> layer = Conv3D(8, (3, 2, 1), strides=2)
    >>> tuple(layer(np.ones((1, 5, 6, 7, 3))).shape)
    (1, 2, 3, 4, 8)
    """
