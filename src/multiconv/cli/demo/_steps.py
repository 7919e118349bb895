"""The parts of the demonstration, in order."""

from __future__ import annotations

from . import _integral, _photo, _sheet, _sound, _tutorial, _volume
from ._step import Step

STEPS = (
    Step("series", _tutorial.series),
    Step("integral", _integral.integral),
    Step("2-D layer", _tutorial.layer_2d),
    Step("3-D layer", _tutorial.layer_3d),
    Step("photograph", _photo.photo, _photo.FILES),
    Step("sound", _sound.sound, _sound.FILES),
    Step("volume", _volume.volume, _volume.FILES),
    Step("contact sheet", _sheet.sheet, _sheet.FILES),
)
FILES = tuple(name for step in STEPS for name in step.files)
