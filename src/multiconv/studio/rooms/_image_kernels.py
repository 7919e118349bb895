"""The kernels that the room offers, and the one that a question asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from multiconv import kernels
from multiconv._typing import Array
from multiconv.kernels._arguments import number
from multiconv.studio._room import Message

SMALLEST, LARGEST = 3, 31
"""Taps along a side."""

TRUNCATE = 3.0
"""Standard deviations that a Gaussian's radius holds, fewer than usual: the grid is bounded."""

Range = tuple[float, float, float]
"""Lowest, highest, step."""


@dataclass(frozen=True)
class Preset:
    """A kernel with sliders.

    ``spelling`` calls it, as it is written after ``multiconv.kernels.``; ``signed`` says that its
    results are of both signs.
    """

    spelling: str
    make: Callable[..., Array]
    sliders: dict[str, Range]
    signed: bool = False


ANGLE = (0, 360, 5)
PRESETS = {
    "identity": Preset("identity()", kernels.identity, {}),
    "box": Preset("box({size})", lambda size: kernels.box(int(size)), {"size": (3, 31, 2)}),
    "gaussian": Preset(
        "gaussian({sigma}, truncate=3.0)",
        lambda sigma: kernels.gaussian(sigma, truncate=TRUNCATE), {"sigma": (0.3, 5, 0.1)}),
    "disk": Preset("disk({radius})", kernels.disk, {"radius": (1, 14, 0.5)}),
    "motion": Preset("motion({length}, {angle})", kernels.motion,
                     {"length": (3, 31, 1), "angle": ANGLE}),
    "sharpen": Preset("sharpen({amount})", kernels.sharpen, {"amount": (0, 5, 0.1)}),
    "unsharp": Preset(
        "unsharp({sigma}, amount={amount}, truncate=3.0)",
        lambda sigma, amount: kernels.unsharp(sigma, amount=amount, truncate=TRUNCATE),
        {"sigma": (0.3, 5, 0.1), "amount": (0, 5, 0.1)}),
    "emboss": Preset("emboss({angle})", kernels.emboss, {"angle": ANGLE}),
    "sobel x": Preset("sobel(axis=1)", lambda: kernels.sobel(axis=1), {}, signed=True),
    "sobel y": Preset("sobel(axis=0)", lambda: kernels.sobel(axis=0), {}, signed=True),
    "gaussian derivative": Preset(
        "gaussian_derivative({sigma}, axis=1, truncate=3.0)",
        lambda sigma: kernels.gaussian_derivative(sigma, axis=1, truncate=TRUNCATE),
        {"sigma": (0.5, 5, 0.1)}, signed=True),
    "laplace": Preset("laplace()", kernels.laplace, {}, signed=True),
    "gaussian laplace": Preset(
        "gaussian_laplace({sigma})", kernels.gaussian_laplace, {"sigma": (0.5, 3.8, 0.1)},
        signed=True),
    "difference of gaussians": Preset(
        "difference_of_gaussians({sigma})", kernels.difference_of_gaussians,
        {"sigma": (0.5, 2.2, 0.1)}, signed=True),
    "gabor": Preset(
        "gabor({wavelength}, {angle}, sigma={sigma})",
        lambda wavelength, angle, sigma: kernels.gabor(wavelength, angle, sigma=sigma),
        {"wavelength": (2, 16, 0.5), "angle": ANGLE, "sigma": (0.5, 5, 0.1)}, signed=True),
}  # fmt: skip


def asked(question: Message) -> Array:
    """The kernel of a question: the array that came along, or that of a preset's name.

    Raises
    ------
    ValueError
        If it is too large, or a slider out of its range.
    """
    if "kernel" in question.arrays:
        return _checked(question.arrays["kernel"])
    preset, sliders = _sliders(question)
    return _framed(preset.make(**sliders))


def spelled(question: Message) -> str | None:
    """How `multiconv` spells the kernel of a question; None where its numbers must be listed."""
    if "kernel" in question.arrays or question.values["preset"] == "identity":
        return None
    preset, sliders = _sliders(question)
    return "mc.kernels." + preset.spelling.format(**sliders)


def view_of(name: str) -> str:
    """How the results of a preset are shown best; of kernels of one's own, as a photograph."""
    return "signed" if name in PRESETS and PRESETS[name].signed else "photo"


def _sliders(question: Message) -> tuple[Preset, dict[str, float]]:
    name = question.values["preset"]
    if name not in PRESETS:
        raise ValueError(f"preset: {name!r} is not allowed, give one of {', '.join(PRESETS)}")
    preset = PRESETS[name]
    found = {}
    for slider, (low, high, _) in preset.sliders.items():
        value = number(slider, question.values[slider])
        if not low <= value <= high:
            raise ValueError(
                f"{slider}: {value:g} is not allowed for {name}, give {low:g} to {high:g}"
            )
        found[slider] = value if slider != "size" else 2 * (int(value) // 2) + 1
    return preset, found


def _checked(kernel: Array) -> Array:
    sides = kernel.shape
    if len(sides) != 2 or not all(SMALLEST <= n <= LARGEST and n % 2 for n in sides):
        raise ValueError(
            f"kernel: shape {sides} is not allowed, give two odd sides of {SMALLEST} to {LARGEST}"
        )
    if not np.isfinite(kernel).all():
        raise ValueError("kernel: it holds NaN or infinity, give finite numbers")
    return kernel.astype(np.float64)


def _framed(kernel: Array) -> Array:
    """At least three taps a side, so that there are neighbours to edit."""
    return np.pad(kernel, [(int(n < SMALLEST),) * 2 for n in kernel.shape])
