"""Files convolved block by block give what they give as a whole."""

import io as stdio
import re
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from rich.console import Console

import multiconv as mc
from multiconv import outofcore
from multiconv.cli._kernel_argument import Kernel
from multiconv.cli._progress import showing
from multiconv.cli._recipe import Recipe, Settings
from multiconv.io import Data

RANDOM = np.random.default_rng(3)
TAPS = "[[[1,2,3],[4,-5,6]],[[7,8,9],[1,0,-2]],[[3,3,1],[5,2,2]]]"


def numbers(*shape, dtype="uint16", top=60_000):
    return RANDOM.integers(0, top, shape).astype(dtype)


@pytest.fixture
def both(tmp_path, apply, monkeypatch, small_blocks):
    """The same command by blocks and as a whole; returns the two files."""

    def run(*words, source, suffix):
        by_blocks, whole = tmp_path / f"blocks{suffix}", tmp_path / f"whole{suffix}"
        assert apply(words[0], source, by_blocks, *words[1:]) == 0
        with monkeypatch.context() as context:
            context.setattr("multiconv.cli._budget.whole_bytes", lambda data: 0)
            assert apply(words[0], source, whole, *words[1:]) == 0
        return by_blocks, whole

    return run


@pytest.mark.parametrize(
    "options",
    [[], ["--mode", "full"], ["--mode", "valid"], ["--boundary", "wrap"], ["--boundary", "edge"],
     ["--boundary", "constant", "--stride", "2,1,3"], ["--dilation", "2", "--boundary", "reflect"],
     ["--dtype", "int32"], ["--dtype", "uint8", "--signed", "abs"]],
)  # fmt: skip
def test_integers_are_the_same_bytes(tmp_path, both, capsys, options):
    np.save(tmp_path / "a.npy", numbers(23, 31, 46))
    by_blocks, whole = both(TAPS, *options, source=tmp_path / "a.npy", suffix=".npy")
    assert by_blocks.read_bytes() == whole.read_bytes()
    blocks, algorithm = re.findall(r"algorithm +(.*?)  ", capsys.readouterr().out)
    assert int(blocks.split()[0]) > 8
    assert "blocks" not in algorithm


@pytest.mark.parametrize(
    ("shape", "axes", "options"),
    [((50, 70), "YX", []), ((3, 50, 41), "ZYX", ["--boundary", "wrap"]),
     ((50, 61, 3), "YXS", ["--mode", "full", "--stride", "2,3"]),
     ((33, 50, 4), "YXS", ["--dilation", "2"]), ((33, 50, 4), "YXS", ["--alpha", "blend"]),
     ((2, 4, 33, 21), "CZYX", ["--dtype", "uint8"])],
)  # fmt: skip
def test_pictures_are_the_same(tmp_path, both, shape, axes, options):
    array, opaque = numbers(*shape), axes.endswith("S") and shape[-1] == 4
    tifffile.imwrite(
        tmp_path / "a.tif", array, photometric="rgb" if axes.endswith("S") else "minisblack",
        extrasamples=["unassalpha"] if opaque else None, metadata={"axes": axes}, tile=(16, 32),
    )  # fmt: skip
    by_blocks, whole = both("gaussian:sigma=1.5", *options, source=tmp_path / "a.tif",
                            suffix=".tif")  # fmt: skip
    found, expected = tifffile.imread(by_blocks), tifffile.imread(whole)
    assert found.dtype == expected.dtype
    assert np.abs(found.astype(int) - expected).max() <= 1  # a tie may round the other way
    assert (found != expected).mean() < 1e-3
    with tifffile.TiffFile(by_blocks) as a, tifffile.TiffFile(whole) as b:
        assert a.series[0].axes == b.series[0].axes


def test_every_pair_of_formats(tmp_path, apply, small_blocks):
    array = numbers(20, 31, 42, dtype="int16", top=900)
    np.save(tmp_path / "a.npy", array)
    zarr.create_array(tmp_path / "a.zarr", shape=array.shape, chunks=(8, 16, 16),
                      dtype="int16")[:] = array  # fmt: skip
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("g/d", data=array, chunks=(5, 6, 7))
    expected = mc.convolve(array, np.array([[1, 2], [3, -4]]), "same", boundary="symmetric")
    for source in ("a.npy", "a.zarr", "a.h5:/g/d"):
        for suffix in (".npy", ".zarr"):
            assert apply("[[1,2],[3,-4]]", f"{tmp_path}/{source}", tmp_path / f"b{suffix}") == 0
        np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), expected)
        np.testing.assert_array_equal(zarr.open(tmp_path / "b.zarr")[:], expected)


def test_chunks_and_attributes_are_kept(tmp_path, apply):
    array = zarr.create_array(tmp_path / "a.zarr", shape=(20, 31), chunks=(8, 16), dtype="float32",
                              dimension_names=("y", "x"), attributes={"unit": "mm"})  # fmt: skip
    array[:] = numbers(20, 31)
    assert apply("box", tmp_path / "a.zarr", tmp_path / "b.zarr") == 0
    found = zarr.open(tmp_path / "b.zarr")
    assert (found.chunks, found.dtype, dict(found.attrs)) == ((8, 16), "float32", {"unit": "mm"})
    assert found.metadata.dimension_names == ("y", "x")
    assert found.nchunks_initialized == found.nchunks


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_pyramids_keep_their_metadata_and_are_built_anew(
    tmp_path, apply, small_blocks, pyramid, version
):
    array = numbers(2, 50, 43)
    pyramid(tmp_path / "a.zarr", array, version)
    assert apply("[[1,0],[0,0]]", tmp_path / "a.zarr", tmp_path / "b.zarr") == 0
    found = zarr.open(tmp_path / "b.zarr")
    attributes = dict(found.attrs)
    assert attributes["mine"] == 7
    assert attributes["ome"]["version"] == "0.5"
    assert attributes["ome"]["omero"] == {"channels": [{"label": "dapi"}]}
    assert "multiscales" not in attributes
    datasets = attributes["ome"]["multiscales"][0]["datasets"]
    assert [d["path"] for d in datasets] == ["s0", "s1", "s2"]
    expected = array.astype(float)
    np.testing.assert_array_equal(found["s0"][:], expected)
    for name in ("s1", "s2"):
        rows, columns = (range(0, n, 2) for n in expected.shape[1:])
        means = [[expected[:, y : y + 2, x : x + 2].mean(axis=(1, 2)) for x in columns]
                 for y in rows]  # fmt: skip
        expected = np.moveaxis(np.array(means), 2, 0)
        assert np.abs(found[name][:] - expected).max() <= 1
        expected = found[name][:].astype(float)


def test_a_thinned_pyramid_has_a_coarser_scale(tmp_path, apply, pyramid):
    pyramid(tmp_path / "a.zarr", numbers(2, 50, 44))
    assert apply("box", tmp_path / "a.zarr", tmp_path / "b.zarr", "--stride", "2") == 0
    found = zarr.open(tmp_path / "b.zarr")
    assert [found[f"s{k}"].shape for k in range(3)] == [(2, 25, 22), (2, 13, 11), (2, 7, 6)]
    datasets = found.attrs["ome"]["multiscales"][0]["datasets"]
    assert datasets[1]["coordinateTransformations"][0]["scale"] == [1, 4, 4]


def test_short_integers_are_summed_in_single_floats(tmp_path, both):
    array = numbers(40, 50, 61, top=65_536)
    np.save(tmp_path / "a.npy", array)
    files = both("gaussian:sigma=2,ndim=3", "--dtype", "uint16", source=tmp_path / "a.npy",
                 suffix=".npy")  # fmt: skip
    taps = mc.kernels.gaussian(2, ndim=3)
    exact = np.rint(mc.convolve(array, taps, "same", boundary="symmetric"))
    for found in map(np.load, files):
        assert found.dtype == "uint16"
        assert np.abs(found - exact).max() <= 1
        assert (found != exact).mean() < 0.01


@pytest.mark.parametrize(
    ("taps", "dtype", "singles"),
    [([[0.5, 0.5]], "uint16", True), ([[-0.5, 1.5]], "uint16", True),
     ([[-1.5, 1.5]], "uint16", False), ([[9.5, 1]], "float32", True),
     ([[9.5, 1]], "float64", False), ([[0.5, 0.5]], "uint32", False),
     ([[0.5, 0.5]], "int16", True), ([[0.5, 0.5]], None, False)],
)  # fmt: skip
def test_where_single_floats_do(taps, dtype, singles):
    data = Data(np.zeros((30, 40), "uint16"))
    recipe = Recipe(data, [Kernel(np.array(taps), "taps")], Settings(dtype=dtype), Path("a.npy"))
    assert (recipe.steps[0].taps.dtype == np.float32) == singles


@pytest.mark.parametrize(
    ("taps", "dtype"),
    [([[0.25, 0.75]], "uint16"), ([[-0.25, 0.75]], "float32"), ([[0.5, 0.51]], "float32")],
)  # fmt: skip
def test_results_are_rounded_at_once_where_none_is_clipped(taps, dtype):
    data = Data(np.zeros((30, 40), "uint16"))
    recipe = Recipe(data, [Kernel(np.array(taps), "taps")], Settings(dtype="uint16"), Path("a.npy"))
    assert recipe.steps[0].blocks.dtype == dtype


def test_clipped_values_are_told(tmp_path, both, capsys):
    np.save(tmp_path / "a.npy", numbers(40, 50, 61))
    files = both("[[[-0.5,1.5]]]", "--dtype", "uint16", source=tmp_path / "a.npy", suffix=".npy")
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(set(re.findall(r"note +(.*below.*)", capsys.readouterr().out))) == 1


# --- pipelines


@pytest.mark.parametrize("boundary", ["symmetric", "wrap", "constant"])
def test_pipelines_are_one_pass(tmp_path, both, boundary):
    array = numbers(22, 31, 46, top=100)
    np.save(tmp_path / "a.npy", array)
    steps = f"{TAPS} | [[1,-2,0,4]] | [[1],[3]]"
    by_blocks, whole = both(steps, "--boundary", boundary, "--stride", "1,2",
                            source=tmp_path / "a.npy", suffix=".npy")  # fmt: skip
    assert by_blocks.read_bytes() == whole.read_bytes()
    for taps in (eval(TAPS), [[1, -2, 0, 4]]):
        array = mc.convolve(array, np.array(taps), "same", boundary=boundary)
    expected = mc.convolve(array, np.array([[1], [3]]), "same", boundary=boundary, stride=(1, 2))
    np.testing.assert_array_equal(np.load(by_blocks), expected)


def test_pipelines_round_only_at_the_end(tmp_path, apply, small_blocks):
    array = numbers(40, 50)
    tifffile.imwrite(tmp_path / "a.tif", array)
    assert apply("box:size=5 | [[0,25,0]]", tmp_path / "a.tif", tmp_path / "b.tif",
                 "--dtype", "uint32") == 0  # fmt: skip
    box = mc.convolve(array.astype(float), np.full((5, 5), 1 / 25), "same", boundary="symmetric")
    expected = np.rint(25 * box * (2**32 - 1) / (2**16 - 1)).clip(0, 2**32 - 1)
    difference = np.abs(tifffile.imread(tmp_path / "b.tif") - expected)
    assert difference.max() <= 4
    assert apply("sobel |", tmp_path / "a.tif", tmp_path / "b.tif") == 2


# --- blocks


def test_a_grid_covers_an_array_once():
    grid = outofcore.Grid((7, 5, 9), (3, 5, 2))
    seen = np.zeros(grid.shape, int)
    for number in range(len(grid)):
        seen[grid[number]] += 1
    assert (seen == 1).all()
    with pytest.raises(IndexError):
        grid[len(grid)]


def test_blocks_are_multiples_of_chunks_within_the_limit():
    def cost(block):
        return int(np.prod([n + 10 for n in block]))

    block = outofcore.fitting_block((100, 90, 2000), (4, 8, 16), cost, 20_000)
    assert cost(block) <= 20_000 < cost([2 * n for n in block])
    assert [n % c for n, c in zip(block, (4, 8, 16), strict=True)] == [0, 0, 0]
    assert outofcore.fitting_block((5, 3), (4, 4), cost, 10**9) == (5, 3)
    with pytest.raises(mc.MemoryLimitError, match="smallest block, 4x8x16 samples, needs 6552"):
        outofcore.fitting_block((100, 90, 2000), (4, 8, 16), cost, 5000)


# --- bad input


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["box", "gaps.zarr", "o.npy"], "gaps.zarr: 1 chunks are missing, give --missing fill"),
     (["box", "gaps.zarr", "o.npy", "--memory", "lots"], "memory: 'lots' is no amount of memory"),
     (["box", "photo.png", "o.zarr"], "o.zarr: Zarr stores are written from .npy, .tif, .zarr"),
     (["box", "a.npy", "mine.zarr"], "mine.zarr: exists and is no Zarr store"),
     (["box", "a.npy", "o.h5"], "o.h5: HDF5 files are only read"),
     (["box", "a.npy", "o.zarr", "--memory", "1MB"], "memory: the smallest block, "),
     (["box", "file.h5:/none", "o.npy"], "file.h5: holds no array '/none', allowed are d"),
     (["box", "file.h5:/d", "o.npy", "--array", "d"], "array: 'd' and '/d' are both given"),
     (["[[[[1]]]]", "gaps.zarr", "o.npy", "--missing", "fill"], "kernel: [[[[1]]]] has 4 axes")],
)  # fmt: skip
def test_bad_input_is_one_sentence(tmp_path, apply, monkeypatch, capsys, words, sentence):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", numbers(40, 50))
    zarr.create_array("gaps.zarr", shape=(4, 4), chunks=(2, 4), dtype="uint8")[:2] = 1
    Image.fromarray(numbers(9, 8, dtype="uint8", top=200)).save("photo.png")
    with h5py.File("file.h5", "w") as file:
        file["d"] = np.ones((3, 4))
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr/thesis.tex").touch()
    before = sorted(tmp_path.rglob("*"))
    assert apply(*words) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_not_carried_over_is_said(tmp_path, apply, pyramid, capsys):
    pyramid(tmp_path / "a.zarr", numbers(2, 50, 44))
    zarr.open(tmp_path / "a.zarr").create_group("labels")
    assert apply("box", tmp_path / "a.zarr", tmp_path / "b.zarr") == 0
    assert "labels of the store are not carried over" in capsys.readouterr().out


def test_a_block_can_be_explained(tmp_path, apply, small_blocks, capsys):
    np.save(tmp_path / "a.npy", numbers(40, 50))
    assert apply("box", tmp_path / "a.npy", tmp_path / "b.npy", "--explain") == 0
    out = capsys.readouterr().out
    assert "running-sum" in out or "separable" in out
    assert " blocks of " in out


def test_a_bar_with_rate_and_time_left_for_people(monkeypatch):
    seen = stdio.StringIO()
    terminal = Console(file=seen, force_terminal=True, width=100, legacy_windows=False)
    monkeypatch.setattr("multiconv.cli._progress.console", terminal)
    with showing("b.zarr") as progress:
        for done in range(1, 6):
            progress(done * 10**6, 10**7)
            time.sleep(0.03)
        terminal._live_stack[-1].refresh()
    text = re.sub("\x1b[^A-Za-z]*[A-Za-z]", "", seen.getvalue())
    assert re.search(r"b\.zarr .* 50% \d+\.\d Msamples/s \d:\d\d:\d\d", text)
    with showing("b.zarr", quiet=True) as progress:
        progress(1, 2)
