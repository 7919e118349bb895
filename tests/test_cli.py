"""The command line: what it computes, what it prints, and how it fails."""

import os
import re
import signal
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import soundfile
import tifffile
from PIL import Image
from scipy import ndimage
from scipy import signal as scipy_signal

import multiconv as mc
from multiconv.cli import _long_sound, main
from multiconv.cli._kernel_argument import parse
from multiconv.cli._samples import stored

RANDOM = np.random.default_rng(4)


def run(*arguments):
    return main([str(a) for a in arguments])


def process(*arguments, code=None, **environment):
    start = ["-c", code] if code else ["-m", "multiconv"]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)], capture_output=True, text=True,
        timeout=60, check=False, env=os.environ | environment,
    )  # fmt: skip


def smooth(*shape):
    """A picture with structure, 0 to 255."""
    return ndimage.gaussian_filter(RANDOM.uniform(-900, 1200, shape), (2, 2, 0)[: len(shape)]).clip(
        0, 255
    )


@pytest.fixture
def photo(tmp_path):
    """A colour picture and its samples."""
    array = smooth(37, 52, 3).astype(np.uint8)
    Image.fromarray(array).save(tmp_path / "photo.png")
    return tmp_path / "photo.png", array


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def filtered(array, taps, mode="reflect"):
    """SciPy's result, in floats."""
    return ndimage.convolve(array.astype(float), np.asarray(taps, float)[..., None], mode=mode)


def rounded(values, top=255):
    return np.clip(np.rint(values), 0, top)


# --- apply: pictures


def test_blur_of_a_colour_picture(photo, tmp_path, capsys):
    path, array = photo
    assert run("apply", "gaussian:sigma=2,truncate=3", path, tmp_path / "out.png") == 0
    expected = ndimage.gaussian_filter(array.astype(float), (2, 2, 0), truncate=3, mode="reflect")
    difference = np.abs(pixels(tmp_path / "out.png") - rounded(expected))
    assert (difference > 0).mean() < 1e-3  # a tie may round the other way
    assert difference.max() <= 1
    out, err = capsys.readouterr()
    assert err == ""
    lines = [line.split() for line in out.splitlines()]
    assert [line[0] for line in lines] == ["input", "kernel", "algorithm", "output"]
    assert "52 x 37 pixels, RGB, uint8" in out
    assert "13 x 13 taps" in out
    assert lines[2][1] in mc.algorithms()


@pytest.mark.parametrize(
    ("boundary", "scipys"),
    [("symmetric", "reflect"), ("reflect", "mirror"), ("edge", "nearest"), ("wrap", "wrap"),
     ("constant", "constant")],
)  # fmt: skip
def test_literals_are_convolved_exactly(photo, tmp_path, boundary, scipys):
    path, array = photo
    literal = "[[0,-1,2],[-1,5,-3],[0,-1,0]]"
    assert run("apply", literal, path, tmp_path / "o.png", "--boundary", boundary) == 0
    expected = rounded(filtered(array, np.array(eval(literal)), scipys))
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), expected)


def test_modes_strides_and_dilation(photo, tmp_path):
    path, array = photo
    taps = np.array([[1, 2, 3], [4, 5, 6]]) / 31  # no sum ends in a half
    np.save(tmp_path / "k.npy", taps)
    run("apply", tmp_path / "k.npy", path, tmp_path / "v.png", "--mode", "valid")
    plane = np.moveaxis(array.astype(float), -1, 0)
    valid = np.moveaxis([scipy_signal.convolve2d(p, taps, "valid") for p in plane], 0, -1)
    np.testing.assert_array_equal(pixels(tmp_path / "v.png"), rounded(valid))
    run("apply", tmp_path / "k.npy", path, tmp_path / "s.png", "--mode", "valid", "--stride", "2,3")
    np.testing.assert_array_equal(pixels(tmp_path / "s.png"), rounded(valid)[::2, ::3])
    run("apply", tmp_path / "k.npy", path, tmp_path / "d.png", "--mode", "full", "--boundary",
        "constant", "--dilation", "3,2")  # fmt: skip
    wide = np.zeros((4, 5))
    wide[::3, ::2] = taps
    full = np.moveaxis([scipy_signal.convolve2d(p, wide, "full") for p in plane], 0, -1)
    np.testing.assert_array_equal(pixels(tmp_path / "d.png"), rounded(full))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_kind_of_picture(tmp_path, dtype, channels, suffix):
    """The samples of a box blur, opacity left alone."""
    scale = np.iinfo(dtype).max / 255
    array = (smooth(19, 26, channels) * scale).astype(dtype)
    source, target = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    alpha = {"extrasamples": ["unassalpha"]} if channels in (2, 4) else {}
    meaning = "rgb" if channels > 2 else "minisblack"
    if suffix == ".tif":
        tifffile.imwrite(source, array.squeeze(), photometric=meaning, **alpha)
    else:
        mc_image = mc.io.Data(array, "image", -1, alpha=bool(alpha))
        mc.io.write(source, mc_image)
    assert run("apply", "box:size=(3,5)", source, target) == 0
    expected = rounded(filtered(array, np.full((3, 5), 1 / 15)), np.iinfo(dtype).max)
    if alpha:
        expected[..., -1] = array[..., -1]
    found = mc.io.read(target)
    assert found.array.dtype == dtype
    assert found.alpha == bool(alpha)
    np.testing.assert_array_equal(found.array, expected.squeeze())


def test_opacity_moves_with_the_colours(tmp_path):
    array = smooth(20, 31, 4).astype(np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png")
    run("apply", "box:size=5", tmp_path / "a.png", tmp_path / "b.png", "--mode", "valid",
        "--stride", "3")  # fmt: skip
    np.testing.assert_array_equal(pixels(tmp_path / "b.png")[..., 3], array[2:-2:3, 2:-2:3, 3])


def test_blended_opacity_keeps_hidden_colours_hidden(tmp_path):
    """A white shape on transparent black stays white when blurred with its opacity."""
    array = np.zeros((30, 40, 4), np.uint8)
    array[10:20, 12:30] = 255
    Image.fromarray(array).save(tmp_path / "a.png")
    run("apply", "gaussian:2", tmp_path / "a.png", tmp_path / "b.png", "--alpha", "blend")
    found = pixels(tmp_path / "b.png")
    opacity = ndimage.gaussian_filter(array[..., 3].astype(float), 2, mode="reflect")
    assert np.abs(found[..., 3] - opacity).max() < 0.51
    assert (found[..., :3][found[..., 3] > 1] == 255).all()
    run("apply", "gaussian:2", tmp_path / "a.png", tmp_path / "c.png")
    np.testing.assert_array_equal(pixels(tmp_path / "c.png")[..., 3], array[..., 3])


@pytest.mark.parametrize(
    ("signed", "expected"),
    [("clip", lambda v: v), ("abs", np.abs), ("offset", lambda v: v + 128)],
)
def test_signed_results(photo, tmp_path, capsys, signed, expected):
    path, array = photo
    assert run("apply", "sobel:axis=0", path, tmp_path / "o.png", "--signed", signed) == 0
    slopes = filtered(array, mc.kernels.sobel(0))
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), rounded(expected(slopes)))
    below = (np.rint(expected(slopes)) < 0).mean()
    said = "below uint8's least, clipped; --signed offset or abs keeps them" in " ".join(
        capsys.readouterr().out.split()
    )
    assert said == (signed == "clip")
    assert below > 0.1 or signed != "clip"


def test_types_asked_for(photo, tmp_path):
    path, array = photo
    run("apply", "sobel", path, tmp_path / "f.tif", "--dtype", "float32")
    found = tifffile.imread(tmp_path / "f.tif")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, filtered(array, mc.kernels.sobel()), atol=1e-3)
    run("apply", "identity", path, tmp_path / "d.png", "--dtype", "uint16")
    np.testing.assert_array_equal(mc.io.read(tmp_path / "d.png").array, array.astype(int) * 257)
    run("apply", "identity", tmp_path / "d.png", tmp_path / "e.png", "--dtype", "uint8")
    np.testing.assert_array_equal(pixels(tmp_path / "e.png"), array)


def test_pictures_as_kernels_sum_to_one(photo, tmp_path):
    path, array = photo
    shape = (smooth(5, 8) + 1).astype(np.uint8)
    Image.fromarray(shape).save(tmp_path / "k.png")
    run("apply", tmp_path / "k.png", path, tmp_path / "o.tif", "--dtype", "float64", "--mode",
        "valid")  # fmt: skip
    plane = array[..., 1].astype(float)
    expected = scipy_signal.convolve2d(plane, shape / shape.sum(), "valid")
    np.testing.assert_allclose(tifffile.imread(tmp_path / "o.tif")[..., 1], expected, atol=1e-3)


def test_a_volume_meets_2d_and_3d_kernels(tmp_path):
    stack = RANDOM.standard_normal((5, 9, 12)).astype(np.float32)
    mc.io.write(tmp_path / "a.tif", mc.io.Data(stack, "image", meta={"axes": "ZYX"}))
    run("apply", "box:size=(3,1,1)", tmp_path / "a.tif", tmp_path / "b.tif")
    expected = ndimage.uniform_filter(stack.astype(float), (3, 1, 1), mode="reflect")
    np.testing.assert_allclose(tifffile.imread(tmp_path / "b.tif"), expected, atol=1e-5)
    run("apply", "gaussian", tmp_path / "a.tif", tmp_path / "c.tif")
    expected = ndimage.gaussian_filter(stack.astype(float), (0, 1, 1), mode="reflect")
    np.testing.assert_allclose(tifffile.imread(tmp_path / "c.tif"), expected, atol=1e-5)


def test_the_input_may_be_the_output(photo):
    path, array = photo
    assert run("apply", "[[1,1]]", path, path) == 0
    assert (pixels(path) != array).any()
    assert os.listdir(path.parent) == ["photo.png"]


@pytest.mark.parametrize("method", ["reference", "direct"])
def test_a_method_can_be_forced(photo, tmp_path, capsys, method):
    assert run("apply", "box", photo[0], tmp_path / "o.png", "--method", method) == 0
    assert re.search(rf"algorithm +{method} ", capsys.readouterr().out)


def test_explain_comes_first(photo, tmp_path, capsys):
    assert run("apply", "gaussian:sigma=3", photo[0], tmp_path / "o.png", "--explain") == 0
    out = capsys.readouterr().out
    assert out.index("in37x52 k25x25") < out.index("→") < out.index("output")


# --- apply: sounds


@pytest.fixture
def song(tmp_path):
    """A quiet stereo sound and its samples."""
    tone = np.stack([np.sin(np.arange(4000) / 9), np.cos(np.arange(4000) / 31)], axis=1) / 4
    exact = np.rint(tone * 2**15) / 2**15
    soundfile.write(tmp_path / "song.wav", exact, 16_000, subtype="PCM_24")
    return tmp_path / "song.wav", exact


@pytest.mark.parametrize("name", ["o.wav", "o.flac"])
def test_a_filter_keeps_the_length_and_the_format(song, tmp_path, capsys, name):
    path, array = song
    assert run("apply", "lowpass:cutoff=0.02,size=31", path, tmp_path / name) == 0
    found, rate = soundfile.read(tmp_path / name)
    taps = scipy_signal.firwin(31, 0.02, fs=1)
    expected = np.stack([np.convolve(c, taps, "same") for c in array.T], axis=1)
    np.testing.assert_allclose(found, expected, atol=2**-23)
    assert (rate, soundfile.info(tmp_path / name).subtype) == (16_000, "PCM_24")
    assert "0.25 s, 16000 Hz, stereo, PCM_24" in capsys.readouterr().out


@pytest.mark.parametrize(("heard", "room"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_a_room_makes_the_sound_longer(tmp_path, heard, room):
    dry = RANDOM.uniform(-0.01, 0.01, (500, heard))
    response = RANDOM.uniform(-0.3, 0.3, (80, room))
    soundfile.write(tmp_path / "dry.wav", dry, 8000, subtype="DOUBLE")
    soundfile.write(tmp_path / "room.wav", response, 8000, subtype="DOUBLE")
    run("apply", tmp_path / "room.wav", tmp_path / "dry.wav", tmp_path / "wet.wav")
    found = soundfile.read(tmp_path / "wet.wav", always_2d=True)[0]
    assert found.shape == (579, max(heard, room))
    for channel in range(found.shape[1]):
        expected = np.convolve(dry[:, channel % heard], response[:, channel % room])
        np.testing.assert_allclose(found[:, channel], expected, atol=1e-12)


@pytest.fixture
def in_blocks(monkeypatch):
    """As if every sound were too long to be held, and blocks were short."""
    monkeypatch.setattr(_long_sound, "LONG", 0)
    monkeypatch.setattr(_long_sound, "BLOCK", 64)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("heard", "room"), [(1, 1), (1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize("taps", [79, 1, 30])
def test_long_sounds_in_blocks(tmp_path, in_blocks, capsys, heard, room, taps, mode):
    dry = RANDOM.uniform(-0.01, 0.01, (500, heard))
    response = RANDOM.uniform(-0.3, 0.3, (taps, room))
    soundfile.write(tmp_path / "dry.wav", dry, 8000, subtype="DOUBLE")
    soundfile.write(tmp_path / "room.wav", response, 8000, subtype="DOUBLE")
    run("apply", tmp_path / "room.wav", tmp_path / "dry.wav", tmp_path / "wet.wav", "--mode", mode)
    assert re.search(r"algorithm +in blocks of (64|79)", capsys.readouterr().out)
    found = soundfile.read(tmp_path / "wet.wav", always_2d=True)[0]
    for channel in range(max(heard, room)):
        x, h = dry[:, channel % heard], response[:, channel % room]
        np.testing.assert_allclose(found[:, channel], np.convolve(x, h, mode), atol=1e-12)


def test_long_loud_sounds_are_scaled(song, tmp_path, in_blocks, capsys):
    path, array = song
    run("apply", "[8]", path, tmp_path / "o.flac")
    found = soundfile.read(tmp_path / "o.flac")[0]
    np.testing.assert_allclose(found, array / np.abs(array).max(), atol=2**-22)
    out = capsys.readouterr().out
    assert "the peak was +6.0 dB, scaled down to full scale" in out
    assert re.search("output.* 0.25 s, 16000 Hz, stereo, PCM_24", out)
    run("apply", "[8]", path, tmp_path / "f.wav", "--dtype", "float32")
    np.testing.assert_allclose(soundfile.read(tmp_path / "f.wav")[0], 8 * array, rtol=1e-6)


def test_a_long_sound_that_ends_early_leaves_the_target_alone(song, tmp_path, in_blocks, capsys):
    path, _ = song
    soundfile.write(tmp_path / "long.flac", soundfile.read(path)[0], 16_000)
    whole = (tmp_path / "long.flac").read_bytes()
    (tmp_path / "long.flac").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "o.wav").write_bytes(b"before")
    assert run("apply", "[1]", tmp_path / "long.flac", tmp_path / "o.wav", "--dtype", "float32")
    assert "long.flac" in capsys.readouterr().err
    assert (tmp_path / "o.wav").read_bytes() == b"before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["long.flac", "o.wav", "song.wav"]


def test_long_sounds_take_no_memory(tmp_path, python):
    soundfile.write(tmp_path / "room.wav", RANDOM.uniform(-1, 1, 500), 8000)
    with soundfile.SoundFile(tmp_path / "dry.flac", "w", 8000, 1) as file:
        for _ in range(150):
            file.write(RANDOM.uniform(-0.1, 0.1, 2**16))
    code = f"""
import os
os.chdir({str(tmp_path)!r})
from multiconv.cli import _long_sound, main
main(["apply", "room.wav", "dry.flac", "wet.wav"])
"""
    done = python(code, MULTICONV_MEMORY_LIMIT="40000000")
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "wet.wav").frames == 150 * 2**16 + 499


def test_three_channels_and_one_kernel(tmp_path):
    array = RANDOM.uniform(-0.2, 0.2, (300, 3))
    soundfile.write(tmp_path / "a.wav", array, 8000, subtype="DOUBLE")
    run("apply", "[1, 0, -0.5]", tmp_path / "a.wav", tmp_path / "b.wav")
    expected = np.stack([np.convolve(c, [1, 0, -0.5], "same") for c in array.T], axis=1)
    np.testing.assert_allclose(soundfile.read(tmp_path / "b.wav")[0], expected, atol=1e-14)


def test_loud_results_are_scaled_and_it_is_said(song, tmp_path, capsys):
    path, array = song
    run("apply", "[8]", path, tmp_path / "o.wav")
    found = soundfile.read(tmp_path / "o.wav")[0]
    assert np.abs(found).max() == pytest.approx(1, abs=2**-22)
    np.testing.assert_allclose(found, array / np.abs(array).max(), atol=2**-22)
    assert "the peak was +6.0 dB, scaled down to full scale" in capsys.readouterr().out
    run("apply", "[8]", path, tmp_path / "f.wav", "--dtype", "float32")
    np.testing.assert_allclose(soundfile.read(tmp_path / "f.wav")[0], 8 * array, rtol=1e-6)


def test_loud_floats_are_scaled_for_files_of_integers(tmp_path, capsys):
    array = 3 * RANDOM.uniform(-1, 1, (200, 1))
    soundfile.write(tmp_path / "a.wav", array, 8000, subtype="FLOAT")
    run("apply", "[1]", tmp_path / "a.wav", tmp_path / "b.flac")
    found = soundfile.read(tmp_path / "b.flac", always_2d=True)[0]
    np.testing.assert_allclose(found, array / np.abs(array).max(), atol=2**-22)
    out = capsys.readouterr().out
    assert re.search(r"output.*PCM_24", out)
    assert "scaled down to full scale" in out


def test_a_stride_thins_a_sound_in_time(song, tmp_path):
    path, array = song
    run("apply", "[1]", path, tmp_path / "o.wav", "--stride", 4)
    found, rate = soundfile.read(tmp_path / "o.wav")
    assert rate == 4000
    np.testing.assert_array_equal(found, array[::4])


# --- apply: arrays


def test_integers_stay_exact(tmp_path):
    array = RANDOM.integers(-(2**40), 2**40, (6, 9))
    np.save(tmp_path / "a.npy", array)
    run("apply", "[[3,-1],[2,7]]", tmp_path / "a.npy", tmp_path / "b.npy", "--mode", "full",
        "--boundary", "constant")  # fmt: skip
    expected = scipy_signal.convolve2d(array, [[3, -1], [2, 7]])
    found = np.load(tmp_path / "b.npy")
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


def test_arrays_of_any_rank_and_type(tmp_path):
    line = RANDOM.standard_normal(40).astype(np.float32)
    np.savez(tmp_path / "a.npz", line=line, other=line[:3])
    run("apply", "gaussian:2", tmp_path / "a.npz", tmp_path / "b.npz", "--array", "line")
    found = np.load(tmp_path / "b.npz")["line"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, ndimage.gaussian_filter1d(line, 2), atol=1e-6)
    waves = RANDOM.standard_normal((7, 8)) + 1j
    np.save(tmp_path / "c.npy", waves)
    run("apply", "[[1j, 2]]", tmp_path / "c.npy", tmp_path / "d.npy", "--mode", "valid")
    np.testing.assert_allclose(np.load(tmp_path / "d.npy"), 1j * waves[:, 1:] + 2 * waves[:, :-1])


def test_types_of_arrays(tmp_path):
    np.save(tmp_path / "a.npy", np.array([200, 100, 50], np.uint8))
    np.save(tmp_path / "k.npy", np.array([2], np.uint8))
    run("apply", tmp_path / "k.npy", tmp_path / "a.npy", tmp_path / "w.npy")
    assert np.load(tmp_path / "w.npy").tolist() == [144, 200, 100]  # modulo 256, as NumPy has it
    run("apply", tmp_path / "k.npy", tmp_path / "a.npy", tmp_path / "b.npy", "--dtype", "int32")
    assert np.load(tmp_path / "b.npy").tolist() == [400, 200, 100]
    run("apply", "[1.01]", tmp_path / "a.npy", tmp_path / "c.npy", "--dtype", "int8")
    assert np.load(tmp_path / "c.npy").tolist() == [127, 101, 50]
    run("apply", "[1.01]", tmp_path / "a.npy", tmp_path / "d.txt")
    np.testing.assert_allclose(np.loadtxt(tmp_path / "d.txt"), [202, 101, 50.5])


def test_stored_rounds_and_clips_at_64_bits():
    values = np.array([2.5, -1e30, 1e30, 3.5])
    found, shares = stored(values, np.dtype(float), np.dtype(np.int64), "clip")
    assert found.tolist() == [2, -(2**63), 2**63 - 1024, 4]
    assert shares == (0.25, 0.25)


# --- KERNEL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sobel", mc.kernels.sobel()),
        ("sobel:axis=0,normalize=true", mc.kernels.sobel(0, normalize=True)),
        ("gaussian:sigma=(1,2),truncate=2", mc.kernels.gaussian((1, 2), truncate=2)),
        ("gaussian: 1.5", mc.kernels.gaussian(1.5)),
        ("gaussian:sigma=2,ndim=1", mc.kernels.gaussian(2, ndim=1)),
        ("motion:9,-30", mc.kernels.motion(9, -30)),
        (" [[1, 2], [3, -4]]", [[1, 2], [3, -4]]),
        ("(1, 2.5, 1e3)", [1, 2.5, 1000]),
        ("[[1+2j]]", [[1 + 2j]]),
        ("[[[1],[2]]]", [[[1], [2]]]),
    ],
)
def test_kernels_as_people_write_them(text, expected):
    np.testing.assert_array_equal(parse(text).array, expected)


def test_kernels_from_files(tmp_path):
    (tmp_path / "k.txt").write_text("1 2 3\n4 5 6 # rows\n")
    assert parse(str(tmp_path / "k.txt")).array.tolist() == [[1, 2, 3], [4, 5, 6]]
    np.savez(tmp_path / "k.npz", only=np.arange(3))
    assert parse(str(tmp_path / "k.npz")).array.tolist() == [0, 1, 2]
    opaque = np.dstack([np.full((2, 2), 30, np.uint8)] * 3 + [np.full((2, 2), 7, np.uint8)])
    Image.fromarray(opaque).save(tmp_path / "k.png")
    assert parse(str(tmp_path / "k.png")).array.tolist() == [[0.25, 0.25], [0.25, 0.25]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[1,2],[3]]", "ragged, entry 1 has 1 value and entry 0 has 2 values"),
        ("[[1,2],3]", "ragged, entry 1 has no brackets and entry 0 has 2 values"),
        ("[[1,2],[3,4]", "the literal cannot be read"),
        ("[1,'a']", "holds 'a', allowed are numbers"),
        ("[True]", "holds True, allowed are numbers"),
        ("[]", "has no taps"),
        ("[[],[]]", "has no taps"),
        ("[1e999]", "NaN or infinity"),
        ("[10000000000000000000000]", "too large, 64 bits"),
        ("[" * 5000 + "]" * 5000, "cannot be read"),
        ("[" + "1," * 60_000 + "1]", "characters are too many"),
        ("[__import__('os')]", "cannot be read"),
        ("gausian", "did you mean 'gaussian'"),
        ("gaussian:sigma", "sigma: 'sigma' is not allowed, give a number"),
        ("gaussian:sigma=", "are no parameters"),
        ("gaussian:sigma=1)+f(", "are no parameters"),
        ("gaussian:sigma=__import__('os')", "are no parameters"),
        ("gaussian:sigma=1e9", "taps"),
        ("gaussian:width=2", "'width', the parameters are sigma"),
        ("none.npy", "No such file"),
        ("", "is no kernel's name"),
    ],
)
def test_bad_kernels_are_refused(text, words, tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.ones((9, 9)))
    assert run("apply", "--", text, tmp_path / "a.npy", tmp_path / "b.npy") == 2
    assert_one_sentence(capsys, words)
    assert os.listdir(tmp_path) == ["a.npy"]


def assert_one_sentence(capsys, words):
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("multiconv: ")
    assert err.count("\n") == 1
    assert len(err) < 500
    assert words in err


def test_black_pictures_are_no_kernels(tmp_path):
    Image.new("L", (3, 3)).save(tmp_path / "k.png")
    with pytest.raises(ValueError, match="is black"):
        parse(str(tmp_path / "k.png"))


# --- bad input


@pytest.fixture
def files(tmp_path, photo, song):
    """Good and bad files."""
    whole = photo[0].read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    header = struct.pack(">IIBBBBB", 500_000, 400_000, 8, 2, 0, 0, 0)
    huge = b"IHDR" + header
    (tmp_path / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + huge + struct.pack(">I", zlib.crc32(huge))
    )
    lying = bytearray(song[0].read_bytes())
    lying[lying.index(b"data") + 7] = 0x70
    (tmp_path / "lies.wav").write_bytes(lying)
    soundfile.write(tmp_path / "other.wav", np.ones((5, 2)), 44_100)
    soundfile.write(tmp_path / "three.wav", np.ones((5, 3)), 16_000)
    np.save(tmp_path / "line.npy", np.ones(5))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["apply", "box", "none.png", "o.png"], "none.png: cannot be read (No such file"),
        (["apply", "box", "folder.png", "o.png"], "is a directory"),
        (["apply", "box", "empty.png", "o.png"], "the file is empty"),
        (["apply", "box", "cut.png", "o.png"], "cut.png: damaged, or not a PNG file"),
        (["apply", "box", "huge.png", "o.png"], "need 600000000000 bytes"),
        (["apply", "box", "photo.png", "o.png", "--max-pixels", "1000"], "max-pixels"),
        (["apply", "box", "lies.wav", "o.wav"], "its header says"),
        (["apply", "box", "objects.npy", "o.npy"], "allowed are numbers"),
        (["apply", "box", "photo.png", "o.xyz"], "the suffix '.xyz' is unknown"),
        (["apply", "box", "photo.png", "none/o.png"], "does not exist"),
        (["apply", "box", "photo.png", "folder.png"], "is a directory"),
        (["apply", "box", "photo.png", "o.wav"], "WAV files hold sounds, not images"),
        (["apply", "box", "photo.png", "o.jpg", "--dtype", "uint16"], "JPEG files hold uint8"),
        (["apply", "box", "photo.png", "o.png", "--dtype", "float32"], "PNG files hold uint8"),
        (["apply", "box", "photo.png", "o.png", "--dtype", "foo"], "dtype: 'foo'"),
        (["apply", "box", "photo.png", "o.png", "--dtype", "object"], "dtype: 'object'"),
        (["apply", "box", "photo.png", "o.png", "--mode", "big"], "mode: 'big' is not allowed"),
        (["apply", "box", "photo.png", "o.png", "--boundary", "odd"], "boundary: 'odd'"),
        (["apply", "box", "photo.png", "o.png", "--method", "magic"], "method: 'magic'"),
        (["apply", "box", "photo.png", "o.png", "--signed", "odd"], "'--signed'"),
        (["apply", "box", "photo.png", "o.png", "--stride", "0"], "stride"),
        (["apply", "box", "photo.png", "o.png", "--stride", "two"], "stride: 'two'"),
        (["apply", "box", "photo.png", "o.png", "--stride", "1,2,3"], "stride"),
        (["apply", "box", "photo.png", "o.png", "--dilation", "9223372036854775807"], "dilation"),
        (["apply", "box", "photo.png", "o.png", "--dilation", "0"], "dilation"),
        (["apply", "box:size=99", "photo.png", "o.png", "--mode", "valid"], "99"),
        (["apply", "[1,2,1]", "photo.png", "o.png"], "has 1 axis, a picture needs 2"),
        (["apply", "[[[1]]]", "photo.png", "o.png"], "has 3 axes, the input has only 2"),
        (["apply", "[[1],[2]]", "line.npy", "o.npy"], "has 2 axes, the input has only 1"),
        (["apply", "[[1,2]]", "song.wav", "o.wav"], "has 2 axes, a sound needs 1"),
        (["apply", "other.wav", "song.wav", "o.wav"], "44100 samples a second, the input 16000"),
        (["apply", "three.wav", "song.wav", "o.wav"], "has 3 channels, the input 2"),
        (["apply", "box", "song.wav", "o.wav", "--stride", "7"], "does not divide the 16000"),
        (["apply", "box", "song.wav", "o.wav", "--dtype", "uint16"], "not allowed for sounds"),
        (["apply", "box", "song.wav", "o.flac", "--dtype", "float32"], "for sounds in FLAC files"),
        (["apply", "box", "song.wav", "o.png"], "hold uint8 or uint16 samples, not float64"),
        (["apply", "box", "line.npy", "o.npy", "--array", "p"], "only .npz files hold arrays"),
        (["apply", "box", "photo.png"], "OUTPUT"),
        (["apply", "box", "photo.png", "o.png", "--wrong"], "--wrong"),
        (["wrong"], "wrong"),
        (["explain", "convolve", "9x9"], "give a FUNCTION, X and W, or --problem"),
        (["explain", "max", "9", "3"], "function: 'max' is not allowed"),
        (["explain", "convolve", "9xx9", "3x3"], "X: '9xx9' is no shape"),
        (["explain", "convolve", "9x9", "3x3x3"], "3"),
        (["explain", "convolve", "9x9", "3x3", "--padding", "1"], "padding"),
        (["explain", "conv", "1x3x9x9", "8x3x3x3", "--padding", "1:2:3"], "padding: '1:2:3'"),
        (["explain", "conv", "1x3x9x9", "8x3x3x3", "--groups", "2"], "groups"),
        (["explain", "conv", "1x3x9x9", "8x3x3x3", "--padding", "9223372036854775807"], "padding"),
        (["explain", "convolve", "9x9", "3x3", "--dtype", "foo"], "foo"),
        (["explain", "convolve", "9x9", "3x3", "--method", "magic"], "method: 'magic'"),
        (["explain", "--problem", "nonsense"], "'nonsense'"),
        (["explain", "convolve", "--problem", "mb1 ic1 oc1 in9 k3"], "one or the other"),
        (["kernels", "sobl"], "did you mean 'sobel'"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(files, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(files)
    before = sorted(os.listdir())
    assert main(arguments) == 2
    assert_one_sentence(capsys, words)
    assert sorted(os.listdir()) == before


def test_failures_leave_the_old_output(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    (files / "o.png").write_bytes(b"precious")
    assert run("apply", "box", "cut.png", "o.png") == 2

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run("apply", "box", "photo.png", "o.png") == 2
    assert "o.png: cannot be written (No space left on device)" in capsys.readouterr().err
    assert (files / "o.png").read_bytes() == b"precious"
    assert not [n for n in os.listdir() if n.endswith(".tmp")]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interruption_leaves_nothing_behind(photo, tmp_path, interrupt, number, status):
    (tmp_path / "o.png").write_bytes(b"precious")
    code = f"""if True:
        import os, sys, time
        from multiconv.cli import main
        os.fsync = lambda descriptor: (print("ready", flush=True), time.sleep(60))
        sys.exit(main(["apply", "box", {str(photo[0])!r}, {str(tmp_path / "o.png")!r}]))
    """
    interrupt(code, number, status)
    assert sorted(os.listdir(tmp_path)) == ["o.png", "photo.png"]
    assert (tmp_path / "o.png").read_bytes() == b"precious"


# --- kernels, explain and the rest


def test_kernels_lists_them_all_within_80_columns(capsys):
    assert run("kernels") == 0
    out = capsys.readouterr().out
    for name in mc.kernels.names():
        assert re.search(rf"(^| ){name}( |$)", out, re.M)
        assert " ".join(mc.kernels.info(name).summary.split()[:4]) in out
    assert "sigma=1.0, truncate=4.0" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_kernels_fit_the_terminal_in_colour(columns):
    done = process("kernels", COLUMNS=columns, FORCE_COLOR="1", COLORTERM="truecolor")
    assert "\x1b[38;2;" in done.stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert "▀" in plain
    assert max(map(len, plain.splitlines())) <= int(columns)


def test_drawings_show_the_sign(capsys):
    assert run("kernels", "sobel:axis=1") == 0
    out = capsys.readouterr().out
    assert re.search(r"▓▓ {2}==\n|▓▓ {2}==\s", out)
    assert "██  ##" in out
    assert "3 x 3 taps, sum 0" in out
    assert "axis : int, default -1" in out
    assert "1  0  -1" in out


@pytest.mark.parametrize("text", ["[1,-2,1]", "[[[1,2],[3,4]]]", "lowpass:size=901", "[[0,0]]",
                                  "gaussian:sigma=90", "[[1j]]"])  # fmt: skip
def test_any_kernel_can_be_drawn(capsys, text):
    assert run("kernels", text) == 0
    out = capsys.readouterr().out
    assert "taps, sum" in out
    assert max(map(len, out.splitlines())) <= 80


def test_explain_lists_every_algorithm(capsys):
    assert run("explain", "conv", "1x64x56x56", "64x64x3x3", "--padding", "1", "--dtype",
               "float32") == 0  # fmt: skip
    out = capsys.readouterr().out
    assert out.startswith("mb1 ic64 oc64 in56x56 k3x3 p1:1 float32\n")
    for name in mc.algorithms():
        assert re.search(rf"^(→ )? *{name} ", out, re.M)
    assert len(re.findall(r"^→", out, re.M)) == 1


def test_explain_agrees_with_the_plan(capsys):
    run("explain", "convolve", "300x200", "gaussian:sigma=3", "--mode", "same", "--boundary",
        "wrap", "--stride", "2,1", "--dtype", "float32", "--precision", "highest")  # fmt: skip
    out = capsys.readouterr().out
    taps = mc.kernels.gaussian(3).astype(np.float32)
    plan = mc.plan(mc.convolve, mc.ShapeDtype((300, 200), "float32"), taps, mode="same",
                   boundary="wrap", stride=(2, 1), precision="highest")  # fmt: skip
    assert out.splitlines()[0] == str(plan.problem)
    assert f"→  {plan.algorithm} " in out


def test_explain_takes_a_problem_as_text(capsys):
    text = "mb2 ic8 oc8 in30x40 k3x5 s2 float32"
    assert run("explain", "--problem", text) == 0
    assert capsys.readouterr().out.startswith(text + "\n")


@pytest.mark.parametrize(
    ("function", "x", "w", "options"),
    [
        ("correlate", "100", "[1,2,3]", []),
        ("conv_transpose", "1x4x9", "4x6x3", ["--stride", "2", "--output-padding", "1"]),
        ("conv_input_grad", "2x6x8x9", "6x4x3x3", ["--x-shape", "2x4x10x11"]),
        ("conv_weight_grad", "2x4x10x11", "2x6x8x9", ["--w-shape", "6x4x3x3"]),
        ("conv", "1x5x5x5x3", "3x3x3x3x64", ["--data-format", "channels_last"]),
    ],
)
def test_explain_knows_every_function(capsys, function, x, w, options):
    assert run("explain", function, x, w, *options) == 0
    chosen = re.search(r"^→  (\w+) ", capsys.readouterr().out, re.M)
    assert chosen.group(1) in mc.algorithms()


def test_version_and_help(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"multiconv {mc.__version__}\n"
    for arguments in (["--help"], ["apply", "-h"], ["kernels", "-h"], ["explain", "-h"],
                      ["demo", "-h"]):  # fmt: skip
        assert run(*arguments) == 0
        out = capsys.readouterr().out
        assert "Usage: multiconv" in out
        assert max(map(len, out.splitlines())) <= 80
    assert run() == 2
    assert "Usage: multiconv" in capsys.readouterr().out


def test_python_dash_m_is_the_command_line(photo, tmp_path):
    done = process("--version")
    assert (done.returncode, done.stdout) == (0, f"multiconv {mc.__version__}\n")
    done = process("apply", "box", photo[0], tmp_path / "o.png")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    done = process("apply", "box", "none.png", tmp_path / "p.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "multiconv: none.png: cannot be read (No such file or directory)\n"


@pytest.mark.parametrize("library", ["typer", "rich"])
def test_without_its_libraries_the_command_line_says_what_to_install(library):
    code = f"import sys; sys.modules[{library!r}] = None; import multiconv.__main__"
    done = process(code=code)
    assert done.returncode == 2
    assert done.stderr == (
        f"multiconv: the command line needs {library}: pip install 'multiconv[cli]'\n"
    )


def test_a_reader_that_leaves_early_is_no_error():
    code = "multiconv kernels | head -n 1"
    code = code.replace("multiconv", f"{sys.executable} -m multiconv")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", code], capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode(tmp_path):
    done = process("kernels", "sobel", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "  @@  ##" in done.stdout
    done = process("explain", "convolve", "50", "5", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
