"""OME-Zarr: what the metadata of an image pyramid says, and that of its result.

The names are those of the specification, https://ngff.openmicroscopy.org, versions 0.4 and 0.5.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from ._data import FileError

VERSION = "0.5"


def multiscale(attributes: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first pyramid of a group's attributes, or None where it is no image."""
    described = attributes.get("ome", attributes)
    found = described.get("multiscales") if isinstance(described, Mapping) else None
    return dict(found[0]) if found else None


def levels(path: str, scales: Mapping[str, Any]) -> list[str]:
    """The arrays of a pyramid, the largest first; refuses names that lead out of the store."""
    names = [str(entry["path"]) for entry in scales["datasets"]]
    for name in names:
        if posixpath.isabs(name) or ".." in name.split("/"):
            raise FileError(f"{path}: its metadata name {name!r}, which lies outside the store")
    if not names:
        raise FileError(f"{path}: its metadata name no array")
    return names


def channel_axis(scales: Mapping[str, Any]) -> int | None:
    """The axis of channels, counted from the end."""
    axes = [a if isinstance(a, Mapping) else {"name": a} for a in scales.get("axes", ())]
    for place, axis in enumerate(axes):
        if axis.get("type") == "channel" or axis["name"] == "c":
            return place - len(axes)
    return None


def described(attributes: Mapping[str, Any], step: Sequence[float]) -> dict[str, Any]:
    """The attributes of a result whose samples lie ``step`` times as far apart on each axis."""
    kept = deepcopy(dict(attributes))
    if "ome" not in kept:  # 0.4 kept them at the top
        names = ("multiscales", "omero", "labels", "plate", "well")
        kept["ome"] = {name: kept.pop(name) for name in names if name in kept}
    kept["ome"]["version"] = VERSION
    scales = kept["ome"]["multiscales"] = kept["ome"]["multiscales"][:1]
    scales[0].pop("version", None)
    for level in scales[0]["datasets"]:
        for transformation in level.get("coordinateTransformations", ()):
            if "scale" in transformation:
                pairs = zip(transformation["scale"], step, strict=True)
                transformation["scale"] = [s * k for s, k in pairs]
    return kept


def factors(larger: Sequence[int], smaller: Sequence[int]) -> tuple[int, ...]:
    """How many samples of a level make one of the next."""
    return tuple(max(1, round(a / b)) if b else 1 for a, b in zip(larger, smaller, strict=True))
