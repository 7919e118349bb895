"""The integral that convolution began as, and the sums that approach it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

import multiconv as mc

from ._step import Array, Scene, StepResult, largest_difference, measured

WIDTHS = 1.0, 2.0
STEPS = 0.1, 0.01, 0.001


def box(t: Array) -> Array:
    """One everywhere; its support makes it a box."""
    return np.ones_like(t)


def closed_form(x: Array) -> Array:
    """The convolution of boxes on (0, 1) and (0, 2): a trapezium."""
    narrow, wide = WIDTHS
    return np.clip(np.minimum(x, narrow + wide - x), 0, narrow)


def integral(scene: Scene) -> Iterator[StepResult]:
    """Two boxes by quadrature, then by discrete sums at falling steps."""
    narrow, wide = WIDTHS
    start = time.perf_counter()
    result = mc.continuous.convolve(box, box, support_f=(0, narrow), support_g=(0, wide))
    x = np.linspace(-0.25, narrow + wide + 0.25, 141)
    values = result(x)
    seconds = time.perf_counter() - start
    scene.shown["integral"] = np.stack([x, values])
    difference = largest_difference(values, closed_form(x))
    yield StepResult("integral of two boxes", "quadrature", seconds, difference, "closed form")
    for step in STEPS:
        _, f = mc.continuous.sample(box, (0, narrow), step, rule="left")
        _, g = mc.continuous.sample(box, (0, wide), step, rule="left")
        sums, algorithm, seconds = measured(mc.convolve, f, g)
        difference = largest_difference(step * sums, closed_form(step * np.arange(len(sums))))
        name = f"  as a sum, step {step:g}"
        yield StepResult(name, algorithm, seconds, difference, "closed form")
