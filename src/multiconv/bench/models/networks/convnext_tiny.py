"""ConvNeXt-Tiny: 7x7 depthwise layers, layer norm, GELU (Liu et al., 2022).

Without stochastic depth, which has no part in inference and no parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
"""Channels and blocks of each stage."""
EPSILON = 1e-6


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the second axis."""

    def forward(self, x: Tensor) -> Tensor:
        """Channels moved last and back."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """A wide filter a channel, then a perceptron across channels, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.filter = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(channels, eps=EPSILON), nn.Linear(channels, 4 * channels), nn.GELU(),
            nn.Linear(4 * channels, channels),
        )  # fmt: skip
        self.scale = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """One block."""
        y = self.perceptron(self.filter(x).permute(0, 2, 3, 1))
        return x + (self.scale * y).permute(0, 3, 1, 2)


class ConvNeXtTiny(nn.Module):
    """Images to classes."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        channels = STAGES[0][0]
        layers: list[nn.Module] = [
            nn.Conv2d(3, channels, 4, stride=4), ChannelNorm(channels, eps=EPSILON)
        ]  # fmt: skip
        for width, depth in STAGES:
            if width != channels:
                layers += [ChannelNorm(channels, eps=EPSILON),
                           nn.Conv2d(channels, width, 2, stride=2)]  # fmt: skip
                channels = width
            layers += [Block(channels) for _ in range(depth)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.LayerNorm(channels, eps=EPSILON), nn.Linear(channels, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        return self.classifier(functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1))
