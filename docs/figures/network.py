"""What the layers of a network do to a digit, and convolution that finds a word."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import multiconv as mc
from _style import Palette, bare, draw, picture, plain

DIGIT = 0
TEXT = "to be, or not to be, that is the question"
WORD = "to be"


@picture(7.4, 3.3)
def digit(figure: Figure, palette: Palette) -> None:
    """A digit, four kernels, their feature maps, what is positive, and the pools' maxima."""
    image = load_digits().images[DIGIT] / 16
    kernels = np.stack([mc.kernels.gabor(6, angle, truncate=1)[1:-1, 1:-1]
                        for angle in (0, 45, 90, 135)])  # fmt: skip
    kernels -= kernels.mean((1, 2), keepdims=True)
    maps = mc.conv(image[None], kernels[:, None], padding="same")
    positive = np.maximum(maps, 0)
    pooled = mc.max_pool(positive[None], 2)[0]
    _panel(figure, palette, (0.012, 0.315, 0.17, 0.38), image)
    for stack, left, width in ((kernels, 0.25, 0.072), (maps, 0.41, 0.1), (positive, 0.6, 0.1),
                               (pooled, 0.79, 0.1)):  # fmt: skip
        for line, values in enumerate(stack):
            place = (left, 0.735 - 0.242 * line, width, 0.215)
            _panel(figure, palette, place, values, np.abs(stack).max())
    for left, text in ((0.097, "x"), (0.286, "w"), (0.46, "conv"), (0.65, "relu"),
                       (0.84, "max_pool")):  # fmt: skip
        figure.text(left, 0.968, text, ha="center", va="center", size=8.5, color=palette.faint,
                    family="DejaVu Sans Mono")  # fmt: skip


def _panel(figure: Figure, palette: Palette, place: tuple[float, float, float, float],
           values: np.ndarray, high: float = 0) -> None:  # fmt: skip
    """Greys, or signed values up to ``high``."""
    axes = figure.add_axes(place)
    look = {"cmap": palette.signed, "vmin": -high, "vmax": high} if high else {"cmap": "grey"}
    axes.pcolormesh(values, edgecolors=palette.paper, linewidth=0.3, **look)
    bare(axes)
    axes.invert_yaxis()


@picture(7.4, 2.1)
def word(figure: Figure, palette: Palette) -> None:
    """Letters as channels: a kernel of one word answers most where the word begins."""
    alphabet = sorted(set(TEXT))
    letters = _one_hot(TEXT, alphabet)
    answer = mc.conv(letters, _one_hot(WORD, alphabet)[None])[0]
    axes = figure.add_axes((0.02, 0.04, 0.96, 0.92))
    places = np.arange(len(answer))
    found = answer == len(WORD)
    shades = np.where(found, palette.third, palette.tint(palette.third, 0.3))
    axes.bar(places, answer, color=list(shades), width=0.8)
    for place, value in enumerate(answer):
        if value:
            axes.text(place, value + 0.15, f"{value:g}", ha="center", size=7, color=palette.faint)
    _letters(axes, palette, found)
    axes.set(xlim=(-0.7, len(TEXT) - 0.3), ylim=(-1.3, len(WORD) + 0.9), xticks=[], yticks=[])
    plain(axes)


def _letters(axes: Axes, palette: Palette, found: np.ndarray) -> None:
    """The text below the bars; what was found is coloured."""
    hits = {place + i for place in np.flatnonzero(found) for i in range(len(WORD))}
    for place, letter in enumerate(TEXT):
        axes.text(place, -0.7, letter, ha="center", va="center", size=11, weight="bold"
                  if place in hits else "normal", family="DejaVu Sans Mono",
                  color=palette.third if place in hits else palette.faint)  # fmt: skip


def _one_hot(text: str, alphabet: list[str]) -> np.ndarray:
    return (np.array(list(text)) == np.array(alphabet)[:, None]).astype(np.float32)


if __name__ == "__main__":
    draw(digit, word)
