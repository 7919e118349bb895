"""Convolution of functions: the integral, and the discrete sum that approximates it."""

from multiconv.continuous import symbolic
from multiconv.continuous._comb import Comb, comb
from multiconv.continuous._convolution import Convolution
from multiconv.continuous._convolve import convolve
from multiconv.continuous._sampling import discrete, sample
from multiconv.continuous._space_convolution import SpaceConvolution
from multiconv.continuous._warnings import IntegrationWarning
from multiconv.continuous.distributions import RandomSum, distribution_of_sum

__all__ = [
    "Comb",
    "Convolution",
    "IntegrationWarning",
    "RandomSum",
    "SpaceConvolution",
    "comb",
    "convolve",
    "discrete",
    "distribution_of_sum",
    "sample",
    "symbolic",
]
