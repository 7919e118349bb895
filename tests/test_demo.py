"""The demonstration: what it writes, what it says, and that its references are right."""

import os
import re
import shutil

import numpy as np
import pytest
import soundfile
from PIL import Image
from scipy import ndimage

import multiconv as mc
from multiconv.cli import main
from multiconv.cli.demo import _instruments, _photo, _references, _volume
from multiconv.cli.demo._integral import closed_form
from multiconv.cli.demo._sheet import WIDTH

FILES = {
    "photo-blurred.png", "photo-sharpened.png", "photo-edges.png", "photo-embossed.png",
    "sound-dry.wav", "sound-room.wav", "sound-in-the-room.wav", "volume-before.png",
    "volume-after.png", "contact-sheet.png",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder of one run and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "made" / "for it"
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("multiconv.cli.demo.console.print", lambda *a, **k: lines.append(a))
        assert main(["demo", "--out", str(folder)]) == 0
    table = next(a[0] for a in lines if a and hasattr(a[0], "columns"))
    rows = list(zip(*(list(c.cells) for c in table.columns), strict=True))
    texts = [str(a[0]) for a in lines if a and not hasattr(a[0], "columns")]
    return folder, rows, texts


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_every_file_is_written_and_named(demo):
    folder, _, texts = demo
    assert set(os.listdir(folder)) == FILES
    said = " ".join(texts)
    assert all(name in said for name in FILES)
    assert "[1, 2, 3, 4, 5] * [0.5, 1, 0.5] = [4, 6, 8]" in said
    assert float(re.search(r"Done in ([\d.]+) s", said).group(1)) < 30


def test_every_step_names_algorithm_time_and_difference(demo):
    _, rows, _ = demo
    assert len(rows) == 13
    for name, algorithm, seconds, difference, reference in rows:
        assert algorithm in mc.algorithms() or algorithm == "quadrature"
        assert re.fullmatch(r"[\d.]+ (ns|µs|ms|s)", seconds)
        assert reference in ("NumPy", "SciPy", "torch", "closed form")
        allowed = 2e-3 if "photo" in name else 1e-4
        if "step" in name:
            step = float(name.split()[-1])
            assert 0.5 * step < float(difference) < 1.5 * step
        else:
            assert float(difference) < allowed


def test_the_photographs_are_what_they_say(demo):
    folder, _, _ = demo
    cat = pixels(_photo.bundled()).astype(float)
    blurred = ndimage.gaussian_filter(cat, (4, 4, 0), mode="reflect")
    assert np.abs(pixels(folder / "photo-blurred.png") - blurred).max() < 0.51
    sharper = pixels(folder / "photo-sharpened.png").astype(float)
    assert sharper.shape == cat.shape
    assert np.diff(sharper, axis=1).std() > 1.3 * np.diff(cat, axis=1).std()
    edges = pixels(folder / "photo-edges.png").astype(float)
    grey = cat @ [0.2126, 0.7152, 0.0722]
    steepness = np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1))
    assert np.corrcoef(edges.ravel(), np.sqrt(steepness).ravel())[0, 1] > 0.99
    assert pixels(folder / "photo-embossed.png").shape == grey.shape


def test_the_sounds_are_what_they_say(demo):
    folder, _, _ = demo
    dry, rate = soundfile.read(folder / "sound-dry.wav", always_2d=True)
    room, _ = soundfile.read(folder / "sound-room.wav")
    wet, _ = soundfile.read(folder / "sound-in-the-room.wav")
    assert rate == 44_100
    assert (dry.shape[1], room.shape[1], wet.shape[1]) == (1, 2, 2)
    assert len(wet) == len(dry) + len(room) - 1
    for ear in range(2):
        expected = np.fft.irfft(np.fft.rfft(dry[:, 0], len(wet)) * np.fft.rfft(room[:, ear],
                                len(wet)), len(wet))  # fmt: skip
        scale = expected @ wet[:, ear] / (expected @ expected)
        assert np.abs(scale * expected - wet[:, ear]).max() < 1e-3
    assert np.abs(wet).max() < 1


def test_the_room_dies_away():
    room = _instruments.room()
    early, late = room[4000:8000].std(), room[-4000:].std()
    assert 20 * np.log10(early / late) == pytest.approx(54, abs=4)


def test_the_volume_is_smoother(demo):
    folder, _, _ = demo
    before, after = (pixels(folder / name).astype(float) for name in _volume.FILES)
    assert before.shape == after.shape == (120, 104 + 104 + 120 + 2 * 6)
    brain = (slice(50, 70), slice(25, 30))  # beside the ventricles
    assert after[brain].std() < 0.2 * before[brain].std()
    assert after[brain].mean() == pytest.approx(255 / 3, abs=6)


def test_the_contact_sheet_is_one_page(demo):
    folder, _, _ = demo
    sheet = pixels(folder / "contact-sheet.png")
    assert sheet.shape[1:] == (WIDTH, 3)
    assert 1200 < sheet.shape[0] < 2500
    margins = np.concatenate([sheet[:, :40].ravel(), sheet[:, -40:].ravel()])
    assert margins.min() > 240
    assert sheet[-30:].min() > 240
    assert 0.2 < (sheet.min(axis=2) < 200).mean() < 0.8


def test_nothing_is_overwritten_unasked(demo, tmp_path, capsys):
    folder, _, _ = demo
    target = tmp_path / "out"
    target.mkdir()
    shutil.copy(folder / "volume-after.png", target)
    before = (target / "volume-after.png").read_bytes()
    assert main(["demo", "--out", str(target)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "volume-after.png exists already, --force replaces it" in err
    assert os.listdir(target) == ["volume-after.png"]
    assert (target / "volume-after.png").read_bytes() == before


def test_ones_own_photograph_and_force(tmp_path, capsys):
    tall = np.random.default_rng(3).integers(0, 256, (90, 31, 2), np.uint8)
    Image.fromarray(tall).save(tmp_path / "own.png")
    (tmp_path / "contact-sheet.png").write_bytes(b"old")
    arguments = ["demo", "--out", str(tmp_path), "--image", str(tmp_path / "own.png"), "--force"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines()[:-2])) <= 80
    assert pixels(tmp_path / "photo-blurred.png").shape == (90, 31, 3)
    assert pixels(tmp_path / "contact-sheet.png").shape[1] == WIDTH


@pytest.mark.parametrize(
    ("image", "words"),
    [("none.png", "none.png: cannot be read"), ("a.npy", "a.npy is no photograph"),
     ("cut.png", "cut.png: damaged")],
)  # fmt: skip
def test_bad_photographs_are_refused_before_any_work(tmp_path, monkeypatch, capsys, image, words):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.ones((4, 5)))
    (tmp_path / "cut.png").write_bytes(_photo.bundled().read_bytes()[:5000])
    assert main(["demo", "--out", "new", "--image", image]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1
    assert not os.path.exists("new")


def test_a_folder_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "out").touch()
    assert main(["demo", "--out", str(tmp_path / "out")]) == 2
    assert "is no directory" in capsys.readouterr().err


def test_large_photographs_are_checked_in_a_window():
    x = np.random.default_rng(1).random((1500, 1100)).astype(np.float32)
    h = np.array([[1, 2, 0], [0, 3, -1], [5, 0, -2]], np.float32)
    result = mc.convolve(x, h, "same", boundary="symmetric")
    difference, library = _photo._checked(x, h, result)
    assert difference < 1e-5
    assert library == "SciPy"
    result[750, 550] += 1
    assert _photo._checked(x, h, result)[0] == pytest.approx(1, abs=1e-4)


def test_the_closed_form_is_the_integral():
    x = np.linspace(-1, 4, 51)
    fine = np.linspace(0, 1, 4001)
    inside = (x[:, None] - fine > 0) & (x[:, None] - fine < 2)
    np.testing.assert_allclose(closed_form(x), inside.mean(axis=1), atol=1e-3)


@pytest.mark.parametrize("call", [
    lambda: _references.filtered(noise(3, 20, 31), noise(3, 5)),
    lambda: _references.blurred(noise(9, 12, 10), 1.2),
    lambda: _references.reverberated(noise(200, 1), noise(70, 2)),
    lambda: _references.layer(noise(2, 3, 8, 7), noise(5, 3, 3, 2), noise(5), 1),
    lambda: _references.layer(noise(1, 2, 5, 6, 7), noise(4, 2, 3, 2, 3), noise(4), 0),
])  # fmt: skip
def test_references_agree_with_numpy_alone(monkeypatch, call):
    by_library, library = call()
    monkeypatch.setattr(_references, "find_spec", lambda name: None)
    by_numpy, name = call()
    assert (library in ("SciPy", "torch"), name) == (True, "NumPy")
    np.testing.assert_allclose(by_numpy, by_library, atol=1e-10)


def noise(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)
