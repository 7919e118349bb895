"""Tensors as the engine sees them: NumPy views, channels first or last."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from multiconv import ShapeDtype, _arrays
from multiconv._typing import Array

FORMATS = {False: "channels_first", True: "channels_last"}
_PLAIN = (torch.float32, torch.float64)
"""What most tensors are of, and NumPy takes as it is."""


def is_last(tensor: Tensor) -> bool:
    """Whether the channels lie innermost, as in torch's ``channels_last`` formats, in any rank.

    Strides tell it where there is one channel or one sample.
    """
    return (
        tensor.stride(1) == 1
        and tensor.stride(-1) == tensor.shape[1]
        and tensor.movedim(1, -1).is_contiguous()
    )


def data(tensor: Tensor, last: bool) -> Array:
    """``(N, C, *spatial)`` as the engine's data format has it, without a copy."""
    array = _array(tensor, "input")
    return array.transpose(0, *range(2, array.ndim), 1) if last else array


def contiguous(tensor: Tensor, last: bool) -> Array:
    """As `data`, without gaps; torch copies with all threads."""
    return _array((tensor.movedim(1, -1) if last else tensor).contiguous(), "input")


def kernel(tensor: Tensor, last: bool, ndim: int = 0) -> Array:
    """``(O, I, *size)``, or its view ``(*size, I, O)``; of one tap up to so many axes."""
    array = _array(tensor, "weight")
    array = array.reshape(*array.shape, *[1] * (ndim - array.ndim))
    return array.transpose(*range(2, array.ndim), 1, 0) if last else array


def vector(tensor: Tensor | None) -> Array | None:
    """One number for each channel."""
    return None if tensor is None else _array(tensor, "bias")


def _array(tensor: Tensor, name: str) -> Array:
    tensor = tensor.detach()
    if tensor.dtype in _PLAIN and tensor.device.type == "cpu" and not tensor.is_neg():
        array: Array = tensor.numpy()
        return array
    return _arrays.to_numpy(tensor, name)


def shape(sizes: tuple[int, ...], last: bool) -> tuple[int, ...]:
    """``(N, C, *spatial)`` in the engine's order."""
    return (sizes[0], *sizes[2:], sizes[1]) if last else sizes


def outline(tensor: Tensor, last: bool) -> ShapeDtype:
    """Shape and dtype of `data`."""
    return ShapeDtype(shape(tuple(tensor.shape), last), dtype_name(tensor))


def dtype_name(tensor: Tensor) -> str:
    """As NumPy has it."""
    return str(tensor.dtype).removeprefix("torch.")


def result(array: Array, like: Tensor, last: bool) -> Tensor:
    """Data as a tensor, contiguous in its format.

    NumPy turns the axes: autograd lets no operator write into what is a view of torch's own, as
    activations in place do.
    """
    array = np.ascontiguousarray(array)
    if last:
        array = array.transpose(0, -1, *range(1, array.ndim - 1))
    if like.dtype in _PLAIN and like.device.type == "cpu":
        return torch.from_numpy(array)
    restore: Any = _arrays.restorer(like)
    tensor: Tensor = restore(array)
    return tensor


def new_empty(like: Tensor, sizes: tuple[int, ...], last: bool) -> Tensor:
    """What `result` gives, its contents aside."""
    if not last:
        return like.new_empty(sizes)
    strides = like.new_empty(shape(sizes, last)).movedim(-1, 1).stride()
    return like.new_empty_strided(sizes, strides)
