"""What a kernel is like: its frequencies, how it comes apart, what it costs; and its borders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import multiconv as mc
from multiconv._plan import Plan
from multiconv._typing import Array
from multiconv.studio._room import Message

from ._image_question import BOUNDARIES, Question

RESPONSE = 64
"""Frequencies along a side of the response."""

FULL, ENOUGH = 0.98, 1000
"""The share of samples below the full colour, and how many samples tell it."""

THUMB = 160
"""Pixels along a side of the pictures that show borders."""


def facts(asked: Question) -> Message:
    """Frequency response, separability and cost."""
    kernel = asked.kernel
    response = np.abs(np.fft.fftshift(np.fft.fft2(kernel, (RESPONSE, RESPONSE))))
    singular = np.linalg.svd(kernel, compute_uv=False)
    rank = int(np.linalg.matrix_rank(kernel))
    plan = mc.plan(asked.engine, asked.x, asked.taps, **asked.options)
    values = {
        "sum": float(kernel.sum()),
        "rank": rank,
        "algorithms": _algorithms(plan),
        "seconds": plan.seconds,
        "products": _products(asked, rank),
    }
    return Message(values, {"response": response.astype(np.float32), "singular": singular})


def borders(asked: Question) -> Message:
    """A small picture continued beyond its border in every way."""
    pixels = asked.picture.pixels if asked.view == "photo" else asked.picture.grey
    step = math.ceil(max(pixels.shape[:2]) / THUMB)
    small = pixels[::step, ::step]
    margin = max(*(math.ceil(r / step) for r in asked.reach), THUMB // 5)
    widths: list[Any] = [(margin, margin)] * 2 + [(0, 0)] * (small.ndim - 2)
    painted = {mode: np.pad(small, widths, mode) for mode in BOUNDARIES}  # type: ignore[call-overload]
    reach = [r / step for r in asked.reach]
    return Message({"margin": margin, "size": small.shape[:2], "reach": reach}, painted)


def _algorithms(plan: Plan) -> list[str]:
    """The algorithm that runs and those that it hands its parts to, each once."""
    words = [line.lstrip(" │├└─").split()[0] for line in plan.explain().tree]
    return list(dict.fromkeys(words))


def _products(asked: Question, rank: int) -> dict[str, float]:
    """Multiplications for each result: tap by tap, by outer products, by Fourier transforms.

    A transform of N real samples takes about N log2 N real multiplications; the picture's and the
    result's are needed, and two multiplications a sample between them.
    """
    rows, columns = asked.kernel.shape
    height, width = asked.x.shape[-2:]
    samples = (height + rows - 1) * (width + columns - 1)
    transforms = (2 * math.log2(max(samples, 2)) + 2) * samples / (height * width)
    return {"taps": rows * columns, "lines": rank * (rows + columns), "fft": transforms}


def full_colour(values: Array) -> float:
    """The size from which on values of both signs have the full colour.

    Few values are large, and a map up to the largest would leave all others pale.
    """
    sizes = np.abs(values)
    some = sizes[::3, ::3]
    some = some[some > 0]
    return float(np.quantile(some, FULL) if some.size >= ENOUGH else sizes.max())
