"""What every question of the room holds: a picture, a kernel, and how they meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import multiconv as mc
from multiconv._typing import Array
from multiconv.studio._room import Message

from . import _image_kernels, _image_pictures
from ._image_pictures import Picture

OPERATIONS = {"convolve": mc.convolve, "correlate": mc.correlate}
BOUNDARIES = ("constant", "edge", "symmetric", "reflect", "wrap")
VIEWS = ("photo", "grey", "signed")
"""A photograph as it is, its grey, and numbers of both signs."""


@dataclass(frozen=True)
class Question:
    """One convolution of a picture."""

    picture: Picture
    kernel: Array
    operation: str
    boundary: str
    view: str

    @cached_property
    def x(self) -> Array:
        """(height, width), or (channels, height, width) of colours."""
        coloured = self.view == "photo" and self.picture.pixels.ndim == 3
        return self.picture.planes if coloured else self.picture.grey

    @property
    def options(self) -> dict[str, Any]:
        """What the engine is told besides the arrays."""
        return {"mode": "same", "boundary": self.boundary}

    @property
    def engine(self) -> Callable[..., Any]:
        """The engine's function."""
        return OPERATIONS[self.operation]

    @property
    def taps(self) -> Array:
        """The kernel in the precision that live pictures are computed in."""
        return self.kernel.astype(np.float32)

    @property
    def weights(self) -> Array:
        """The kernel as it lies on the picture: convolution flips it."""
        return self.kernel[::-1, ::-1] if self.operation == "convolve" else self.kernel

    @property
    def reach(self) -> tuple[int, int]:
        """How many pixels beyond its centre the kernel touches, down and across."""
        rows, columns = self.kernel.shape
        return rows // 2, columns // 2


def read(question: Message) -> Question:
    """A question, checked.

    Raises
    ------
    ValueError
        If a value is none of those allowed.
    """
    values = question.values
    for name, allowed in (("operation", OPERATIONS), ("boundary", BOUNDARIES), ("view", VIEWS)):
        if values[name] not in allowed:
            raise ValueError(
                f"{name}: {values[name]!r} is not allowed, give one of {', '.join(allowed)}"
            )
    kernel = _image_kernels.asked(question)
    key = str(values["picture"])
    if "pixels" in question.arrays:
        picture = _image_pictures.keep(key, question.arrays["pixels"])
    else:
        picture = _image_pictures.picture(key)
    return Question(picture, kernel, values["operation"], values["boundary"], values["view"])


def seconds(question: Message) -> float:
    """Predicted time of the answer."""
    asked = read(question)
    x, kernel = (mc.ShapeDtype(a.shape, a.dtype) for a in (asked.x, asked.taps))
    return mc.plan(asked.engine, x, kernel, **asked.options).seconds
