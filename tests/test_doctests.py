"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import multiconv as mc

DOCS = Path(__file__).parents[1] / "docs"
# The Chinese pages hold the English ones' examples, which test_documentation compares.
PAGES = [
    page
    for page in sorted(DOCS.rglob("*.md"))
    if page.parent.name != "zh" and ">>>" in page.read_text(encoding="utf-8")
]
MODULES = ["multiconv", *(m.name for m in pkgutil.walk_packages(mc.__path__, "multiconv."))]


@pytest.mark.parametrize("name", [m for m in MODULES if not m.endswith("__main__")])
def test_examples(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(name)
    except mc.MissingExtraError as missing:
        pytest.skip(str(missing))
    except ModuleNotFoundError as missing:
        if str(missing.name).startswith("multiconv"):
            raise
        pytest.skip(f"{missing.name} is not installed")
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    options = doctest.NORMALIZE_WHITESPACE
    result = doctest.testfile(str(page), False, optionflags=options, encoding="utf-8")
    assert result.attempted > 0
    assert result.failed == 0


def test_public_functions_have_examples():
    finder = doctest.DocTestFinder()
    for name in mc.__all__:
        member = getattr(mc, name)
        if callable(member) and not (isinstance(member, type) and issubclass(member, Exception)):
            assert any(test.examples for test in finder.find(member, name)), name
