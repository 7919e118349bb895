"""The contact sheet: everything that the demonstration made, on one page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from multiconv import io

from ._plots import BLUE, INK, LINE, ORANGE, PAPER, SOFT, trapezium, wave
from ._step import Array, Scene, StepResult, deviation
from ._tutorial import equation

FILES = ("contact-sheet.png",)
WIDTH, MARGIN, GAP, CAPTION = 1640, 64, 32, 66
PHOTOS = (  # name of the array, caption, name of the result
    ("photo", "A photograph", None),
    ("blurred", "Blurred", "photo, blurred"),
    ("sharpened", "Sharpened", "photo, sharpened"),
    ("edges", "Edges", "photo, edges"),
    ("embossed", "Embossed", "photo, embossed"),
)


@dataclass
class Page:
    """A growing page: rows of captioned pictures, from the top down."""

    picture: Image.Image
    top: int

    def cells(self, columns: int) -> list[tuple[int, int]]:
        """Left edge and width of each of so many cells."""
        width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
        return [(MARGIN + i * (width + GAP), width) for i in range(columns)]

    def row(self, pictures: list[tuple[Image.Image, str, str]], columns: int) -> None:
        """Put pictures of one height side by side, with a caption under each."""
        height = max(p.height for p, _, _ in pictures)
        pen = ImageDraw.Draw(self.picture)
        for (left, width), (picture, title, facts) in zip(self.cells(columns), pictures,
                                                          strict=False):  # fmt: skip
            self.picture.paste(picture, (left + (width - picture.width) // 2, self.top))
            below = self.top + height + 12
            pen.text((left, below), title, INK, _font(22))
            pen.text((left, below + 28), facts, SOFT, _font(17))
        self.top += height + CAPTION + GAP


def sheet(scene: Scene) -> Iterator[StepResult]:
    """Write the page; nothing is convolved."""
    io.write(scene.folder / FILES[0], io.Data(contact_sheet(scene), "image", -1))
    yield from ()


def contact_sheet(scene: Scene) -> Array:
    """Compose the page from what the steps left."""
    results = {r.name: r for r in scene.results}
    page = Page(Image.new("RGB", (WIDTH, 4000), PAPER), MARGIN)
    _title(page, len(results))
    _photos(page, scene, results)
    _volume(page, scene, results)
    _sound(page, scene, results)
    _numbers(page, scene, results)
    return np.asarray(page.picture.crop((0, 0, WIDTH, page.top - GAP + MARGIN // 2)))


def _title(page: Page, count: int) -> None:
    pen = ImageDraw.Draw(page.picture)
    pen.text((MARGIN - 3, page.top - 12), "multiconv", INK, _font(60))
    pen.text((WIDTH - MARGIN, page.top + 49), f"{count} convolutions, one engine", SOFT,
             _font(24), anchor="rs")  # fmt: skip
    page.top += 80
    pen.line((MARGIN, page.top, WIDTH - MARGIN, page.top), LINE, 2)
    page.top += GAP


def _photos(page: Page, scene: Scene, results: dict[str, StepResult]) -> None:
    (_, width), *_ = page.cells(3)
    rows, columns = scene.shown["photo"].shape[:2]
    scale = min(width / columns, width / rows)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    cells = [(_fitted(scene.shown[key], size), title, _facts(results.get(name or "")) or
              f"{columns} by {rows} pixels") for key, title, name in PHOTOS]  # fmt: skip
    x, values = scene.shown["integral"]
    plot = trapezium(x, values, (width, size[1]))
    cells.append((plot, "Two boxes, integrated", _facts(results["integral of two boxes"])))
    page.row(cells[:3], 3)
    page.row(cells[3:], 3)


def _volume(page: Page, scene: Scene, results: dict[str, StepResult]) -> None:
    (_, width), *_ = page.cells(2)
    before, after = scene.shown["volume-before"], scene.shown["volume-after"]
    size = width, round(width * before.shape[0] / before.shape[1])
    page.row([
        (_fitted(before, size), "A noisy scan", "middle slices along each axis"),
        (_fitted(after, size), "Smoothed in 3-D", _facts(results["volume, smoothed"])),
    ], 2)  # fmt: skip


def _sound(page: Page, scene: Scene, results: dict[str, StepResult]) -> None:
    (_, width), *_ = page.cells(2)
    dry, wet = scene.shown["dry"], scene.shown["wet"]
    dry = np.pad(dry, (0, len(wet) - len(dry)))  # one scale of time for both
    page.row([
        (wave(dry, (width, 150), BLUE), "Plucked strings", "mono, synthesised"),
        (wave(wet, (width, 150), ORANGE), "In a room", _facts(results["sound in a room"])),
    ], 2)  # fmt: skip


def _numbers(page: Page, scene: Scene, results: dict[str, StepResult]) -> None:
    ImageDraw.Draw(page.picture).line((MARGIN, page.top, WIDTH - MARGIN, page.top), LINE, 2)
    titles = {
        "two short series": equation(scene.shown["series"]),
        "2-D layer, 3 to 6 channels": "A layer of 6 filters, 3 by 3, on 3 channels",
        "3-D layer, channels last": "A layer of 64 filters, 3 by 3 by 3, channels last",
    }
    nothing = Image.new("RGB", (1, 12), PAPER)
    page.row([(nothing, title, _facts(results[name])) for name, title in titles.items()], 3)


def _fitted(samples: Array, size: tuple[int, int]) -> Image.Image:
    picture = Image.fromarray(samples).convert("RGB")
    return picture.resize(size, Image.Resampling.LANCZOS)


def _facts(result: StepResult | None) -> str:
    if result is None:
        return ""
    milliseconds = f"{1e3 * result.seconds:.3g} ms"
    return f"{result.algorithm}  ·  {milliseconds}  ·  {deviation(result)} from {result.reference}"


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
