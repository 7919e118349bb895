"""One pixel: what a result is summed from, and where a sample of the picture goes."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.kernels._arguments import integer
from multiconv.studio._room import Message

from ._image_question import Question


def summed(asked: Question, plane: Array, y: int, x: int) -> Message:
    """The window under the kernel, its products and their sum, for the result at (y, x)."""
    rows, columns = _window(asked, plane, y, x)
    inside = (rows >= 0)[:, None] & (columns >= 0)
    window = np.where(inside, plane[np.ix_(rows, columns)], 0).astype(np.float64)
    total = asked.engine(window, asked.kernel, mode="valid").item()
    near = _near(asked, plane, y, x)
    return Message(
        {"total": total, "value": int(plane[y, x])},
        {"window": window, "weights": asked.weights, "products": window * asked.weights,
         "inside": near.astype(np.uint8)},
    )  # fmt: skip


def spread(asked: Question, plane: Array, y: int, x: int) -> Message:
    """What the sample at (y, x) adds to the results around it, whose places are a window too.

    Near the border the sample is also used in place of others that lie beyond it.
    """
    value = float(plane[y, x])
    (down, across), alone = asked.reach, np.zeros(plane.shape)
    alone[y, x] = value
    near = _near(asked, plane, y, x)
    added = np.pad(asked.engine(alone, asked.kernel, **asked.options), ((down,) * 2, (across,) * 2))
    window = added[y : y + 2 * down + 1, x : x + 2 * across + 1]
    return Message(
        {"total": float(window.sum()), "value": int(value)},
        {"window": np.full(near.shape, value), "weights": asked.weights[::-1, ::-1],
         "products": window, "inside": near.astype(np.uint8)},
    )  # fmt: skip


def place(question: Message, asked: Question) -> tuple[Array, int, int]:
    """The plane and the place that a question is about.

    Raises
    ------
    ValueError
        If the place lies outside the picture.
    """
    planes = asked.x if asked.x.ndim == 3 else asked.x[None]
    channels, height, width = planes.shape
    values = question.values
    channel = integer("channel", values["channel"], low=0, high=2)
    y = integer("y", values["y"], low=0, high=height - 1)
    x = integer("x", values["x"], low=0, high=width - 1)
    return planes[min(channel, channels - 1)], y, x


def _window(asked: Question, plane: Array, y: int, x: int) -> tuple[Array, Array]:
    """Rows and columns of the picture that the kernel reads; -1 where it reads a zero."""
    mode: Any = asked.boundary
    words: Any = {"constant_values": -1} if mode == "constant" else {}
    (height, width), (down, across) = plane.shape, asked.reach
    rows = np.pad(np.arange(height), down, mode, **words)
    columns = np.pad(np.arange(width), across, mode, **words)
    return rows[y : y + 2 * down + 1], columns[x : x + 2 * across + 1]


def _near(asked: Question, plane: Array, y: int, x: int) -> Array:
    """Which places around (y, x) lie in the picture."""
    rows, columns = (
        np.arange(at - reach, at + reach + 1) for at, reach in zip((y, x), asked.reach, strict=True)
    )
    height, width = plane.shape
    return ((rows >= 0) & (rows < height))[:, None] & (columns >= 0) & (columns < width)
