"""Keras 3's convolution layers on the engine: its constructors, its weights, its files.

The engine computes on Keras' NumPy, torch and JAX backends; on others these layers are Keras' own.

Examples
--------
>>> import numpy as np
>>> from keras.models import Sequential
>>> from multiconv.keras import Conv3D
>>> model = Sequential([Conv3D(filters=4, kernel_size=(3, 2, 1))])
>>> tuple(model(np.ones((2, 5, 5, 5, 3))).shape)
(2, 3, 4, 5, 4)
"""

from multiconv._errors import MissingExtraError

try:
    import keras
except ModuleNotFoundError as error:
    if error.name != "keras":  # Keras is here, its backend is not
        raise
    raise MissingExtraError(
        "multiconv.keras needs Keras 3: pip install 'multiconv[keras]'"
    ) from error
if int(keras.__version__.partition(".")[0]) < 3:
    raise MissingExtraError(
        f"multiconv.keras needs Keras 3, not {keras.__version__}: pip install 'multiconv[keras]'"
    )

from multiconv.keras._convolution import Conv1D, Conv2D, Conv3D
from multiconv.keras._depthwise import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from multiconv.keras._transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose

__all__ = [
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
]
