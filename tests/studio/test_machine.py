"""The room of the machine: the planner's words, the clock's, and what dtypes do to numbers."""

import json
import re

import numpy as np
import pytest

import multiconv as mc
from multiconv._planner import planner
from multiconv._traits import UNKNOWN

pytest.importorskip("starlette")

from multiconv.studio import Message
from multiconv.studio.rooms import machine
from multiconv.studio.rooms._machine_problem import Asked, out_shape

KERAS_ON_NUMPY_2 = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
MINUS = "\N{MINUS SIGN}"
SMALL = "mb2 ic4 oc6 g2 in9x8 k3x2 s2x1 d1x2 p1:2,0:1 b=reflect flip float32"


def ask(action, problem, **more):
    return action(Message({"problem": problem, **more})).values


def test_rows_are_the_planners():
    plan = mc.plan(mc.convolve, mc.ShapeDtype((90, 70)), mc.ShapeDtype((5, 7)), mode="same")
    answer = ask(machine.plan, str(plan.problem))
    step = planner.step(plan.problem, UNKNOWN)
    expected = [(r.algorithm, r.accepted, r.chosen, r.seconds, r.scratch_bytes, r.error, r.reason)
                for r in step.rows]  # fmt: skip
    assert [tuple(row.values())[:7] for row in answer["rows"]] == expected
    assert answer["tree"]["algorithm"] == step.algorithm.name
    assert {row["algorithm"]: row["summary"] for row in answer["rows"]} == mc.algorithms()
    json.dumps(answer, allow_nan=False)


def test_what_is_known_of_the_kernel_bears_on_the_plan():
    accepted = {
        kind: {r["algorithm"] for r in ask(machine.plan, "in99x90 k9x7 flip", kernel=kind)["rows"]
               if r["accepted"]}
        for kind in ("random", "gaussian", "box")
    }  # fmt: skip
    assert accepted["random"] < accepted["gaussian"] < accepted["box"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"size": "80x60"}, "mb1 ic1 oc1 in80x60 k5x3 p2:2,1:1 flip float32"),
        ({"size": "300"}, "mb1 ic1 oc1 in300 k5 p2:2 flip float32"),
        ({"taps": "9"}, "mb1 ic1 oc1 in40x50 k9x9 p4:4 flip float32"),
        ({"taps": "7 x 4"}, "mb1 ic1 oc1 in40x50 k7x4 p3:3,2:1 flip float32"),
        ({"dilation": 2}, "mb1 ic1 oc1 in40x50 k5x3 d2 p4:4,2:2 flip float32"),
        ({"mode": "full", "stride": 2}, "mb1 ic1 oc1 in40x50 k5x3 s2 p4:4,2:2 flip float32"),
        ({"dtype": "float16"}, "mb1 ic1 oc1 in40x50 k5x3 p2:2,1:1 flip float16"),
        ({"channels": 4, "filters": 6, "groups": 2, "batch": 3, "precision": "fast"},
         "mb3 g2 ic4 oc6 in40x50 k5x3 p2:2,1:1 flip float32 precision=fast"),
    ],
)  # fmt: skip
def test_the_form_changes_the_canonical_string(change, expected):
    before = "in40x50 k5x3 p2:2,1:1 flip float32"
    assert ask(machine.plan, before, change=change)["problem"] == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"problem": "in9 q3"}, "problem: 'q3' is no word of a problem such as"),
        ({"problem": "in9 k3", "kernel": "odd"}, "kernel: 'odd' is not allowed, choose one of"),
        ({"problem": "in9 k12"}, "kernel: its window covers 12 samples on spatial axis 0"),
        ({"problem": "in9 k3", "change": {"size": "0x4"}}, "size: '0x4' is not allowed, give"),
        ({"problem": "in9x8 k3x3", "change": {"taps": "3x3x3"}}, "taps: '3x3x3' has 3 sizes"),
        ({"problem": "in9 k3", "change": {"groups": 2}}, "problem: 2 groups do not divide both"),
        ({"problem": "in9 k3", "change": {"stride": "x"}}, "stride: 'x' is not allowed, give a"),
        ({"problem": "in9 k3", "change": {"colour": 1}}, "change: 'colour' is no field of the"),
        ({}, "problem: give its canonical string, up to 400 characters"),
    ],
)
def test_what_is_no_problem_is_refused_in_a_sentence(values, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        machine.plan(Message(values))


@pytest.mark.parametrize(
    "problem",
    [SMALL, "in60x50 k5x5 flip float64", "in70 k9 float16", "in40x30 k3x3 uint8",
     "in50 k7 complex64", "mb1 ic3 oc4 in12x11 k3x3 p1:1 float32 bias act=relu scale res"],
)  # fmt: skip
@pytest.mark.parametrize("kernel", ["random", "gaussian"])
def test_every_accepted_algorithm_is_measured_and_within_its_bound(problem, kernel):
    rows = {r["algorithm"]: r for r in ask(machine.plan, problem, kernel=kernel)["rows"]}
    question = Message({"problem": problem, "kernel": kernel})
    found = [m.values for m in machine.measure(question, lambda: False)]
    assert [m["algorithm"] for m in found] == [n for n, r in rows.items() if r["accepted"]]
    for one in found:
        assert one["seconds"] > 0
        assert one["error"] <= rows[one["algorithm"]]["error"] + (problem.count("float16") * 2e-3)


def test_what_is_too_dear_is_not_run_and_nobody_listening_ends_it():
    question = Message({"problem": "mb1 ic64 oc64 in512x512 k9x9 float32", "kernel": "random"})
    assert machine.room.actions["measure"].price(question) > 1
    small = Message({"problem": SMALL, "kernel": "random"})
    assert not list(machine.measure(small, lambda: True))


def test_data_that_would_fill_the_memory_are_refused(monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "10MB")
    question = Message({"problem": "in1000x1000 k3x3", "kernel": "random"})
    with pytest.raises(ValueError, match=r"measuring takes 79\.\d MB, 5\.00 MB are allowed"):
        machine.room.actions["measure"].price(question)


def test_the_curve_is_the_planners_at_every_size():
    answer = ask(machine.curve, "in64x40 k5x3 p2:2,1:1 flip float32")
    sizes = [size for size, *_ in answer["winners"]]
    assert sizes[0] == 1
    assert sizes[-1] == 37  # the last that the data hold
    for size, name, seconds in answer["winners"]:
        plan = mc.plan(mc.convolve, mc.ShapeDtype((64, 40), np.float32),
                       mc.ShapeDtype((size, size), np.float32), mode="same")  # fmt: skip
        step = planner.step(plan.problem, UNKNOWN)
        assert (name, seconds) == (step.algorithm.name, step.cost.seconds)
        assert [size, seconds] in map(list, answer["series"][name])
    assert answer["here"][0] == 5


def test_the_curve_reaches_beyond_a_long_kernel():
    sizes = [size for size, *_ in ask(machine.curve, "in9000 k1001 float32")["winners"]]
    assert sizes[-1] == 1449
    assert sizes == sorted(set(sizes))


def test_numbers_that_a_dtype_loses_are_marked():
    answer = machine.numbers(Message({"x": [200, 100, -3, 2048], "h": [1, 1]})).values
    assert answer["exact"] == ["200", "300", "97", "2045", "2048"]
    rows = {row["dtype"]: row for row in answer["rows"]}
    assert rows["uint8"]["misfit"] == "-3"
    assert rows["int8"]["misfit"] == "200"
    assert not any(cell["wrong"] for cell in rows["int32"]["plain"])

    answer = machine.numbers(Message({"x": [200, 100, 30], "h": [1, 1]})).values
    row = next(row for row in answer["rows"] if row["dtype"] == "uint8")
    assert [c["text"] for c in row["plain"]] == ["200", "44", "130", "30"]
    assert [c["wrong"] for c in row["plain"]] == [False, True, False, False]
    assert [c["text"] for c in row["asked"]] == answer["exact"]

    answer = machine.numbers(Message({"x": [40000, 30000, 2048, 1], "h": [1, 1]})).values
    row = next(row for row in answer["rows"] if row["dtype"] == "float16")
    assert [c["text"] for c in row["plain"]] == ["40000", "∞", "32048", "2048", "1"]
    assert [c["wrong"] for c in row["plain"]] == [False, True, False, True, False]
    assert not any(c["wrong"] for c in row["asked"])


@pytest.mark.parametrize("x", [[], [1.5], [2**40], ["1"], [1] * 9, None, [float("nan")]])
def test_only_whole_numbers_are_shown(x):
    with pytest.raises(ValueError, match=r"x: .*whole numbers"):
        machine.numbers(Message({"x": x, "h": [1]}))


@KERAS_ON_NUMPY_2
@pytest.mark.parametrize("kernel", ["random", "gaussian", "box"])
@pytest.mark.parametrize("problem", [SMALL, "in31 k4 s3 p2:1 d2 float64", "in9x8x7 k2x3x2 int32",
                                     "ic2 oc3 in6x7 k3x2 float32 bias act=leaky_relu"])  # fmt: skip
def test_copied_code_gives_what_the_engine_gives(capsys, problem, kernel):
    for module in ("scipy", "torch", "keras", "jax"):
        pytest.importorskip(module)
    asked = Asked.of({"problem": problem, "kernel": kernel})
    x, w, epilogue = asked.data()
    expected = np.empty(out_shape(asked.problem), asked.problem.out_dtype)
    shape = (asked.problem.batch, asked.problem.out_channels, *expected.shape[3:])
    step = asked.step()
    step.run(step.prepare(w), x, epilogue, expected)
    programs = ask(machine.code, problem, kernel=kernel)
    assert set(programs) >= {"multiconv", "SciPy"}
    for program in programs.values():
        names = {}
        exec(program, names)
        result = names["result"]
        np.testing.assert_allclose(result, expected.reshape(shape), rtol=2e-5, atol=2e-5)


def test_code_that_libraries_do_not_spell_alike_is_refused():
    with pytest.raises(ValueError, match="code: not every library spells a problem with gelu"):
        ask(machine.code, "in9 k3 float32 bias act=gelu")


def expect(what):
    """Assertions that wait; for those tests alone that have a browser."""
    from playwright.sync_api import expect

    return expect(what)


def rows_of(page):
    return page.locator(".contest tbody tr")


def test_the_page_lists_the_planners_rows_and_measures_them(open_room):
    page = open_room("machine", "?problem=in200x150 k5x5 p2:2 flip float32")
    rows_of(page).first.wait_for()
    plan = mc.plan(mc.convolve, mc.ShapeDtype((200, 150), np.float32),
                   mc.ShapeDtype((5, 5), np.float32), mode="same")  # fmt: skip
    timed = [r.algorithm for r in plan.explain().rows if r.seconds is not None]
    names = [text.split("\n")[0].strip() for text in page.locator(".algorithm").all_inner_texts()]
    assert [name.removesuffix("chosen").strip() for name in names] == timed
    assert page.locator(".refusals dt").count() == len(mc.algorithms()) - len(timed)
    page.get_by_role("button", name="Measure").click()
    page.get_by_role("button", name="Stop").wait_for(state="detached")
    assert page.locator("rect.measured").count() == len(timed)
    times = page.locator("td[data-name=measured]").all_inner_texts()
    assert all(re.fullmatch(r"[\d.]+ (ns|µs|ms|s)", text) for text in times)


def test_the_form_and_the_text_are_one_problem_that_the_address_keeps(open_room):
    page = open_room("machine")
    text, kernel = page.get_by_label("Problem, as plans"), page.get_by_label("Kernel", exact=True)
    kernel.fill("31")
    kernel.press("Enter")
    page.get_by_text("k31x31").first.wait_for()
    assert text.input_value() == "mb1 ic1 oc1 in512x512 k31x31 p15:15 flip float32"
    page.get_by_text("Layer", exact=True).click()
    page.get_by_role("button", name="Input channels +1").wait_for()
    text.fill("in30x20 k3x2 int16")
    text.press("Enter")
    page.get_by_text("mb1 ic1 oc1 in30x20 k3x2 int16").wait_for()
    expect(page).to_have_url(re.compile("in30x20.*int16"))
    assert page.get_by_label("dtype").input_value() == "int16"
    again = open_room("machine", page.evaluate("location.hash").removeprefix("#machine"))
    assert again.get_by_label("Data").input_value() == "30x20"


def test_a_wrong_text_says_why_and_the_picture_stays(open_room):
    page = open_room("machine")
    text, count = page.get_by_label("Problem, as plans"), rows_of(page).count()
    text.fill("in30 nonsense")
    text.press("Enter")
    page.get_by_role("alert").get_by_text("'nonsense' is no word of a problem").wait_for()
    assert rows_of(page).count() == count > 0
    open_room.complaints.clear()  # the browser reports refused questions


def test_numbers_typed_are_computed_in_every_dtype(open_room):
    page = open_room("machine", language="zh", theme="dark", width=375)
    page.get_by_label("x", exact=True).fill("100, 90, 2")
    page.get_by_label("h", exact=True).fill("1 1 1")
    expect(page.locator(".dtypes .exact td")).to_have_text(["100", "190", "192", "92", "2"])
    row = page.locator(".dtypes tr", has_text="int8").filter(has_text=f"{MINUS}128")
    wrong = mc.convolve(np.array([100, 90, 2], np.int8), np.ones(3, np.int8)).tolist()
    shown = [re.match(r".?\d+", text)[0] for text in row.locator("td").all_inner_texts()]
    assert [int(text.replace(MINUS, "-")) for text in shown] == wrong
    assert row.locator(".wrong").count() == 2
    assert "⟨" not in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
