"""The image: any picture under any kernel, live, and every number of it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from multiconv._rounding import stored
from multiconv._typing import Array
from multiconv.studio._room import Message, Room, at_once

from . import _image_code, _image_facts, _image_kernels, _image_pictures, _image_pixel
from ._image_question import BOUNDARIES, read, seconds

room = Room("image")


@room.action(at_once)
def offers(question: Message) -> Message:
    """Pictures, kernels with the ranges of their sliders, and boundaries."""
    presets = {
        name: {"sliders": preset.sliders, "signed": preset.signed}
        for name, preset in _image_kernels.PRESETS.items()
    }
    pictures = [*_image_pictures.PHOTOS, *_image_pictures.DRAWN]
    return Message({"pictures": pictures, "presets": presets, "boundaries": BOUNDARIES})


@room.action(at_once)
def picture(question: Message) -> Message:
    """The samples of a picture by its name."""
    return Message(arrays={"pixels": _image_pictures.picture(question.values["picture"]).pixels})


@room.action(seconds)
def result(question: Message) -> Message:
    """The picture under the kernel: bytes as a photograph, or numbers of both signs."""
    asked = read(question)
    start = time.perf_counter()
    sums = asked.engine(asked.x, asked.taps, **asked.options)
    values: dict[str, Any] = {"seconds": time.perf_counter() - start}
    values["low"], values["high"] = float(sums.min()), float(sums.max())
    if asked.view == "signed":
        values["full"] = _image_facts.full_colour(sums)
        return Message(values, {"result": sums, "kernel": asked.kernel})
    values["clipped"] = int(np.count_nonzero((sums < -0.5) | (sums > 255.5)))
    levels = _channels_last(stored(sums, np.dtype(np.uint8)))
    return Message(values, {"result": levels, "kernel": asked.kernel})


@room.action(at_once)
def pixel(question: Message) -> Message:
    """A result and what it is summed from; or a sample of the picture and where it goes."""
    asked = read(question)
    place = _image_pixel.place(question, asked)
    side = question.values["side"]
    if side not in ("in", "out"):
        raise ValueError(f"side: {side!r} is not allowed, give 'in' or 'out'")
    return (_image_pixel.summed if side == "out" else _image_pixel.spread)(asked, *place)


@room.action(at_once)
def facts(question: Message) -> Message:
    """Frequency response, separability, sum and cost of the kernel."""
    return _image_facts.facts(read(question))


@room.action(at_once)
def borders(question: Message) -> Message:
    """The picture continued beyond its border in every way."""
    return _image_facts.borders(read(question))


@room.action(at_once)
def code(question: Message) -> Message:
    """The picture on screen as a program for each library."""
    return Message(_image_code.programs(read(question), question))


def _channels_last(planes: Array) -> Array:
    return np.moveaxis(planes, 0, -1) if planes.ndim == 3 else planes
