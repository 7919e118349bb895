"""The studio's modules and styles as the one script and the one style sheet of a widget."""

from __future__ import annotations

import json
import re
from pathlib import Path

from multiconv import studio

STATIC = Path(studio.__file__).with_name("static")
OWN = Path(__file__).parent

COMMON_STYLES = ("tokens", "page", "controls", "figures")


def script(room: str) -> str:
    """A script that holds every module of a room as text, and loads them without a server."""
    sources = {path: (STATIC / path).read_text("utf-8") for path in _modules(room)}
    sources["core/style.js"] = "export async function useStyle() {}\n"  # all come with the widget
    held = f"const ROOM = {json.dumps(room)};\nconst SOURCES = {json.dumps(sources)};\n"
    parts = [(OWN / name).read_text("utf-8") for name in ("loader.js", "widget.js")]
    return "\n".join([held, *parts])


def style(*names: str) -> str:
    """The common style sheets and these, nested in the widget's class: they touch nothing else."""
    paths = [
        *(STATIC / "style" / f"{name}.css" for name in (*COMMON_STYLES, *names)),
        OWN / "widget.css",
    ]
    text = "\n".join(path.read_text("utf-8") for path in paths)
    movements = re.findall(r"^@keyframes.*?^}", text, re.MULTILINE | re.DOTALL)
    for movement in movements:  # these cannot be nested
        text = text.replace(movement, "")
    return "\n".join([f".multiconv {{\n{_nested(text)}\n}}", *movements])


def _modules(room: str) -> list[str]:
    patterns = ("core/*.js", f"rooms/{room}.js", f"rooms/{room}/*.js", f"text/*/{room}.js",
                "text/*/shell.js")  # fmt: skip
    found = (path for pattern in patterns for path in STATIC.glob(pattern))
    return sorted(path.relative_to(STATIC).as_posix() for path in found)


def _nested(sheet: str) -> str:
    """What a sheet says of the whole page is said of the widget."""
    without = re.sub(r"^html \{[^}]*\}", "", sheet, flags=re.MULTILINE)
    return re.sub(r"^(:root|body)\b", "&", without, flags=re.MULTILINE)
