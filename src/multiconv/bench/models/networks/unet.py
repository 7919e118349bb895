"""U-Nets of images and volumes: down and up again, each size joined to its like.

Ronneberger et al., 2015, and Çiçek et al., 2016, with padded layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAYERS = {2: (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.MaxPool2d),
          3: (nn.Conv3d, nn.ConvTranspose3d, nn.BatchNorm3d, nn.MaxPool3d)}  # fmt: skip


class UNet(nn.Module):
    """Classes for every element of an image or a volume.

    Parameters
    ----------
    rank : int
        2 or 3.
    channels : int
        Of the input.
    widths : tuple of int
        Channels at each size, the full one first.
    classes : int
    """

    def __init__(self, rank: int, channels: int, widths: tuple[int, ...], classes: int) -> None:
        super().__init__()
        convolution, transposed, _, pooling = LAYERS[rank]
        self.pool = pooling(2)
        inputs = (channels, *widths[:-1])
        self.down = nn.ModuleList(_pair(rank, c, w) for c, w in zip(inputs, widths, strict=True))
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.grow = nn.ModuleList(transposed(c, w, 2, stride=2) for c, w in steps)
        self.up = nn.ModuleList(_pair(rank, 2 * w, w) for _, w in steps)
        self.head = convolution(widths[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        passed: list[Tensor] = []
        for number, pair in enumerate(self.down):
            x = pair(self.pool(x) if number else x)
            passed.append(x)
        passed.pop()
        for grow, pair in zip(self.grow, self.up, strict=True):
            x = pair(torch.cat((passed.pop(), grow(x)), 1))
        return self.head(x)


def unet_2d() -> UNet:
    """32 to 256 channels, colour images."""
    return UNet(2, 3, (32, 64, 128, 256), classes=4)


def unet_3d() -> UNet:
    """16 to 64 channels, volumes of one channel."""
    return UNet(3, 1, (16, 32, 64), classes=3)


def _pair(rank: int, channels: int, width: int) -> nn.Sequential:
    convolution, _, norm, _ = LAYERS[rank]
    layers: list[nn.Module] = []
    for before in (channels, width):
        layers += [convolution(before, width, 3, padding=1, bias=False), norm(width),
                   nn.ReLU(inplace=True)]  # fmt: skip
    return nn.Sequential(*layers)
