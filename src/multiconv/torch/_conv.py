"""Layers as functions of tensors, with torch.nn.functional's arguments."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from multiconv import _geometry as geometry
from multiconv.torch import _arguments as arguments
from multiconv.torch import _native as native
from multiconv.torch import _operators as operators


def conv(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Any = 1,
    padding: Any = 0, dilation: Any = 1, groups: int = 1, padding_mode: str = "zeros",
) -> Tensor:  # fmt: skip
    """A layer of any rank, differentiable.

    Parameters
    ----------
    input : Tensor
        ``(N, C, *spatial)`` or ``(C, *spatial)``, of any dtype of numbers. Where the channels lie
        innermost in memory, as in ``torch.channels_last``, it is used as it is, and the result is
        laid out likewise.
    weight : Tensor
        ``(O, C / groups, *size)``.
    bias : Tensor, optional
        ``(O,)``.
    stride, dilation : int or tuple of int, optional
        Per spatial axis.
    padding : int, tuple of int, tuple of (low, high) pairs, "valid" or "same", optional
        As for `multiconv.conv`: ``"same"`` goes with any stride.
    groups : int, optional
        Channels are split into this many groups that do not see each other.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}, optional
        How the input goes on outside.

    Returns
    -------
    Tensor
        ``(N, O, *spatial)``. Tensors that are not in the CPU's memory are left to torch's own
        operator.

    Raises
    ------
    RuntimeError
        For what torch refuses; the message names the argument.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> x = torch.arange(10.0).reshape(1, 2, 5)
    >>> multiconv.torch.conv(x, torch.ones(1, 2, 2), padding=((1, 0),)).tolist()
    [[[5.0, 12.0, 16.0, 20.0, 24.0]]]
    """
    x, weight, bias = arguments.checked(input, weight, bias)
    rank = weight.ndim - 2
    with arguments.refusals():
        stride = geometry.per_axis(stride, rank, "stride", 1)
        dilation = geometry.per_axis(dilation, rank, "dilation", 1)
        ends = arguments.ends(padding, x.shape[-rank:], weight.shape[2:], stride, dilation)
        groups = arguments.count(groups)
    return computed(x, weight, bias, stride, ends, dilation, padding_mode, groups)


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv1d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, length)`` or ``(C, length)``.
    weight : Tensor
        ``(O, C / groups, taps)``.
    bias, stride, padding, dilation, groups
        As torch has them.

    Returns
    -------
    Tensor
        ``(N, O, length)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> x, w = torch.tensor([[[1.0, 2.0, 4.0]]]), torch.tensor([[[1.0, -1.0]]])
    >>> multiconv.torch.conv1d(x, w).tolist()
    [[[-1.0, -2.0]]]
    """
    return _as_torch(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv2d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, height, width)`` or ``(C, height, width)``.
    weight : Tensor
        ``(O, C / groups, *size)``.
    bias, stride, padding, dilation, groups
        As torch has them.

    Returns
    -------
    Tensor
        ``(N, O, height, width)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> multiconv.torch.conv2d(torch.ones(1, 2, 4, 5), torch.ones(3, 2, 3, 3), padding=1).shape
    torch.Size([1, 3, 4, 5])
    """
    return _as_torch(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv3d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, depth, height, width)`` or ``(C, depth, height, width)``.
    weight : Tensor
        ``(O, C / groups, *size)``.
    bias, stride, padding, dilation, groups
        As torch has them.

    Returns
    -------
    Tensor
        ``(N, O, depth, height, width)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> x, w = torch.ones(1, 2, 4, 5, 6), torch.ones(3, 2, 3, 3, 3)
    >>> multiconv.torch.conv3d(x, w, stride=2).shape
    torch.Size([1, 3, 1, 2, 2])
    """
    return _as_torch(3, input, weight, bias, stride, padding, dilation, groups)


def layer(
    weight: Tensor, stride: Any, padding: Any, dilation: Any, groups: int,
    padding_mode: str = "zeros",
) -> tuple[Any, ...]:  # fmt: skip
    """The numbers of a layer as operators take them, from what torch's layers are given."""
    rank = weight.ndim - 2
    stride = geometry.per_axis(stride, rank, "stride", 1)
    dilation = geometry.per_axis(dilation, rank, "dilation", 1)
    ends = arguments.even_ends(padding, weight.shape[2:], stride, dilation)
    return stride, ends, dilation, padding_mode, arguments.count(groups)


def computed(input: Tensor, weight: Tensor, bias: Tensor | None, *layer: Any) -> Tensor:
    """What a layer gives, its numbers being as operators take them."""
    if native.is_needed(input):
        return native.conv(input, weight, bias, *layer)
    return arguments.computed(operators.conv, input, weight, bias, *layer)


def _as_torch(
    rank: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    x, weight, bias = arguments.checked(input, weight, bias, rank)
    with arguments.refusals():
        numbers = layer(weight, stride, padding, dilation, groups)
    return computed(x, weight, bias, *numbers)
