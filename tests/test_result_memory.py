"""Large results lie on memory that earlier ones gave back."""

from __future__ import annotations

import gc
import os
import threading

import numpy as np
import pytest

import multiconv as mc
from multiconv import _core

MEBI = 2**20


@pytest.fixture(autouse=True)
def _limit():
    gc.collect()
    _core.keep_memory(64 * MEBI)
    yield
    _core.keep_memory(256 * MEBI)


def test_memory_comes_back_and_is_used_again():
    first = _core.empty((3, 100_000), np.float64)
    place = first.ctypes.data
    assert _core.kept_memory() == 0
    del first
    assert _core.kept_memory() >= 2_400_000
    assert _core.empty((100_000, 3), "int64").ctypes.data == place


def test_results_are_ordinary_arrays():
    x, h = np.arange(200_000.0), np.array([1.0, 2.0, 5.0])
    result = mc.convolve(x, h, method="direct")  # exact, whatever the planner takes
    assert result.flags.owndata
    assert result.flags.writeable
    assert result.base is None
    view = result[5:]
    expected = np.convolve(x, h)
    for _ in range(3):
        assert mc.convolve(x + 1, h)[7] != expected[7]
    del result
    mc.convolve(x + 1, h)
    np.testing.assert_array_equal(view, expected[5:])


def test_resizing_keeps_what_was_there():
    array = _core.empty((300_000,), np.float64)
    array[:] = np.arange(300_000)
    array.resize((400_000,), refcheck=False)
    np.testing.assert_array_equal(array[:300_000], np.arange(300_000))
    np.testing.assert_array_equal(array[300_000:], 0)
    array.resize((10,), refcheck=False)
    np.testing.assert_array_equal(array, np.arange(10))


def test_the_limit_holds():
    kept = [_core.empty((4 * MEBI,), np.uint8) for _ in range(20)]
    assert _core.kept_memory() == 0
    del kept
    assert 0 < _core.kept_memory() <= 64 * MEBI
    _core.keep_memory(0)
    assert _core.kept_memory() == 0
    mc.convolve(np.ones(300_000), np.ones(3))
    assert _core.kept_memory() == 0


@pytest.mark.parametrize("size", [-1, 2.5, "1GB", True])
def test_the_limit_is_checked(size):
    with pytest.raises(ValueError, match=r"size: .* is not allowed, give a number of bytes"):
        mc.keep_memory(size)


def test_small_and_strange_arrays():
    assert _core.empty((0, 5), np.float32).shape == (0, 5)
    assert _core.empty((), "complex64").shape == ()
    assert _core.empty((2, 3), np.float16).dtype == np.float16
    with pytest.raises((ValueError, MemoryError)):
        _core.empty((2**40, 2**40), np.float64)
    with pytest.raises((ValueError, MemoryError)):
        _core.empty((2**50,), np.float64)


def test_threads_get_memory_of_their_own():
    x, h = np.arange(60_000.0), np.array([1.0, 0, 2.0])
    expected = np.convolve(x, h)
    wrong = []

    def work(shift):
        for _ in range(30):
            result = mc.convolve(x + shift, h, method="direct")
            if not np.array_equal(result[2:-2], expected[2:-2] + 3 * shift):
                wrong.append(shift)

    threads = [threading.Thread(target=work, args=(s,)) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_results_of_its_own():
    x, h = np.arange(100_000.0), np.array([1.0, 2.0])
    result = mc.convolve(x, h, method="direct")
    child = os.fork()
    if child == 0:
        for _ in range(3):
            result = mc.convolve(x * 2, h, method="direct")
        os._exit(0 if result[1] == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_array_equal(result, np.convolve(x, h))
