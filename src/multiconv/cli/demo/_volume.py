"""A noisy scan of a head, smoothed in three dimensions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import multiconv as mc
from multiconv import io

from . import _references
from ._step import Array, Scene, StepResult, largest_difference, measured

FILES = "volume-before.png", "volume-after.png"
SHAPE, SIGMA, NOISE = (120, 120, 104), 1.5, 0.18
# Value, half axes (x, y, z), centre (x, y, z) and turn about z in degrees of each ellipsoid:
# A. C. Kak and M. Slaney, Principles of Computerized Tomographic Imaging (1988), table 3.2, with
# the contrast of P. Toft, The Radon Transform (thesis, 1996).
HEAD = (
    (1.0, (0.6900, 0.920, 0.810), (0.0, 0.0, 0.0), 0),
    (-0.8, (0.6624, 0.874, 0.780), (0.0, -0.0184, 0.0), 0),
    (-0.2, (0.1100, 0.310, 0.220), (0.22, 0.0, 0.0), -18),
    (-0.2, (0.1600, 0.410, 0.280), (-0.22, 0.0, 0.0), 18),
    (0.1, (0.2100, 0.250, 0.410), (0.0, 0.35, -0.15), 0),
    (0.1, (0.0460, 0.046, 0.050), (0.0, 0.1, 0.25), 0),
    (0.1, (0.0460, 0.046, 0.050), (0.0, -0.1, 0.25), 0),
    (0.1, (0.0460, 0.023, 0.050), (-0.08, -0.605, 0.0), 0),
    (0.1, (0.0230, 0.023, 0.020), (0.0, -0.606, 0.0), 0),
    (0.1, (0.0230, 0.046, 0.020), (0.06, -0.605, 0.0), 0),
)


def volume(scene: Scene) -> Iterator[StepResult]:
    """Smooth the scan and write the middle slice along each axis, before and after."""
    before = phantom()
    kernel = mc.kernels.gaussian(SIGMA, ndim=3).astype(np.float32)
    after, algorithm, seconds = measured(
        mc.convolve, before, kernel, mode="same", boundary="symmetric"
    )
    reference, library = _references.blurred(before, SIGMA)
    difference = largest_difference(after, reference)
    for file, scan in zip(FILES, (before, after), strict=True):
        slices = middle_slices(scan)
        scene.shown[file.removesuffix(".png")] = slices
        io.write(scene.folder / file, io.Data(slices, "image"))
    yield StepResult("volume, smoothed", algorithm, seconds, difference, library)


def phantom() -> Array:
    """The Shepp-Logan head with noise, float32, axes z, y, x."""
    z, y, x = np.meshgrid(*(np.linspace(1, -1, n) for n in SHAPE), indexing="ij", sparse=True)
    x = -x
    head = np.zeros(SHAPE)
    for value, half, centre, turn in HEAD:
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
        along, across = cos * dx + sin * dy, cos * dy - sin * dx
        inside = (along / half[0]) ** 2 + (across / half[1]) ** 2 + (dz / half[2]) ** 2 <= 1
        head += value * inside
    noise = np.random.default_rng(5).normal(0, NOISE, SHAPE)
    return (head + noise).astype(np.float32)


def middle_slices(scan: Array) -> Array:
    """The three middle slices, which are of one height, side by side as 8-bit grey."""
    cuts = [scan.take(n // 2, axis=a) for a, n in enumerate(scan.shape)]
    grey = [np.rint(255 * np.clip(cut / 0.6, 0, 1)).astype(np.uint8) for cut in cuts]
    gap = np.full((len(grey[0]), 6), 255, np.uint8)
    return np.hstack([grey[0], gap, grey[1], gap, grey[2]])
