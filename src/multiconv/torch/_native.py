"""torch's own operators, for tensors that the engine does not run on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

_MODES = {"zeros": "constant"}
"""What the modes of a layer's padding are called where torch pads; the others keep their names."""

_NUMBERS = {
    torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64,
    torch.complex128, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
}  # fmt: skip


def is_needed(input: Tensor) -> bool:
    """Whether a tensor lies elsewhere, or is stored as the engine does not know."""
    return (
        input.device.type != "cpu"
        or input.layout is not torch.strided
        or input.dtype not in _NUMBERS
    )


def conv(
    x: Tensor, w: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], padding_mode: str, groups: int,
) -> Tensor:  # fmt: skip
    """A layer; ``padding`` is low and high of each axis in turn."""
    lows, highs = padding[::2], padding[1::2]
    if lows != highs or min(lows) < 0 or padding_mode != "zeros":
        ends = [n for pair in zip(reversed(lows), reversed(highs), strict=True) for n in pair]
        x = functional.pad(x, ends, _MODES.get(padding_mode, padding_mode))
        lows = [0] * len(lows)
    zeros = [0] * len(lows)
    return torch.convolution(x, w, bias, stride, lows, dilation, False, zeros, groups)


def conv_transpose(
    x: Tensor, w: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
    output_padding: Sequence[int], dilation: Sequence[int], groups: int,
) -> Tensor:  # fmt: skip
    """The transpose of a layer; ends that differ, or add, are cut or added afterwards."""
    lows, highs = padding[::2], padding[1::2]
    if lows == highs and min(lows) >= 0:
        return torch.convolution(x, w, bias, stride, lows, dilation, True, output_padding, groups)
    zeros = [0] * len(lows)
    y = torch.convolution(x, w, None, stride, zeros, dilation, True, output_padding, groups)
    y = functional.pad(y, [-n for pair in zip(lows[::-1], highs[::-1], strict=True) for n in pair])
    return y if bias is None else y + bias.reshape(-1, *(1 for _ in lows))
