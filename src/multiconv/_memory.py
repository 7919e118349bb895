"""Memory for large results, on which that of earlier ones is used again."""

from __future__ import annotations

from typing import Any

from multiconv import _core
from multiconv._typing import Array


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """A new C-contiguous array of unspecified contents."""
    return _core.empty(shape, dtype)


def keep_memory(size: int) -> None:
    """Set how much memory of results that are gone is kept for later ones.

    Results from 128 KB on use it. To find and clear fresh memory takes the system longer than many
    a convolution. What is kept in large pieces is marked as free, so that the system can have it
    when it is short of memory.

    Parameters
    ----------
    size : int
        Bytes; a 16th of the memory limit, from 256 MiB to 2 GiB, unless set; 0 keeps nothing. What
        is kept now is given up.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.keep_memory(0)
    >>> mc.keep_memory(256 * 2**20)
    """
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"size: {size!r} is not allowed, give a number of bytes from 0 on")
    _core.keep_memory(min(size, 2**62))
