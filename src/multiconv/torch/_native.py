"""torch's own operators, for tensors on devices that the engine does not run on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

_MODES = {"zeros": "constant"}
"""What the modes of a layer's padding are called where torch pads; the others keep their names."""


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
    """The transpose of a layer; what its ends differ in is cut or added afterwards."""
    lows, highs = padding[::2], padding[1::2]
    y = torch.convolution(x, w, bias, stride, lows, dilation, True, output_padding, groups)
    if lows == highs:
        return y
    ends = [n for lo, hi in zip(reversed(lows), reversed(highs), strict=True) for n in (0, lo - hi)]
    return functional.pad(y, ends)
