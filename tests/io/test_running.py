"""Blocks are computed while others are journalled and brought to the disk."""

import contextlib
import errno
import os
import threading
import time

import numpy as np
import pytest

from multiconv import outofcore
from multiconv.outofcore import _place, _settling
from multiconv.outofcore._job import Entry
from multiconv.outofcore._settling import Settling

TAPS = "[[1,2,-3],[4,0,5]]"


def soon(condition):
    """Wait until it holds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_threads_do_not_wait_for_who_takes_their_blocks():
    begun = []

    def task(number):
        begun.append(number)
        return Entry(number)

    with contextlib.closing(outofcore.on_threads(1)(task, range(50))) as done:
        next(done)
        soon(lambda: len(begun) > 3)
        assert len(begun) < 50
        assert sorted(n for n, _ in done) == list(range(1, 50))


def test_what_is_done_is_told_before_an_error():
    together = threading.Barrier(4)

    def task(number):
        together.wait(20)
        if number == 2:
            raise OSError(errno.EIO, "bad")
        return Entry(number)

    told = []
    done = outofcore.on_threads(4)(task, range(4))
    with contextlib.closing(done), pytest.raises(OSError, match="bad"):
        told.extend(n for n, _ in done)
    assert sorted(told) == [0, 1, 3]


def test_nothing_is_begun_after_a_stop():
    begun = []

    def task(number):
        begun.append(number)
        time.sleep(0.02)
        return Entry(0)

    with contextlib.closing(outofcore.on_threads(2)(task, range(100))) as done:
        next(done)
    count = len(begun)
    time.sleep(0.1)
    assert len(begun) == count < 100


@pytest.fixture
def syncs(monkeypatch):
    """What is brought to the disk during runs."""
    found = []
    monkeypatch.setattr(_settling, "sync", found.append)
    return found


def test_files_go_to_the_disk_meanwhile(tmp_path, syncs):
    files = [str(tmp_path / name) for name in ("a", "b")]
    for path in files:
        open(path, "w").close()
    with Settling([files[0], str(tmp_path), files[1]]) as settling:
        settling.written()
        soon(lambda: len(syncs) == 2)
        settling.written()
        soon(lambda: len(syncs) == 4)
    assert syncs == files * 2


def test_errors_of_the_disk_are_raised_where_blocks_are_told(tmp_path, monkeypatch):
    (tmp_path / "a").touch()

    def broken(path):
        raise OSError(errno.EIO, "bad", path)

    monkeypatch.setattr(_settling, "sync", broken)
    settling = Settling([str(tmp_path / "a")])
    with contextlib.suppress(OSError), settling:
        settling.written()
        soon(lambda: settling._error)
    with pytest.raises(OSError, match="bad"):
        settling.written()
    with pytest.raises(OSError, match="bad"):
        settling.__exit__(None, None, None)
    with pytest.raises(KeyboardInterrupt), Settling([str(tmp_path / "a")]):
        raise KeyboardInterrupt


def test_a_disk_that_fails_ends_the_run(tmp_path, apply, small_blocks, monkeypatch, capsys):
    array = np.random.default_rng(5).integers(0, 60_000, (30, 40, 50)).astype("uint16")
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "b.npy", np.arange(3))

    def broken(path):
        raise OSError(errno.EIO, "bad", path)

    with monkeypatch.context() as context:
        context.setattr(_settling, "sync", broken)
        context.setattr(_place, "sync", broken)  # in case all is written before that looks
        assert apply(TAPS, tmp_path / "a.npy", tmp_path / "b.npy") == 2
    assert "b.npy: cannot be used (Input/output error); " in capsys.readouterr().err
    assert np.load(tmp_path / "b.npy").tolist() == [0, 1, 2]
    assert apply(TAPS, tmp_path / "a.npy", tmp_path / "b.npy") == 0
    assert apply(TAPS, tmp_path / "a.npy", tmp_path / "c.npy") == 0
    assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "c.npy").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy", "c.npy"]


def test_blocks_that_are_large_enough_grow_only_where_it_pays():
    def cost(block):
        return int(np.prod([n + 10 for n in block]))

    sizes = [int(np.prod(outofcore.fitting_block((10**4,) * 2, (8, 8), cost, 10**9, enough=n)))
             for n in (None, 2**16, 64)]  # fmt: skip
    assert sizes[0] > sizes[1] >= 2**16 > sizes[2] > 64
