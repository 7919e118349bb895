"""XLA's foreign function interface, in as much as a handler of dense arrays needs it.

The structures are those of ``xla/ffi/api/c_api.h``, which `jax.ffi.include_dir` holds. A handler is
a function of Python behind a C function pointer: it takes the interpreter's lock, finds the arrays'
addresses and hands them on, so nothing is copied and nothing compiled.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, Structure, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from typing import Any

import jax

Function = Callable[..., None]
"""Takes the text of the attribute, the addresses of the arguments and that of the result."""

MAJOR = 0
"""Of the interface's version; XLA raises it when structures change."""
_METADATA, _EXECUTE = 1, 3
_RESOURCE_EXHAUSTED, _INTERNAL = 8, 13


class _Sized(Structure):
    _fields_ = [("struct_size", c_size_t), ("extension", c_void_p)]


class _Extension(Structure):
    _fields_ = [("struct_size", c_size_t), ("type", c_int), ("next", c_void_p)]


class _Version(_Sized):
    _fields_ = [("major", c_int), ("minor", c_int)]


class _Metadata(Structure):
    _fields_ = [("struct_size", c_size_t), ("version", _Version), ("traits", c_uint32)]


class _MetadataExtension(Structure):
    _fields_ = [("base", _Extension), ("metadata", POINTER(_Metadata))]


class _Buffer(_Sized):
    _fields_ = [("dtype", c_int), ("data", c_void_p), ("rank", c_int64), ("dims", c_void_p)]


class _Buffers(_Sized):
    _fields_ = [
        ("size", c_int64),
        ("types", c_void_p),
        ("items", POINTER(POINTER(_Buffer))),
    ]


class _Text(Structure):
    _fields_ = [("start", c_void_p), ("length", c_size_t)]


class _Attributes(_Sized):
    _fields_ = [
        ("size", c_int64),
        ("types", c_void_p),
        ("names", c_void_p),
        ("items", POINTER(POINTER(_Text))),
    ]


class _Failure(_Sized):
    _fields_ = [("message", c_char_p), ("code", c_int)]


class _Api(_Sized):
    _fields_ = [
        ("version", _Version),
        ("internal", c_void_p),
        ("error", ctypes.CFUNCTYPE(c_void_p, c_void_p)),
    ]


class _Frame(_Sized):
    _fields_ = [
        ("api", POINTER(_Api)),
        ("context", c_void_p),
        ("stage", c_int),
        ("arguments", _Buffers),
        ("results", _Buffers),
        ("attributes", _Attributes),
    ]


_Handler = ctypes.CFUNCTYPE(c_void_p, POINTER(_Frame))
_handlers: list[Any] = []
"""Those that were registered: XLA keeps no reference."""


def register(name: str, function: Function) -> None:
    """Make a function known to XLA on the CPU; it is called from any thread.

    The calls have one attribute, a text. What the function raises becomes XLA's error.
    """

    def handle(pointer: Any) -> int | None:
        frame = pointer.contents
        try:
            if _asks(frame):
                _answer(frame)
            elif frame.stage == _EXECUTE:
                function(_text(frame), *_addresses(frame.arguments), *_addresses(frame.results))
        except BaseException as error:  # none may pass through XLA's frames
            return _failure(frame, error)
        return None

    handler = _Handler(handle)
    _handlers.append(handler)
    capsule: Any = jax.ffi.pycapsule
    address = ctypes.cast(handler, c_void_p).value
    jax.ffi.register_ffi_target(name, capsule(address), platform="cpu")


def _asks(frame: Any) -> bool:
    """Whether XLA wants no result, but to know the handler's version."""
    extension = frame.extension and ctypes.cast(frame.extension, POINTER(_Extension)).contents
    return bool(extension) and extension.type == _METADATA


def _answer(frame: Any) -> None:
    """Tell XLA which interface this is: its own, where structures are as they are here."""
    version = frame.api.contents.version
    known = (
        version.major == MAJOR
        and frame.struct_size >= ctypes.sizeof(_Frame)
        and frame.arguments.struct_size == ctypes.sizeof(_Buffers)
        and frame.results.struct_size == ctypes.sizeof(_Buffers)
        and frame.attributes.struct_size == ctypes.sizeof(_Attributes)
    )
    if not known:
        raise RuntimeError(
            f"multiconv.jax knows version {MAJOR} of XLA's foreign function interface, this jaxlib "
            f"has version {version.major}.{version.minor} with other structures"
        )
    extension = ctypes.cast(frame.extension, POINTER(_MetadataExtension)).contents
    metadata = extension.metadata.contents
    metadata.version.major, metadata.version.minor = version.major, version.minor
    metadata.traits = 0


def _text(frame: Any) -> bytes:
    text = frame.attributes.items[0].contents
    return ctypes.string_at(text.start, text.length)


def _addresses(buffers: Any) -> list[int]:
    return [buffers.items[i].contents.data for i in range(buffers.size)]


def _failure(frame: Any, error: BaseException) -> int | None:
    code = _RESOURCE_EXHAUSTED if isinstance(error, MemoryError) else _INTERNAL
    message = f"{type(error).__name__}: {error}".encode()
    failure = _Failure(ctypes.sizeof(_Failure), None, message, code)
    made: int | None = frame.api.contents.error(ctypes.addressof(failure))
    return made
