"""Files: what is written is read again, bad ones are refused, and none is ever half written."""

import errno
import os
import re
import signal
import stat
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import soundfile
import tifffile
from PIL import Image

from multiconv import MemoryLimitError, MissingExtraError
from multiconv.io import Data, FileError, check_target, check_write, format_of, read, write

RANDOM = np.random.default_rng(1)
PICTURES = [None, 1, 2, 3, 4]
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
         (1, 0, 2, 1)]  # fmt: skip


def samples(dtype, channels=None, size=(23, 31)):
    shape = size if channels is None else (*size, channels)
    return RANDOM.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def picture(array):
    axis = -1 if array.ndim == 3 else None
    return Data(array, "image", axis, alpha=array.ndim == 3 and array.shape[-1] in (2, 4))


def sound(array, subtype="PCM_16", rate=8000):
    return Data(array, "sound", -1, rate=rate, subtype=subtype)


def chunk(name, content):
    return (struct.pack(">I", len(content)) + name + content
            + struct.pack(">I", zlib.crc32(name + content)))  # fmt: skip


def png(width, height, depth, colour, body=b"", interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header),
                     chunk(b"IDAT", zlib.compress(body)), chunk(b"IEND", b"")])  # fmt: skip


def sentence(error):
    """The message of a refusal, which is one line."""
    message = str(error.value)
    assert "\n" not in message
    return message


# --- pictures


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", PICTURES)
def test_lossless_pictures_come_back_bit_for_bit(tmp_path, suffix, dtype, channels):
    array, path = samples(dtype, channels), tmp_path / f"a{suffix}"
    size = write(path, picture(array))
    found = read(path)
    expected = array[..., 0] if channels == 1 else array
    assert size == path.stat().st_size
    assert found.array.dtype == dtype
    np.testing.assert_array_equal(found.array, expected)
    assert (found.kind, found.channels, found.alpha) == ("image", channels or 1, channels in (2, 4))
    assert found.spatial_axes == ((-3, -2) if expected.ndim == 3 else (-2, -1))


@pytest.mark.parametrize(("colour", "channels"), [(4, 2), (2, 3), (6, 4)])
@pytest.mark.parametrize("interlace", [0, 1])
def test_16_bit_png_of_others_keeps_all_bits(tmp_path, colour, channels, interlace):
    array = samples("uint16", channels, (9, 11))
    parts = [array[y::dy, x::dx] for y, x, dy, dx in (ADAM7 if interlace else [(0, 0, 1, 1)])]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for part in parts for row in part)
    path = tmp_path / "a.png"
    path.write_bytes(png(11, 9, 16, colour, rows, interlace))
    np.testing.assert_array_equal(read(path).array, array)


def test_16_bit_png_is_filtered_as_the_standard_says(tmp_path):
    """Pillow's decoder, which undoes the filters, sees the high bytes that were written."""
    array, path = samples("uint16", 3, (600, 7)), tmp_path / "a.png"
    write(path, picture(array))
    with Image.open(path) as seen:
        np.testing.assert_array_equal(np.asarray(seen), array >> 8)


@pytest.mark.parametrize("channels", [None, 3])
def test_jpeg_comes_back_nearly(tmp_path, channels):
    smooth = np.add.outer(np.arange(40), np.arange(56)).astype(np.uint8) + np.uint8(60)
    array = smooth if channels is None else np.stack([smooth, 255 - smooth, smooth], axis=-1)
    path = tmp_path / "a.jpg"
    write(path, picture(array))
    found = read(path).array
    assert found.shape == array.shape
    assert np.abs(found.astype(int) - array).max() < 8


def test_palettes_bits_and_transparency_become_plain_samples(tmp_path):
    grey = samples("uint8")
    Image.fromarray(grey).convert("P").save(tmp_path / "p.png")
    assert read(tmp_path / "p.png").array.shape == (23, 31, 3)
    Image.fromarray(grey > 100).save(tmp_path / "b.png")
    assert set(np.unique(read(tmp_path / "b.png").array)) == {0, 255}
    Image.fromarray(samples("uint8", 3)).save(tmp_path / "t.png", transparency=(1, 2, 3))
    assert read(tmp_path / "t.png").alpha


def test_photographs_are_read_upright(tmp_path):
    array = np.zeros((16, 32, 3), np.uint8)
    array[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    exif[0x010F] = "camera"
    Image.fromarray(array).save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = read(tmp_path / "a.jpg")
    assert found.array.shape == (32, 16, 3)
    assert found.array[:8, 8:].min() > 200
    write(tmp_path / "b.jpg", found)
    with Image.open(tmp_path / "b.jpg") as again:
        assert again.getexif()[0x010F] == "camera"
        assert 0x0112 not in again.getexif()


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("a.png", "uint8"), ("a.png", "uint16"), ("a.tif", "uint8"), ("a.tif", "uint16"),
     ("a.jpg", "uint8")],
)  # fmt: skip
def test_colour_profiles_are_kept(tmp_path, name, dtype):
    profile = b"not really a profile" * 9
    Image.fromarray(samples("uint8", 3)).save(tmp_path / "in.png", icc_profile=profile)
    found = read(tmp_path / "in.png")
    write(tmp_path / name, Data(samples(dtype, 3), "image", -1, meta=found.meta))
    assert read(tmp_path / name).meta["icc"] == profile


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff_of_others(tmp_path, compression):
    array = np.repeat(np.arange(0, 240, dtype=np.uint8), 90).reshape(60, 120, 3)
    Image.fromarray(array).save(tmp_path / "a.tif", compression=compression)
    found = read(tmp_path / "a.tif")
    assert found.channel_axis == -1
    assert np.abs(found.array.astype(int) - array).max() <= (20 if compression == "jpeg" else 0)


def test_tiff_of_other_meanings(tmp_path):
    array = samples("uint8")
    tifffile.imwrite(tmp_path / "w.tif", array, photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path / "w.tif").array, 255 - array)
    planes = samples("uint8", 3)
    tifffile.imwrite(tmp_path / "s.tif", np.moveaxis(planes, -1, 0), photometric="rgb",
                     planarconfig="separate")  # fmt: skip
    np.testing.assert_array_equal(read(tmp_path / "s.tif").array, planes)
    half = np.full((2, 3, 4), 100, np.uint8)
    half[..., 3] = 128
    tifffile.imwrite(tmp_path / "m.tif", half, photometric="rgb", extrasamples=["assocalpha"])
    assert read(tmp_path / "m.tif").array[0, 0].tolist() == [199, 199, 199, 128]
    table = np.random.default_rng(2).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "p.tif", array, photometric="palette", colormap=table)
    np.testing.assert_array_equal(read(tmp_path / "p.tif").array,
                                  np.moveaxis(table[:, array] >> 8, 0, -1))  # fmt: skip


def test_stacks_keep_their_axes(tmp_path):
    stack = RANDOM.standard_normal((4, 9, 7)).astype(np.float32)
    write(tmp_path / "a.tif", Data(stack, "image", meta={"axes": "ZYX"}))
    found = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array, stack)
    assert found.meta["axes"] == "ZYX"


# --- sounds


@pytest.mark.parametrize(
    ("name", "subtype", "bits"),
    [("a.wav", "PCM_U8", 8), ("a.wav", "PCM_16", 16), ("a.wav", "PCM_24", 24),
     ("a.wav", "PCM_32", 32), ("a.flac", "PCM_S8", 8), ("a.flac", "PCM_16", 16),
     ("a.flac", "PCM_24", 24)],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 3])
def test_integer_sounds_come_back_bit_for_bit(tmp_path, name, subtype, bits, channels):
    full = 2 ** (bits - 1)
    array = RANDOM.integers(-full, full, (501, channels)) / full
    array[0, 0], array[1, 0] = -1, 1 - 1 / full
    write(tmp_path / name, sound(array, subtype))
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.array, array)
    assert (found.rate, found.subtype, found.channels) == (8000, subtype, channels)
    assert found.spatial_axes == (-2,)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_float_sounds_may_exceed_full_scale(tmp_path, subtype):
    array = (3 * RANDOM.standard_normal((77, 2))).astype(np.float32).astype(np.float64)
    write(tmp_path / "a.wav", sound(array, subtype))
    np.testing.assert_array_equal(read(tmp_path / "a.wav").array, array)


def test_samples_are_clipped_not_wrapped(tmp_path):
    write(tmp_path / "a.wav", sound(np.array([[1.5], [-1.5]])))
    np.testing.assert_array_equal(read(tmp_path / "a.wav").array, [[1 - 2**-15], [-1]])


def test_integer_sounds_refuse_nan(tmp_path):
    with pytest.raises(FileError, match="NaN") as error:
        write(tmp_path / "a.wav", sound(np.array([[np.nan]])))
    assert "16-bit" in sentence(error)
    assert os.listdir(tmp_path) == []


# --- arrays


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("dtype", ["bool", "int64", "uint8", "float16", "float64", "complex64"])
def test_arrays_come_back(tmp_path, name, dtype):
    array = (100 * RANDOM.random((3, 4, 2))).astype(dtype)
    write(tmp_path / name, Data(array))
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.array, array)
    assert (found.array.dtype, found.kind, found.channel_axis) == (dtype, "array", None)


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_text_keeps_all_digits(tmp_path, name, shape):
    array = RANDOM.standard_normal(shape)
    write(tmp_path / name, Data(array))
    np.testing.assert_array_equal(read(tmp_path / name).array, array)


def test_one_array_of_several(tmp_path):
    np.savez(tmp_path / "a.npz", p=np.ones(2), q=np.arange(3))
    assert read(tmp_path / "a.npz", member="q").array.tolist() == [0, 1, 2]
    with pytest.raises(FileError, match="holds the arrays p, q"):
        read(tmp_path / "a.npz")
    with pytest.raises(FileError, match="no array 'r', allowed are p, q"):
        read(tmp_path / "a.npz", member="r")


# --- bad files


def test_a_picture_too_large_is_refused_from_its_header(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(png(500_000, 400_000, 8, 2))
    with pytest.raises(FileError, match="max-pixels") as error:
        read(path)
    assert "400000x500000 = 200000000000 pixels, which need 600000000000 bytes" in sentence(error)
    with pytest.raises(MemoryLimitError, match="600000000000 bytes, the memory limit"):
        read(path, max_pixels=10**12)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_max_pixels_counts_for_every_format(tmp_path, name):
    write(tmp_path / name, picture(samples("uint8", 3)))
    assert read(tmp_path / name, max_pixels=23 * 31).array.size
    with pytest.raises(FileError, match="23x31 = 713 pixels"):
        read(tmp_path / name, max_pixels=23 * 31 - 1)


@pytest.mark.parametrize(
    "name", ["a.png", "a.jpg", "a.tif", "a.wav", "a.flac", "a.npy", "a.npz", "deep.png"]
)
@pytest.mark.parametrize("kept", [3, 20, 0.3, 0.6, 0.9])
def test_truncated_files_are_refused(tmp_path, name, kept):
    path = tmp_path / name
    kind = format_of(path).kind
    data = {"image": picture(samples("uint16" if "deep" in name else "uint8", 3, (90, 80))),
            "sound": sound(RANDOM.uniform(-1, 1, (4000, 2))),
            "array": Data(RANDOM.random((50, 40)))}[kind]  # fmt: skip
    write(path, data)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(FileError) as error:
        read(path)
    assert str(path) in sentence(error)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.wav", "a.flac", "a.npy", "a.npz",
                                  "a.txt"])  # fmt: skip
def test_files_of_something_else_are_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bytes(RANDOM.integers(128, 256, 5000, dtype=np.uint8)))
    with pytest.raises(FileError, match="damaged, or not a") as error:
        read(path)
    sentence(error)
    path.write_bytes(b"")
    with pytest.raises(FileError, match="the file is empty"):
        read(path)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF, 20_002])
def test_a_wav_header_that_lies_is_refused(tmp_path, length):
    path = tmp_path / "a.wav"
    write(path, sound(RANDOM.uniform(-1, 1, (10_000, 1))))
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", length)
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        read(path)
    assert f"its header says {length} bytes of sound, the file has only 20000" in sentence(error)


def test_a_flac_header_that_lies_is_refused(tmp_path):
    path = tmp_path / "a.flac"
    write(path, sound(RANDOM.uniform(-1, 1, (3000, 1))))
    content = bytearray(path.read_bytes())
    content[22:26] = struct.pack(">I", 5000)  # low 32 bits of the number of samples
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        read(path)
    sentence(error)
    content[21] |= 15  # high 4 bits: petabytes
    path.write_bytes(content)
    with pytest.raises((MemoryLimitError, FileError)):
        read(path)


def test_an_npy_header_that_lies_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((3, 10)))
    path.write_bytes(path.read_bytes().replace(b"(3, 10)", b"(3, 99)"))
    with pytest.raises(FileError, match="its header says 2376 bytes, the file has only"):
        read(path)


def test_object_and_text_arrays_are_refused(tmp_path):
    for array in (np.array([{}, 1], dtype=object), np.array(["a", "b"])):
        np.save(tmp_path / "a.npy", array, allow_pickle=True)
        with pytest.raises(FileError, match="allowed are numbers"):
            read(tmp_path / "a.npy")


def test_ragged_text_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("1,2,3\n4,5\n")
    with pytest.raises(FileError, match="number of columns changed from 3 to 2"):
        read(tmp_path / "a.csv")


def test_arrays_beyond_the_memory_limit_are_refused(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.zeros(2000))
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "10KB")
    with pytest.raises(MemoryLimitError, match="16000 bytes, the memory limit is 10000 bytes"):
        read(tmp_path / "a.npy")


def test_unreadable_paths_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="No such file"):
        read(tmp_path / "none.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError, match="is a directory"):
        read(tmp_path / "folder.png")
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(FileError, match="not a regular file"):
        read(tmp_path / "pipe.wav")
    with pytest.raises(FileError, match=r"suffix '\.bmp' is unknown, allowed are \.png"):
        read(tmp_path / "a.bmp")
    with pytest.raises(FileError, match="no suffix"):
        read(tmp_path / "a")
    with pytest.raises(ValueError, match="null byte"):
        read("a\0.png")


def test_files_without_permission_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    np.save(path, np.ones(3))
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK)
    with pytest.raises(PermissionError, match="no permission to read this file"):
        read(path)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="no permission to replace this file"):
        write(path, Data(np.ones(3)))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="no permission to write in"):
        write(path, Data(np.ones(3)))


# --- what formats cannot hold


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", picture(np.zeros((3, 4))), "hold uint8 or uint16 samples, not float64"),
        ("a.jpg", picture(samples("uint16")), "hold uint8 samples, not uint16"),
        ("a.jpg", picture(samples("uint8", 4)), "no opacity; write PNG"),
        ("a.jpg", picture(np.zeros((1, 70_000), np.uint8)), "65500 a side"),
        ("a.png", picture(np.zeros((0, 4), np.uint8)), "one picture, not samples of shape 0x4"),
        ("a.png", Data(np.zeros((2, 3, 4), np.uint8), "image"), "one picture"),
        ("a.png", picture(samples("uint8", 5)), "1 or 3 channels, not 5"),
        ("a.tif", picture(np.zeros((3, 4), complex)), "not complex128"),
        ("a.tif", Data(np.zeros(4)), "hold pictures, not samples of shape 4"),
        ("a.wav", Data(np.zeros(4)), "hold sounds, not arrays"),
        ("a.flac", sound(np.zeros((4, 9))), "hold 1 to 8 channels, not 9"),
        ("a.txt", Data(np.zeros((2, 2, 2))), "real numbers with 1 or 2 axes"),
        ("a.txt", Data(np.zeros(2, complex)), "real numbers with 1 or 2 axes"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_beforehand(tmp_path, name, data, words):
    with pytest.raises(FileError, match=re.escape(words)) as error:
        check_write(tmp_path / name, data)
    assert str(tmp_path / name) in sentence(error)
    with pytest.raises(FileError):
        write(tmp_path / name, data)
    assert os.listdir(tmp_path) == []


def test_targets_that_cannot_be_written_are_refused_beforehand(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        check_target(tmp_path / "none" / "a.npy")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(IsADirectoryError, match="is a directory"):
        check_target(tmp_path / "folder.npy")
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(FileError, match="not a regular file"):
        check_target(tmp_path / "pipe.npy")
    with pytest.raises(FileError, match="unknown"):
        check_target(tmp_path / "a.xyz")


# --- safe writing


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.arange(3))
    return path


def untouched(old):
    return np.load(old).tolist() == [0, 1, 2] and os.listdir(old.parent) == ["a.npy"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_full_disk_leaves_the_old_file(old, monkeypatch, call, failure):
    def fail(*args, **kwargs):
        raise OSError(failure, os.strerror(failure))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match=re.escape(os.strerror(failure))) as error:
        write(old, Data(np.ones(5)))
    assert str(old) in sentence(error)
    assert untouched(old)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.png", "deep.png", "a.jpg", "a.tif", "a.wav",
                                  "a.flac", "a.txt"])  # fmt: skip
def test_running_out_of_space_in_every_format(tmp_path, name):
    """The system refuses to let the file grow, as a full disk does."""
    path = tmp_path / name
    path.write_bytes(b"old")
    code = f"""if True:
        import os, resource, signal, sys
        import numpy as np
        from multiconv.io import Data, format_of, write
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        path = {str(path)!r}
        noise = np.random.default_rng(1).integers(0, 2**16, (200, 300))
        kind = format_of(path).kind
        data = {{
            "array": Data(noise),
            "image": Data(noise.astype("u2" if "deep" in path else "u1"), "image"),
            "sound": Data(noise[:, :1].repeat(300, 0) / 2.0**16, "sound", -1, rate=8000),
        }}[kind]
        try:
            write(path, data)
        except OSError as error:
            print(error)
            sys.exit(7)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                          check=False)  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert "cannot be written (File too large)" in done.stdout
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


def test_an_error_in_the_writer_leaves_the_old_file(old, monkeypatch):
    monkeypatch.setattr(np, "save", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(old, Data(np.ones(5)))
    assert untouched(old)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_leaves_the_old_file(old, number):
    code = f"""if True:
        import os, time
        import numpy as np
        from multiconv.io import Data, write
        os.fsync = lambda descriptor: (print("ready", flush=True), time.sleep(60))
        write({str(old)!r}, Data(np.ones(5)))
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:  # fmt: skip
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(30) != 0
    assert np.load(old).tolist() == [0, 1, 2]


def test_permissions_and_links_are_kept(tmp_path):
    target, link = tmp_path / "a.npy", tmp_path / "b.npy"
    np.save(target, np.zeros(2))
    target.chmod(0o640)
    link.symlink_to(target)
    write(link, Data(np.ones(4)))
    assert link.is_symlink()
    assert np.load(target).tolist() == [1, 1, 1, 1]
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    umask = os.umask(0o027)
    try:
        write(tmp_path / "c.npy", Data(np.ones(4)))
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "c.npy").stat().st_mode) == 0o640


# --- missing libraries


@pytest.mark.parametrize(
    ("name", "module", "library", "words"),
    [
        ("a.png", "_pillow", "PIL", "PNG files needs Pillow: pip install 'multiconv[cli]'"),
        ("a.tif", "_tiff", "tifffile", "TIFF files needs tifffile: pip"),
        ("a.wav", "_sound", "soundfile", "WAV files needs soundfile: pip"),
    ],
)
def test_missing_libraries_are_named(tmp_path, monkeypatch, name, module, library, words):
    (tmp_path / name).write_bytes(b"something")
    monkeypatch.delitem(sys.modules, f"multiconv.io.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=re.escape(f"reading {words}")):
        read(tmp_path / name)
    with pytest.raises(MissingExtraError, match=re.escape(f"writing {words}")):
        check_write(tmp_path / name, Data(np.ones(3)))


def test_reading_agrees_with_the_libraries(tmp_path):
    """Files that this package did not write."""
    array = samples("uint8", 3)
    Image.fromarray(array).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png").array, array)
    deep = samples("uint16", 4)
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", extrasamples=["unassalpha"])
    assert read(tmp_path / "a.tif").alpha
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, deep)
    tone = np.sin(np.arange(1000) / 9)
    soundfile.write(tmp_path / "a.wav", tone, 44_100, subtype="PCM_24")
    np.testing.assert_allclose(read(tmp_path / "a.wav").array[:, 0], tone, atol=2**-22)


@pytest.mark.parametrize(("subtype", "samples"), [("PCM_24", 2**30), ("DOUBLE", 2**28)])
def test_sounds_that_wav_files_have_no_room_for(tmp_path, subtype, samples):
    array = np.broadcast_to(0.0, (samples, 2))
    long = Data(array, "sound", channel_axis=-1, rate=8000, subtype=subtype)
    with pytest.raises(FileError, match=r"bytes of sound are too many for WAV files"):
        check_write(tmp_path / "a.wav", long)
    check_write(tmp_path / "a.flac", long)
