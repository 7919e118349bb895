"""The room of the integral: its answers, its programs, its page."""

import itertools
import re

import numpy as np
import pytest

import multiconv as mc
from multiconv.studio import Message, all_rooms
from multiconv.studio.rooms._integral_functions import NAMED, NODES

DRAWN = np.clip(np.sin(np.arange(NODES) ** 2 / 97), -0.5, 1).round(2).tolist()
LIBRARIES = {
    "multiconv": "multiconv", "NumPy": "numpy", "SciPy": "scipy", "PyTorch": "torch",
    "Keras": "keras", "JAX": "jax",
}  # fmt: skip
NAMES = [*NAMED, "drawn"]


def message(**values):
    return Message({
        "f": "box", "g": "exponential", "fDrawn": DRAWN, "gDrawn": DRAWN[::-1], "t": 0.6, "n": 0,
        "rule": "midpoint", "swapped": False, **values,
    })  # fmt: skip


def ask(action, **values):
    question = message(**values)
    asked = all_rooms()["integral"].actions[action]
    assert asked.price(question) < 1
    return asked.answer(question)


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_the_area_under_the_product(name):
    answer = ask("curves", f=name, g="ramp")
    (low, high), fine = answer.values["f"], answer.values["fine"]
    f, t = answer.arrays["f"], answer.arrays["t"]
    tau = low + np.arange(f.size) / fine
    assert tau[-1] == high
    at = np.flatnonzero(t == 0.5)[0]
    product = np.where((tau <= 0.5) & (tau >= -1.5), f * (0.5 - tau) / 2, 0)
    assert answer.arrays["result"][at] == pytest.approx(np.trapezoid(product, tau), abs=4e-3)
    assert 0 < answer.values["error"] < 1e-9


def test_a_box_under_a_falling_exponential():
    answer = ask("curves")
    at = np.flatnonzero(answer.arrays["t"] == 0.6)[0]
    assert answer.arrays["result"][at] == pytest.approx((1 - np.exp(-4.8)) / 3, rel=1e-9)


def test_swapped_functions_have_the_same_result():
    one, other = (ask("curves", f=f, g=g) for f, g in (("ramp", "drawn"), ("drawn", "ramp")))
    flipped = ask("curves", f="drawn", g="ramp", fDrawn=DRAWN[::-1])
    np.testing.assert_allclose(one.arrays["result"], flipped.arrays["result"], atol=1e-12)
    assert np.abs(one.arrays["result"] - other.arrays["result"]).max() > 0.01


@pytest.mark.parametrize(("rule", "order"), [("midpoint", 2), ("left", 1)])
def test_the_order_of_convergence_is_measured(rule, order):
    answer = ask("convergence", g="triangle", f="exponential", rule=rule).values
    assert answer["order"] == pytest.approx(order, abs=0.1)
    assert answer["errors"] == sorted(answer["errors"])
    assert answer["steps"] == sorted(answer["steps"])


def test_boxes_that_the_step_divides_are_exact():
    assert ask("convergence", f="box", g="box").values["order"] is None


@pytest.mark.parametrize("rule", ["midpoint", "left"])
def test_the_sum_is_compared_with_the_integral(rule):
    answer = ask("sums", f="drawn", g="ramp", n=6, rule=rule)
    arrays, step = answer.arrays, answer.values["step"]
    np.testing.assert_allclose(arrays["result"], step * np.convolve(arrays["f"], arrays["g"]))
    assert 0 < np.abs(arrays["result"] - arrays["exact"]).max() < 0.3
    assert arrays["t"].size == arrays["result"].size


@pytest.mark.parametrize(
    ("action", "values", "sentence"),
    [
        ("curves", {"f": "cube"}, "f: 'cube' is not known, choose one of box, triangle"),
        ("curves", {"g": ["box"]}, "g: \\['box'\\] is not known"),
        ("curves", {"f": "drawn", "fDrawn": []}, "f: .* must be 41 numbers from -1 to 1, 0 came"),
        ("curves", {"g": "drawn", "gDrawn": [2] * 41}, "g: what is drawn must be 41 numbers"),
        ("curves", {"g": "drawn", "gDrawn": 7}, "no list came"),
        ("sums", {"n": 7}, "n: 7 samples a unit are not allowed"),
        ("sums", {"n": 8, "rule": "right"}, "rule: 'right' is not known"),
    ],
)
def test_what_makes_no_sense_is_refused(action, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        ask(action, **values)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("n", [0, 6])
def test_programs_give_what_the_page_shows(library, n):
    pytest.importorskip(LIBRARIES[library])
    pairs = [("drawn", "ramp"), ("burst", "gaussian"), ("triangle", "box"), ("exponential", "box")]
    for (f, g), rule in itertools.product(pairs, ("midpoint", "left") if n else ("midpoint",)):
        values = {"f": f, "g": g, "n": n, "rule": rule, "t": -0.46}
        program = ask("code", **values).values.get(library)
        if program is None:
            assert library == ("SciPy" if n else "NumPy")
            return
        names = {}
        exec(program, names)
        exact = library in ("multiconv", "NumPy", "SciPy")
        np.testing.assert_allclose(
            np.asarray(names["result"]), shown(values), atol=1e-9 if exact else 2e-4
        )


def shown(values):
    if values["n"]:
        return ask("sums", **values).arrays["result"]
    answer = ask("curves", **values).arrays
    return answer["result"][round((values["t"] + 4) * 50)]


def test_a_program_beyond_the_overlap_gives_zero():
    for program in ask("code", t=3.5).values.values():
        assert program.strip()
    names = {}
    exec(ask("code", t=3.5).values["SciPy"], names)
    assert names["result"] == 0


def number(page, label):
    return float(page.get_by_label(label).inner_text().replace("\N{MINUS SIGN}", "-"))


def value(page):
    return number(page, "Value of the convolution at t")


def shift(page):
    return page.get_by_role("slider", name="Shift t")


def engine(t, f="box", g="exponential"):
    f, g = NAMED[f], NAMED[g]
    whole = mc.continuous.convolve(
        f.rule, g.rule, support_f=f.support, support_g=g.support, breakpoints_f=f.breakpoints,
        breakpoints_g=g.breakpoints,
    )  # fmt: skip
    return pytest.approx(whole(t), abs=5.1e-5)


def test_t_moves_by_key_and_pointer_and_shows_the_engines_value(open_room):
    page = open_room("integral", "?t=-0.5")
    assert value(page) == engine(-0.5)
    shift(page).focus()
    page.keyboard.press("PageUp")
    assert shift(page).get_attribute("aria-valuenow") == "-0.3"
    assert value(page) == engine(-0.3)
    box = page.get_by_role("img", name="The convolution").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 50, steps=3)
    page.mouse.up()
    t = float(shift(page).get_attribute("aria-valuenow"))
    assert 0 < t < 2
    assert value(page) == engine(t)
    in_plots = page.locator("text.value").all_text_contents()
    assert {float(text.replace("\N{MINUS SIGN}", "-")) for text in in_plots} == {value(page)}
    page.wait_for_url(re.compile(r"t=[01]"))


def test_swapping_mirrors_the_picture_and_keeps_the_value(open_room):
    page = open_room("integral", "?f=ramp&t=1.5", reduced_motion="reduce")
    before = value(page)
    assert before == engine(1.5, f="ramp")
    blue = page.locator(".stage-card path.curve.in")
    path = blue.get_attribute("d")
    page.get_by_role("button", name="Swap f and g").click()
    page.wait_for_url(re.compile("swapped=true"))
    assert blue.get_attribute("d") != path
    assert value(page) == before


def test_the_sum_takes_the_place_of_the_integral(open_room):
    page = open_room("integral", "?f=triangle&t=0.5&n=4&rule=left")
    sums = ask("sums", f="triangle", n=4, rule="left").arrays
    at = np.flatnonzero(sums["t"] == 0.5)[0]
    assert value(page) == pytest.approx(sums["result"][at], abs=5.1e-5)
    error = number(page, "Error at t")
    assert error == pytest.approx(abs(sums["result"] - sums["exact"])[at], rel=0.05)
    order = page.get_by_label("Order of convergence")
    measured = ask("convergence", f="triangle", rule="left").values["order"]
    order.filter(has_text=f"{measured:.2f}").wait_for()
    page.get_by_text("middle", exact=True).click()
    measured = ask("convergence", f="triangle").values["order"]
    order.filter(has_text=f"{measured:.2f}").wait_for()
    assert page.locator(".bar-out").count() == 6  # cells of 1/4 between -1 and 1/2


def test_a_function_is_drawn_with_pointer_and_keys(open_room):
    page = open_room("integral", "?t=0.5")
    pencil = page.get_by_role("slider", name="Draw f")
    box = pencil.bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 4)
    page.mouse.up()
    pencil.press("ArrowLeft")
    pencil.press("ArrowDown")
    assert pencil.get_attribute("aria-valuetext") == "f at 0.9 is 0.55"
    page.wait_for_url(re.compile("0.55"))
    nodes = page.evaluate("JSON.parse(new URLSearchParams(location.hash.slice(10)).get('fDrawn'))")
    assert len(nodes) == NODES
    assert nodes[11] == nodes[28] == pytest.approx(0.6, abs=0.05)
    assert nodes[29] == pytest.approx(nodes[28] - 0.05)
    expected = ask("curves", f="drawn", fDrawn=nodes).arrays["result"][round(4.5 * 50)]
    page.get_by_label("Value of the convolution at t").filter(has_text=f"{expected:.4f}").wait_for()


def test_play_reaches_the_end_and_a_mistyped_address_says_so(open_room):
    page = open_room("integral", "?t=2.8")
    page.get_by_role("button", name="Play").click()
    page.wait_for_url(re.compile("t=3"))
    page.get_by_role("button", name="Play").wait_for()
    page = open_room("integral", "?f=cube&t=0.6")
    page.get_by_role("alert").filter(has_text="f: 'cube' is not known").wait_for()
    assert value(page) == engine(0.6)
    open_room.complaints.clear()
