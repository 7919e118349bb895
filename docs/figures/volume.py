"""Three dimensions: a small cube inside a large one gives one voxel of the result."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from _boxes import board
from _style import Palette, draw, picture

RIGHT, LEFT, DOWN = np.array([(0.866, -0.5), (-0.866, -0.5), (0, 1)])
"""Where one step along each axis leads on paper, away from the nearest corner."""
FACES = ((RIGHT, LEFT, 0.45), (LEFT, DOWN, 0.32), (RIGHT, DOWN, 0.22))
"""The visible faces: two sides and how much colour."""


@picture(7.4, 3.1)
def volume(figure: Figure, palette: Palette) -> None:
    """The window in the data, the kernel, and the voxel in the result."""
    axes = board(figure, 24.7, 10.35)
    _cube(axes, palette, (5.4, 5.2), 5, palette.first, 3)
    _cube(axes, palette, (13.6, 5.2), 3, palette.second, 3)
    _cube(axes, palette, (20.8, 5.2), 3, palette.third, 1)
    for place, sign in ((10.4, r"$\star$"), (17.2, "$=$")):
        axes.text(place, 5.2, sign, size=15, ha="center", va="center")
    for place, sides in ((13.6, 3), (20.8, 3)):
        axes.text(place, 9.1, "$" + r"\times".join([str(sides)] * 3) + "$", size=11, ha="center",
                  va="center", color=palette.faint)  # fmt: skip


def _cube(axes: Axes, palette: Palette, near: tuple[float, float], size: int, colour: str,
          marked: int) -> None:  # fmt: skip
    """A cube of voxels; those of its nearest corner belong to the window."""
    for one, two, share in FACES:
        for i in range(size):
            for j in range(size):
                shown = palette.second if max(i, j) < marked else colour
                corner = near + i * one + j * two
                corners = [corner, corner + one, corner + one + two, corner + two]
                axes.add_patch(Polygon(corners, facecolor=palette.tint(shown, share),
                               edgecolor=shown, linewidth=0.7, joinstyle="round"))  # fmt: skip


if __name__ == "__main__":
    draw(volume)
