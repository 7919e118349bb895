"""Arguments in the words of signal processing or deep learning, made into Problems.

Every function takes shapes and dtypes, never values, and returns a `Request`: the `Problem` and how
the caller's arrays map onto its canonical views.
"""

from multiconv._conventions._gradients import conv_input_grad, conv_weight_grad
from multiconv._conventions._layer import conv, conv_transpose
from multiconv._conventions._request import Layout, Request, ShapeDtype
from multiconv._conventions._signal import convolve, correlate

__all__ = [
    "Layout",
    "Request",
    "ShapeDtype",
    "conv",
    "conv_input_grad",
    "conv_transpose",
    "conv_weight_grad",
    "convolve",
    "correlate",
]
