"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from multiconv._machine import machine
from multiconv._version import __version__


def describe(threads: int, versions: dict[str, str]) -> dict[str, Any]:
    """The machine, its measured profile and load, the libraries and the number of threads."""
    profile = asdict(machine())
    return {
        "cpu": profile.pop("cpu"),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "multiconv": __version__,
        "libraries": versions,
        "threads": threads,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
        "profile": profile,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def lines(facts: dict[str, Any]) -> list[str]:
    """The same for people, one fact a line."""
    profile, threads = facts["profile"], facts["threads"]
    libraries = ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
    copy = profile["bandwidth"] if threads > 1 else profile["bandwidth1"]
    return [
        f"{facts['cpu']}; {threads} {'thread' if threads == 1 else 'threads'} for everyone",
        f"a core multiplies and adds {profile['flops32'] / 1e9:.0f} GFLOP/s in float32, "
        f"{profile['flops64'] / 1e9:.0f} in float64; a copy moves {copy / 1e9:.0f} GB/s; "
        f"{profile['cache'] / 2**20:.2g} MB of second-level cache",
        f"multiconv {facts['multiconv']}{'; ' if libraries else ''}{libraries}",
        f"{facts['system']}; {facts['date']}; load average before: {facts['load']:g}",
    ]
