"""Deconvolution: the way back from ``y = x * h`` plus noise."""

from multiconv.deconvolution._deconvolve import deconvolve
from multiconv.deconvolution._progress import Progress

__all__ = ["Progress", "deconvolve"]
