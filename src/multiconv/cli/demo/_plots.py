"""Curves as pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ._step import Array

Size = tuple[int, int]
PAPER, INK, SOFT, LINE = (251, 250, 247), (32, 34, 38), (122, 124, 128), (226, 224, 218)
BLUE, ORANGE = (42, 104, 176), (226, 112, 42)
FINER = 3  # drawn so much larger, then reduced, for smooth edges


def wave(samples: Array, size: Size, colour: tuple[int, int, int]) -> Image.Image:
    """The envelope of a sound as round-ended bars, the highest as tall as the picture."""
    width, height = size[0] * FINER, size[1] * FINER
    picture = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(picture)
    pitch, thick, middle = 6 * FINER, 4 * FINER, height / 2
    parts = np.array_split(samples, width // pitch)
    scale = (middle - thick) / np.abs(samples).max()
    for i, part in enumerate(parts):
        high = middle - scale * float(part.max()) - thick / 2
        low = middle - scale * float(part.min()) + thick / 2
        pen.rounded_rectangle((i * pitch, high, i * pitch + thick, low), thick / 2, colour)
    return picture.resize(size, Image.Resampling.LANCZOS)


def trapezium(x: Array, values: Array, size: Size) -> Image.Image:
    """The integral of two boxes, over the boxes themselves."""
    width, height = size[0] * FINER, size[1] * FINER
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture, "RGBA")
    left, right, top, bottom = 0.06 * width, 0.94 * width, 0.14 * height, 0.88 * height

    def place(u: float, v: float) -> tuple[float, float]:
        along = (u - x[0]) / (x[-1] - x[0])
        return left + along * (right - left), bottom - v / 1.1 * (bottom - top)

    for level in (0.5, 1.0):
        pen.line((*place(x[0], level), *place(x[-1], level)), LINE, FINER)
    for end in (1.0, 2.0):
        pen.rectangle((*place(0, 1), *place(end, 0)), fill=(*BLUE, 34))
    curve = [place(u, v) for u, v in zip(x.tolist(), values.tolist(), strict=True)]
    pen.line((*place(x[0], 0), *place(x[-1], 0)), SOFT, FINER)
    pen.line(curve, ORANGE, 4 * FINER, joint="curve")
    return picture.resize(size, Image.Resampling.LANCZOS)
