"""Convolution of functions: the integral, and the discrete sum that approximates it."""

from multiconv.continuous import symbolic
from multiconv.continuous._convolution import Convolution, convolve
from multiconv.continuous._sampling import discrete, sample
from multiconv.continuous._warnings import IntegrationWarning
from multiconv.continuous.distributions import RandomSum, distribution_of_sum

__all__ = [
    "Convolution",
    "IntegrationWarning",
    "RandomSum",
    "convolve",
    "discrete",
    "distribution_of_sum",
    "sample",
    "symbolic",
]
