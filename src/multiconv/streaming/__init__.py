"""Convolution of endless signals, block by block."""

from ._stream import Stream

__all__ = ["Stream"]
