"""How many threads the engine uses."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterator

from multiconv import _core


def set_num_threads(n: int) -> None:
    """Use ``n`` threads, the caller's included, for all later calls.

    Results are the same bits for any number.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    ValueError
        If ``n`` is below 1 or above 1024.

    Examples
    --------
    >>> import multiconv as mc
    >>> before = mc.get_num_threads()
    >>> mc.set_num_threads(1)
    >>> mc.get_num_threads()
    1
    >>> mc.set_num_threads(before)
    """
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"n: {n!r} is no integer, give a number from 1 to 1024") from None
    if not 1 <= count <= 1024:
        raise ValueError(f"n: {count} threads are not allowed, give a number from 1 to 1024")
    _core.set_num_threads(count)


def get_num_threads() -> int:
    """The number of threads in use, the caller's included.

    Until it is set: MULTICONV_NUM_THREADS, else the CPUs that affinity and the container's quota
    allow this process.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


@contextlib.contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Use ``n`` threads inside a ``with`` block.

    The setting is the process's, not the thread's.

    Examples
    --------
    >>> import multiconv as mc
    >>> with mc.num_threads(1):
    ...     mc.get_num_threads()
    1
    """
    before = get_num_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)
