"""TIFF, through tifffile; Pillow lends its decoders for what tifffile cannot unpack by itself."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from ._data import Data, FileError
from ._limits import Limits

DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")
MEANINGS = ("MINISWHITE", "MINISBLACK", "RGB", "PALETTE")

# Its warnings would reach the terminal, beside the one sentence that is raised.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read(path: str, limits: Limits, member: str | None) -> Data:
    """The first series of pages: a picture, or a stack of pictures of one size."""
    with tifffile.TiffFile(path) as file:
        if not file.series or not file.series[0].size:
            raise FileError(f"{path}: damaged, or not a TIFF file (it has no pages)")
        series = file.series[0]
        page: Any = series.keyframe
        size = [n for n, a in zip(series.shape, series.axes, strict=True) if a != "S"]
        pixel = page.dtype.itemsize * page.samplesperpixel
        limits.check_image(size, pixel)
        meta = page_meta(series, page)
        try:
            if page.photometric.name not in MEANINGS:
                raise ValueError("imagecodecs")
            array = _meant(series.asarray(), page)
        except ValueError as error:
            if "imagecodecs" not in str(error) or len(size) != 2:
                raise
            return _read_with_pillow(path, page, meta)
    axes = series.axes + ("S" if array.ndim > len(series.axes) else "")
    if "S" in axes:
        array = np.moveaxis(array, axes.index("S"), -1)
        return Data(_straight(array, page), "image", -1, array.shape[-1] in (2, 4), meta=meta)
    channel = axes.index("C") - len(axes) if "C" in axes else None
    return Data(array, "image", channel, meta=meta)


def page_meta(series: Any, page: Any) -> dict[str, Any]:
    """What is carried over to the result: the axes' names and the colour profile."""
    meta: dict[str, Any] = {"axes": series.axes.replace("S", "")}
    if 34675 in page.tags:
        meta["icc"] = page.tags[34675].value
    return meta


def _meant(array: NDArray[Any], page: Any) -> NDArray[Any]:
    """Samples whose zero is black, without a palette."""
    if page.photometric.name == "PALETTE":
        colours = np.moveaxis(page.colormap[:, array], 0, -1)
        return np.asarray(colours >> 8, np.uint8) if array.dtype == np.uint8 else colours
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    if page.photometric.name == "MINISWHITE" and array.dtype.kind == "u":
        return np.asarray(np.iinfo(array.dtype).max - array)
    return array


def _straight(array: NDArray[Any], page: Any) -> NDArray[Any]:
    """Colours that were stored multiplied by their opacity, divided by it again."""
    if 1 not in page.extrasamples or array.dtype.kind != "u" or array.shape[-1] not in (2, 4):
        return array
    full = np.iinfo(array.dtype).max
    opacity = array[..., -1:].astype(np.float64)
    colours = np.divide(array[..., :-1] * float(full), opacity, where=opacity > 0,
                        out=np.zeros(array[..., :-1].shape))  # fmt: skip
    array = array.copy()
    array[..., :-1] = np.rint(np.minimum(colours, full))
    return array


def _read_with_pillow(path: str, page: Any, meta: dict[str, Any]) -> Data:
    from PIL import TiffImagePlugin

    from ._pillow import from_image

    bits = page.bitspersample
    if bits > 8 and page.samplesperpixel > 1:
        raise FileError(
            f"{path}: {page.compression.name} compression of {bits}-bit colours needs "
            "imagecodecs: pip install imagecodecs"
        )
    with open(path, "rb") as file:
        return from_image(TiffImagePlugin.TiffImageFile(file), meta)


def check(path: str, data: Data) -> None:
    """Refuse what TIFF cannot hold."""
    if data.array.dtype.name not in DTYPES:
        raise FileError(
            f"{path}: TIFF files hold {', '.join(DTYPES)}, not {data.array.dtype.name}; "
            "write .npy instead"
        )
    if data.array.ndim < 2 or data.array.size == 0:
        shape = "x".join(str(n) for n in data.array.shape)
        raise FileError(f"{path}: TIFF files hold pictures, not samples of shape {shape}")


def write(file: BinaryIO, path: str, data: Data) -> None:
    """Write with lossless compression; stacks keep their axes' names."""
    samples = np.ascontiguousarray(data.array)
    if data.channel_axis == -1 and data.channels == 1:
        samples = samples[..., 0]
        data = replace(data, array=samples, channel_axis=None)
    tifffile.imwrite(file, samples, compression="zlib", iccprofile=data.meta.get("icc"),
                     **layout(data))  # fmt: skip


def layout(data: Data) -> dict[str, Any]:
    """What tifffile is told of the meaning of samples."""
    last = data.channel_axis == -1
    options: dict[str, Any] = {"photometric": "minisblack"}
    if last and data.channels >= 3:
        options["photometric"] = "rgb"
    if last and data.alpha:
        options["extrasamples"] = ["unassalpha"]
    if last:
        options["planarconfig"] = "contig"
    axes = data.meta.get("axes", "") + ("S" if last else "")
    stack = data.array.ndim > (3 if last else 2)
    options["metadata"] = {"axes": axes} if stack and len(axes) == data.array.ndim else None
    return options
