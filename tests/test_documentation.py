"""The pages: they build, their pictures are made by code, and both languages say the same."""

import importlib
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
IMAGES, FIGURES = DOCS / "images", DOCS / "figures"
SCRIPTS = sorted(FIGURES.glob("[!_]*.py"))
CHAPTERS = sorted(p.name for p in (DOCS / "tutorial").glob("*.md"))
EXAMPLES = sorted(p.stem for p in (ROOT / "examples").glob("[!_]*.py"))
STORED = {"demo.jpg"} | {f"{n}-{kind}.png" for n in EXAMPLES for kind in ("light", "dark")}
"""Pictures that ``multiconv demo`` and the examples make."""
REFERENCED = [
    "multiconv", "multiconv.continuous", "multiconv.dask", "multiconv.filters", "multiconv.jax",
    "multiconv.keras", "multiconv.kernels", "multiconv.testing", "multiconv.torch",
    "multiconv.xarray",
]  # fmt: skip
SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The folder to which every script has drawn, and what each has made."""
    folder, made = tmp_path_factory.mktemp("figures"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FIGURES))
        for script in SCRIPTS:
            before = set(folder.iterdir())
            patch.setattr(sys, "argv", [str(script), str(folder)])
            runpy.run_path(str(script), run_name="__main__")
            made[script.stem] = set(folder.iterdir()) - before
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(FIGURES)):
            del sys.modules[name]
    return folder, made


def read(path):
    return path.read_text(encoding="utf-8")


def test_every_picture_is_made_by_a_script(drawn):
    folder, made = drawn
    assert all(made.values())
    assert {p.name for p in folder.iterdir()} | STORED == {p.name for p in IMAGES.iterdir()}


def test_every_picture_is_light_and_dark_and_of_one_size(drawn):
    folder, _ = drawn
    for light in folder.glob("*-light.*"):
        dark = light.with_name(light.name.replace("-light.", "-dark."))
        assert size(light) == size(dark)
        assert light.read_bytes() != dark.read_bytes()


def test_pictures_are_as_the_stored_ones(drawn):
    folder, _ = drawn
    for path in folder.iterdir():
        assert size(path) == size(IMAGES / path.name)
        if path.suffix == ".jpg":
            fresh, stored = (
                np.asarray(Image.open(p), int) for p in (path, IMAGES / path.name)
            )  # fmt: skip
            assert np.abs(fresh - stored).mean() < 2


def size(path):
    if path.suffix == ".svg":
        root = ElementTree.parse(path).getroot()
        return root.get("width"), root.get("height")
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapters_hold_the_same_in_both_languages(name):
    english, chinese = (read(DOCS / folder / name) for folder in ("tutorial", "zh"))
    for pattern in (
        r"```python\n(.*?)```", r"\$\$(.*?)\$\$", r"\]\((\.\./images/[^)]+)\)",
        r"--room\s+(\w+)", r"^(#+) ",
    ):  # fmt: skip
        found = [re.findall(pattern, page, re.DOTALL | re.MULTILINE)
                 for page in (english, chinese)]  # fmt: skip
        assert found[0] == found[1], pattern
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert f"../zh/{name}" in english
    assert f"../tutorial/{name}" in chinese


def test_both_readmes_give_the_same_commands_and_figures():
    pages = [read(ROOT / name) for name in ("README.md", "README.zh.md")]
    commands = [re.findall(r"^    (pip install .*)$", page, re.MULTILINE) for page in pages]
    assert commands[0] == commands[1]
    assert len(commands[0]) == 2
    assert rows(pages[0]) == rows(pages[1])
    assert len(rows(pages[0])) > 5


def test_the_readmes_figures_are_published_results():
    published = set()
    for name in ("results", "layers"):
        for result in json.loads(read(DOCS / "benchmarks" / f"{name}.json"))["results"]:
            times = {who: t["minimum"] for who, t in result["seconds"].items()}
            ours = [times[who] for who in ("multiconv", "multiconv last") if who in times]
            peers = [t for who, t in times.items() if not who.startswith("multiconv")]
            if ours and peers:
                published.add((f"{min(ours):.1e}", f"{min(peers):.1e}"))
    for ours, peer, ratio in rows(read(ROOT / "README.md")):
        assert (f"{ours:.1e}", f"{peer:.1e}") in published
        assert ratio == pytest.approx(peer / ours, rel=0.06)


def rows(page):
    """Our time, the best peer's and the ratio of each line of the table of figures."""
    pattern = r"\| ([\d.]+) (\w+) \| ([\d.]+) (\w+), \w+ \| ([\d.]+) \|$"
    return [
        (float(ours) * SECONDS[unit], float(peer) * SECONDS[other], float(ratio))
        for ours, unit, peer, other, ratio in re.findall(pattern, page, re.MULTILINE)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages; any warning of the build is a failure."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html",
               "-d", str(folder / "trees"), str(DOCS), str(folder / "html")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = re.compile(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*"')
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        assert not loaded.search(read(page)), page.name


def test_pages_say_their_language(site):
    assert '<html class="no-js" lang="zh-CN"' in read(site / "zh" / "2-sums.html")
    assert '<html class="no-js" lang="en"' in read(site / "tutorial" / "2-sums.html")


def test_light_pictures_bring_dark_ones_along(site):
    page = read(site / "tutorial" / "2-sums.html")
    for kind in ("light", "dark"):
        assert re.search(rf'<img[^>]*class="only-{kind}"[^>]*slide-{kind}\.svg', page)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_in_the_gallery(site, name):
    index, page = (read(site / p) for p in ("learn/examples.html", f"gallery/{name}.html"))
    thumbnail = site / "_images" / f"sphx_glr_{name}_thumb.png"
    assert f'href="../gallery/{name}.html"' in index
    assert f"_images/{thumbnail.name}" in index
    assert brightness(thumbnail) == pytest.approx(brightness(IMAGES / f"{name}-light.png"), abs=1)
    for kind in ("light", "dark"):
        assert re.search(rf'<img[^>]*class="only-{kind}"[^>]*/{name}-{kind}\.png', page)
    code = re.sub(r"<[^>]*>", "", page)
    assert "def network(" in code
    assert "sphinx_gallery" not in code


def brightness(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), float).mean()


def test_formulas_are_markup(site):
    page = read(site / "zh" / "1-integral.html")
    assert page.count("<math ") == 2
    assert "MathJax" not in page


@pytest.mark.parametrize("module", REFERENCED)
def test_the_reference_names_everything_public(site, module):
    pages = "".join(read(p) for p in (site / "reference").glob("*.html"))
    for name in importlib.import_module(module).__all__:
        if name != "__version__" and f"{module}.{name}" not in sys.modules:
            assert f'id="{module}.{name}"' in pages, name
