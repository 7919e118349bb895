"""What the tests of files share: small blocks, and the command line."""

import pytest
import zarr

from multiconv.cli import main


@pytest.fixture
def small_blocks(monkeypatch):
    """Every array falls into many blocks."""
    monkeypatch.setattr("multiconv.cli._budget.whole_bytes", lambda data: 2**62)
    monkeypatch.setattr("multiconv.outofcore._grid.LARGEST", 4000)
    monkeypatch.setattr("multiconv.io._npy_regions.ROW", 64)
    monkeypatch.setattr("multiconv.io._tiff_regions.TILE", 16)
    monkeypatch.setattr("multiconv.io._zarr.CHUNK", 2000)


@pytest.fixture
def apply():
    """The command in this process; returns its exit status."""
    return lambda *words: main(["apply", *map(str, words)])


@pytest.fixture
def pyramid():
    """Makes an OME-Zarr image of three levels, as other programs write them."""
    return _pyramid


def _pyramid(path, array, version="0.5"):
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"},
            {"name": "x", "type": "space"}]  # fmt: skip
    levels = [array, array[:, ::2, ::2], array[:, ::4, ::4]]
    steps = [[{"type": "scale", "scale": [1, 2**k, 2**k]}] for k in range(len(levels))]
    datasets = [{"path": f"s{k}", "coordinateTransformations": s} for k, s in enumerate(steps)]
    scales = [{"axes": axes, "name": "cells", "datasets": datasets}]
    described = {"multiscales": scales, "omero": {"channels": [{"label": "dapi"}]}}
    attributes = {"ome": described} if version == "0.5" else described
    group = zarr.create_group(path, attributes=attributes | {"mine": 7},
                              zarr_format=3 if version == "0.5" else 2)  # fmt: skip
    for k, level in enumerate(levels):
        made = group.create_array(f"s{k}", shape=level.shape, chunks=(1, 16, 16), dtype=array.dtype)
        made[:] = level
