"""A network on raw samples whose kernels are as long as a note: 1,024 taps."""

from __future__ import annotations

from torch import Tensor, nn

TAPS = 1024
WIDTH, DEPTH = 64, 3


class RawAudio(nn.Module):
    """A second of sound at 16 kHz to classes."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (1, *(WIDTH,) * (DEPTH - 1)):
            layers += [nn.Conv1d(channels, WIDTH, TAPS, padding=TAPS // 2, bias=False),
                       nn.BatchNorm1d(WIDTH), nn.ReLU(inplace=True)]  # fmt: skip
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        return self.classifier(self.features(x).mean(-1))
