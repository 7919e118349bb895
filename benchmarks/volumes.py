"""Volumes through files: this library beside dask-image and SciPy in chunks.

    python benchmarks/volumes.py              # 512^3 samples of 16 bits
    python benchmarks/volumes.py --large      # this library alone, 2048^3: 17 GB in and out

Everyone reads the same `.npy` file and writes another, in turns, on the same number of threads, and
results are compared before times are printed. The limit is a copy, brought to the disk, that reads
and writes as many bytes. The processors' seconds are printed too, which other programs disturb
less. SCRATCH names the folder for the files.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dask
import dask.array as da
import dask_image.ndfilters as dask_filters
import numpy as np
from numpy.lib import format as npy
from scipy import ndimage

import multiconv as mc
from multiconv.cli import main
from multiconv.kernels import sobel

CHUNK, ROUNDS = 128, 3
MEMORY = "3GB"
"""Of this process, the other contestants' leavings included."""
SIGMA, REACH = 2, 8
LIMIT = "a copy"
Contestant = Callable[[Path, Path], None]


def ours(kernel: str, dtype: str) -> Contestant:
    """The command line, in this process."""

    def run(source: Path, target: Path) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            assert (
                main(
                    [
                        "apply",
                        kernel,
                        str(source),
                        str(target),
                        "--dtype",
                        dtype,
                        "--memory",
                        MEMORY,
                    ]
                )
                == 0
            )

    return run


def lazily(function: Callable[[da.Array], da.Array], dtype: str) -> Contestant:
    """A function of Dask arrays, on threads."""

    def run(source: Path, target: Path) -> None:
        volume = da.from_array(np.load(source, mmap_mode="r"), chunks=CHUNK)
        result = function(volume.astype(np.float64))
        whole = np.dtype(dtype).kind == "u"
        result = (da.rint(result).clip(0, 65535) if whole else result).astype(dtype)
        out = np.lib.format.open_memmap(target, "w+", result.dtype, result.shape)
        with dask.config.set(scheduler="threads", num_workers=mc.get_num_threads()):
            da.store(result, out, lock=False)
        out.flush()

    return run


def scipy_sobel(block: np.ndarray) -> np.ndarray:
    """The derivative along the last axis, smoothed along the others."""
    return ndimage.sobel(block, -1, mode="reflect")


def scipy_gaussian(block: np.ndarray) -> np.ndarray:
    """Three passes."""
    return ndimage.gaussian_filter(block, SIGMA, mode="reflect", truncate=REACH / SIGMA)


def in_chunks(function: Callable[[np.ndarray], np.ndarray], reach: int) -> Contestant:
    """SciPy on chunks with margins."""
    return lazily(
        lambda x: x.map_overlap(function, depth=reach, boundary="reflect", dtype=np.float64),
        "uint16" if reach == REACH else "float32",
    )


def contests() -> dict[str, dict[str, Contestant]]:
    """Filters, and who computes them."""
    scale = np.abs(ndimage.sobel(np.eye(1, 27, 13).reshape(3, 3, 3), -1)).max()
    scale = float(np.abs(sobel(ndim=3)).max() / scale)
    return {
        "gaussian, sigma 2": {
            "multiconv": ours(f"gaussian:sigma={SIGMA},ndim=3", "uint16"),
            "dask-image": lazily(lambda x: dask_filters.gaussian_filter(x, SIGMA), "uint16"),
            "scipy in chunks": in_chunks(scipy_gaussian, REACH),
            LIMIT: copying(1),
        },
        "sobel": {
            "multiconv": ours("sobel:ndim=3", "float32"),
            "dask-image": lazily(lambda x: dask_filters.sobel(x, -1) * scale, "float32"),
            "scipy in chunks": in_chunks(lambda b: scipy_sobel(b) * scale, 1),
            LIMIT: copying(2),
        },
    }


def copying(times: int) -> Contestant:
    """The disk's own speed: writes so many times what it reads."""

    def run(source: Path, target: Path) -> None:
        block = memoryview(bytearray(2**24))
        with open(source, "rb", buffering=0) as read, open(target, "wb", buffering=0) as written:
            while count := read.readinto(block):
                for _ in range(times):
                    written.write(block[:count])
            os.fsync(written.fileno())

    return run


def contest(name: str, folder: Path, contestants: dict[str, Contestant]) -> None:
    """Run everyone in turns and print the least times."""
    source = folder / "volume.npy"
    times = dict.fromkeys(contestants, (float("inf"), float("inf")))
    results: dict[str, np.ndarray] = {}
    for _ in range(ROUNDS):
        for who, run in contestants.items():
            target = folder / "result.npy"
            target.unlink(missing_ok=True)
            os.sync()  # what others left to be written is nobody's time
            start, used = time.perf_counter(), time.process_time()
            run(source, target)
            taken = time.perf_counter() - start, time.process_time() - used
            times[who] = min(times[who][0], taken[0]), min(times[who][1], taken[1])
            if who != LIMIT and who not in results:
                results[who] = np.load(target, mmap_mode="r")[::7].astype(np.float64)
    expected = results["multiconv"]
    for who, (seconds, used) in times.items():
        if who != LIMIT:
            inner = slice(REACH, -REACH)  # the others extend chunks at the ends by other words
            far = np.abs(np.abs(results[who]) - np.abs(expected))[2:-2, inner, inner].max()
            assert far <= max(1.0, 1e-4 * np.abs(expected).max()), (who, far)
        rate = np.load(source, mmap_mode="r").size / seconds / 1e6
        print(f"{name:<20} {who:<16} {seconds:7.2f} s {rate:7.1f} Mvoxels/s "
              f"{seconds / times['multiconv'][0]:6.1f} {used:7.2f} s of processors "
              f"{used / times['multiconv'][1]:6.1f}")  # fmt: skip


def sparse(path: Path, size: int) -> None:
    """A volume of zeros that takes no room on the disk."""
    with open(path, "wb") as file:
        entry = {"descr": "<u2", "fortran_order": False, "shape": (size,) * 3}
        npy.write_array_header_1_0(file, entry)
        file.truncate(file.tell() + 2 * size**3)


def compare(folder: Path) -> None:
    """All of them on 512^3 samples."""
    volume = np.random.default_rng(0).integers(0, 2**16, (512,) * 3, dtype=np.uint16)
    np.save(folder / "volume.npy", volume)
    for name, contestants in contests().items():
        contest(name, folder, contestants)


def large(folder: Path) -> None:
    """This library on 2048^3 samples."""
    sparse(folder / "volume.npy", 2048)
    for name, contestants in contests().items():
        start = time.perf_counter()
        contestants["multiconv"](folder / "volume.npy", folder / "result.npy")
        seconds = time.perf_counter() - start
        print(f"{name:<20} {'multiconv':<16} {seconds:7.1f} s {2048**3 / seconds / 1e6:7.1f} "
              "Mvoxels/s")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="2048^3 samples, this library alone")
    chosen = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, {mc.get_num_threads()} threads")
    with tempfile.TemporaryDirectory(dir=os.environ.get("SCRATCH")) as scratch:
        (large if chosen.large else compare)(Path(scratch))
