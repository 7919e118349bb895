"""What this machine can do: measured once, kept in the user's cache directory."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from multiconv import _core, _store
from multiconv._version import __version__

BESIDE = 0.4
"""What transforms gain of additions beside multiplications."""


@dataclass(frozen=True)
class Machine:
    """Measured limits that cost predictions are scaled by.

    Attributes
    ----------
    cpu : str
        Brand string and instruction set in force.
    flops32, flops64 : float
        Multiply-adds of one core, in floating-point operations a second (two each).
    mixed32 : float
        The same where every second one is an addition alone, which some processors have units for.
    bandwidth : float
        Bytes a second that all threads together copy from memory to memory.
    bandwidth1 : float
        The same on one thread.
    cache : int
        Bytes of second-level cache of one core.
    wake : float
        Seconds to hand work to the other threads.
    lanes : int
        float32 values in one vector register.
    threads : int
        Threads used by default. Predictions are for these, whatever is set, so that the number of
        threads never changes a choice, and with it a result's last bits.
    """

    cpu: str
    flops32: float
    flops64: float
    mixed32: float
    bandwidth: float
    bandwidth1: float
    cache: int
    wake: float
    lanes: int
    threads: int

    def flops(self, itemsize: int) -> float:
        """Multiply-add rate of one core for real values of this size."""
        return self.flops64 if itemsize > 4 else self.flops32

    def transform_flops(self, itemsize: int) -> float:
        """The rate of transforms, which add about as often as they multiply and wait for loads."""
        beside = max(self.mixed32 / self.flops32 - 1, 0.0)
        return self.flops(itemsize) * (1 + BESIDE * beside)

    def vector(self, itemsize: int) -> int:
        """Values of this size in one vector register."""
        return max(self.lanes * 4 // itemsize, 1)

    def clock(self, itemsize: int) -> float:
        """Cycles a second, if two vectors are multiplied and added in each."""
        return self.flops(itemsize) / (4 * self.vector(itemsize))


def machine() -> Machine:
    """The profile of this machine for the instruction set in force; measured at the first call."""
    return _machine(_core.active_target())


@lru_cache(maxsize=8)
def _machine(target: str) -> Machine:
    threads = _core.default_num_threads()
    name = f"machine-{__version__}-{target}-{threads}.json"
    identity = f"{_core.cpu_name() or platform.processor()} {target}"
    kept = _restore(_store.load(name), identity)
    if kept is None:
        kept = Machine(
            cpu=identity,
            threads=threads,
            **_measured(target),
        )
        _store.save(name, asdict(kept))
    return kept


def _measured(target: str) -> dict[str, Any]:
    """The best of three moments: other programs take bandwidth and time, and never give any."""
    moments = [_core.measure_machine(target)]
    for _ in range(2):
        time.sleep(0.05)
        moments.append(_core.measure_machine(target))
    return {
        name: (min if name == "wake" else max)(moment[name] for moment in moments)
        for name in moments[0]
    }


def _restore(stored: Any, identity: str) -> Machine | None:
    """The profile that was kept, or None where it is another CPU's or damaged."""
    try:
        profile = Machine(**{f.name: stored[f.name] for f in fields(Machine)})
    except (TypeError, KeyError):
        return None
    for f in fields(Machine):
        value = getattr(profile, f.name)
        if type(value).__name__ != f.type or (f.type != "str" and not 0 < value < 1e18):
            return None
    return profile if profile.cpu == identity else None


SHARE, LEAST_KEPT, MOST_KEPT = 16, 256 << 20, 2 << 30
"""Of the memory limit, what results that are gone leave to later ones, unless that is set."""


def memory_limit() -> int:
    """Bytes that one job may take: MULTICONV_MEMORY_LIMIT, else 80 % of what the machine has.

    What the machine has is its physical memory, or less where the container's quota is less.

    The variable takes a number of bytes, or one with a unit such as ``2GB``.
    """
    text = os.environ.get("MULTICONV_MEMORY_LIMIT")
    if text:
        return parse_bytes(text, "MULTICONV_MEMORY_LIMIT")
    return min(_physical_memory(), _container_memory()) * 4 // 5


def parse_bytes(text: str, what: str) -> int:
    """A number of bytes from text such as ``1500000``, ``512MB`` or ``2 GiB``."""
    units = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
             "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}  # fmt: skip
    number = text.strip().rstrip("BKMGTIbkmgti").strip()
    unit = text.strip()[len(number) :].strip().upper()
    try:
        value = int(float(number) * units[unit])
    except (ValueError, KeyError, OverflowError):
        value = 0
    if value <= 0:
        raise ValueError(f"{what}: {text!r} is no amount of memory, write it as '2GB' or '500MB'")
    return value


@lru_cache(maxsize=1)
def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**33 if sys.maxsize > 2**32 else 2**31


@lru_cache(maxsize=1)
def _container_memory() -> int:
    quotas = [sys.maxsize]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            quotas.append(int((Path("/sys/fs/cgroup") / name).read_text()))
    return min(quotas)


def _keep_a_share() -> None:
    try:
        share = memory_limit() // SHARE
    except ValueError:  # whoever asks for the limit hears of it
        share = LEAST_KEPT
    _core.keep_memory(min(max(share, LEAST_KEPT), MOST_KEPT))


_keep_a_share()
