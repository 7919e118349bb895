"""Impulse responses made by code: what a clap at one place sounds like at another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import multiconv as mc
from multiconv._typing import Array

from ._sound_sources import RATE, band, falling

SPEED = 343.0  # of sound, in metres a second
DECAYS, SIZES = (0.1, 8.0), (2.0, 80.0)  # seconds, metres
DRAWN = 2.0  # seconds in which spikes may lie
MOST_SPIKES, MOST_CROWD = 64, 4000


@dataclass(frozen=True)
class Place:
    """What decides an impulse response.

    Parameters
    ----------
    decay : float
        Seconds in which it falls by 60 dB.
    size : float
        Length of the room, or distance of the wall, in metres.
    spikes : tuple of (float, float)
        Milliseconds and heights, for the drawn one.
    crowd : int
        How many random spikes there are besides.
    """

    decay: float
    size: float
    spikes: tuple[tuple[float, float], ...]
    crowd: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> Place:
        """What a question asks for."""
        decay = _between("decay", values["decay"], *DECAYS)
        size = _between("size", values["size"], *SIZES)
        crowd = int(_between("crowd", values["crowd"], 0, MOST_CROWD))
        spikes = values["spikes"]
        pair = all(isinstance(s, list | tuple) and len(s) == 2 for s in spikes)
        if len(spikes) > MOST_SPIKES or not pair:
            raise ValueError(f"spikes: give at most {MOST_SPIKES} pairs of milliseconds and height")
        pairs = [
            (_between("spikes", t, 0, 1000 * DRAWN - 1), _between("spikes", height, -1, 1))
            for t, height in spikes
        ]
        return cls(decay, size, tuple(pairs), crowd)


def _between(name: str, value: Any, low: float, high: float) -> float:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name}: {value!r} is not allowed, give {low:g} to {high:g}")
    return float(value)


def _room(place: Place) -> Array:
    """Reflections from the walls of a box, and behind them the diffuse tail."""
    tail = _tail(place)
    mean_path = place.size * 0.4  # of a box as long, four fifths as wide, two fifths as high
    begins = int(RATE * mean_path / SPEED)
    tail[:, :begins] *= np.linspace(0, 1, begins) ** 2
    early = _reflections(place, tail.shape[1])
    return _unit(_unit(early) + 1.5 * _unit(tail))


def _tail(place: Place) -> Array:
    """Noise that falls, high frequencies faster than low ones, for air and walls swallow them."""
    rng = np.random.default_rng(11)
    noise = rng.standard_normal((2, int(place.decay * RATE)))
    shares = ((40, 500, 1.0), (500, 3000, 0.85), (3000, 14000, 0.45))
    bands = [
        mc.convolve(noise, band(low, high, 511), "same")
        * falling(noise.shape[1], place.decay * part)
        for low, high, part in shares
    ]
    result: Array = np.sum(bands, 0)
    return result


def _reflections(place: Place, samples: int, most: int = 3) -> Array:
    """Image sources: each wall is a mirror (J. B. Allen, 1979)."""
    box = np.array([place.size, 0.8 * place.size, 0.4 * place.size])
    speaker, ears = 0.3 * box, [0.71 * box + (0, side, 0) for side in (-0.1, 0.1)]
    loss = 10 ** (-3 * box.mean() / (SPEED * place.decay))  # at each wall
    early = np.zeros((2, samples))
    for order in product(range(-most, most + 1), repeat=3):
        n = np.array(order)
        image = n * box + np.where(n % 2, box - speaker, speaker)
        for channel, ear in enumerate(ears):
            path = np.linalg.norm(image - ear)
            at = round(RATE * (path - np.linalg.norm(speaker - ear)) / SPEED)
            if any(order) and at < samples:
                early[channel, at] += loss ** np.abs(n).sum() / path
    return early


def _spring(place: Place) -> Array:
    """Each echo runs once more along the coil, where high notes travel slower: a chirp."""
    samples = int(place.decay * RATE)
    f = np.fft.rfftfreq(2 * samples, 1 / RATE)
    fastest = 0.033 + place.size / 2000  # seconds along the coil, of the lowest notes
    passes = (f > 60) / (1 + (f / 4200) ** 8)
    phase = 2 * np.pi * fastest * (f + f**3 / (3 * 3800.0**2))
    ways = np.array([[1.0], [1.07]])  # the two channels hang at springs of their own
    once = -(10 ** (-3 * fastest / place.decay)) * passes * np.exp(-1j * ways * phase)
    # All echoes are a geometric series.
    response: Array = np.fft.irfft(once / (1 - once))[:, :samples]
    return _unit(response)


def _telephone(place: Place) -> Array:
    """What a telephone line lets pass."""
    return np.stack(2 * [band(300, 3400)])


def _echo(place: Place) -> Array:
    """A wall far away, and one behind: there and back, again and again."""
    samples, step = int(place.decay * RATE), round(RATE * 2 * place.size / SPEED)
    response = np.zeros((2, samples + step))
    at = np.arange(step, samples + step, step)
    response[:, at] = falling(samples + step, place.decay)[at]
    return response


def _reverse(place: Place) -> Array:
    """A room's tail, last things first."""
    return _unit(_tail(place)[:, ::-1].copy())


def _spikes(place: Place) -> Array:
    """What was drawn, and the crowd: so many spikes that nobody tells them apart."""
    response = np.zeros((2, int(DRAWN * RATE)))
    for milliseconds, height in place.spikes:
        response[:, round(milliseconds * RATE / 1000)] += height
    if place.crowd:
        _add_crowd(response, place)
    return response


def _add_crowd(response: Array, place: Place) -> None:
    rng = np.random.default_rng(12)
    places = (rng.random((2, MOST_CROWD)) ** 2 * response.shape[1]).astype(int)
    signs = rng.choice((-1.0, 1.0), places.shape)
    heights = 0.6 / np.sqrt(max(1, place.crowd / 8)) * signs
    fall = falling(response.shape[1], place.decay)
    for channel, at in enumerate(places[:, : place.crowd]):
        np.add.at(response[channel], at, heights[channel, : place.crowd] * fall[at])


def _unit(response: Array) -> Array:
    """Of energy 1 a channel: noise is as loud behind it as before."""
    energy = np.sqrt(np.mean(np.sum(response**2, 1)))
    result: Array = response / (energy or 1)
    return result


RESPONSES: dict[str, Callable[[Place], Array]] = {
    "small": _room,
    "hall": _room,
    "cathedral": _room,
    "spring": _spring,
    "telephone": _telephone,
    "echo": _echo,
    "reverse": _reverse,
    "spikes": _spikes,
}


def response(name: str, place: Place, mix: float) -> Array:
    """An impulse response of shape (2, taps), float32; the sound itself is a spike at its start.

    What is drawn is taken as it is, whatever `mix`.
    """
    if name not in RESPONSES:
        raise ValueError(f"response: {name!r} is not allowed, give one of {', '.join(RESPONSES)}")
    mix = _between("mix", mix, 0, 1)
    taps = RESPONSES[name](place)
    if name != "spikes":
        taps = mix * taps
        taps[:, start(name, taps)] += 1 - mix
    return taps.astype(np.float32)


def start(name: str, taps: Array) -> int:
    """Where the sound itself lies: amid a symmetric filter, and after what leads up to it."""
    last = taps.shape[1] - 1
    return {"telephone": last // 2, "reverse": last}.get(name, 0)
