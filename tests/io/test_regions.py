"""Parts of arrays in files: what is read and written, and what is refused."""

import io as stdio
import json
import os
import shutil
import zipfile
import zlib

import h5py
import numcodecs
import numpy as np
import pytest
import tifffile
import zarr

from multiconv import io
from multiconv.io import Data, FileError, everything, virtual

RANDOM = np.random.default_rng(7)
TIFFS = [
    {}, {"tile": (32, 16)}, {"tile": (32, 16), "compression": "zlib", "predictor": True},
    {"rowsperstrip": 7, "compression": "zlib"}, {"bigtiff": True, "byteorder": ">"},
    {"tile": (32, 16), "byteorder": ">"},
]  # fmt: skip


def numbers(*shape, dtype="uint16"):
    return RANDOM.integers(0, 2**15, shape).astype(dtype)


def regions(shape, count=12):
    """Random regions, one of them everything."""
    yield everything(shape)
    for _ in range(count):
        ends = [np.sort(RANDOM.choice(n + 1, 2, replace=False)) for n in shape]
        yield tuple(slice(int(a), int(b)) for a, b in ends)


def agrees(path, array, member=None):
    source = io.open_source(str(path), member)
    assert source.outline.array.shape == array.shape
    assert source.outline.array.dtype == array.dtype
    assert source.missing == 0
    for region in regions(array.shape):
        found = source.read(region)
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array[region])
    return source


@pytest.mark.parametrize("dtype", ["uint8", "<i2", ">f4", "complex64", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path, dtype, order):
    array = np.asarray(numbers(7, 11, 13, dtype=dtype), order=order)
    np.save(tmp_path / "a.npy", array)
    agrees(tmp_path / "a.npy", array.astype(array.dtype.newbyteorder("=")))


@pytest.mark.parametrize("options", TIFFS)
@pytest.mark.parametrize(
    ("shape", "axes", "meaning"),
    [((5, 60, 70), "ZYX", "minisblack"), ((2, 3, 41, 29), "ZCYX", "minisblack"),
     ((61, 77), "YX", "minisblack"), ((4, 33, 20, 3), "ZYXS", "rgb")],
)  # fmt: skip
def test_tiff(tmp_path, options, shape, axes, meaning):
    array = numbers(*shape)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric=meaning, metadata={"axes": axes},
                     **options)  # fmt: skip
    path, channels = str(tmp_path / "a.tif"), (slice(0, 3),) if axes.endswith("S") else ()
    source = io.open_source(path)
    for region in regions(shape[: len(shape) - len(channels)]):
        np.testing.assert_array_equal(source.read(region + channels), array[region + channels])
    assert source.outline.channel_axis == {"S": -1, "X": -3 if "C" in axes else None}[axes[-1]]


def test_imagej_stacks_have_one_page(tmp_path):
    array = numbers(4, 2, 21, 33)
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, metadata={"axes": "ZCYX"})
    agrees(tmp_path / "a.tif", array)


@pytest.mark.parametrize("version", [2, 3])
def test_zarr(tmp_path, version):
    array = numbers(9, 20, 31)
    zarr.create_array(tmp_path / "a.zarr", shape=array.shape, chunks=(4, 8, 16), dtype="uint16",
                      zarr_format=version)[:] = array  # fmt: skip
    assert agrees(tmp_path / "a.zarr", array).chunks == (4, 8, 16)


def test_shards_are_what_is_written_at_once(tmp_path):
    array = numbers(9, 20, 31)
    zarr.create_array(tmp_path / "a.zarr", shape=array.shape, chunks=(2, 4, 8), shards=(4, 8, 16),
                      dtype="uint16")[:] = array  # fmt: skip
    source = agrees(tmp_path / "a.zarr", array)
    like = Data(virtual(array.shape, "uint16"))
    assert io.target_chunks("b.zarr", like, source) == source.chunks == (4, 8, 16)


def test_hdf5(tmp_path):
    array = numbers(9, 20, 31)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("g/chunked", data=array, chunks=(3, 7, 8), compression="gzip")
        file.create_dataset("plain", data=array.astype(">f8"))
    assert agrees(tmp_path / "a.h5", array, "/g/chunked").chunks == (3, 7, 8)
    agrees(tmp_path / "a.h5", array.astype(float), "plain")
    np.testing.assert_array_equal(io.read(tmp_path / "a.h5", member="plain").array, array)
    with pytest.raises(FileError, match="holds the arrays g/chunked, plain, choose one"):
        io.open_source(str(tmp_path / "a.h5"))


@pytest.mark.parametrize(
    ("name", "shape", "channels"),
    [("a.npy", (5, 60, 70), None), ("a.tif", (3, 300, 530), None), ("a.tif", (290, 301, 3), 3),
     ("a.zarr", (5, 60, 70), None)],
)  # fmt: skip
def test_targets_are_filled_in_any_order(tmp_path, name, shape, channels):
    array = numbers(*shape)
    np.save(tmp_path / "template.npy", array)
    template = io.open_source(str(tmp_path / "template.npy"))
    like = Data(virtual(shape, array.dtype), "image", -1 if channels else None)
    path = str(tmp_path / name)
    io.create_target(path, like, template)
    chunks = io.target_chunks(path, like, template)
    counts = [-(-n // c) for n, c in zip(shape, chunks, strict=True)]
    for index in RANDOM.permutation(list(np.ndindex(*counts))):
        region = tuple(slice(int(i) * c, min(int(i) * c + c, n))
                       for i, c, n in zip(index, chunks, shape, strict=True))  # fmt: skip
        io.open_target(path).write(region, array[region])
    np.testing.assert_array_equal(io.open_target(path).read(everything(shape)), array)
    whole = {"a.npy": np.load, "a.tif": tifffile.imread, "a.zarr": lambda p: zarr.open(p)[:]}
    np.testing.assert_array_equal(whole[name](path), array)


def test_tiffs_are_written_as_tiles_of_bigtiff(tmp_path):
    np.save(tmp_path / "a.npy", numbers(2, 300, 40))
    template = io.open_source(str(tmp_path / "a.npy"))
    io.create_target(str(tmp_path / "b.tif"), Data(virtual((2, 300, 40), "float32"), "image"),
                     template)  # fmt: skip
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.is_bigtiff
        assert file.series[0].keyframe.is_tiled
        assert file.series[0].shape == (2, 300, 40)


def test_members_are_split_off():
    assert io.split_member("a.h5:/g/d") == ("a.h5", "/g/d")
    assert io.split_member("/x/a.zarr:0") == ("/x/a.zarr", "0")
    assert io.split_member("C:/x/a.npy") == ("C:/x/a.npy", None)


# --- bad files


@pytest.mark.parametrize("options", [{}, {"tile": (32, 16)}, {"rowsperstrip": 5}])
def test_cut_tiffs(tmp_path, options):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers(3, 60, 70), photometric="minisblack", **options)
    os.truncate(path, path.stat().st_size - 3000)
    with pytest.raises(FileError, match=r"its header says \d+ bytes, the file has only"):
        io.open_source(str(path))


def test_a_file_cut_while_it_is_read(tmp_path):
    np.save(tmp_path / "a.npy", numbers(100, 70))
    source = io.open_source(str(tmp_path / "a.npy"))
    os.truncate(tmp_path / "a.npy", 5000)
    with pytest.raises(FileError, match="ends before its last sample"):
        source.read((slice(50, 60), slice(0, 70)))


def test_a_tiff_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("multiconv.io._tiff_regions.HARMLESS", 10**5)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((64, 64), "u1"), tile=(64, 64), compression="zlib")
    with tifffile.TiffFile(path, mode="r+b") as file:
        page = file.pages[0]
        bomb = zlib.compress(bytes(10**6), 9)
        place = file.filehandle.seek(0, os.SEEK_END)
        file.filehandle.write(bomb)
        page.tags["TileOffsets"].overwrite(place)
        page.tags["TileByteCounts"].overwrite(len(bomb))
    with pytest.raises(FileError, match="unpacks to more than the 4096 bytes its header says"):
        io.open_source(str(path)).read(everything((64, 64)))


def test_tiffs_of_other_meanings_are_not_read_by_tiles(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", numbers(60, 70, dtype="uint8") > 100)
    with pytest.raises(FileError, match="only grey and RGB ones"):
        io.open_source(str(tmp_path / "a.tif"))


@pytest.fixture
def store(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", shape=(40, 50), chunks=(20, 25), dtype="uint8")
    array[:] = 1 + numbers(40, 50, dtype="uint8") % 9
    return tmp_path / "a.zarr"


@pytest.mark.parametrize("codec", ["zstd", "gzip", "blosc"])
def test_a_zarr_bomb_is_not_unpacked(tmp_path, monkeypatch, codec):
    monkeypatch.setattr("multiconv.io._unpacking.HARMLESS", 10**5)
    codecs = {"zstd": zarr.codecs.ZstdCodec(), "gzip": zarr.codecs.GzipCodec(),
              "blosc": zarr.codecs.BloscCodec()}  # fmt: skip
    array = zarr.create_array(tmp_path / "a.zarr", shape=(100,), chunks=(100,), dtype="uint8",
                              compressors=codecs[codec])  # fmt: skip
    array[:] = 1
    np.testing.assert_array_equal(io.read(tmp_path / "a.zarr").array, 1)
    packed = {"zstd": numcodecs.zstd.compress, "blosc": lambda b: numcodecs.Blosc().encode(b),
              "gzip": lambda b: numcodecs.GZip().encode(b)}[codec]  # fmt: skip
    (tmp_path / "a.zarr/c/0").write_bytes(packed(bytes(10**6)))
    with pytest.raises(FileError, match=r"chunk c/0 unpacks to \d+ bytes or more, .* says 100"):
        io.read(tmp_path / "a.zarr")


def test_chunks_that_were_never_written_are_counted(store):
    (store / "c/1/0").unlink()
    assert io.open_source(str(store)).missing == 1


def test_links_out_of_a_store(store, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes((store / "c/0/0").read_bytes())
    (store / "c/0/0").unlink()
    (store / "c/0/0").symlink_to(secret)
    with pytest.raises(FileError, match="outside the store"):
        io.read(store)
    with pytest.raises(FileError, match="is a link, a store has none"):
        io.fingerprint(str(store))


def test_a_pyramid_that_names_arrays_outside(tmp_path):
    entry = [{"datasets": [{"path": "../other"}], "axes": [{"name": "x", "type": "space"}]}]
    zarr.create_group(tmp_path / "a.zarr", attributes={"ome": {"multiscales": entry}})
    with pytest.raises(FileError, match=r"'\.\./other', which lies outside the store"):
        io.open_source(str(tmp_path / "a.zarr"))


@pytest.mark.parametrize("cut", [0, 20])
def test_damaged_metadata(store, cut):
    text = (store / "zarr.json").read_text()
    (store / "zarr.json").write_text(text[:cut])
    with pytest.raises(FileError, match="damaged, or not a Zarr file"):
        io.open_source(str(store))


def test_lying_metadata(store):
    described = json.loads((store / "zarr.json").read_text())
    described["chunk_grid"]["configuration"]["chunk_shape"] = [20, 26]
    (store / "zarr.json").write_text(json.dumps(described))
    with pytest.raises(FileError, match="damaged, or not a Zarr file"):
        io.read(store)


def test_groups_of_several_arrays(tmp_path):
    group = zarr.create_group(tmp_path / "a.zarr")
    for name in ("p", "q/r"):
        group.create_array(name, shape=(3,), dtype="int16")[:] = 5
    with pytest.raises(FileError, match="holds the arrays p, q/r, choose one"):
        io.open_source(str(tmp_path / "a.zarr"))
    with pytest.raises(FileError, match="holds no array 's', allowed are p, q/r"):
        io.open_source(str(tmp_path / "a.zarr"), "s")
    assert io.open_source(str(tmp_path / "a.zarr"), "q/r").outline.array.shape == (3,)


def test_hdf5_links_to_other_files(tmp_path):
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["d"] = np.ones(3)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink(str(tmp_path / "b.h5"), "/d")
        file.create_dataset("out", (4,), "f4", external=[(str(tmp_path / "raw"), 0, 16)])
    with pytest.raises(FileError, match="holds no array 'link', allowed are out"):
        io.open_source(str(tmp_path / "a.h5"), "link")
    with pytest.raises(FileError, match="keeps its samples in other files"):
        io.open_source(str(tmp_path / "a.h5"), "out")


def test_zip_stores_are_no_format(tmp_path):
    archive = stdio.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../evil", b"x")
    (tmp_path / "a.zarr.zip").write_bytes(archive.getvalue())
    with pytest.raises(FileError, match=r"suffix '\.zip' is unknown"):
        io.open_source(str(tmp_path / "a.zarr.zip"))
    shutil.move(tmp_path / "a.zarr.zip", tmp_path / "a.zarr")
    with pytest.raises(FileError, match="is no directory, as a Zarr store is"):
        io.open_source(str(tmp_path / "a.zarr"))


def test_folders_that_are_no_stores_are_not_replaced(tmp_path, store):
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr/thesis.tex").touch()
    with pytest.raises(FileError, match="exists and is no Zarr store"):
        io.check_target(tmp_path / "mine.zarr")
    (tmp_path / "link.zarr").symlink_to(store)
    with pytest.raises(FileError, match="is a link, give the store that it leads to"):
        io.check_target(tmp_path / "link.zarr")
    io.check_target(store)


def test_hdf5_is_only_read(tmp_path):
    with pytest.raises(FileError, match=r"only read; write \.zarr, \.npy or \.tif"):
        io.check_write(tmp_path / "a.h5", Data(np.ones(3)))


def test_an_hdf5_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("multiconv.io._hdf5.HARMLESS", 10**5)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (100, 90), "u1", chunks=(50, 90), compression="gzip")
        made[:] = 3
        made.id.write_direct_chunk((50, 0), zlib.compress(bytes(10**6), 9))
    source = io.open_source(str(tmp_path / "a.h5"))
    assert (source.read((slice(10, 50), slice(3, 90))) == 3).all()
    with pytest.raises(FileError, match="a chunk unpacks to more than the 4500 bytes its header"):
        source.read((slice(40, 60), slice(0, 90)))
