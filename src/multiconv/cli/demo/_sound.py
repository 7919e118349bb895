"""A sound played in a room: convolution with the room's impulse response."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import multiconv as mc
from multiconv import io

from . import _references
from ._instruments import RATE, room, tune
from ._step import Array, Scene, StepResult, largest_difference, measured

FILES = "sound-dry.wav", "sound-room.wav", "sound-in-the-room.wav"


def sound(scene: Scene) -> Iterator[StepResult]:
    """The tune, the room, and the tune in the room, each written as WAV."""
    dry, response = tune(), room()
    wet, algorithm, seconds = measured(mc.convolve, dry, response, axes=0)
    reference, library = _references.reverberated(dry, response)
    difference = largest_difference(wet, reference)
    for file, samples in zip(FILES, (dry, response, wet), strict=True):
        peak = max(1.0, np.abs(samples).max() / 0.9)
        _write(scene, file, samples / peak)
    scene.shown["dry"], scene.shown["wet"] = dry.mean(axis=1), wet.mean(axis=1)
    yield StepResult("sound in a room", algorithm, seconds, difference, library)


def _write(scene: Scene, file: str, samples: Array) -> None:
    io.write(scene.folder / file, io.Data(samples, "sound", -1, rate=RATE, subtype="PCM_16"))
