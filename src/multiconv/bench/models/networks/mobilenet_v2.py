"""MobileNetV2: depthwise layers between two 1x1 layers (Sandler et al., 2018)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip
"""Expansion, channels, blocks and stride of each stage."""
LAST = 1280


class InvertedResidual(nn.Module):
    """Widened, filtered channel by channel, narrowed; added to the input where that fits."""

    def __init__(self, channels: int, width: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = expansion * channels
        self.layers = nn.Sequential(
            *([_clipped(channels, inner, 1)] if expansion > 1 else []),
            _clipped(inner, inner, 3, stride, groups=inner),
            nn.Conv2d(inner, width, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip
        self.added = stride == 1 and channels == width

    def forward(self, x: Tensor) -> Tensor:
        """One block."""
        return x + self.layers(x) if self.added else self.layers(x)


class MobileNetV2(nn.Module):
    """Images to classes."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        channels = 32
        layers: list[nn.Module] = [_clipped(3, channels, 3, 2)]
        for expansion, width, depth, stride in STAGES:
            for number in range(depth):
                first = stride if number == 0 else 1
                layers.append(InvertedResidual(channels, width, expansion, first))
                channels = width
        self.features = nn.Sequential(*layers, _clipped(channels, LAST, 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(LAST, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        return self.classifier(functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


def _clipped(
    channels: int, width: int, size: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    layer = nn.Conv2d(channels, width, size, stride, padding=size // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(width), nn.ReLU6(inplace=True))
