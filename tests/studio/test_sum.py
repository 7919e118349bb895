"""The room of the sum: its answers, its programs, its page."""

import itertools
import re

import numpy as np
import pytest

from multiconv.studio import Message, all_rooms

F, G = [2, -1, 3, 4, 7], [1, 2, -3]
MODES = ("full", "same", "valid")
LIBRARIES = {
    "multiconv": "multiconv", "SciPy": "scipy", "PyTorch": "torch", "Keras": "keras", "JAX": "jax",
}  # fmt: skip


def ask(action, **values):
    asked = {"f": F, "g": G, "mode": "full", "correlate": False, **values}
    return all_rooms()["sum"].actions[action].answer(Message(asked)).values


def expected(f, g, correlate):
    return np.convolve(f, g[::-1] if correlate else g)


@pytest.mark.parametrize(("mode", "correlate"), [*itertools.product(MODES, (False, True))])
def test_counted_positions_are_a_part_of_all(mode, correlate):
    for f, g in ((F, G), (F, G[:2]), (G, F)):
        if mode == "valid" and len(g) > len(f):
            continue
        answer = ask("convolve", f=f, g=g, mode=mode, correlate=correlate)
        assert answer["full"] == expected(f, g, correlate).tolist()
        start, count = answer["start"], len(answer["result"])
        assert answer["full"][start : start + count] == answer["result"]
        assert count == {"full": len(f) + len(g) - 1, "same": len(f)}.get(mode, len(f) - len(g) + 1)


def test_whole_numbers_stay_whole():
    assert all(type(v) is int for v in ask("convolve")["full"])
    assert all(type(v) is float for v in ask("convolve", g=[1, 0.5])["full"])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"f": []}, "f: 0 numbers were given, 1 to 10"),
        ({"g": [1] * 11}, "g: 11 numbers were given"),
        ({"f": [1, "a"]}, "give a list of numbers"),
        ({"f": [True]}, "give a list of numbers"),
        ({"f": "12"}, "give a list of numbers"),
        ({"g": [2e4]}, "g: 20000 is too large"),
        ({"mode": "most"}, "mode: 'most' is not known"),
        ({"g": [1] * 6, "mode": "valid"}, "g: 6 numbers do not fit under the 5 of f"),
    ],
)
@pytest.mark.parametrize("action", ["convolve", "code"])
def test_what_makes_no_sense_is_refused(action, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        ask(action, **values)


@pytest.mark.parametrize("library", LIBRARIES)
def test_programs_give_what_the_page_shows(library):
    pytest.importorskip(LIBRARIES[library])
    for mode, correlate in itertools.product(MODES, (False, True)):
        values = {"g": [1, 2, -3, 5], "mode": mode, "correlate": correlate}
        names = {}
        exec(ask("code", **values)[library], names)
        assert np.asarray(names["result"]).tolist() == ask("convolve", **values)["result"]


def position(page):
    return page.get_by_role("slider", name="Position of g")


def minus(text):
    return text.replace("-", "\N{MINUS SIGN}")


def shows(page, text):
    page.get_by_label("The sum at this position").filter(has_text=minus(text)).wait_for()


def test_g_slides_by_key_button_and_pointer(open_room):
    page = open_room("sum", "?f=[2,-1,3,4,7]&g=[1,2,-3]&at=0")
    shows(page, "y[0] = 2·1 = 2")
    position(page).focus()
    page.keyboard.press("ArrowRight")
    shows(page, "y[1] = 2·2 + (-1)·1 = 3")
    page.get_by_label("One position on").click()
    shows(page, "y[2] = 2·(-3) + (-1)·2 + 3·1 = -5")
    position(page).evaluate("strip => Promise.all(strip.getAnimations().map(a => a.finished))")
    box = position(page).bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 10 + 2 * box["width"] / 3, box["y"] + 10, steps=3)
    page.mouse.up()
    shows(page, "y[4] = 3·(-3) + 4·2 + 7·1 = 6")
    page.wait_for_url(re.compile("at=4$"))
    page.get_by_role("button", name=minus("y[6] = -21")).click()
    shows(page, "y[6] = 7·(-3) = -21")


def test_play_walks_to_the_last_counted_position(open_room):
    page = open_room("sum", "?f=[2,-1,3]&g=[1,2]&mode=valid&at=1")
    page.get_by_role("button", name="Play").click()
    shows(page, "y[2] = (-1)·2 + 3·1 = 1")
    page.get_by_role("button", name="Play").wait_for()


def test_numbers_modes_and_the_flip_are_the_engines(open_room):
    page = open_room("sum", "?f=[2,-1,3]&g=[1,4]")
    page.get_by_label("Add a number to f").click()
    page.get_by_role("group", name="f", exact=True).get_by_role("textbox").last.fill("0.5")
    page.get_by_role("button", name="y[4] = 2", exact=True).wait_for()
    page.get_by_text("correlation", exact=True).click()
    page.get_by_text("same", exact=True).click()
    answer = ask("convolve", f=[2, -1, 3, 0.5], g=[1, 4], mode="same", correlate=True)
    names = [minus(f"y[{k}] = {v:g}") for k, v in enumerate(answer["result"], -1)]
    page.get_by_role("button", name=names[0], exact=True).wait_for()
    page.get_by_role("button", name=minus("y[3] = 0.5")).wait_for(state="detached")
    shown = page.locator(".lane button").evaluate_all("all => all.map(b => b.ariaLabel)")
    assert shown == names


def test_views_of_the_same_numbers_light_up_together(open_room):
    page = open_room("sum", "?f=[2,7]&g=[4,5]&at=0")
    page.get_by_role("cell", name="28", exact=True).hover()
    lit = page.locator(".lit").evaluate_all("all => all.map(one => one.innerText.split('\\n')[0])")
    assert sorted(lit) == ["10", "28", "38", "38", "38", "38x"]
    assert page.get_by_text(re.compile("27 . 45 = 1215")).is_visible()
    page.get_by_label("Begin with").select_option("dice")
    total = page.get_by_role("figure", name="their total")
    total.get_by_text("of 36").wait_for()
    assert total.locator(".weight").all_inner_texts() == list("12345654321")


def test_a_mistyped_address_says_so_and_a_mistyped_number_changes_nothing(open_room):
    page = open_room("sum", "?f=[1,2,%22x%22]")
    page.get_by_role("alert").filter(has_text="give a list of numbers").wait_for()
    shows(page, "y[3] = 1·3 + 3·2 + 4·1 = 13")
    open_room.complaints.clear()
    first = page.get_by_role("group", name="f", exact=True).get_by_role("textbox").first
    first.fill("9999999")
    page.get_by_role("alert").filter(has_text="too large").wait_for()
    shows(page, "= 13")
    open_room.complaints.clear()
    first.fill("3")
    page.get_by_role("button", name="y[0] = 3", exact=True).wait_for()
    assert page.get_by_role("alert").is_hidden()
