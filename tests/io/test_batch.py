"""Many files at once: what is written, what is skipped, and what is told of the bad ones."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import multiconv as mc

RANDOM = np.random.default_rng(2)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Photographs of several sizes, one of them damaged."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for number, (rows, columns) in enumerate([(20, 31), (25, 16), (33, 40), (8, 9)]):
        array = RANDOM.integers(0, 256, (rows, columns, 3)).astype("uint8")
        Image.fromarray(array).save(tmp_path / f"photos/p{number}.png")
    (tmp_path / "photos/p1.png").write_bytes(b"no picture")
    return tmp_path / "photos"


def test_bad_files_are_told_at_the_end(photos, apply, capsys):
    assert apply("box:size=3", "photos/*.png", "out/") == 1
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["written", "3"], ["failed", "1"]]
    assert lines[2].startswith("photos/p1.png: damaged, or not a PNG file")
    for number in (0, 2, 3):
        source = np.asarray(Image.open(photos / f"p{number}.png"), float)
        expected = np.rint(mc.filters.box(source, 3, channel_axis=-1))
        found = np.asarray(Image.open(f"out/p{number}.png"))
        assert np.abs(found - expected).max() <= 1
    assert sorted(n for n in os.listdir("out") if n[0] != ".") == ["p0.png", "p2.png", "p3.png"]


def test_what_is_done_is_skipped_until_it_changes(photos, apply, capsys):
    assert apply("box", "photos/*.png", "out/") == 1
    (photos / "p1.png").unlink()
    Image.open(photos / "p0.png").transpose(Image.Transpose.ROTATE_90).save(photos / "p0.png")
    os.unlink("out/p2.png")
    capsys.readouterr()
    assert apply("box", "photos/*.png", "out/") == 0
    first = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in first] == [["written", "2"], ["skipped", "1"]]
    assert apply("box", "photos/*.png", "out/") == 0
    assert capsys.readouterr().out.split()[:2] == ["skipped", "3"]
    assert apply("box:size=5", "photos/*.png", "out/") == 0  # another kernel: none is done
    assert capsys.readouterr().out.split()[:2] == ["written", "3"]


def test_the_shell_may_expand_the_pattern(photos, apply, capsys):
    assert apply("box", photos / "p2.png", photos / "p0.png", "out") == 0
    assert capsys.readouterr().out.split()[:2] == ["written", "2"]


def test_reports_are_in_the_order_of_the_files(photos, apply, capsys):
    for number in range(20):
        (photos / f"q{number:02}.png").write_bytes(b"no picture")
    assert apply("box", "photos/*.png", "out/") == 1
    failed = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert failed == ["photos/p1.png", *(f"photos/q{number:02}.png" for number in range(20))]


def test_arrays_of_one_rank(photos, apply, capsys):
    for number, shape in enumerate([(5, 6), (7, 8)]):
        np.save(photos / f"a{number}.npy", RANDOM.integers(0, 9, shape))
    assert apply("[[1,2]] | [[3],[1]]", "photos/*.npy", "out/") == 0
    expected = mc.convolve(np.load(photos / "a1.npy"), [[3, 6], [1, 2]], "same",
                           boundary="symmetric")  # fmt: skip
    np.testing.assert_array_equal(np.load("out/a1.npy")[:-1, :-1], expected[:-1, :-1])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["none/*.png", "out/"], "none/*.png: matches no file"),
     (["photos/*", "out/"], "suffix '.doc' is unknown"),
     (["photos/p*.png", "photos/a.npy", "out/"],
      "photos/p0.png holds a picture and photos/a.npy an array of 2 axes, give one kind"),
     (["photos/a.npy", "photos/line.npy", "out/"], "an array of 1 axis, give one kind at a time"),
     (["photos/p0.png", "more/p0.png", "out/"],
      "out/p0.png: would be written for photos/p0.png and for more/p0.png"),
     (["photos/p*.png", "photos"], "photos: holds the input photos/p0.png itself"),
     (["photos/p*.png", "file"], "file: is a file, give a folder")],
)  # fmt: skip
def test_bad_batches_are_refused_before(photos, apply, capsys, words, sentence):
    (photos / "notes.doc").touch()
    np.save(photos / "a.npy", np.ones((3, 4)))
    np.save(photos / "line.npy", np.ones(3))
    os.mkdir("more")
    (photos.parent / "more/p0.png").write_bytes((photos / "p0.png").read_bytes())
    (photos.parent / "file").touch()
    assert apply("box", *words) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
    assert not os.path.exists("out")


def test_a_full_disk_ends_a_batch(photos, apply, monkeypatch, capsys):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert apply("box", "photos/*.png", "out/") == 2
    err = capsys.readouterr().err
    assert "cannot be written (No space left on device); 0 of 4 files are written" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_batch_that_is_stopped_goes_on(photos, apply, capsys, number):
    code = """if True:
        import os, sys, time
        from multiconv.cli import main
        sync, done = os.fsync, []
        def slow(descriptor):
            done.append(sync(descriptor))
            if len(done) == 4:  # a file and its folder twice
                print("ready", flush=True)
            time.sleep(0.05)
        os.fsync = slow
        os.environ["MULTICONV_NUM_THREADS"] = "1"
        sys.exit(main(["apply", "box", "photos/*.png", "out/"]))
    """
    for copy in range(4, 30):
        (photos / f"p{copy}.png").write_bytes((photos / "p0.png").read_bytes())
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as running:  # fmt: skip
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        _, err = running.communicate(timeout=30)
    assert running.returncode == (130 if number == signal.SIGINT else -9)
    if number == signal.SIGINT:
        assert "of 30 files are written, and the same command goes on" in err
    assert apply("box", "photos/*.png", "out/") == 1
    words = capsys.readouterr().out.split()
    written, skipped = int(words[1]), int(words[words.index("skipped") + 1])
    assert written + skipped == 29
    assert 1 <= skipped < 29
    for copy in range(4, 30):
        assert (photos.parent / f"out/p{copy}.png").stat().st_size > 100
