"""Speech from espeak-ng, through its library."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache

import numpy as np
from numpy.typing import NDArray

ACCENTS = ("en", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-029")
SPEAKERS = (
    "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Henrique", "Jacky",
    "Lee", "Mario", "Michael", "Nguyen", "Reed", "anika", "antonio", "aunty", "belinda", "boris",
    "david", "edward", "f1", "f2", "f3", "f4", "f5", "grandma", "gustave", "john", "kaukovalta",
    "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "max", "miguel", "norbert",
    "paul", "quincy", "robert", "steph",
)  # fmt: skip
"""espeak-ng's variants that sound human and differ from each other."""
RETRIEVAL, RATE, PITCH, CHARACTERS, UTF8 = 2, 1, 3, 1, 1
Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class NoSpeechError(Exception):
    """espeak-ng is not here."""


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The library, ready, and its samples per second."""
    try:
        import espeakng_loader

        path, voices = espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()
    except ImportError:
        path, voices = ctypes.util.find_library("espeak-ng"), None
    if path is None:
        raise NoSpeechError(
            "the voices come from espeak-ng, which is not installed: pip install espeakng-loader, "
            "or apt install espeak-ng"
        )
    library = ctypes.CDLL(path)
    rate = library.espeak_Initialize(RETRIEVAL, 0, voices, 0)
    if rate <= 0:
        raise NoSpeechError(f"espeak-ng at {path} finds no voices (error {rate})")
    return library, rate


def rate() -> int:
    """Samples per second."""
    return _library()[1]


def say(words: str, accent: str, speaker: str, speed: int, pitch: int) -> NDArray[np.float32]:
    """Speak at so many words a minute; the pitch is from 0 to 99."""
    library, _ = _library()
    name = f"{accent}+{speaker}"
    if library.espeak_SetVoiceByName(name.encode()) != 0:
        raise NoSpeechError(f"this espeak-ng has no voice {name}")
    library.espeak_SetParameter(RATE, speed, 0)
    library.espeak_SetParameter(PITCH, pitch, 0)
    parts: list[NDArray[np.int16]] = []

    @Callback
    def keep(samples: ctypes._Pointer[ctypes.c_short], count: int, _: int) -> int:
        if count > 0:
            parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_SetSynthCallback(keep)
    text = words.encode()
    library.espeak_Synth(text, len(text) + 1, 0, CHARACTERS, 0, UTF8, None, None)
    return np.concatenate(parts).astype(np.float32) / 32768
