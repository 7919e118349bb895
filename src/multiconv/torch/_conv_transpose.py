"""Transposed layers as functions of tensors, with torch.nn.functional's arguments."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from multiconv import _geometry as geometry
from multiconv.torch import _arguments as arguments
from multiconv.torch import _native as native
from multiconv.torch import _operators as operators


def conv_transpose(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Any = 1,
    padding: Any = 0, output_padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """A transposed layer of any rank, differentiable.

    Parameters
    ----------
    input : Tensor
        ``(N, C, *spatial)`` or ``(C, *spatial)``.
    weight : Tensor
        ``(C, O / groups, *size)``.
    bias : Tensor, optional
        ``(O,)``.
    stride, dilation : int or tuple of int, optional
        Per spatial axis.
    padding : int, tuple of int or tuple of (low, high) pairs, optional
        What is cut off the ends of the result; where negative, what is added.
    output_padding : int or tuple of int, optional
        Added at the high ends, smaller than the stride or the dilation.
    groups : int, optional
        As for `conv`.

    Returns
    -------
    Tensor
        ``(N, O, *spatial)``, laid out in memory as the input is.

    Raises
    ------
    RuntimeError
        For what torch refuses; the message names the argument.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> x = torch.tensor([[[1.0, 2.0]]])
    >>> multiconv.torch.conv_transpose(x, torch.ones(1, 1, 3), stride=2).tolist()
    [[[1.0, 1.0, 3.0, 2.0, 2.0]]]
    """
    x, weight, bias = arguments.checked(input, weight, bias)
    rank = weight.ndim - 2
    with arguments.refusals():
        ends = [n for pair in geometry.per_axis_pairs(padding, rank, "padding") for n in pair]
        numbers = _numbers(rank, stride, ends, output_padding, dilation, groups)
    return computed(x, weight, bias, *numbers)


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv_transpose1d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, length)`` or ``(C, length)``.
    weight : Tensor
        ``(C, O / groups, taps)``.
    bias, stride, padding, output_padding, groups, dilation
        As torch has them.

    Returns
    -------
    Tensor
        ``(N, O, length)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> x, w = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, -1.0]]])
    >>> multiconv.torch.conv_transpose1d(x, w, stride=2).tolist()
    [[[1.0, -1.0, 2.0, -2.0]]]
    """
    return _as_torch(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv_transpose2d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, height, width)`` or ``(C, height, width)``.
    weight : Tensor
        ``(C, O / groups, *size)``.
    bias, stride, padding, output_padding, groups, dilation
        As torch has them.

    Returns
    -------
    Tensor
        ``(N, O, height, width)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> x, w = torch.ones(1, 2, 4, 5), torch.ones(2, 3, 2, 2)
    >>> multiconv.torch.conv_transpose2d(x, w, stride=2).shape
    torch.Size([1, 3, 8, 10])
    """
    return _as_torch(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv_transpose3d` on this engine.

    Parameters
    ----------
    input : Tensor
        ``(N, C, depth, height, width)`` or ``(C, depth, height, width)``.
    weight : Tensor
        ``(C, O / groups, *size)``.
    bias, stride, padding, output_padding, groups, dilation
        As torch has them.

    Returns
    -------
    Tensor
        ``(N, O, depth, height, width)``.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> x, w = torch.ones(1, 2, 3, 4, 5), torch.ones(2, 3, 2, 2, 2)
    >>> multiconv.torch.conv_transpose3d(x, w, stride=2).shape
    torch.Size([1, 3, 6, 8, 10])
    """
    return _as_torch(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def computed(input: Tensor, weight: Tensor, bias: Tensor | None, *layer: Any) -> Tensor:
    """What a transposed layer gives, its numbers being as operators take them."""
    if native.is_needed(input):
        return native.conv_transpose(input, weight, bias, *layer)
    return arguments.computed(operators.conv_transpose, input, weight, bias, *layer)


def layer(
    rank: int, stride: Any, padding: Any, output_padding: Any, dilation: Any, groups: int
) -> tuple[Any, ...]:
    """The numbers of a layer as operators take them, from what torch's layers are given."""
    ends = [n for n in geometry.per_axis(padding, rank, "padding", 0) for _ in range(2)]
    return _numbers(rank, stride, ends, output_padding, dilation, groups)


def _numbers(
    rank: int, stride: Any, ends: list[int], output_padding: Any, dilation: Any, groups: int
) -> tuple[Any, ...]:
    return (
        geometry.per_axis(stride, rank, "stride", 1),
        ends,
        geometry.per_axis(output_padding, rank, "output_padding", 0),
        geometry.per_axis(dilation, rank, "dilation", 1),
        arguments.count(groups),
    )


def _as_torch(
    rank: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any,
    output_padding: Any, groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    x, weight, bias = arguments.checked(input, weight, bias, rank)
    with arguments.refusals():
        numbers = layer(rank, stride, padding, output_padding, dilation, groups)
    return computed(x, weight, bias, *numbers)
