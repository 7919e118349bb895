"""Convolution of integers of any size, without a rounding or an overflow."""

from multiconv.exact._convolve import convolve_exact

__all__ = ["convolve_exact"]
