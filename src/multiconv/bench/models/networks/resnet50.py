"""ResNet-50: bottlenecks of 1x1, 3x3 and 1x1 beside a shortcut (He et al., 2016).

A stage's stride is in its 3x3 layer, as in every implementation since.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Inner channels, blocks and stride of each stage."""
EXPANSION = 4


class Bottleneck(nn.Module):
    """Three layers and what they are added to."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        wide = EXPANSION * width
        self.reduce = _normalised(channels, width, 1)
        self.middle = _normalised(width, width, 3, stride)
        self.expand = _normalised(width, wide, 1)
        same = stride == 1 and channels == wide
        self.shortcut = nn.Identity() if same else _normalised(channels, wide, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """As wide as the stage."""
        y = functional.relu(self.middle(functional.relu(self.reduce(x))))
        return functional.relu(self.expand(y) + self.shortcut(x))


class ResNet50(nn.Module):
    """Images to classes."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _normalised(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)
        )
        blocks: list[nn.Module] = []
        channels = 64
        for width, depth, stride in STAGES:
            for number in range(depth):
                blocks.append(Bottleneck(channels, width, stride if number == 0 else 1))
                channels = EXPANSION * width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        y = self.blocks(self.stem(x))
        return self.classifier(functional.adaptive_avg_pool2d(y, 1).flatten(1))


def _normalised(channels: int, width: int, size: int, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(channels, width, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(width))
