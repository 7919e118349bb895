"""Small JSON files in the user's cache directory: never required, never fatal, written whole."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any


def directory() -> Path:
    """MULTICONV_CACHE_DIR, else the platform's place for caches."""
    chosen = os.environ.get("MULTICONV_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "multiconv"


def load(name: str) -> Any:
    """The stored value, or None where there is none that can be read."""
    try:
        return json.loads((directory() / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return None


def save(name: str, value: Any) -> None:
    """Replace the stored value in one step; a directory that cannot be written is no error."""
    with contextlib.suppress(OSError, RuntimeError):
        folder = directory()
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=name, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(value, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, folder / name)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
