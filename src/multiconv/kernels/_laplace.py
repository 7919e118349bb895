"""The discrete Laplacian."""

from __future__ import annotations

import numpy as np

from ._arguments import dimensions
from ._registry import Kernel, kernel


@kernel
def laplace(*, diagonals: bool = False, ndim: int = 2) -> Kernel:
    """Sum of second differences: how far a sample lies below its neighbours.

    Parameters
    ----------
    diagonals : bool, default False
        Whether diagonal neighbours count too.
    ndim : int, default 2
        Number of dimensions.

    Returns
    -------
    ndarray of float64, shape (3,) * ndim
        Integer-valued, negative at the middle, sums to zero.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.laplace()
    array([[ 0.,  1.,  0.],
           [ 1., -4.,  1.],
           [ 0.,  1.,  0.]])
    """
    steps = np.indices((3,) * dimensions(ndim), sparse=True)
    distance = np.asarray(sum(abs(i - 1) for i in steps))
    taps = (distance >= 1 if diagonals else distance == 1).astype(float)
    taps[distance == 0] = -taps.sum()
    return taps
