"""A photograph, blurred and brought back in three ways."""

import numpy as np
from matplotlib.figure import Figure
from skimage import data

import multiconv as mc
from _style import Palette, draw, picture

PART = slice(60, 210), slice(150, 330)
NOISE = 0.01


@picture(7.4, 1.62, kind="jpg")
def restored(figure: Figure, palette: Palette) -> None:
    """The scene, what the camera saw, and three estimates of the scene."""
    scene = data.camera()[:300, :400] / 255
    blur = mc.kernels.gaussian([1.6, 1.1])
    noise = NOISE * np.random.default_rng(0).standard_normal(scene.shape)
    seen = np.clip(mc.convolve(scene, blur, "same", boundary="symmetric") + noise, 0, None)
    pictures = {"scene": scene, "blurred, with noise": seen}
    for method in ("wiener", "richardson_lucy", "least_squares"):
        pictures[method] = mc.deconvolve(seen, blur, method=method, boundary="symmetric",
                                         noise=NOISE)  # fmt: skip
    panels = figure.subplots(1, len(pictures))
    figure.subplots_adjust(left=0.005, right=0.995, top=0.86, bottom=0.01, wspace=0.03)
    for axes, (name, image) in zip(panels, pictures.items(), strict=True):
        axes.imshow(image[PART], cmap="gray", vmin=0, vmax=1)
        axes.set_title(name.replace("_", " "))
        axes.set_axis_off()


if __name__ == "__main__":
    draw(restored)
