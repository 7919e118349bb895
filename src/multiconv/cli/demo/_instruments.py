"""A tune on plucked strings, and a room to play it in; synthesised, the same every time."""

from __future__ import annotations

import numpy as np

from ._step import Array

RATE = 44_100
NOTES = (  # start in seconds, frequency in hertz: a broken chord of C major seven
    (0.0, 130.81), (0.0, 196.00), (0.25, 261.63), (0.5, 329.63), (0.75, 392.00), (1.0, 493.88),
    (1.25, 659.26), (1.5, 493.88), (1.75, 392.00), (2.0, 523.25), (2.0, 261.63), (2.0, 164.81),
)  # fmt: skip
SECONDS, REVERBERATION = 4.0, 1.6
REFLECTIONS = ((0.011, 0.55), (0.019, 0.42), (0.027, 0.36), (0.037, 0.28), (0.053, 0.22))


def tune() -> Array:
    """Mono samples of shape (n, 1), peak at 0.7."""
    sound = np.zeros(round(SECONDS * RATE))
    for start, frequency in NOTES:
        first = round(start * RATE)
        sound[first:] += _string(frequency, len(sound) - first)
    fade = np.minimum(1, np.arange(len(sound))[::-1] / (0.1 * RATE))
    sound *= fade
    return np.asarray(0.7 / np.abs(sound).max() * sound)[:, None]


def room() -> Array:
    """Impulse response of a hall, stereo samples of shape (n, 2).

    The sound itself, a few early reflections, and noise that dies away by 60 dB in
    ``REVERBERATION`` seconds, its treble sooner.
    """
    random = np.random.default_rng(8)
    t = np.arange(round(REVERBERATION * RATE)) / RATE
    noise = random.standard_normal((2, len(t)))
    dull = np.cumsum(noise, axis=1)
    dull = (dull[:, 24:] - dull[:, :-24]) / 24**0.5
    dull = np.pad(dull, ((0, 0), (24, 0)))
    decay = np.log(1000) / REVERBERATION
    tail = noise * np.exp(-3 * decay * t) + dull * np.exp(-decay * t)
    response = 0.02 * tail * np.minimum(1, t / 0.06)
    response[:, 0] = 1
    for delay, height in REFLECTIONS:
        for ear, lag in enumerate(random.uniform(0, 0.004, 2)):
            response[ear, round((delay + lag) * RATE)] += height
    return np.ascontiguousarray(response.T)


def _string(frequency: float, samples: int, harmonics: int = 18) -> Array:
    """An ideal string, plucked at a fifth of its length, whose high partials die sooner."""
    t = np.arange(samples) / RATE
    k = np.arange(1, harmonics + 1)
    k = k[k * frequency < 0.4 * RATE]
    heights = np.sin(np.pi * k / 5) / k**2
    dying = 1.1 + 0.10 * k**1.5
    partials = (h * np.exp(-d * t) * np.sin(2 * np.pi * frequency * n * t)
                for h, d, n in zip(heights, dying, k, strict=True))  # fmt: skip
    return np.asarray(sum(partials)) * np.minimum(1, t / 0.003)
