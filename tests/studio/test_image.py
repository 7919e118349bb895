"""The room of images: its answers against the definition."""

from pathlib import Path

import numpy as np
import pytest

import multiconv as mc

pytest.importorskip("starlette")

from multiconv.studio import Message
from multiconv.studio.rooms import _image_pictures as pictures
from multiconv.studio.rooms import image

STATIC = Path(image.__file__).parents[1] / "static"
OFFERS = image.offers(Message()).values
SLIDERS = {"sigma": 2, "angle": 30, "wavelength": 6, "size": 5, "radius": 3, "length": 9,
           "amount": 1.5}  # fmt: skip
ASKED = {"picture": "checker", "view": "signed", "boundary": "symmetric", "operation": "convolve",
         "preset": "own", "side": "out", "y": 3, "x": 5, "channel": 0, **SLIDERS}  # fmt: skip
KERNEL = np.array([[1, -2, 3, 0, 5], [0, 4, -1, 2, 1], [-3, 1, 1, 7, 2]], float)


def question(kernel=KERNEL, pixels=None, **values):
    arrays = {} if "preset" in values else {"kernel": kernel}
    if pixels is not None:
        arrays["pixels"] = pixels
        values.setdefault("picture", "own-test")
    return Message(ASKED | values, arrays)


def defined(plane, kernel, operation, boundary):
    """The result by the definition, in integers."""
    padded = np.pad(plane.astype(int), [(n // 2,) * 2 for n in kernel.shape], boundary)
    weights = kernel[::-1, ::-1] if operation == "convolve" else kernel
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return (windows * weights.astype(int)).sum((-2, -1))


@pytest.fixture
def photo(rng):
    return rng.integers(0, 256, (17, 23, 3), np.uint8)


@pytest.mark.parametrize("operation", ["convolve", "correlate"])
@pytest.mark.parametrize("boundary", OFFERS["boundaries"])
def test_results_are_those_of_the_definition(photo, operation, boundary):
    asked = {"operation": operation, "boundary": boundary}
    want = np.stack([defined(c, KERNEL, **asked) for c in np.moveaxis(photo, -1, 0)], -1)
    answer = image.result(question(pixels=photo, view="photo", **asked))
    np.testing.assert_array_equal(answer.arrays["result"], np.clip(want, 0, 255))
    assert answer.values["clipped"] == np.count_nonzero((want < 0) | (want > 255))
    assert (answer.values["low"], answer.values["high"]) == (want.min(), want.max())

    grey = np.rint(photo @ [0.299, 0.587, 0.114])
    signed = image.result(question(pixels=photo, **asked)).arrays["result"]
    np.testing.assert_array_equal(signed, defined(grey, KERNEL, **asked))


@pytest.mark.parametrize("boundary", OFFERS["boundaries"])
@pytest.mark.parametrize("place", [(0, 0), (8, 11), (16, 22), (1, 21)])
def test_a_pixel_is_the_sum_of_its_products(photo, boundary, place):
    y, x = place
    asked = question(pixels=photo, view="photo", boundary=boundary, y=y, x=x, channel=1)
    answer = image.pixel(asked)
    want = defined(photo[..., 1], KERNEL, "convolve", boundary)[place]
    arrays = answer.arrays
    assert answer.values == {"total": want, "value": photo[y, x, 1]}
    np.testing.assert_array_equal(arrays["window"] * arrays["weights"], arrays["products"])
    assert arrays["products"].sum() == want
    rows, columns = np.mgrid[y - 1 : y + 2, x - 2 : x + 3]
    inside = (rows >= 0) & (rows < 17) & (columns >= 0) & (columns < 23)
    np.testing.assert_array_equal(arrays["inside"], inside)


@pytest.mark.parametrize("operation", ["convolve", "correlate"])
@pytest.mark.parametrize("boundary", OFFERS["boundaries"])
@pytest.mark.parametrize("place", [(8, 11), (0, 1)])
def test_a_sample_goes_where_the_results_change_without_it(photo, operation, boundary, place):
    y, x = place
    plane = photo[..., 0]
    asked = question(pixels=plane, operation=operation, boundary=boundary, side="in", y=y, x=x)
    arrays = image.pixel(asked).arrays
    without = plane.copy()
    without[place] = 0
    rest = [defined(p, KERNEL, operation, boundary) for p in (plane, without)]
    changed = np.pad(rest[0] - rest[1], ((1, 1), (2, 2)))[y : y + 3, x : x + 5]
    np.testing.assert_array_equal(arrays["products"], changed)
    if place == (8, 11):
        np.testing.assert_array_equal(changed, plane[place] * arrays["weights"])


@pytest.mark.parametrize("preset", OFFERS["presets"])
def test_every_preset_is_a_kernel_over_the_whole_range_of_its_sliders(preset):
    sliders = OFFERS["presets"][preset]["sliders"]
    for end in (0, 1):
        asked = question(preset=preset, **{name: r[end] for name, r in sliders.items()})
        sides = image.result(asked).arrays["kernel"].shape
        assert all(3 <= n <= 31 and n % 2 for n in sides), (preset, sides)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"view": "blue"}, r"view: 'blue' is not allowed, give one of photo, grey, signed"),
        ({"boundary": "mirror"}, "boundary: 'mirror' is not allowed"),
        ({"operation": "x"}, "operation: 'x' is not allowed"),
        ({"picture": "lena"}, "picture: 'lena' is not allowed, give one of camera"),
        ({"picture": "own-1"}, "picture: 'own-1' is not kept any more"),
        ({"preset": "blob"}, "preset: 'blob' is not allowed, give one of identity"),
        ({"preset": "gaussian", "sigma": 9}, "sigma: 9 is not allowed for gaussian, give 0.3 to 5"),
        ({"kernel": np.ones((3, 4))}, r"kernel: shape \(3, 4\) is not allowed, give two odd sides"),
        ({"kernel": np.ones((33, 3))}, r"kernel: shape \(33, 3\) is not allowed"),
        ({"kernel": np.full((3, 3), np.nan)}, "kernel: it holds NaN"),
        ({"pixels": np.zeros((600, 4), np.uint8)}, r"pixels: uint8 of shape \(600, 4\)"),
        ({"pixels": np.zeros((4, 4, 4), np.uint8)}, r"pixels: uint8 of shape \(4, 4, 4\)"),
        ({"pixels": np.zeros((0, 4), np.uint8)}, r"pixels: uint8 of shape \(0, 4\)"),
        ({"pixels": np.zeros((4, 4))}, "pixels: float64"),
        ({"pixels": np.zeros((4, 4), np.uint8), "picture": "camera"}, "begin it with 'own-'"),
    ],
)
def test_bad_questions_get_one_sentence(wrong, words):
    with pytest.raises(ValueError, match=words):
        image.result(question(**wrong))


def test_places_outside_the_picture_are_refused():
    with pytest.raises(ValueError, match="y: 256 is not allowed, give an integer from 0 to 255"):
        image.pixel(question(y=256))
    with pytest.raises(ValueError, match="side: 'up' is not allowed"):
        image.pixel(question(side="up"))


def test_few_pictures_are_kept_and_the_oldest_goes_first():
    for i in range(pictures.MOST + 2):
        pictures.keep(f"own-{i}", np.full((2, 3), i, np.uint8))
        pictures.picture("own-0")
    assert len(pictures._own) == pictures.MOST
    assert pictures.picture("own-0").pixels[0, 0] == 0
    with pytest.raises(ValueError, match="not kept"):
        pictures.picture("own-1")


def test_facts_tell_rank_sum_and_response():
    box = image.facts(question(preset="box", size=5))
    assert box.values["rank"] == 1
    assert box.values["sum"] == pytest.approx(1)
    assert box.values["products"]["taps"] == 25
    assert box.values["products"]["lines"] == 10
    assert box.arrays["response"][32, 32] == pytest.approx(1)  # the mean passes
    assert box.arrays["response"].argmax() == 32 * 64 + 32
    assert image.facts(question(preset="laplace")).values["rank"] == 2
    assert set(box.values["algorithms"]) <= set(mc.algorithms())


def test_borders_are_painted_as_numpy_pads():
    answer = image.borders(question(preset="box", size=31, picture="edges"))
    margin, (height, width) = answer.values["margin"], answer.values["size"]
    for mode in OFFERS["boundaries"]:
        painted = answer.arrays[mode]
        small = painted[margin : margin + height, margin : margin + width]
        np.testing.assert_array_equal(small, pictures.edges()[::2, ::2])
        np.testing.assert_array_equal(painted, np.pad(small, margin, mode))


CASES = [
    ("impulse", "signed", "wrap", "convolve", "gaussian derivative"),
    ("edges", "photo", "edge", "correlate", "emboss"),
    ("astronaut", "photo", "symmetric", "convolve", "motion"),
    ("astronaut", "signed", "reflect", "correlate", "gaussian"),
    ("checker", "grey", "constant", "convolve", "own"),
    ("own-code", "photo", "wrap", "convolve", "sharpen"),
]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras on torch
@pytest.mark.parametrize(("picture", "view", "boundary", "operation", "preset"), CASES)
def test_copied_code_gives_what_the_page_shows(
    picture, view, boundary, operation, preset, photo, tmp_path, monkeypatch
):
    for module in ("scipy", "torch", "keras", "jax", "skimage", "PIL"):
        pytest.importorskip(module)
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo).save("picture.png")
    pictures.keep("own-code", photo)
    values = {"picture": picture, "view": view, "boundary": boundary, "operation": operation}
    asked = question(**values) if preset == "own" else question(**values, preset=preset)
    shown = image.result(asked).arrays["result"].astype(float)
    programs = image.code(asked).values
    assert list(programs) == ["multiconv", "NumPy", "SciPy", "PyTorch", "Keras", "JAX"]
    for program in programs.values():
        names = {}
        exec(program, names)
        levels = 0.01 if view == "signed" else 1  # a sum next to a half rounds either way
        np.testing.assert_allclose(names["result"], shown, rtol=0, atol=levels)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_offer_has_a_name(language):
    words = (STATIC / "text" / language / "image.js").read_text()
    names = [f"picture {name}" for name in OFFERS["pictures"]]
    names += [f"preset {name}" for name in OFFERS["presets"]]
    names += [s for preset in OFFERS["presets"].values() for s in preset["sliders"]]
    for name in names:
        assert f'"{name}": "' in words, name
