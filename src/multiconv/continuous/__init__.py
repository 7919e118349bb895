"""Convolution of functions: the integral, and the discrete sum that approximates it."""

from multiconv.continuous._convolution import Convolution, convolve
from multiconv.continuous._sampling import discrete, sample
from multiconv.continuous._warnings import IntegrationWarning

__all__ = ["Convolution", "IntegrationWarning", "convolve", "discrete", "sample"]
