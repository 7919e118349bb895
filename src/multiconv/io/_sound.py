"""Sounds, through libsndfile."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from ._data import Data, FileError
from ._limits import Limits

BLOCK = 2**18
INTEGER_BITS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
LARGEST_WAV = 2**32 - 2**12
"""Bytes of sound that a WAV file has room for, whose sizes have 32 bits."""
SUBTYPES = {"WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
            "FLAC": ("PCM_S8", "PCM_16", "PCM_24")}  # fmt: skip


def read(path: str, limits: Limits, member: str | None) -> Data:
    """All samples as float64 of shape (samples, channels)."""
    if _container(path) == "WAV":
        _check_wav(path)
    with soundfile.SoundFile(path) as file:
        limits.check_bytes(8 * file.frames * file.channels)
        array = np.concatenate([np.empty((0, file.channels)), *_blocks(path, file, BLOCK)])
        return _data(array, file)


def outline(path: str) -> Data:
    """What the header says; the samples are zeros that take no memory."""
    if _container(path) == "WAV":
        _check_wav(path)
    with soundfile.SoundFile(path) as file:
        return _data(np.broadcast_to(np.float64(0), (file.frames, file.channels)), file)


def blocks(path: str, size: int) -> Iterator[NDArray[np.float64]]:
    """The samples in order, so many at a time."""
    with soundfile.SoundFile(path) as file:
        yield from _blocks(path, file, size)


def _blocks(path: str, file: soundfile.SoundFile, size: int) -> Iterator[NDArray[np.float64]]:
    count = 0
    for block in file.blocks(size, dtype="float64", always_2d=True):
        count += len(block)
        yield block
    if count != file.frames:
        raise FileError(f"{path}: its header says {file.frames} samples, the file has only {count}")


def _data(array: NDArray[np.float64], file: soundfile.SoundFile) -> Data:
    return Data(array, "sound", channel_axis=-1, rate=file.samplerate, subtype=file.subtype)


def _check_wav(path: str) -> None:
    """Refuse a header that says more than the file has; libsndfile would take what is there."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        if file.read(4) != b"RIFF":
            return
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            present = size - file.tell()
            if name == b"data" and length > present:
                raise FileError(
                    f"{path}: its header says {length} bytes of sound, the file has only {present}"
                )
            file.seek(length + length % 2, os.SEEK_CUR)


def check(path: str, data: Data) -> None:
    """Refuse what is no sound, or has too many channels."""
    name = _container(path)
    if data.kind != "sound" or data.rate is None:
        raise FileError(f"{path}: {name} files hold sounds, not {data.kind}s; write .npy instead")
    most = 8 if name == "FLAC" else 1024
    if not 1 <= data.channels <= most:
        raise FileError(f"{path}: {name} files hold 1 to {most} channels, not {data.channels}")
    if name == "WAV" and (size := data.array.size * _width(path, data)) > LARGEST_WAV:
        raise FileError(f"{path}: {size} bytes of sound are too many for WAV files; write .flac")


def _width(path: str, data: Data) -> int:
    """Bytes that a sample takes in a WAV file."""
    subtype = subtype_for(path, data.subtype)
    return INTEGER_BITS.get(subtype, 32 if subtype == "FLOAT" else 64) // 8


def write(file: BinaryIO, path: str, data: Data) -> None:
    """Write with the subtype asked for, else the container's nearest."""
    name, subtype = _container(path), subtype_for(path, data.subtype)
    samples = _stored(path, data.array, subtype)
    # libsndfile swallows errors of files that are Python objects, so it writes to memory.
    memory = io.BytesIO()
    soundfile.write(memory, samples, data.rate, format=name, subtype=subtype)
    file.write(memory.getbuffer())


@contextlib.contextmanager
def writing(file: BinaryIO, path: str, like: Data) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Yield what writes the next samples of a sound ``like`` this one."""
    name, subtype = _container(path), subtype_for(path, like.subtype)
    options = {"closefd": False, "format": name, "subtype": subtype}
    count = 0
    with soundfile.SoundFile(file.fileno(), "w", like.rate, like.channels, **options) as sound:

        def write_next(samples: NDArray[Any]) -> None:
            nonlocal count
            sound.write(_stored(path, samples, subtype))
            count += len(samples)

        yield write_next
    file.seek(0)
    with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
        if sound.frames != count:
            raise OSError(f"only {sound.frames} of {count} samples were written")


def subtype_for(path: str, subtype: str | None) -> str:
    """``subtype`` if the container of ``path`` has it, else the nearest that it has."""
    allowed = SUBTYPES[_container(path)]
    if subtype in allowed:
        return subtype
    if subtype in ("PCM_S8", "PCM_U8"):
        return allowed[0]
    return "PCM_16" if subtype is None else "PCM_24"


def _stored(path: str, samples: NDArray[Any], subtype: str) -> NDArray[Any]:
    """Samples as libsndfile is to get them."""
    bits = INTEGER_BITS.get(subtype)
    return samples if bits is None else _quantised(path, samples, bits)


def _quantised(path: str, samples: NDArray[np.float64], bits: int) -> NDArray[np.int32]:
    """Nearest integers, left-aligned in 32 bits: libsndfile's own scaling would be off by one."""
    if not np.isfinite(samples).all():
        raise FileError(f"{path}: NaN and infinity cannot be stored in {bits}-bit samples")
    full = 2 ** (bits - 1)
    steps = np.clip(np.rint(samples * full), -full, full - 1).astype(np.int64)
    return np.asarray(steps << (32 - bits), np.int32)


def _container(path: str) -> str:
    return "FLAC" if path.lower().endswith(".flac") else "WAV"
