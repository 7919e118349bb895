"""Peak memory stays below what was asked for, however large the input is."""

import os

import numpy as np
import pytest
import zarr
from numpy.lib import format as npy

LARGE = pytest.mark.skipif("LARGE" not in os.environ, reason="takes minutes: set LARGE")
TAPS = "[[[1,2,1]],[[0,1,0]],[[2,2,1]]]"


def sparse(path, shape):
    """A file of zeros that takes no room on the disk."""
    with open(path, "wb") as file:
        entry = {"descr": "|u1", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, entry)
        file.truncate(file.tell() + int(np.prod(shape)))


@pytest.fixture
def peak(python, tmp_path):
    """The most bytes that the command takes in a process of its own."""

    def run(*words):
        done = python(f"""if True:
            import sys
            from multiconv.cli import main
            status = main(["apply", *{[str(w) for w in words]!r}])
            with open("/proc/self/status") as file:
                high = [line for line in file if line.startswith("VmHWM")][0]
            print(int(high.split()[1]) * 1024)
            sys.exit(status)
        """, timeout=1800)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(done.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize(
    ("shape", "limit"),
    [((500, 2000, 2000), 200), pytest.param((5000, 2000, 2000), 2000, marks=LARGE)],
)  # fmt: skip
def test_files_larger_than_the_limit(tmp_path, peak, shape, limit):
    sparse(tmp_path / "a.npy", shape)
    assert peak(TAPS, tmp_path / "a.npy", tmp_path / "b.npy", "--memory", f"{limit}MB",
                "--stride", "4", "--dtype", "uint8") < limit * 10**6  # fmt: skip
    found = np.load(tmp_path / "b.npy", mmap_mode="r")
    assert found.shape == tuple(-(-n // 4) for n in shape)
    assert not found[::50].any()


def test_stores_larger_than_the_limit(tmp_path, peak):
    zarr.create_array(tmp_path / "a.zarr", shape=(256, 512, 1024), chunks=(32, 32, 64),
                      dtype="uint16", fill_value=3)  # fmt: skip
    options = ["--memory", "250MB", "--stride", "2", "--dtype", "uint16", "--missing", "fill"]
    taken = peak("gaussian:sigma=0.5,ndim=3", tmp_path / "a.zarr", tmp_path / "b.zarr", *options)
    assert taken < 250 * 10**6
    assert (zarr.open(tmp_path / "b.zarr")[::9] == 3).all()
