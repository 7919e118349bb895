"""Pooling as functions of tensors, with torch.nn.functional's arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as native

from multiconv import _geometry as geometry
from multiconv.torch import _arguments as arguments
from multiconv.torch import _native as foreign
from multiconv.torch import _pooling_operators as operators

_NATIVE_MAX = {1: native.max_pool1d, 2: native.max_pool2d, 3: native.max_pool3d}
_NATIVE_AVG = {1: native.avg_pool1d, 2: native.avg_pool2d, 3: native.avg_pool3d}


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """`torch.nn.functional.max_pool1d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, length)`` or ``(C, length)``.
    kernel_size, stride, padding, dilation, ceil_mode
        As torch has them.
    return_indices : bool, optional
        Give the places of the largest elements too; torch's own operator then does all of it.

    Returns
    -------
    Tensor or tuple of Tensor
        ``(N, C, length)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> multiconv.torch.max_pool1d(torch.tensor([[[3.0, 1, 4, 1, 5, 9]]]), 2).tolist()
    [[[3.0, 4.0, 9.0]]]
    """
    return _max(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """`torch.nn.functional.max_pool2d` on this engine; see `max_pool1d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> multiconv.torch.max_pool2d(torch.arange(12.0).reshape(1, 1, 3, 4), (3, 2)).tolist()
    [[[[9.0, 11.0]]]]
    """
    return _max(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """`torch.nn.functional.max_pool3d` on this engine; see `max_pool1d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> multiconv.torch.max_pool3d(torch.ones(1, 2, 4, 6, 9), (2, 3, 4)).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _max(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.avg_pool1d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, length)`` or ``(C, length)``.
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As torch has them.

    Returns
    -------
    Tensor
        ``(N, C, length)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> multiconv.torch.avg_pool1d(torch.tensor([[[3.0, 1, 4, 2, 5, 9]]]), 2).tolist()
    [[[2.0, 3.0, 7.0]]]
    """
    return _avg(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.avg_pool2d` on this engine; see `avg_pool1d`.

    With ``divisor_override`` torch's own operator computes it.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> multiconv.torch.avg_pool2d(torch.arange(12.0).reshape(1, 1, 3, 4), (3, 2)).tolist()
    [[[[4.5, 6.5]]]]
    """
    return _avg(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                divisor_override)  # fmt: skip


def avg_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.avg_pool3d` on this engine; see `avg_pool2d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> multiconv.torch.avg_pool3d(torch.ones(1, 2, 4, 6, 9), (2, 3, 4)).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _avg(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                divisor_override)  # fmt: skip


def _max(rank: int, input: Tensor, *options: Any) -> Any:
    *windows, return_indices = options
    if return_indices or not _is_ours(input):
        return _NATIVE_MAX[rank](input, *options)
    size, stride, padding, dilation, ceil_mode = windows
    numbers = _windows(rank, input, size, stride, padding)
    with arguments.refusals():
        dilation = geometry.per_axis(dilation, rank, "dilation", 1)
    return _run(operators.max_pool, input, rank, *numbers, dilation, ceil_mode)


def _avg(rank: int, input: Tensor, *options: Any) -> Tensor:
    size, stride, padding, ceil_mode, count_include_pad, *override = options
    if any(o is not None for o in override) or not _is_ours(input):
        return _NATIVE_AVG[rank](input, *options)
    numbers = _windows(rank, input, size, stride, padding)
    return _run(operators.avg_pool, input, rank, *numbers, ceil_mode, count_include_pad)


def _is_ours(input: Tensor) -> bool:
    arguments.expect_tensor(input, "input")
    known = input.is_floating_point() and not foreign.is_needed(input)
    return known and input.numel() > 0


def _windows(rank: int, input: Tensor, size: Any, stride: Any, padding: Any) -> tuple[Any, ...]:
    arguments.expect(
        input.ndim in (rank + 1, rank + 2),
        f"input: has {input.ndim} dimensions, this pooling takes {rank + 2}, or {rank + 1} "
        "without a batch",
    )
    with arguments.refusals():
        size = geometry.per_axis(size, rank, "kernel_size", 1)
        stride = size if stride in (None, (), []) else stride
        return (
            size,
            geometry.per_axis(stride, rank, "stride", 1),
            geometry.per_axis(padding, rank, "padding", 0),
        )


def _run(operator: Callable[..., Tensor], input: Tensor, rank: int, *windows: Any) -> Tensor:
    wide = rank == 3 and arguments.is_autocast("cpu") and input.dtype != torch.float64
    x = input.float() if wide else input  # as torch casts what it pools in space
    with arguments.refusals():
        if x.ndim == rank + 2:
            return operator(x, *windows)
        return operator(x.unsqueeze(0), *windows).squeeze(0)
