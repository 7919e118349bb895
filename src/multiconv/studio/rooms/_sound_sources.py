"""Sounds made by code: each is the same, sample for sample, whenever it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

import multiconv as mc
from multiconv._typing import Array

RATE = 48_000  # samples a second
PEAK = 0.5


def band(low: float, high: float, taps: int = 1023) -> Array:
    """A kernel that passes what lies between two frequencies, in Hz: sinc under a Hann window."""
    t = np.arange(taps) - taps // 2
    sinc = [2 * f / RATE * np.sinc(2 * f * t / RATE) for f in (low, high)]
    kernel: Array = (sinc[1] - sinc[0]) * np.hanning(taps)
    return kernel


def falling(samples: int, seconds: float) -> Array:
    """What falls by 60 dB in so many seconds."""
    level: Array = 10.0 ** (-3 * np.arange(samples) / (RATE * seconds))
    return level


def _clap() -> Array:
    """Hands do not meet all at once: a few bursts of noise, the last one lasting."""
    rng = np.random.default_rng(1)
    sound = np.zeros(int(0.8 * RATE))
    for start, last, level in ((0.02, 0.02, 0.7), (0.031, 0.02, 0.8), (0.044, 0.25, 1.0)):
        burst = rng.standard_normal(int(0.25 * RATE)) * falling(int(0.25 * RATE), last)
        _add(sound, start, level * burst)
    return mc.convolve(sound, band(700, 4500), "same")


def _string() -> Array:
    """Plucked: noise goes round a loop that softens it (Karplus and Strong, 1983)."""
    rng = np.random.default_rng(2)
    sound = np.zeros(int(3.2 * RATE))
    pitches = (164.81, 246.94, 329.63, 392.0, 493.88, 659.26)
    for i, pitch in enumerate(pitches):
        _add(sound, 0.04 + 0.24 * i, _pluck(pitch, rng, int(1.8 * RATE)))
    return sound


def _pluck(pitch: float, rng: np.random.Generator, samples: int) -> Array:
    period = round(RATE / pitch)
    turn = mc.convolve(rng.uniform(-1, 1, period), np.full(4, 0.25), "same")
    turn -= turn.mean()
    turns = []
    for _ in range(-(-samples // period)):
        turns.append(turn)
        turn = 0.4985 * (turn + np.roll(turn, 1))
    return np.concatenate(turns)[:samples] * np.minimum(1, np.arange(samples, 0, -1) / 4800)


def _drums() -> Array:
    """Two bars of bass drum, snare and hi-hat."""
    rng = np.random.default_rng(3)
    eighth = 60 / 108 / 2
    sound = np.zeros(int(16 * eighth * RATE))
    hits = {_kick: (0, 5, 8, 11, 13), _snare: (2, 6, 10, 14), _hat: range(16)}
    for drum, eighths in hits.items():
        for place in eighths:
            _add(sound, place * eighth, drum(rng))
    return sound


def _kick(rng: np.random.Generator) -> Array:
    t = np.arange(int(0.3 * RATE)) / RATE
    return np.sin(2 * np.pi * (48 * t + 4.2 * (1 - np.exp(-30 * t)))) * falling(t.size, 0.35)


def _snare(rng: np.random.Generator) -> Array:
    t = np.arange(int(0.25 * RATE)) / RATE
    noise = mc.convolve(rng.standard_normal(t.size), band(900, 9000, 255), "same")
    return (0.8 * noise + 0.4 * np.sin(2 * np.pi * 190 * t)) * falling(t.size, 0.2)


def _hat(rng: np.random.Generator) -> Array:
    samples = int(0.08 * RATE)
    noise = mc.convolve(rng.standard_normal(samples), band(7000, 15000, 255), "same")
    return 0.35 * noise * falling(samples, 0.07)


FORMANTS = (
    (800, 1150, 2900),
    (400, 1700, 2600),
    (300, 2300, 3000),
    (430, 820, 2700),
    (330, 650, 2500),
)
"""In Hz, of the vowels a, e, i, o and u."""


def _voice() -> Array:
    """Vowels: the pulses of the vocal folds through the resonances of the mouth (Fant, 1960)."""
    each, overlap = int(0.62 * RATE), int(0.1 * RATE)
    sound = np.zeros(len(FORMANTS) * (each - overlap) + overlap)
    pulses = _pulses(sound.size)
    fade = np.ones(each)
    fade[:overlap] = np.sin(np.linspace(0, np.pi / 2, overlap)) ** 2
    fade *= fade[::-1]
    for i, formants in enumerate(FORMANTS):
        start = i * (each - overlap)
        vowel = mc.convolve(pulses[start : start + each], _mouth(formants))[:each]
        sound[start : start + each] += vowel * fade
    return sound


def _pulses(samples: int) -> Array:
    t = np.arange(samples) / RATE
    pitch = 118 + 14 * np.sin(2 * np.pi * 0.5 * t) + 1.5 * np.sin(2 * np.pi * 5 * t)
    turns = np.floor(np.cumsum(pitch) / RATE)
    return np.diff(turns, prepend=0)


def _mouth(formants: tuple[float, ...]) -> Array:
    t = np.arange(int(0.05 * RATE)) / RATE
    waves = [
        level * np.exp(-np.pi * width * t) * np.sin(2 * np.pi * f * t)
        for f, width, level in zip(formants, (80, 100, 140), (1, 0.6, 0.25), strict=True)
    ]
    return np.sum(waves, 0)


def _add(sound: Array, seconds: float, part: Array) -> None:
    start = int(seconds * RATE)
    part = part[: sound.size - start]
    sound[start : start + part.size] += part


SOURCES: dict[str, Callable[[], Array]] = {
    "clap": _clap, "string": _string, "drums": _drums, "voice": _voice,
}  # fmt: skip


@cache
def source(name: str) -> Array:
    """A sound by its name, of shape (1, samples), float32."""
    if name not in SOURCES:
        raise ValueError(f"source: {name!r} is not allowed, give one of {', '.join(SOURCES)}")
    sound = SOURCES[name]()
    sound *= PEAK / np.abs(sound).max()
    result: Array = sound[None].astype(np.float32)
    result.flags.writeable = False
    return result
