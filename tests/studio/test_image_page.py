"""The room of images as a user meets it."""

import re

import numpy as np
import pytest

import multiconv as mc

pytest.importorskip("starlette")

from multiconv.studio.rooms import _image_pictures as pictures


def convolved(plane, kernel):
    """In whole numbers, on mirrored borders."""
    return mc.convolve(plane.astype(int), kernel.astype(int), "same", boundary="symmetric")


@pytest.fixture
def photo(rng):
    return rng.integers(0, 256, (17, 23, 3), np.uint8)


def shown(page):
    """The room once its result is there, and the pixel that is looked at."""
    page.get_by_test_id("speed").filter(has_text="ms").wait_for()
    if page.locator(".total").count():
        page.locator(".total").filter(has_text=re.compile(r"\d")).wait_for()
    return page


def total(page, change=None):
    """The sum on screen, after what changes it."""
    if change:
        page.evaluate("document.querySelector('.total').replaceChildren()")
        change()
    answer = page.locator(".total").filter(has_text=re.compile(r"\d"))
    return float(answer.inner_text().rpartition(" ")[2].replace("\u2212", "-"))


def test_pixels_are_chosen_by_mouse_and_keyboard(open_room):
    page = shown(open_room("image", "?picture=edges&preset=sobel x"))
    plane = pictures.edges()
    want = convolved(plane, mc.kernels.sobel(axis=1))
    result = page.get_by_role("slider", name="Pixel of the result")
    result.focus()
    assert total(page, lambda: page.keyboard.press("ArrowRight")) == want[112, 237]
    assert total(page, lambda: page.keyboard.press("Shift+ArrowDown")) == want[122, 237]
    box = result.bounding_box()
    at = (64.5 * box["width"] / 320, 100.5 * box["height"] / 256)
    place = dict(zip("xy", at, strict=True))
    assert total(page, lambda: result.click(position=place)) == want[100, 64]
    page.wait_for_url(re.compile("y=100&x=64"))
    sample = page.get_by_role("slider", name="Pixel of the picture")
    assert total(page, lambda: sample.click(position=place)) == plane[100, 64]


def test_typed_kernels_are_computed_and_stay_in_the_address(open_room):
    page = shown(open_room("image", "?picture=edges&preset=sobel y&y=100&x=80"))
    cell = page.get_by_label("Weight in row 1, column 3")
    assert cell.input_value() == "1"
    kernel = mc.kernels.sobel(axis=0)
    kernel[0, 2] = -4.5
    want = mc.convolve(pictures.edges().astype(float), kernel, "same", boundary="symmetric")
    assert total(page, lambda: cell.fill("-4.5")) == pytest.approx(want[100, 80], rel=1e-6)
    assert page.get_by_label("Kernel", exact=True).input_value() == "own"
    page.wait_for_url(re.compile("taps=1_2_-4.5_0_0_0_-1_-2_-1"))
    page.reload()
    shown(page)
    assert page.get_by_label("Weight in row 1, column 3").input_value() == "\u22124.5"


LATE = """late => {
    const ask = window.fetch;
    window.fetch = async (...question) => {
        const answer = await ask(...question);
        await new Promise(resolve => setTimeout(resolve, late));
        return answer;
    };
}"""
"""Answers take so many milliseconds more."""


@pytest.mark.parametrize("late", [0, 150])
def test_large_kernels_are_painted(open_room, late):
    page = shown(
        open_room("image", "?picture=impulse&preset=own&columns=9&taps=" + "0_" * 80 + "0")
    )
    page.evaluate(LATE, late)
    page.get_by_role("button", name="Paint this weight").click()
    page.get_by_label("Chosen weight").fill("2")
    grid = page.get_by_role("slider", name="Weights of the kernel")
    box = grid.bounding_box()
    step = box["width"] / 9
    page.mouse.move(box["x"] + step / 2, box["y"] + step / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 3.5 * step, box["y"] + step / 2, steps=6)
    page.mouse.up()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    painted = "2_2_2_2_0_0_0_0_0_0_0_0_2_" + "0_" * 27
    page.wait_for_url(re.compile(f"taps={painted}"))


def test_own_pictures_are_opened_and_dropped(open_room, photo, tmp_path):
    image_ = pytest.importorskip("PIL.Image")
    path = tmp_path / "photo.png"
    image_.fromarray(photo).save(path)
    page = shown(open_room("image", "?preset=sobel x&view=photo&y=5&x=7"))
    opened = total(page, lambda: page.get_by_label("Open …").last.set_input_files(path))
    assert opened == convolved(photo[..., 0], mc.kernels.sobel(axis=1))[5, 7]
    path.write_text("no picture")
    page.get_by_label("Open …").last.set_input_files(path)
    page.get_by_role("alert").filter(has_text="cannot read it as a picture").wait_for()
    drop = """(bytes) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], "photo.png"));
        document.querySelector(".source-term .pane").dispatchEvent(
            new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""
    image_.fromarray(photo[:, ::-1]).save(path)
    dropped = total(page, lambda: page.evaluate(drop, list(path.read_bytes())))
    mirrored = convolved(photo[:, ::-1, 0], mc.kernels.sobel(axis=1))
    assert dropped == mirrored[5, 7]


def test_borders_are_chosen_by_their_pictures(open_room):
    page = shown(open_room("image", "?picture=edges&preset=box&size=9&tab=border&y=0&x=319"))
    page.get_by_text("OpenCV").first.wait_for()
    page.locator(".mode", has_text="circular").click()
    page.wait_for_url(re.compile("boundary=wrap"))
    want = mc.filters.box(pictures.edges().astype(float), 9, boundary="wrap")[0, 319]
    page.get_by_text("One pixel").click()
    assert total(page) == pytest.approx(want, rel=1e-6)


def test_the_camera_is_live_until_it_is_stopped(open_room):
    page = shown(open_room("image"))
    camera = page.get_by_role("button", name="Webcam")
    camera.click()
    for _ in range(3):  # frames
        with page.expect_response(re.compile("/api/image/result")):
            pass
    camera.click()
    assert camera.get_attribute("aria-pressed") == "false"
    assert page.get_by_label("Picture", exact=True).input_value() == "own"


def test_bad_addresses_get_one_sentence_and_the_room_goes_on(open_room):
    page = open_room("image", "?preset=gaussian&sigma=99&picture=own-gone")
    page.get_by_role("alert").filter(has_text="sigma: 99 is not allowed").wait_for()
    open_room.complaints.clear()  # the browser reports the refusals
    page.get_by_label("Kernel", exact=True).select_option("laplace")
    shown(page)
    assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize(("width", "language"), [(1280, "zh"), (375, "en")])
def test_nothing_is_wider_than_the_page(open_room, width, language):
    page = shown(open_room("image", "?preset=gabor", width=width, language=language))
    for tab in page.locator(".study > .field label").all():
        tab.click()
        assert "⟨" not in page.locator("body").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
