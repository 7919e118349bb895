"""Messages as bytes: the length of a JSON header, the header, then each array at a multiple of 8.

A stream is one such envelope after the other.
"""

from __future__ import annotations

import json
import math
import struct

import numpy as np

from ._room import Message

DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
"""What JavaScript has typed arrays for."""

MAX_HEADER = 1 << 20
_LENGTH = struct.Struct("<II")  # of the header, of the arrays
_ALIGNED = 8


def encode(message: Message) -> bytes:
    """A message as bytes."""
    arrays = {name: np.ascontiguousarray(a) for name, a in message.arrays.items()}
    listed = [{"name": n, "dtype": a.dtype.name, "shape": a.shape} for n, a in arrays.items()]
    header = json.dumps({"values": message.values, "arrays": listed}, allow_nan=False).encode()
    header += b" " * (-len(header) % _ALIGNED)
    body = b"".join(a.tobytes() + bytes(-a.nbytes % _ALIGNED) for a in arrays.values())
    return _LENGTH.pack(len(header), len(body)) + header + body


def decode(data: bytes) -> Message:
    """Bytes as a message.

    Raises
    ------
    ValueError
        If they are no message, or their lengths contradict each other.
    """
    if len(data) < _LENGTH.size:
        raise ValueError("message: it is cut short")
    length, rest = _LENGTH.unpack_from(data)
    start = _LENGTH.size + length
    if length > MAX_HEADER or len(data) != start + rest:
        raise ValueError("message: its length is not the one it states")
    try:
        header = json.loads(data[_LENGTH.size : start])
        values, listed = dict(header["values"]), list(header["arrays"])
        specs = [(str(a["name"]), str(a["dtype"]), tuple(map(int, a["shape"]))) for a in listed]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("message: its header is not understood") from None
    arrays = {}
    for name, dtype, shape in specs:
        if dtype not in DTYPES or any(n < 0 for n in shape):
            raise ValueError(f"message: {name} is no array of {', '.join(DTYPES)}")
        count = math.prod(shape)
        size = count * np.dtype(dtype).itemsize
        if start + size > len(data):
            raise ValueError(f"message: {name} is cut short")
        arrays[name] = np.frombuffer(data, dtype, count, start).reshape(shape)
        start += size + -size % _ALIGNED
    return Message(values, arrays)
