"""The Wiener filter: least squares with a smoothness penalty, preferably in one step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from multiconv._typing import Array
from multiconv.deconvolution._blur import Blur
from multiconv.deconvolution._conjugate_gradients import conjugate_gradients
from multiconv.deconvolution._progress import rms
from multiconv.deconvolution._spectrum import filtered, power, transfer


def wiener(
    blur: Blur, y: Array, balance: float, penalty: Blur
) -> Iterator[tuple[Array, float]]:  # fmt: skip
    """The minimum of ``|y - x * h|^2 + balance |x * penalty|^2``.

    Periodic data have it in closed form. For others that form preconditions conjugate gradients,
    which have only the edges to mend.
    """
    size = blur.shape[-blur.h.ndim :]
    response, smoothness = transfer(blur.h, size), power(transfer(penalty.h, size))
    gain = power(response) + balance * smoothness
    inverse = np.divide(1, gain, out=np.zeros_like(gain), where=gain > 0)
    if not blur.circular:
        floor = np.finfo(gain.dtype).eps * gain.max()
        inverse = 1 / np.maximum(gain, floor)
        yield from conjugate_gradients(blur, y, balance, penalty, lambda s: filtered(s, inverse))
        return
    x = filtered(y, np.conj(response) * inverse)
    yield x, rms(y - blur.forward(x))


def laplacian(rank: int, dtype: np.dtype) -> Array:
    """Twice the rank in the middle, -1 at each neighbour."""
    kernel = np.zeros((3,) * rank, dtype)
    centre = (1,) * rank
    kernel[centre] = 2 * rank
    for axis in range(rank):
        for side in (0, 2):
            kernel[(*centre[:axis], side, *centre[axis + 1 :])] = -1
    return kernel
