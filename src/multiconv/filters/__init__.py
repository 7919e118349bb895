"""The filters of image processing, for arrays of any rank.

All take `numpy.pad`'s words for what lies outside, leave a ``channel_axis`` alone, and give arrays
of the library that they were given. Filters that smooth or sharpen keep the dtype: integers are
rounded half to even and clipped. Filters that take slopes give float64 for integers unless told.
Angles are in degrees, counter-clockwise from the right, as one sees the picture, whose rows run
downwards.
"""

from ._box import box
from ._canny import canny
from ._derivative import prewitt, scharr, sobel
from ._gaussian import gaussian, gaussian_derivative
from ._gradient import gradient, gradient_magnitude
from ._laplace import gaussian_laplace, laplace
from ._planar import emboss, gabor, motion
from ._sharpen import sharpen, unsharp

__all__ = [
    "box",
    "canny",
    "emboss",
    "gabor",
    "gaussian",
    "gaussian_derivative",
    "gaussian_laplace",
    "gradient",
    "gradient_magnitude",
    "laplace",
    "motion",
    "prewitt",
    "scharr",
    "sharpen",
    "sobel",
    "unsharp",
]
