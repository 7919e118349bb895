"""Ridges of a slope's magnitude, one or two pixels wide."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array

TIE = 64
"""Magnitudes count as equal up to so many units in the last place: whatever algorithm smoothed the
image, its rounding errors decide nothing where an image is symmetric."""


def ridges(magnitude: Array, down: Array, right: Array, candidates: Array) -> Array:
    """The candidates that no magnitude one step up or down the gradient exceeds.

    ``down`` and ``right`` are the slopes along rows and columns. A step ends on the frame of the
    eight neighbours, between one of the four nearest and a diagonal one; the magnitude there is
    interpolated. Equals do not exceed each other: both are kept. No candidate may lie on the
    outermost pixels.
    """
    width = magnitude.shape[1]
    at = np.flatnonzero(candidates & (magnitude > 0))
    flat = magnitude.ravel()
    y, x = down.ravel()[at], right.ravel()[at]
    row_step, column_step = np.where(y < 0, -width, width), np.where(x < 0, -1, 1)
    height, breadth = np.abs(y), np.abs(x)
    steep = height > breadth
    diagonal = row_step + column_step
    nearest = np.where(steep, row_step, column_step)
    share = np.where(steep, breadth, height) / np.maximum(height, breadth)
    most = flat[at] * (1 + TIE * np.finfo(flat.dtype).eps)
    kept = np.ones(at.size, np.bool_)
    for sign in (1, -1):
        beyond = flat[at + sign * diagonal] * share + flat[at + sign * nearest] * (1 - share)
        kept &= beyond <= most
    result = np.zeros(magnitude.shape, np.bool_)
    result.ravel()[at[kept]] = True
    return result
