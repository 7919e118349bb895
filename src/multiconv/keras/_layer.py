"""What all layers share: the engine in place of the backend's operator, where it can take over."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras

Tensor = Any

_BACKEND = keras.config.backend()
engine: Any = (
    import_module(f"multiconv.keras._{_BACKEND}") if _BACKEND in ("jax", "numpy", "torch") else None
)
register = keras.saving.register_keras_serializable("multiconv")


class EngineLayer:
    """Stands before a layer of Keras: sums, bias and activation in one call of the engine."""

    def call(self: Any, inputs: Tensor) -> Tensor:
        """The layer's output."""
        kernels = [keras.ops.convert_to_tensor(k) for k in self._kernels()]
        if not takes(inputs, *kernels):
            return super().call(inputs)  # type: ignore[misc]
        bias = keras.ops.convert_to_tensor(self.bias) if self.use_bias else None
        return self._convolve(inputs, *kernels, bias, self.activation)

    def _kernels(self: Any) -> tuple[Any, ...]:
        return (self.kernel,)

    def _options(self: Any) -> dict[str, Any]:
        return {
            "stride": tuple(self.strides),
            "padding": self.padding,
            "dilation": tuple(self.dilation_rate),
            "data_format": self.data_format,
        }


def takes(inputs: Tensor, *kernels: Tensor) -> bool:
    """Whether the engine computes this; the rest is Keras' to convert or to refuse."""
    return (
        engine is not None
        and not isinstance(inputs, keras.KerasTensor)
        and keras.ops.is_tensor(inputs)
        and all(inputs.dtype == k.dtype and inputs.ndim == k.ndim for k in kernels)
    )
