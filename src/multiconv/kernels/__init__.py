"""The kernels of image and signal processing, as arrays for true convolution.

Every kernel is what `multiconv.convolve` wants: convolving an impulse draws the kernel itself.
Derivative kernels are positive where the signal rises: ``convolve(ramp, sobel())`` is positive for
a ramp that rises with the index. (`multiconv.correlate` does not flip, so it would give the other
sign.) Angles are in degrees, counter-clockwise from the right, as one sees the picture, whose rows
run downwards.
"""

from ._box import box, disk, identity
from ._derivative import prewitt, scharr, sobel
from ._emboss import emboss
from ._gabor import gabor
from ._gaussian import (
    binomial,
    difference_of_gaussians,
    gaussian,
    gaussian_derivative,
    gaussian_laplace,
)
from ._laplace import laplace
from ._motion import motion
from ._registry import KernelInfo, get, info, names
from ._sharpen import sharpen, unsharp
from ._sinc import highpass, lowpass

__all__ = [
    "KernelInfo",
    "binomial",
    "box",
    "difference_of_gaussians",
    "disk",
    "emboss",
    "gabor",
    "gaussian",
    "gaussian_derivative",
    "gaussian_laplace",
    "get",
    "highpass",
    "identity",
    "info",
    "laplace",
    "lowpass",
    "motion",
    "names",
    "prewitt",
    "scharr",
    "sharpen",
    "sobel",
    "unsharp",
]
