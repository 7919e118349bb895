"""The room of channels: its layers against the definition, and as a user meets them."""

import re

import numpy as np
import pytest

import multiconv as mc

pytest.importorskip("starlette")

from multiconv.studio import Message
from multiconv.studio.rooms import channels

KERAS_ON_NUMPY_2 = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
MINUS = "\N{MINUS SIGN}"
LAYERS = {
    1: {"channels": 4, "filters": 2, "groups": 2, "size": [9], "taps": [3], "stride": 2,
        "padding": 1, "dilation": 2, "activation": "none"},
    2: {"channels": 3, "filters": 2, "groups": 1, "size": [6, 5], "taps": [3, 2], "stride": 1,
        "padding": 1, "dilation": 1, "activation": "relu"},
    3: {"channels": 2, "filters": 4, "groups": 2, "size": [4, 5, 6], "taps": [2, 3, 1],
        "stride": 1, "padding": 1, "dilation": 2, "activation": "leaky_relu"},
}  # fmt: skip


def question(rng, rank, **changes):
    given = LAYERS[rank] | changes
    taps = given["filters"] * given["channels"] // given["groups"] * int(np.prod(given["taps"]))
    count = given["channels"] * int(np.prod(given["size"]))
    return {
        **given, "filter": given["filters"] - 1, "x": rng.integers(-3, 4, count).tolist(),
        "w": rng.integers(-2, 3, taps).tolist(),
        "bias": rng.integers(-2, 3, given["filters"]).tolist(),
    }  # fmt: skip


def define(values):
    """Each channel's contribution to each filter, by the definition."""
    x = np.reshape(values["x"], (values["channels"], *values["size"]))
    x = np.pad(x, [(0, 0), *[(values["padding"],) * 2] * len(values["size"])])
    seen = values["channels"] // values["groups"]
    w = np.reshape(values["w"], (values["filters"], seen, *values["taps"]))
    extents = [(k - 1) * values["dilation"] + 1 for k in values["taps"]]
    sizes = zip(x.shape[1:], extents, strict=True)
    out = [(n - extent) // values["stride"] + 1 for n, extent in sizes]
    parts = np.zeros((values["filters"], seen, *out))
    for o, c in np.ndindex(values["filters"], seen):
        channel = o // (values["filters"] // values["groups"]) * seen + c
        for place in np.ndindex(*out):
            for tap in np.ndindex(*values["taps"]):
                at = (p * values["stride"] + k * values["dilation"]
                      for p, k in zip(place, tap, strict=True))  # fmt: skip
                parts[(o, c, *place)] += w[(o, c, *tap)] * x[(channel, *at)]
    return parts


@pytest.mark.parametrize("rank", LAYERS)
def test_partial_images_and_sums_are_those_of_the_definition(rng, rank):
    values = question(rng, rank)
    answer = channels.layer(Message(values)).arrays
    parts = define(values)
    sums = parts.sum(1) + np.reshape(values["bias"], (-1, *[1] * rank))
    np.testing.assert_array_equal(answer["partial"], parts[values["filter"]])
    np.testing.assert_array_equal(answer["sums"], sums)
    negative = {"none": sums, "relu": 0 * sums, "leaky_relu": 0.01 * sums}[values["activation"]]
    np.testing.assert_allclose(answer["result"], np.where(sums < 0, negative, sums), rtol=1e-15)


@KERAS_ON_NUMPY_2
@pytest.mark.parametrize("rank", LAYERS)
def test_copied_code_gives_what_the_page_shows(rng, rank):
    for module in ("scipy", "torch", "keras", "jax"):
        pytest.importorskip(module)
    values = question(rng, rank)
    shown = channels.layer(Message(values)).arrays["result"]
    programs = channels.code(Message(values)).values
    assert list(programs) == ["multiconv", "SciPy", "PyTorch", "Keras", "JAX"]
    for program in programs.values():
        names = {}
        exec(program, names)
        np.testing.assert_allclose(names["result"], shown, rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"groups": 2}, "groups: 2 does not divide both 3 input and 2 output channels"),
        ({"taps": [3, 8]}, "taps: [3, 8] is not allowed, give 1 to 3 sizes up to 7"),
        ({"dilation": 4}, "kernel: its window covers 9 samples on spatial axis 0, but"),
        ({"x": [1, 2]}, "x: 2 numbers were given, 3 x 6 x 5 takes 90"),
        ({"bias": [1, "2"]}, "bias: only numbers up to 1e9 are allowed"),
        ({"stride": 0}, "stride: 0 is not allowed, give 1 to 4"),
        ({"filter": 2}, "filter: 2 is not allowed, give 0 to 1"),
        ({"activation": "swish"}, "activation: 'swish' is not allowed, choose one of none, relu,"),
    ],
)
def test_what_makes_no_layer_is_refused_in_a_sentence(rng, changes, words):
    values = question(rng, 2) | changes
    with pytest.raises(ValueError, match=re.escape(words)):
        channels.layer(Message(values))


def expect(what):
    """Assertions that wait; for those tests alone that have a browser."""
    from playwright.sync_api import expect

    return expect(what)


def read(locator):
    """The numbers of a grid on the page."""
    places = locator.locator("input, [data-at]")
    texts = places.evaluate_all("places => places.map((one) => one.value ?? one.innerText)")
    return [float(text.replace(MINUS, "-")) for text in texts]


def shown_sum(page):
    """What the engine makes of the channels and slices that the page shows."""
    x = [read(page.get_by_role("group", name=f"channel {c}", exact=True)) for c in (1, 2, 3)]
    w = [read(page.get_by_role("group", name=f"kernel slice of channel {c}")) for c in (1, 2, 3)]
    bias = read(page.get_by_role("group", name="bias"))
    layer = np.reshape(x, (3, 5, 5)), np.reshape(w, (1, 3, 3, 3))
    return mc.conv(*layer, bias, padding=1)[0].ravel().tolist()


def test_the_numbers_on_the_page_are_a_layer_of_the_engine(open_room):
    page = open_room("channels")
    sums = page.get_by_role("grid", name="sum + bias")
    assert read(sums) == shown_sum(page)
    page.get_by_role("button", name="Filter 4").click()
    page.get_by_role("heading", name="kernel 4").wait_for()
    assert read(sums) == shown_sum(page)
    before = sums.inner_text()
    page.get_by_label("channel 2, row 3, column 4", exact=True).fill("-7")
    expect(sums).not_to_have_text(before, use_inner_text=True)
    assert read(sums) == shown_sum(page)


def test_an_output_is_written_out_where_one_points_or_walks(open_room):
    page = open_room("channels")
    sums, line = page.get_by_role("grid", name="sum + bias"), page.locator(".total-line")
    numbers = read(sums)
    sums.get_by_label("row 2, column 3").hover()
    assert f"= {numbers[7]:g}".replace("-", MINUS) in line.inner_text()
    sums.get_by_label("row 2, column 3").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert f"= {numbers[13]:g}".replace("-", MINUS) in line.inner_text()
    expect(page).to_have_url(re.compile("at=%5B2%2C3%5D"))
    terms = page.locator(".equation dd").all_inner_texts()
    for text in terms:
        products, total = text.replace(MINUS, "-").split(" = ")
        assert eval(products.replace("·", "*")) == float(total)
    assert page.locator(".cells.in .lit").count() == 27


def test_an_impossible_layer_says_why_and_the_last_picture_stays(open_room):
    page = open_room("channels")
    sums = page.get_by_role("grid", name="sum + bias")
    wider = page.get_by_role("button", name="Dilation d +1")
    wider.click()
    wider.click()
    expect(sums.get_by_role("gridcell")).to_have_count(1)
    before = sums.inner_text()
    wider.click()
    page.get_by_role("alert").get_by_text("its window covers 9 samples").wait_for()
    formula = page.locator(".formula").inner_text().replace(MINUS, "-")
    assert "⌊(5 + 2·1 - 4·(3 - 1) - 1) / 1⌋ + 1 = -1 ✗" in formula
    assert sums.inner_text() == before
    page.get_by_role("button", name="Padding p +1").click(click_count=2)
    expect(sums.get_by_role("gridcell")).to_have_count(9)
    assert page.get_by_role("alert").is_hidden()
    open_room.complaints.clear()  # the browser reports refused questions


def test_volumes_are_scrubbed_and_the_address_keeps_the_plane(open_room):
    page = open_room("channels", "?preset=volume")
    sums = page.get_by_role("grid", name="sum + bias")
    before = sums.inner_text()
    page.get_by_label("Output plane").press("ArrowRight")
    assert sums.inner_text() != before
    page.get_by_label("Kernel plane").press("ArrowRight")
    page.get_by_text("meets input plane 3 of 4").wait_for()
    expect(page).to_have_url(re.compile("plane=1.*tap=1"))
    again = open_room("channels", page.evaluate("location.hash").removeprefix("#channels"))
    again.get_by_text("meets input plane 3 of 4").wait_for()


def test_the_machine_is_handed_the_problem(open_room):
    page = open_room("channels", "?preset=strided")
    page.get_by_role("link", name="mb1 ic2 oc2 in7x6 k3x3 s2 p1:1 float64 bias").click()
    page.get_by_role("button", name="Measure").wait_for()
    expect(page.get_by_label("Data")).to_have_value("7x6")


def test_groups_hide_the_other_channels(open_room):
    page = open_room("channels", "?preset=depthwise&filter=1")
    assert page.get_by_text("does not see this channel").count() == 2
    assert page.locator(".total-line").inner_text().count("+") == 1


@pytest.mark.parametrize("preset", ["layer", "signal", "volume"])
def test_a_telephone_shows_it_whole(open_room, preset):
    page = open_room("channels", f"?preset={preset}", width=375, theme="dark", language="zh")
    page.get_by_role("grid").first.wait_for()
    assert "⟨" not in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
