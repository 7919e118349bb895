"""OpenCV: stencils and filters of signals and images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import cv2
import numpy as np

import multiconv as mc
from multiconv._typing import Array

from .._case import Case
from ._offer import Offer

DISTRIBUTION = "opencv-python-headless"
BORDERS = {"constant": cv2.BORDER_CONSTANT, "edge": cv2.BORDER_REPLICATE,
           "symmetric": cv2.BORDER_REFLECT, "reflect": cv2.BORDER_REFLECT_101}  # fmt: skip
DEPTHS = {"uint8": cv2.CV_8U, "int16": cv2.CV_16S, "float32": cv2.CV_32F, "float64": cv2.CV_64F}
FIXED_POINT = 5.0
"""Levels by which its Gaussian of bytes is off: it keeps 8 bits of each weight."""
LONGEST = 2**27
"""Samples of a row that its 32-bit sizes allow, with room."""


@contextmanager
def threads(n: int) -> Iterator[None]:
    """As many."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(n)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def offers(case: Case) -> Iterator[Offer]:
    """Images, and rows of samples as images, with kernels of odd sizes."""
    p = case.entry.problem
    depth, border = DEPTHS.get(p.out_dtype.name), BORDERS.get(case.boundary)
    known = depth is not None and border is not None and p.x_dtype.name in DEPTHS
    if not known or p.rank > 2 or case.x.ndim > 2 or case.x.size > LONGEST:
        return
    name, _ = case.filter
    run: Callable[[], Any] | None = None
    if name not in ("", "stencil"):
        run = _filter(case, depth, border)
    elif (case.plain or name) and case.mode == "same" and all(k % 2 for k in p.kernel):
        taps = np.flip(case.w) if p.flip else case.w
        weights = np.float64 if p.out_dtype.itemsize == 8 else np.float32
        taps = np.atleast_2d(taps).astype(weights)
        run = partial(cv2.filter2D, np.atleast_2d(case.x), depth, taps, borderType=border)
    if run is not None:
        yield Offer("opencv", run, levels=FIXED_POINT if name == "gaussian" else 1.0)


def _filter(case: Case, depth: Any, border: Any) -> Callable[[], Any] | None:
    name, given = case.filter
    x, size = case.x, case.entry.problem.kernel[::-1]
    if name == "gaussian":
        return partial(cv2.GaussianBlur, x, size, given["sigma"], borderType=border)
    if name == "box":
        return partial(cv2.blur, x, size, borderType=border)
    if name == "laplace":
        return partial(cv2.Laplacian, x, depth, ksize=1, borderType=border)
    sobel: list[Callable[[], Any]] = [
        partial(cv2.Sobel, x, depth, dx, 1 - dx, ksize=3, borderType=border) for dx in (0, 1)
    ]
    if name == "sobel":
        return sobel[int(given["axis"])]
    if name == "gradient_magnitude" and "sigma" not in given:
        return partial(_length, sobel)
    if name == "gradient_magnitude":
        smooth = mc.kernels.gaussian(given["sigma"], ndim=1)
        slope = mc.kernels.gaussian_derivative(given["sigma"], ndim=1)[::-1].copy()
        pairs = ((slope, smooth), (smooth, slope))
        slopes: list[Callable[[], Any]] = [
            partial(cv2.sepFilter2D, x, depth, *pair, borderType=border) for pair in pairs
        ]
        return partial(_length, slopes)
    return None


def _length(slopes: list[Callable[[], Any]]) -> Array:
    return np.asarray(cv2.magnitude(slopes[0](), slopes[1]()))
