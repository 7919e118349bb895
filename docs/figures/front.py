"""The picture of the first page: five kinds of convolution, one engine."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import multiconv as mc
from _style import Palette, draw, picture, plain
from photo import grey, photograph

HEIGHT, SIDE, GAP, MARGIN = 1.98, 1.44, 0.1, 0.02
EYE = slice(30, 162), slice(18, 150)


@picture(5 * SIDE + 4 * GAP + 2 * MARGIN, HEIGHT, "jpg")
def front(figure: Figure, palette: Palette) -> None:
    """Functions, signals, images, volumes and layers, before and after."""
    width = figure.get_size_inches()[0]
    panels = (
        (_functions, "functions", "mc.continuous.convolve"),
        (_signals, "signals", "mc.convolve"),
        (_images, "images", "mc.filters.gradient"),
        (_volumes, "volumes", "mc.filters.gaussian"),
        (_layers, "layers", "mc.conv"),
    )
    for place, (panel, name, call) in enumerate(panels):
        left = MARGIN + place * (SIDE + GAP)
        axes = figure.add_axes((left / width, 1 - (SIDE + 0.02) / HEIGHT, SIDE / width,
                                SIDE / HEIGHT))  # fmt: skip
        panel(axes, palette)
        axes.set(xticks=[], yticks=[])
        plain(axes)
        figure.text(left / width, 0.33 / HEIGHT, name, size=10, weight="bold")
        figure.text(left / width, 0.12 / HEIGHT, call, size=7.2, color=palette.faint,
                    family="DejaVu Sans Mono")  # fmt: skip


def _functions(axes: Axes, palette: Palette) -> None:
    ramp = mc.continuous.convolve(lambda t: 1.0, lambda t: 1.0 - t, support_f=(0, 2),
                                  support_g=(0, 1))  # fmt: skip
    x = np.linspace(-0.4, 3.4, 200)
    axes.set_facecolor(palette.tint(palette.rule, 0.28))
    axes.fill([0, 0, 2, 2], [0, 1, 1, 0], color=palette.first, alpha=0.18, linewidth=0)
    axes.plot([0, 0, 2, 2], [0, 1, 1, 0], color=palette.first, linewidth=1.4)
    axes.fill([0.5, 1.5, 1.5], [0, 1, 0], color=palette.second, alpha=0.25, linewidth=0)
    axes.plot([0.5, 1.5, 1.5], [0, 1, 0], color=palette.second, linewidth=1.4)
    axes.plot(x, ramp(x) - 0.95, color=palette.third, linewidth=2.2)
    axes.plot(1.5, ramp(1.5) - 0.95, "o", color=palette.third, markersize=6)
    axes.vlines(1.5, ramp(1.5) - 0.95, 0, color=palette.third, linewidth=1, linestyle=(0, (2, 2)))
    axes.set(xlim=(-0.45, 3.45), ylim=(-1.2, 1.25))


def _signals(axes: Axes, palette: Palette) -> None:
    """Three plucked notes above, the same in a room below."""
    rate, noise = 2000, np.random.default_rng(4)
    t = np.arange(64 * 62) / rate
    notes = sum((t >= start) * np.exp(-14 * (t - start).clip(0)) * np.sin(2 * np.pi * tone * t)
                for start, tone in ((0.1, 70), (0.55, 90), (0.85, 110)))  # fmt: skip
    echoes = noise.standard_normal(rate) * np.exp(-5 * t[:rate])
    room = mc.convolve(notes, echoes)[: len(t)]
    axes.set_facecolor(palette.tint(palette.rule, 0.28))
    for sound, middle, colour in ((notes, 1.1, palette.first), (room, -1.1, palette.second)):
        heights = np.abs(sound.reshape(64, -1)).max(axis=1)
        heights /= heights.max()
        axes.vlines(np.arange(64), middle - heights, middle + heights, color=colour, linewidth=1.3)
    axes.set(xlim=(-3, 66), ylim=(-2.4, 2.4))


def _images(axes: Axes, palette: Palette) -> None:
    cat = photograph()[:, 10:210]
    edges = mc.filters.gradient_magnitude(grey(cat), boundary="symmetric")
    edges = np.sqrt(edges / np.quantile(edges, 0.995)).clip(0, 1)
    axes.imshow(_halves(cat, np.repeat(edges[..., None], 3, axis=-1)))


def _volumes(axes: Axes, palette: Palette) -> None:
    """One slice through a noisy solid, and through the smooth one."""
    z, y, x = np.mgrid[:24, :200, :200] * 0.11
    solid = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    noisy = np.clip(solid, -0.6, 0.6) + np.random.default_rng(1).standard_normal(solid.shape)
    smooth = mc.filters.gaussian(noisy, 2, boundary="symmetric")
    before, after = noisy[12] / 5 + 0.5, smooth[12] / 1.5 + 0.5
    axes.imshow(_halves(before, after), cmap="grey", vmin=0, vmax=1)


def _layers(axes: Axes, palette: Palette) -> None:
    """Nine feature maps of one picture."""
    image = grey(photograph()[EYE])
    angles = np.arange(0, 180, 20)
    kernels = np.stack([_wave(angle) for angle in angles])
    maps = mc.conv(image[None], kernels[:, None], padding="same", padding_mode="reflect")
    tiles = np.pad(maps[:, ::2, ::2], ((0, 0), (0, 2), (0, 2)), constant_values=np.nan)
    rows = [np.hstack(list(tiles[first : first + 3])) for first in (0, 3, 6)]
    high = np.quantile(np.abs(maps), 0.96)
    axes.imshow(np.vstack(rows)[:-2, :-2], cmap=palette.signed, vmin=-high, vmax=high)


def _wave(angle: float) -> np.ndarray:
    """A Gabor kernel whose taps sum to nothing."""
    kernel = mc.kernels.gabor(8, angle, truncate=1.5)
    return kernel - kernel.mean()


def _halves(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """``before`` above the diagonal, ``after`` below it."""
    below = np.add.outer(np.arange(before.shape[0]), np.arange(before.shape[1])) > len(before)
    return np.where(below.reshape(below.shape + (1,) * (before.ndim - 2)), after, before)


if __name__ == "__main__":
    draw(front)
