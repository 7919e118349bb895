"""torch's layers on this engine: the same constructors, parameters and state dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import multiconv
from multiconv.torch import _arguments as arguments
from multiconv.torch import _conv as forward
from multiconv.torch import _conv_transpose as transposed
from multiconv.torch import _native as native
from multiconv.torch import _operators as operators
from multiconv.torch._packed import Packed
from multiconv.torch._plain import is_plain


class _Layer(nn.Module):
    """Keeps its kernel prepared between calls in ``eval`` mode."""

    _function: Callable[..., Any]
    _packed: Packed | None = None

    def _run_packed(
        self, input: Tensor, weight: Tensor, bias: Tensor | None, options: dict[str, Any]
    ) -> Tensor:
        packed = self._packed
        if packed is None:
            packed = self._packed = Packed(self._function)
        with arguments.refusals():
            return arguments.batched(packed, input, weight, bias, **options)

    def _may_pack(self, *tensors: Tensor | None) -> bool:
        return (
            not self.training
            and is_plain(*tensors)
            and not any(t is not None and native.is_needed(t) for t in tensors)
            and not torch.is_autocast_enabled("cpu")
        )


class _Conv(_Layer):
    _function = staticmethod(multiconv.conv)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        x, weight, bias = arguments.checked(input, weight, bias, len(self.kernel_size))
        with arguments.refusals():
            numbers = forward.layer(
                weight, self.stride, self.padding, self.dilation, self.groups, self.padding_mode
            )
        if self._may_pack(x, weight, bias):
            options = operators.conv_options(*numbers)
            return self._run_packed(x, weight, bias, options)
        return forward.computed(x, weight, bias, *numbers)


class _ConvTranspose(_Layer):
    _function = staticmethod(multiconv.conv_transpose)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        rank = len(self.kernel_size)
        x, weight, bias = arguments.checked(input, self.weight, self.bias, rank)
        output_padding = self._output_padding(
            x, output_size, self.stride, self.padding, self.kernel_size, rank, self.dilation
        )
        with arguments.refusals():
            numbers = transposed.layer(
                rank, self.stride, self.padding, output_padding, self.dilation, self.groups
            )
        if self._may_pack(x, weight, bias):
            options = operators.conv_transpose_options(*numbers)
            return self._run_packed(x, weight, bias, options)
        return transposed.computed(x, weight, bias, *numbers)


class Conv1d(_Conv, nn.Conv1d):
    """`torch.nn.Conv1d` on this engine.

    The constructor, the parameters' names and initial values and so state dicts are torch's. In
    ``eval`` mode, where no gradient is recorded, the kernel is prepared once and again when it
    changes.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> layer = multiconv.torch.Conv1d(2, 4, kernel_size=3, padding="same")
    >>> layer(torch.ones(1, 2, 5)).shape
    torch.Size([1, 4, 5])
    """


class Conv2d(_Conv, nn.Conv2d):
    """`torch.nn.Conv2d` on this engine; see `Conv1d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> layer = multiconv.torch.Conv2d(3, 6, 3, stride=1, padding=1)
    >>> layer(torch.ones(1, 3, 4, 5)).shape
    torch.Size([1, 6, 4, 5])
    """


class Conv3d(_Conv, nn.Conv3d):
    """`torch.nn.Conv3d` on this engine; see `Conv1d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> layer = multiconv.torch.Conv3d(1, 2, (1, 2, 3))
    >>> layer(torch.ones(1, 1, 4, 5, 6)).shape
    torch.Size([1, 2, 4, 4, 4])
    """


class ConvTranspose1d(_ConvTranspose, nn.ConvTranspose1d):
    """`torch.nn.ConvTranspose1d` on this engine; see `Conv1d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> layer = multiconv.torch.ConvTranspose1d(2, 4, kernel_size=2, stride=2)
    >>> layer(torch.ones(1, 2, 5)).shape
    torch.Size([1, 4, 10])
    """


class ConvTranspose2d(_ConvTranspose, nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d` on this engine; see `Conv1d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> layer = multiconv.torch.ConvTranspose2d(3, 6, 3, stride=2, padding=1)
    >>> layer(torch.ones(1, 3, 4, 5), output_size=(8, 10)).shape
    torch.Size([1, 6, 8, 10])
    """


class ConvTranspose3d(_ConvTranspose, nn.ConvTranspose3d):
    """`torch.nn.ConvTranspose3d` on this engine; see `Conv1d`.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> layer = multiconv.torch.ConvTranspose3d(1, 2, 2, stride=2)
    >>> layer(torch.ones(1, 1, 2, 3, 4)).shape
    torch.Size([1, 2, 4, 6, 8])
    """
