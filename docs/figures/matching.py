"""A coin found among others, and a picture with holes."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from skimage import data

import multiconv as mc
from _style import Palette, draw, picture

TOP, LEFT, SIDE_Y, SIDE_X = 170, 76, 62, 58


@picture(7.4, 2.15, kind="jpg")
def found(figure: Figure, palette: Palette) -> None:
    """The image, the template, and the correlation coefficient."""
    coins = data.coins()[70:303].astype(float)
    template = coins[TOP - 70 : TOP - 70 + SIDE_Y, LEFT : LEFT + SIDE_X]
    rng = np.random.default_rng(0)
    seen = 0.6 * coins + 40 + 25 * rng.standard_normal(coins.shape)
    score = mc.match_template(seen, template, pad_input=True)
    panels = figure.subplots(1, 3, width_ratios=(384, 100, 384))
    figure.subplots_adjust(left=0.005, right=0.995, top=0.88, bottom=0.01, wspace=0.04)
    panels[0].imshow(seen, cmap="gray")
    y, x = np.unravel_index(np.argmax(score), score.shape)
    panels[0].add_patch(Rectangle((x - SIDE_X / 2, y - SIDE_Y / 2), SIDE_X, SIDE_Y, fill=False,
                                  edgecolor=palette.second, linewidth=2))  # fmt: skip
    panels[1].imshow(template, cmap="gray")
    panels[2].imshow(score, cmap=palette.signed, vmin=-1, vmax=1)
    titles = "noisy image", "template", f"coefficient, at most {score.max():.2f}"
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title)
        axes.set_axis_off()


@picture(7.4, 2.2)
def gaps(figure: Figure, palette: Palette) -> None:
    """A curve with missing samples, smoothed with and without them."""
    axes = figure.add_axes((0.02, 0.12, 0.96, 0.86))
    x = np.arange(160)
    truth = np.sin(x / 13) + 0.5 * np.sin(x / 5)
    seen = truth + 0.3 * np.random.default_rng(2).standard_normal(x.size)
    seen[[*range(28, 36), 61, 62, *range(97, 104), 130]] = np.nan
    kernel = mc.kernels.gaussian([3.0])
    propagated = mc.convolve_nan(seen, kernel, nan="propagate", boundary="edge")
    zeros = mc.convolve_nan(seen, kernel, nan="fill", fill_value=0, boundary="edge")
    left_out = mc.convolve_nan(seen, kernel, boundary="edge")
    axes.plot(x, seen, ".", color=palette.faint, markersize=3.5)
    axes.plot(x, zeros, color=palette.second, linewidth=1.2)
    axes.plot(x, left_out, color=palette.first, linewidth=2.2)
    axes.plot(x, propagated - 2.9, color=palette.third, linewidth=1.6)
    axes.text(38, 1.15, '"interpolate"', color=palette.first)
    axes.text(31, -0.45, '"fill"', color=palette.second)
    axes.text(57, -4.2, '"propagate", moved down', color=palette.third)
    axes.set(xlim=(0, 159), ylim=(-5, 2.4), yticks=[], xticks=[])
    axes.set_axis_off()


if __name__ == "__main__":
    draw(found, gaps)
