"""PNG and JPEG, through Pillow."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from . import _png16
from ._data import Data, FileError
from ._limits import Limits

BYTES = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 4, "I;16": 2}


def read(path: str, limits: Limits, member: str | None) -> Data:
    """Samples as stored, upright; palettes become colours."""
    with open(path, "rb") as file:
        limits.check_image(*_png16.announced(file))
        image = _open(file)
        deep = _png16.is_deep(image)
        limits.check_image(image.size[::-1], 8 if deep else BYTES.get(image.mode, 4))
        if not deep:
            return from_image(image, {})
        return _data(_png16.read(file, image), _meta(image))


def from_image(image: Any, meta: dict[str, Any]) -> Data:
    """Decode an image that Pillow has opened."""
    image.load()
    image = ImageOps.exif_transpose(image)
    return _data(np.asarray(_plain(image)), _meta(image) | meta)


def _meta(image: Any) -> dict[str, Any]:
    kept = {"icc": image.info.get("icc_profile"), "dpi": image.info.get("dpi"),
            "exif": image.getexif().tobytes() if image.getexif() else None}  # fmt: skip
    return {key: value for key, value in kept.items() if value}


def _data(array: NDArray[Any], meta: dict[str, Any]) -> Data:
    if array.ndim == 2:
        return Data(array, "image", meta=meta)
    return Data(array, "image", -1, alpha=array.shape[-1] in (2, 4), meta=meta)


def _open(file: BinaryIO) -> Any:
    """Read the header only; `Image.open` would judge the size by a limit of its own."""
    magic = file.read(8)
    file.seek(0)
    if magic == b"\x89PNG\r\n\x1a\n":
        return PngImagePlugin.PngImageFile(file)
    if magic[:3] == b"\xff\xd8\xff":
        return JpegImagePlugin.JpegImageFile(file)
    raise ValueError("the first bytes are neither PNG's nor JPEG's")


def _plain(image: Any) -> Any:
    """Grey, colour, and either with opacity, 8 or 16 bits."""
    transparent = "transparency" in image.info
    if image.mode == "P":
        return image.convert("RGBA" if transparent else "RGB")
    if transparent and image.mode in ("1", "L", "RGB"):
        return image.convert("RGBA" if image.mode == "RGB" else "LA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def check(path: str, data: Data) -> None:
    """Refuse what the format cannot hold."""
    array, png = data.array, path.lower().endswith(".png")
    name = "PNG" if png else "JPEG"
    depths = ("uint8", "uint16") if png else ("uint8",)
    if array.dtype.name not in depths:
        raise FileError(
            f"{path}: {name} files hold {' or '.join(depths)} samples, not {array.dtype.name}; "
            f"ask for dtype uint8 or write {'TIFF' if png else 'PNG or TIFF'}"
        )
    expected_ndim = {None: 2, -1: 3}.get(data.channel_axis)
    if array.ndim != expected_ndim or array.size == 0:
        shape = "x".join(str(n) for n in array.shape)
        raise FileError(f"{path}: {name} files hold one picture, not samples of shape {shape}")
    if data.channels not in ((1, 2, 3, 4) if png else (1, 3)):
        extra = "no opacity" if data.alpha else f"1 or 3 channels, not {data.channels}"
        raise FileError(f"{path}: {name} files hold {extra}; write {'TIFF' if png else 'PNG'}")
    rows, columns = array.shape[:2]
    most = 2**31 - 1 if png else 65500
    if max(rows, columns) > most:
        raise FileError(f"{path}: {columns}x{rows} is too large, {name} allows {most} a side")


def write(file: BinaryIO, path: str, data: Data) -> None:
    """Write with the profile and camera data that came along."""
    samples: NDArray[Any] = np.ascontiguousarray(data.array)
    if samples.ndim == 3 and samples.shape[-1] == 1:
        samples = samples[..., 0]
    if samples.dtype == np.uint16:
        _png16.write(file, samples, data.meta)
        return
    options = {"icc_profile": data.meta.get("icc"), "exif": data.meta.get("exif"),
               "dpi": data.meta.get("dpi")}  # fmt: skip
    options = {k: v for k, v in options.items() if v is not None}
    # Pillow does not notice when a file takes only a part of what it writes; this does.
    memory = io.BytesIO()
    if path.lower().endswith(".png"):
        Image.fromarray(samples).save(memory, "PNG", **options)
    else:
        Image.fromarray(samples).save(memory, "JPEG", quality=95, subsampling=0, **options)
    file.write(memory.getbuffer())
