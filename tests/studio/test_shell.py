"""The page around the rooms, in a real browser."""

import re

import pytest

ROOMS = ["integral", "sum", "image", "channels", "network", "sound", "machine"]


@pytest.mark.parametrize("width", [1280, 375])
def test_every_room_opens_in_both_languages_and_fits(open_room, width):
    for room in ROOMS:
        for language in ("en", "zh"):
            page = open_room(room, width=width, language=language)
            assert page.locator("main h1").inner_text()
            assert "⟨" not in page.locator("body").inner_text(), (room, language)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, (room, language)
            page.context.close()


def test_language_and_colours_are_switched_and_kept(open_room):
    page = open_room("sum")
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.get_by_label("Light or dark").click()
    page.get_by_role("button", name=re.compile("Language")).click()
    page.get_by_role("link", name="求和").wait_for()
    page.reload()
    page.get_by_role("link", name="求和").wait_for()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("html").get_attribute("lang") == "zh"


def test_the_keyboard_goes_from_room_to_room(open_room):
    page = open_room("sum")
    page.get_by_role("link", name="Integral", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("#integral"))
    page.locator('[aria-current="page"]', has_text="Integral").wait_for()


def test_an_address_typed_wrongly_leads_somewhere(open_room):
    page = open_room("cellar", "?h=[1,", language="en")
    assert page.locator("main h1").inner_text()
