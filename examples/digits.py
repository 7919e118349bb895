"""
Handwritten digits
==================

Which digit a hand wrote on eight by eight pixels. Two-dimensional convolution on scikit-learn's
1797 digits, a quarter of them held out.
"""

# %%
# .. image:: /images/digits-light.png
#    :alt: Handwritten digits: loss, accuracy, confusion, the first layer's kernels and feature maps

# sphinx_gallery_thumbnail_path = "images/digits-light.png"

from __future__ import annotations

import math
import sys
from types import SimpleNamespace

import torch
from rich.console import Console
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional

import _panels as panels
from _command import Options, options
from _page import Sheet, sheet
from _report import report
from _training import Data, Learner, Recipe, learn

GOAL = 98.5


def data(seed: int) -> Data:
    """Greys from 0 to 1; every digit as frequent in both parts."""
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    parts = train_test_split(images, torch.tensor(labels), test_size=0.25, stratify=labels,
                             random_state=seed)  # fmt: skip
    train, test, train_labels, test_labels = parts
    return Data(train, train_labels, test, test_labels, [str(digit) for digit in range(10)])


def augment(images: Tensor) -> Tensor:
    """Turn, resize and move every image a little."""
    n = len(images)
    angle = math.radians(12) * (2 * torch.rand(n) - 1)
    size = 1 + 0.15 * (2 * torch.rand(n) - 1)
    cosine, sine = size * angle.cos(), size * angle.sin()
    turn = torch.stack([cosine, -sine, sine, cosine], 1).reshape(n, 2, 2)
    move = 0.2 * (2 * torch.rand(n, 2, 1) - 1)
    grid = functional.affine_grid(torch.cat([turn, move], 2), images.shape, align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def network(layers: SimpleNamespace) -> nn.Module:
    """Four convolutions and two poolings: 8 x 8 pixels become 2 x 2 of 64 features."""

    def block(channels: int, features: int, size: int) -> list[nn.Module]:
        kernel = layers.Conv2d(channels, features, size, padding=size // 2, bias=False)
        return [kernel, nn.BatchNorm2d(features), nn.ReLU()]

    return nn.Sequential(
        *block(1, 32, 5), *block(32, 32, 3), layers.MaxPool2d(2),
        *block(32, 64, 3), *block(64, 64, 3), layers.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 2 * 2, 10),
    )  # fmt: skip


def draw(learners: list[Learner]) -> Sheet:
    """The first layer's kernels, and what they make of one digit."""
    first = learners[0]
    model, image = first.model.eval(), first.data.test[:1]
    with torch.inference_mode():
        maps = model[:3](image)[0]
    page = sheet(
        learners, GOAL, "Handwritten digits",
        "8 x 8 pixels, two-dimensional convolution", (4.45, 2.2, 4.45),
    )  # fmt: skip
    panels.mosaic(page.kernels, model[0].weight[:, 0].detach(), columns=8, colours="signed")
    panels.title(page.kernels, "First layer", "32 kernels of 5 x 5: green adds, red subtracts")
    panels.mosaic(page.sample, image[0], columns=1, colours="grey")
    panels.title(page.sample, f"A {first.data.test_labels[0]}", "held out, 8 x 8 pixels")
    panels.mosaic(page.maps, maps, columns=8, colours="heat")
    panels.title(page.maps, "Feature maps", "what each of the kernels finds in it")
    return page


def main(asked: Options) -> int:
    """Learn, show, judge."""
    console = Console(highlight=False)
    recipe = Recipe(batch=64, rate=0.01, augment=augment)
    learners = learn(asked, network, data(asked.seed), recipe, console)
    return report(asked, learners, draw, GOAL, console)


if __name__ == "__main__":
    sys.exit(main(options("digits", __doc__, epochs=40, quick_epochs=2)))
