"""The sound: heard through rooms, springs, telephones, and through what is drawn."""

from __future__ import annotations

import math
import time

import numpy as np

import multiconv as mc
from multiconv._typing import Array
from multiconv.studio._room import Message, Room, at_once

from ._sound_code import PROGRAMS
from ._sound_pictures import shades, spectrogram, wave
from ._sound_responses import DRAWN, Place, response, start
from ._sound_sources import RATE, source

room = Room("sound")

LONGEST = 30  # seconds
FINEST = np.float32(2**23)
PICTURES = 0.15  # seconds that they take


def _price(question: Message) -> float:
    """The convolution's own time, and what making and drawing take."""
    sound = _given(question)
    place, name = Place.of(question.values), question.values["response"]
    seconds = DRAWN if name == "spikes" else place.decay
    taps = mc.ShapeDtype((2, int(RATE * seconds) + 1), np.float64)
    return mc.plan(mc.convolve, _like(sound), taps, axes=-1).seconds + PICTURES


@room.action(_price)
def hear(question: Message) -> Message:
    """A sound, an impulse response, what comes of them, and their pictures."""
    sound = _sound(question)
    values = question.values
    taps = response(values["response"], Place.of(values), values["mix"])
    began = time.perf_counter()
    # In double precision: what falls by 60 dB has taps that a transform in single would lose.
    plan = mc.plan(mc.convolve, _like(sound), taps.astype(np.float64), axes=-1)
    result = plan(sound.astype(np.float64)).astype(np.float32)
    seconds = time.perf_counter() - began
    count = {"samples": sound.shape[1], "taps": taps.shape[1]}
    told = {"rate": RATE, "seconds": seconds, "algorithm": plan.algorithm, **count,
            "products": result.shape[0] * math.prod(count.values()),
            "gain": _matching(sound, result)}  # fmt: skip
    named = {"sound": sound, "response": taps, "result": result}
    levels = {f"{name} peak": float(np.abs(a).max()) for name, a in named.items()}
    behind = np.delete(taps, start(values["response"], taps), 1)
    levels["response behind"] = float(np.abs(behind).max())
    clipped = {"clipped": int((np.abs(result) > 1).sum())}
    return Message(told | levels | clipped, named | _pictures(named))


@room.action(at_once)
def code(question: Message) -> Message:
    """The same in several libraries."""
    return Message(dict(PROGRAMS))


def _given(question: Message) -> Array:
    """What was recorded or opened, (channels, samples); else a sound by its name."""
    if "sound" not in question.arrays:
        return source(question.values["source"])
    sound = question.arrays["sound"]
    if sound.ndim != 2 or sound.dtype != np.float32 or sound.shape[0] not in (1, 2):
        raise ValueError(
            f"sound: {sound.dtype} of shape {sound.shape} was given, float32 of one or two "
            "channels is allowed"
        )
    if not 0 < sound.shape[1] <= LONGEST * RATE:
        raise ValueError(
            f"sound: {sound.shape[1] / RATE:.1f} s were given, up to {LONGEST} s are allowed"
        )
    return sound


def _sound(question: Message) -> Array:
    """The sound in steps of 24 bits: nobody hears less, and no transform loses it."""
    sound = _given(question)
    if not np.isfinite(sound).all():
        raise ValueError("sound: it holds samples that are no numbers")
    steps: Array = np.rint(sound * FINEST) / FINEST
    return steps


def _like(array: Array) -> mc.ShapeDtype:
    return mc.ShapeDtype(array.shape, np.float64)


def _matching(sound: Array, result: Array) -> float:
    """What gives the result the sound's energy."""
    before, after = (float(np.mean(np.sum(a.astype(float) ** 2, 1))) for a in (sound, result))
    return math.sqrt(before / after) if after else 1.0


def _pictures(named: dict[str, Array]) -> dict[str, Array]:
    """Of all three on one time axis; the two sounds' shades on one scale."""
    total = named["result"].shape[1]
    waves = {name: wave(a, total) for name, a in named.items()}
    levels = {name: spectrogram(a, total) for name, a in named.items()}
    both = shades(np.stack([levels["sound"], levels["result"]]))
    shown = {"sound": both[0], "result": both[1], "response": shades(levels["response"])}
    return (
        {f"{name} low": w.low for name, w in waves.items()}
        | {f"{name} high": w.high for name, w in waves.items()}
        | {f"{name} shades": picture for name, picture in shown.items()}
    )
