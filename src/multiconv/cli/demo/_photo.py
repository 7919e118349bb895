"""A photograph blurred, sharpened, reduced to its edges, and embossed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import multiconv as mc
from multiconv import io
from multiconv._errors import MissingExtraError

from . import _references
from ._step import Array, Scene, StepResult, largest_difference, measured

FILES = "photo-blurred.png", "photo-sharpened.png", "photo-edges.png", "photo-embossed.png"
BLUR, CHECKED = 4.0, 1024
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
OPTIONS: dict[str, Any] = {"mode": "same", "boundary": "symmetric"}


def photo(scene: Scene) -> Iterator[StepResult]:
    """Four pictures from one, each written as PNG."""
    colours = scene.photo
    grey = np.tensordot(LUMA, colours, 1)
    scene.shown["photo"] = _picture(colours)
    kernels = mc.kernels
    shown = (
        ("blurred", colours, kernels.gaussian(BLUR), _picture),
        ("sharpened", colours, kernels.unsharp(1.5, amount=1.5), _picture),
        ("edges", grey, np.stack([kernels.sobel(0), kernels.sobel(1)]), _edges),
        ("embossed", grey, kernels.emboss(depth=1.5), _bytes),
    )
    for file, (name, x, h, finish) in zip(FILES, shown, strict=True):
        yield _convolved(scene, file, name, x, h.astype(np.float32), finish)


def bundled() -> Path:
    """The photograph of a cat that comes with scikit-image; nothing is downloaded."""
    found = find_spec("skimage")
    places = list(found.submodule_search_locations or []) if found else []
    path = Path(*places[:1], "data", "chelsea.png")
    if not places or not path.exists():
        raise MissingExtraError(
            "the photograph comes with scikit-image: pip install 'multiconv[cli]', or give --image"
        )
    return path


def _convolved(
    scene: Scene, file: str, name: str, x: Array, h: Array, finish: Callable[[Array], Array]
) -> StepResult:
    several = h.ndim == 3  # kernels, each for the whole picture
    options = OPTIONS | ({"axes": (-2, -1)} if several else {})
    result, algorithm, seconds = measured(mc.convolve, x[None] if several else x, h, **options)
    picture = finish(result)
    scene.shown[name] = picture
    io.write(scene.folder / file, io.Data(picture, "image", -1 if picture.ndim == 3 else None))
    difference, library = _checked(x, h, result)
    return StepResult(f"photo, {name}", algorithm, seconds, difference, library)


def _checked(x: Array, h: Array, result: Array) -> tuple[float, str]:
    """Difference from another library; of large photographs in a window, its border left out."""
    rows, columns = (slice(max(0, (n - CHECKED) // 2), (n + CHECKED) // 2) for n in x.shape[-2:])
    margin = 0 if max(x.shape[-2:]) <= CHECKED else max(h.shape)
    inner = slice(margin, -margin or None)
    kernels = h if h.ndim == 3 else h[None]
    found = [_references.filtered(x[..., rows, columns], kernel) for kernel in kernels]
    reference = np.stack([r for r, _ in found]) if h.ndim == 3 else found[0][0]
    seen = result[..., rows, columns]
    return largest_difference(seen[..., inner, inner], reference[..., inner, inner]), found[0][1]


def load(path: Path) -> Array:
    """Read a photograph as red, green and blue, 0 to 255, channels first."""
    data = io.read(path)
    if data.kind != "image" or len(data.spatial_axes) != 2:
        raise ValueError(f"image: {path} is no photograph, give a PNG, JPEG or TIFF picture")
    samples = data.array if data.channel_axis is not None else data.array[..., None]
    samples = samples[..., :-1] if data.alpha else samples
    full = np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else samples.max()
    colours = np.broadcast_to(samples[..., :3], (*samples.shape[:2], 3))
    planes = np.moveaxis(colours, -1, 0) * np.float32(255 / full)
    return np.ascontiguousarray(planes, np.float32)


def _bytes(values: Array) -> Array:
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)


def _picture(colours: Array) -> Array:
    return _bytes(np.moveaxis(colours, 0, -1))


def _edges(slopes: Array) -> Array:
    """Steepness; the square root lets faint edges show too."""
    steepness = np.hypot(*slopes)
    brightest = np.quantile(steepness, 0.995) or 1.0
    return _bytes(255 * np.sqrt(steepness / brightest))
