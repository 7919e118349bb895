"""Lines in many languages: the messages of Plone, a web server, as people translated them."""

from __future__ import annotations

import gettext
import importlib.util
import re
from pathlib import Path

MARKUP = re.compile(r"\$\{[^}]*\}|\{[^}]*\}|<[^>]*>|&#?\w+;|https?:\S+|[\d_]")
Messages = dict[tuple[str, str], str]


class NoTextError(Exception):
    """The translations are not here."""


def messages(language: str, shortest: int, longest: int) -> Messages:
    """In lower case and without markup, by message; short lines left out, long ones cut."""
    found = {}
    for path in sorted((_folder() / language).glob("LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
        for key, text in catalogue.items():
            name = key if isinstance(key, str) else key[0]  # a plural
            line = " ".join(MARKUP.sub(" ", text).lower().split())[:longest]
            if name and len(line) >= shortest:
                found[path.stem, name] = line
    return found


def _folder() -> Path:
    try:
        package = importlib.util.find_spec("plone.app.locales")
    except ModuleNotFoundError:
        package = None
    if package is None:
        raise NoTextError(
            "the lines come from Plone's translations, which are not installed: "
            "pip install plone.app.locales"
        )
    return Path(package.submodule_search_locations[0]) / "locales"
