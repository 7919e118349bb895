"""torch on this engine: functions, layers, whole models; imports torch."""

from multiconv.torch._accelerate import Acceleration, accelerate, restore
from multiconv.torch._compile import backend
from multiconv.torch._conv import conv, conv1d, conv2d, conv3d
from multiconv.torch._conv_transpose import (
    conv_transpose,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from multiconv.torch._freeze import Frozen, freeze
from multiconv.torch._modules import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from multiconv.torch._pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from multiconv.torch._threads import share_threads

__all__ = [
    "Acceleration",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Frozen",
    "accelerate",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "backend",
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "freeze",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "restore",
]

share_threads()
