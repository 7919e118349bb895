"""The small cases of every tutorial: a series, and two layers of a network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

import multiconv as mc

from . import _references
from ._step import Array, Scene, StepResult, largest_difference, measured

LONGER, SHORTER = (1.0, 2.0, 3.0, 4.0, 5.0), (0.5, 1.0, 0.5)


def series(scene: Scene) -> Iterator[StepResult]:
    """Two short series, where the shorter lies inside the longer."""
    x, h = np.array(LONGER), np.array(SHORTER)
    result, algorithm, seconds = measured(mc.convolve, x, h, mode="valid")
    scene.shown["series"] = result
    difference = largest_difference(result, np.convolve(x, h, "valid"))
    yield StepResult("two short series", algorithm, seconds, difference, "NumPy")


def layer_2d(scene: Scene) -> Iterator[StepResult]:
    """1 sample, 3 to 6 channels, 5x5, kernel 3x3, stride 1, padding 1."""
    random = np.random.default_rng(2)
    x = random.standard_normal((1, 3, 5, 5), np.float32)
    w = random.standard_normal((6, 3, 3, 3), np.float32)
    bias = random.standard_normal(6, np.float32)
    result, algorithm, seconds = measured(mc.conv, x, w, bias=bias, stride=1, padding=1)
    reference, library = _references.layer(x, w, bias, padding=1)
    difference = largest_difference(result, reference)
    yield StepResult("2-D layer, 3 to 6 channels", algorithm, seconds, difference, library)


def layer_3d(scene: Scene) -> Iterator[StepResult]:
    """1 sample of 5x5x5 with 3 channels last, 64 filters of 3x3x3."""
    random = np.random.default_rng(3)
    x = random.standard_normal((1, 5, 5, 5, 3), np.float32)
    w = random.standard_normal((3, 3, 3, 3, 64), np.float32)
    bias = random.standard_normal(64, np.float32)
    run = partial(measured, mc.conv, data_format="channels_last")
    result, algorithm, seconds = run(x, w, bias=bias)
    reference, library = _references.layer(
        np.moveaxis(x, -1, 1), np.moveaxis(w, (-1, -2), (0, 1)), bias, padding=0
    )
    difference = largest_difference(result, np.moveaxis(reference, 1, -1))
    yield StepResult("3-D layer, channels last", algorithm, seconds, difference, library)


def equation(result: Array) -> str:
    """The series and their convolution, written out."""
    x, h, y = ([f"{v:g}" for v in values] for values in (LONGER, SHORTER, result.tolist()))
    return f"[{', '.join(x)}] * [{', '.join(h)}] = [{', '.join(y)}]"
