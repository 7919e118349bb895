"""
Solids in noise
===============

Which solid lies, turned at random, in a noisy block of voxels. Three-dimensional convolution on
eight kinds of solids, computed here.
"""

# %%
# .. image:: /images/volumes-light.png
#    :alt: Solids in noise: loss, accuracy, confusion, the first layer's kernels and feature maps

# sphinx_gallery_thumbnail_path = "images/volumes-light.png"

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace

import torch
from rich.console import Console
from torch import Tensor, nn

import _panels as panels
from _command import Options, options
from _page import Sheet, sheet
from _report import report
from _training import Data, Learner, Recipe, learn

GOAL = 97.0
SIDE = 24
"""Voxels along each edge of a block."""
NOISE = 0.45
"""Standard deviation; empty is 0, solid is 1."""
Solid = Callable[[Tensor, Tensor, Tensor], Tensor]
SOLIDS: dict[str, Solid] = {  # at most 1 inside
    "sphere": lambda x, y, z: (x**2 + y**2 + z**2) / 0.62,
    "cube": lambda x, y, z: torch.stack([x, y, z]).abs().amax(0) / 0.64,
    "cylinder": lambda x, y, z: torch.maximum((x**2 + y**2).sqrt() / 0.5, z.abs() / 0.85),
    "cone": lambda x, y, z: torch.maximum((x**2 + y**2).sqrt() / 0.42 + z, -z / 0.8),
    "dumbbell": lambda x, y, z: torch.minimum(
        (x**2 + y**2 + (z.abs() - 0.62) ** 2) / 0.14, (x**2 + y**2) / 0.03 + (z.abs() > 0.62)
    ),
    "torus": lambda x, y, z: (((x**2 + y**2).sqrt() - 0.68) ** 2 + z**2) / 0.075,
    "bowl": lambda x, y, z: torch.maximum(
        ((x**2 + y**2 + z**2).sqrt() - 0.72).abs() / 0.16, z + 0.85
    ),
    "cross": lambda x, y, z: (
        torch.stack([x, y, z]).abs().sort(0).values[1] / 0.26
        + (torch.stack([x, y, z]).abs().amax(0) > 0.9)
    ),
}


def rotations(n: int) -> Tensor:
    """Turns of every direction alike, from random quaternions."""
    w, x, y, z = nn.functional.normalize(torch.randn(n, 4)).T
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, 1).reshape(n, 3, 3)


def blocks(solid: Solid, n: int) -> Tensor:
    """Turned, resized, moved, and seen through noise."""
    line = torch.linspace(-1.25, 1.25, SIDE)
    voxels = torch.cartesian_prod(line, line, line).T
    sizes, moves = 0.85 + 0.3 * torch.rand(n, 1, 1), 0.12 * torch.randn(n, 3, 1)
    places = rotations(n) @ (voxels - moves) / sizes
    # Voxels at the surface are partly filled.
    filled = torch.sigmoid(12 * (1 - solid(*places.unbind(1))))
    return (filled + NOISE * torch.randn_like(filled)).reshape(n, 1, SIDE, SIDE, SIDE)


def data(seed: int, each: int, held_out: int) -> Data:
    """So many blocks of each solid to learn from, and held out."""
    torch.manual_seed(seed)
    kinds = [blocks(solid, each + held_out) for solid in SOLIDS.values()]
    labels = torch.arange(len(SOLIDS))
    return Data(
        torch.cat([b[:each] for b in kinds]), labels.repeat_interleave(each),
        torch.cat([b[each:] for b in kinds]), labels.repeat_interleave(held_out), list(SOLIDS),
    )  # fmt: skip


def augment(volumes: Tensor) -> Tensor:
    """Mirror along some axes and exchange two: a solid stays what it is."""
    axes = [axis for axis in (2, 3, 4) if torch.rand(()) < 0.5]
    first, second = (torch.randperm(3)[:2] + 2).tolist()
    return volumes.flip(axes).transpose(first, second).contiguous()


def network(layers: SimpleNamespace) -> nn.Module:
    """24 voxels along each edge become 12, 6, 3, and one of 48 features."""

    def block(channels: int, features: int, size: int, **more: int) -> list[nn.Module]:
        kernel = layers.Conv3d(channels, features, size, padding=size // 2, bias=False, **more)
        return [kernel, nn.BatchNorm3d(features), nn.ReLU()]

    return nn.Sequential(
        *block(1, 8, 5, stride=2), *block(8, 24, 3), layers.MaxPool3d(2),
        *block(24, 48, 3), layers.MaxPool3d(2), *block(48, 48, 3),
        nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(48, len(SOLIDS)),
    )  # fmt: skip


def draw(learners: list[Learner]) -> Sheet:
    """The first layer's kernels, cut into planes, and what they make of one block."""
    first = learners[0]
    names, labels = first.data.classes, first.data.test_labels
    shown = int((labels == names.index("torus")).nonzero()[0])
    model, block = first.model.eval(), first.data.test[shown : shown + 1]
    with torch.inference_mode():
        maps = model[:3](block)[0]
    page = sheet(
        learners, GOAL, "Solids in noise",
        f"{SIDE} x {SIDE} x {SIDE} voxels, three-dimensional convolution", (3.55, 2.2, 4.54),
    )  # fmt: skip
    kernels = model[0].weight[:, 0].detach()
    panels.mosaic(page.kernels, kernels.transpose(0, 1).flatten(0, 1), 8, "signed")
    panels.title(page.kernels, "First layer",
                   "8 kernels of 5 x 5 x 5: a column each, plane below plane")  # fmt: skip
    panels.mosaic(page.sample, block[0, 0, 3:21:2][:9], 3, "grey")
    panels.title(page.sample, f"A {names[labels[shown]]}", "held out: nine planes of its block")
    panels.mosaic(page.maps, maps.amax(1), 4, "heat")
    panels.title(page.maps, "Feature maps", "what each kernel finds, seen through the block")
    return page


def main(asked: Options) -> int:
    """Learn, show, judge."""
    console = Console(highlight=False)
    solids = data(asked.seed, *((20, 10) if asked.quick else (200, 75)))
    recipe = Recipe(batch=32, rate=0.01, augment=augment)
    learners = learn(asked, network, solids, recipe, console)
    return report(asked, learners, draw, GOAL, console)


if __name__ == "__main__":
    sys.exit(main(options("volumes", __doc__, epochs=10, quick_epochs=2)))
