"""The lags of a correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from multiconv import _geometry as geometry
from multiconv.kernels._arguments import integer


def lags(n: int, m: int, mode: str = "full") -> NDArray[np.int64]:
    """How far the kernel is shifted in each value of ``correlate(x, h, mode)``.

    Parameters
    ----------
    n, m : int
        Samples of ``x`` and of ``h``.
    mode : {"full", "same", "valid"}, optional
        As given to `correlate`.

    Returns
    -------
    ndarray of int64
        A positive lag: ``x`` holds later what ``h`` holds.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Notes
    -----
    As `scipy.signal.correlation_lags`, but for the mode ``"same"`` with an odd ``n`` and an even
    ``m``, where that is one more than the lags of `scipy.signal.correlate`; and for the mode
    ``"valid"`` with an ``m`` above ``n``, which `correlate` refuses.

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> h = np.array([1, 4, 2])
    >>> x = np.array([0, 0, 0, 1, 4, 2, 0])
    >>> mc.lags(7, 3)[np.argmax(mc.correlate(x, h, "full"))]
    np.int64(3)
    """
    n, m = integer("n", n, low=1), integer("m", m, low=1)
    (word,) = geometry.per_axis_word(mode, 1, "mode", geometry.MODES)
    low, high = geometry.mode_padding(word, m)
    count = geometry.output_length(n, m, 1, low, high)
    if count < 1:
        raise ValueError(f"m: {m} is more than n = {n}, which mode='valid' does not allow")
    return np.arange(count) - low
