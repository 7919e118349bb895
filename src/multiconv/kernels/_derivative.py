"""Three-tap derivatives, smoothed across."""

from __future__ import annotations

import functools

import numpy as np

from ._arguments import dimensions, one_axis
from ._registry import Kernel, kernel


@kernel
def sobel(axis: int = -1, *, normalize: bool = False, ndim: int = 2) -> Kernel:
    """Slope along one axis, smoothed by 1, 2, 1 across it.

    Parameters
    ----------
    axis : int, default -1
        The axis of the derivative: -1 finds vertical edges in an image, 0 horizontal ones.
    normalize : bool, default False
        Whether to scale so that a ramp that rises by one a sample gives one, not 8 (in 2-D).
    ndim : int, default 2
        Number of dimensions.

    Returns
    -------
    ndarray of float64, shape (3,) * ndim
        Integer-valued unless normalised. Positive where the signal rises with the index.

    References
    ----------
    I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing",
    Stanford Artificial Intelligence Project (1968).

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.sobel()
    array([[ 1.,  0., -1.],
           [ 2.,  0., -2.],
           [ 1.,  0., -1.]])
    """
    return _derivative((1, 2, 1), axis, normalize, ndim)


@kernel
def prewitt(axis: int = -1, *, normalize: bool = False, ndim: int = 2) -> Kernel:
    """Slope along one axis, smoothed by 1, 1, 1 across it.

    Parameters
    ----------
    axis : int, default -1
        The axis of the derivative: -1 finds vertical edges in an image, 0 horizontal ones.
    normalize : bool, default False
        Whether to scale so that a ramp that rises by one a sample gives one, not 6 (in 2-D).
    ndim : int, default 2
        Number of dimensions.

    Returns
    -------
    ndarray of float64, shape (3,) * ndim
        Integer-valued unless normalised. Positive where the signal rises with the index.

    References
    ----------
    J. M. S. Prewitt, "Object enhancement and extraction", in Picture Processing and
    Psychopictorics (1970).

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.prewitt(axis=0)
    array([[ 1.,  1.,  1.],
           [ 0.,  0.,  0.],
           [-1., -1., -1.]])
    """
    return _derivative((1, 1, 1), axis, normalize, ndim)


@kernel
def scharr(axis: int = -1, *, normalize: bool = False, ndim: int = 2) -> Kernel:
    """Slope along one axis, smoothed by 3, 10, 3 across it: the most even for all directions.

    Parameters
    ----------
    axis : int, default -1
        The axis of the derivative: -1 finds vertical edges in an image, 0 horizontal ones.
    normalize : bool, default False
        Whether to scale so that a ramp that rises by one a sample gives one, not 32 (in 2-D).
    ndim : int, default 2
        Number of dimensions.

    Returns
    -------
    ndarray of float64, shape (3,) * ndim
        Integer-valued unless normalised. Positive where the signal rises with the index.

    References
    ----------
    H. Scharr, "Optimal operators in digital image processing", thesis, Heidelberg (2000).

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.scharr()
    array([[  3.,   0.,  -3.],
           [ 10.,   0., -10.],
           [  3.,   0.,  -3.]])
    """
    return _derivative((3, 10, 3), axis, normalize, ndim)


def _derivative(smooth: tuple[int, ...], axis: int, normalize: bool, ndim: int) -> Kernel:
    ndim = dimensions(ndim)
    axis = one_axis(axis, ndim)
    across = np.array(smooth) / (sum(smooth) if normalize else 1)
    # Convolution flips: the tap at index 0 meets the sample that follows.
    along = np.array([1, 0, -1]) / (2 if normalize else 1)
    factors = [along if i == axis else across for i in range(ndim)]
    return np.asarray(functools.reduce(np.multiply.outer, factors) + 0.0)  # never -0.0
