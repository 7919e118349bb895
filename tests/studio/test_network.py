"""The network: it learns, its numbers are sums of their parts, and the page shows them."""

import re
from itertools import islice
from urllib.parse import parse_qsl

import numpy as np
import pytest

pytest.importorskip("sklearn")

from multiconv.studio._room import Message, all_rooms
from multiconv.studio.rooms import _network_layers as layers
from multiconv.studio.rooms import _network_store as store
from multiconv.studio.rooms import _network_training as training
from multiconv.studio.rooms._network_digits import digits, seen
from multiconv.studio.rooms._network_trace import Unit, trace
from multiconv.studio.rooms._network_training import Recipe

USUAL = {
    "filters": 8, "size": 3, "rate": 0.005, "trainer": "engine", "steps": 870,
    "digit": 5, "unit": [],
}  # fmt: skip
SMALL = USUAL | {"filters": 2, "size": 5, "steps": 30}


def ask(name, values, **arrays):
    return all_rooms()["network"].actions[name].answer(Message(values, arrays))


def doubled(arrays):
    return type(arrays)(*(a.astype(np.float64) for a in arrays))


def test_it_learns():
    accuracies = ask("network", USUAL).arrays["accuracies"]
    assert accuracies[0] < 0.3
    assert accuracies[-1] >= 0.97


def test_kernels_of_one_pixel_learn_little():
    assert ask("network", USUAL | {"size": 1}).arrays["accuracies"][-1] < 0.8


def test_training_is_the_same_in_parts():
    recipe = Recipe(2, 3, 0.01)
    store._held.clear()
    whole = store.at(recipe, 40)
    store._held.clear()
    for step in (7, 33, 40):
        parts = store.at(recipe, step)
    assert parts.losses == whole.losses
    assert all(np.array_equal(a, b) for a, b in zip(parts.weights, whole.weights, strict=True))


@pytest.fixture
def torch_threads():
    """The room changes the threads of torch and of the engine; the process's other tests do not."""
    torch = pytest.importorskip("torch")
    from multiconv.torch import share_threads

    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    share_threads()


@pytest.mark.usefixtures("torch_threads")
@pytest.mark.parametrize("trainer", ["multiconv.torch", "torch"])
def test_torch_trains_the_same_network(trainer):
    own = store.at(Recipe(4, 3, 0.005), 10)
    other = store.at(Recipe(4, 3, 0.005, trainer), 10)
    np.testing.assert_allclose(other.losses, own.losses, rtol=1e-3)
    times = store.milliseconds(Recipe(4, 3, 0.005))
    assert times["engine"] > 0
    assert times[trainer] > 0


@pytest.mark.usefixtures("torch_threads")
@pytest.mark.parametrize("trainer", ["multiconv.torch", "torch"])
def test_torch_has_the_same_gradients(trainer):
    weights, data = layers.initial(2, 5, seed=3), digits()
    batch = data.train[:7], data.train_classes[:7]
    loss, gradient = training._loss_by("engine")(weights, *batch)
    other_loss, others = training._loss_by(trainer)(weights, *batch)
    assert other_loss == pytest.approx(loss, rel=1e-5)
    for a, b in zip(others, gradient, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_few_networks_are_held():
    for step in range(store.HELD + 5):
        store.at(Recipe(1, 1, 0.01), step)
    assert len(store._held) == store.HELD


@pytest.mark.parametrize("name", layers.Weights._fields)
def test_weight_gradients(name):
    weights = doubled(layers.initial(2, 5, seed=3))
    # Off zero, where ReLU has no slope.
    weights = layers.Weights(
        *(a + 0.01 * np.cos(np.arange(a.size)).reshape(a.shape) for a in weights)
    )
    data = digits().train[:3].astype(np.float64)
    direction = np.random.default_rng(4).standard_normal((3, 10, 1, 1))

    def total(moved):
        scores = layers.forward(weights._replace(**{name: moved}), data).scores
        return np.vdot(scores, direction)

    gradient = getattr(
        layers.weight_gradients(weights, layers.forward(weights, data), direction), name
    )
    array = getattr(weights, name)
    towards = np.random.default_rng(5).standard_normal(array.shape)
    slope = (total(array + 1e-6 * towards) - total(array - 1e-6 * towards)) / 2e-6
    assert slope == pytest.approx(np.vdot(gradient, towards), rel=1e-5)


@pytest.mark.parametrize("unit", [(3, 7, 0, 0), (2, 5, 3, 1), (2, 1, 0, 2), (1, 3, 6, 0)])
def test_a_number_is_the_sum_of_its_parts(unit):
    weights = doubled(store.at(Recipe(4, 3, 0.01), 120).weights)
    maps = layers.forward(weights, digits().test[8:9].astype(np.float64))
    traced = trace(weights, maps, Unit(*unit))
    assert traced.value == pytest.approx(traced.digit.sum() + traced.biases)
    if unit[0] > 1:
        np.testing.assert_allclose(traced.flows.sum(0), traced.first.sum((0, 2, 3)), atol=1e-12)
    if unit[0] == 3:
        above = traced.second.sum() + weights.last_bias[unit[1]]
        assert traced.value == pytest.approx(above)


@pytest.mark.parametrize(
    ("unit", "size"), [((2, 1, 2, 3), 3), ((2, 0, 1, 1), 1), ((1, 0, 0, 5), 5), ((3, 4, 0, 0), 3)]
)
def test_the_frame_holds_what_the_number_depends_on(unit, size):
    weights = layers.Weights(*(np.abs(a) for a in layers.initial(2, size)))
    blank = np.zeros((1, 1, 8, 8), np.float32)
    unit = Unit(*unit)
    top, bottom, left, right = trace(weights, layers.forward(weights, blank), unit).digit_field
    expected = np.zeros((8, 8), bool)
    expected[top : bottom + 1, left : right + 1] = True
    depends = np.zeros((8, 8), bool)
    for place in np.ndindex(8, 8):
        digit = blank.copy()
        digit[0, 0][place] = 1
        value = layers.sums(weights, layers.forward(weights, digit), unit.layer)
        depends[place] = value[0, unit.channel, unit.row, unit.column] != 0
    np.testing.assert_array_equal(depends, expected)


def test_drawings_fill_the_height():
    ink = np.zeros((32, 32), np.uint8)
    ink[10:18, 3:5] = 1  # a stroke four times as high as it is wide
    digit = seen(ink)[0, 0]
    assert digit.sum() == 16
    np.testing.assert_array_equal(digit[:, 3:5], 1)
    assert not seen(np.zeros((32, 32), np.uint8)).any()


def test_mistakes_are_mistakes():
    answer = ask("samples", SMALL | {"mistaken": True, "page": 0})
    assert (answer.arrays["classes"] != answer.arrays["guesses"]).all()
    several = ask("samples", SMALL | {"mistaken": False, "page": 3})
    np.testing.assert_array_equal(several.arrays["classes"], range(10))


def test_training_goes_on_until_nobody_listens():
    gone = []
    answers = (
        all_rooms()["network"]
        .actions["train"]
        .answers(Message(SMALL | {"pace": 5}), lambda: bool(gone))
    )
    steps = [answer.values["step"] for answer in islice(answers, 2)]
    gone.append(True)
    assert steps == [35, 40]
    assert list(answers) == []


@pytest.mark.parametrize(("change", "words"), [
    ({"filters": 3}, "filters: 3"), ({"size": 4}, "size: 4"), ({"rate": 2}, "rate: 2"),
    ({"trainer": "abacus"}, "trainer: 'abacus'"),
    ({"steps": -1}, "steps: -1"), ({"steps": 10**6}, "steps: 1000000"),
    ({"digit": 360}, "digit: 360"), ({"unit": [2, 4, 0, 0]}, "unit: the network has none"),
    ({"unit": [1, 0]}, "unit: "),
])  # fmt: skip
def test_bad_questions(change, words):
    action = all_rooms()["network"].actions["look"]
    question = Message(SMALL | change)
    with pytest.raises(ValueError, match=re.escape(words)):
        action.answer(question) if change.keys() & {"digit", "unit"} else action.price(question)


def test_many_steps_are_priced():
    store._held.clear()
    price = all_rooms()["network"].actions["look"].price
    assert price(Message(USUAL | {"steps": 3000})) > 2 * price(Message(USUAL | {"steps": 1000}))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' own
@pytest.mark.parametrize(("library", "module"), [
    ("multiconv", "numpy"), ("SciPy", "scipy"), ("torch", "torch"), ("Keras", "keras"),
    ("JAX", "jax"),
])  # fmt: skip
def test_programs(library, module):
    pytest.importorskip(module)
    program = ask("code", SMALL).values[library]
    space = {}
    exec(compile(program, library, "exec"), space)
    shown = ask("look", SMALL).arrays["probabilities"]
    np.testing.assert_allclose(space["result"], shown, rtol=1e-4, atol=1e-6)


def numbers(text):
    """What a text tells, its minus signs being true ones."""
    plain = text.replace("\N{MINUS SIGN}", "-")
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", plain)]


def state(page):
    """What the page's address says, once it is written."""
    page.wait_for_timeout(500)
    return dict(parse_qsl(page.evaluate("() => location.hash").partition("?")[2]))


def ink_of(page):
    bits = [int(bit) for digit in state(page)["ink"] for bit in f"{int(digit, 16):04b}"]
    return np.array(bits, np.uint8).reshape(32, 32)


def test_numbers_in_the_browser(open_room):
    page = open_room("network")
    best = page.locator(".class.best")
    best.wait_for()
    look = ask("look", USUAL)
    likely = look.arrays["probabilities"]
    assert best.get_attribute("aria-label") == f"{likely.argmax()}: {100 * likely.max():.1f} %"

    page.get_by_role("button", name="4:").click()
    page.get_by_text("Score of 4:").wait_for()
    value = ask("look", USUAL | {"unit": [3, 4, 0, 0]}).values
    told = numbers(page.locator(".why p").inner_text())
    assert told[1] == pytest.approx(value["value"], rel=1e-3)
    assert told[2] + np.sign(value["biases"]) * told[3] == pytest.approx(told[1], abs=0.01)

    page.get_by_role("button", name="Layer 1, map 3;").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.get_by_text("Layer 1, map 3, row 2, column 2:").wait_for()
    assert state(page)["unit"] == "[1,2,1,1]"
    products = numbers(page.locator(".cells.out").inner_text().replace("\n", " "))
    assert sum(products) == pytest.approx(
        ask("look", USUAL | {"unit": [1, 2, 1, 1]}).arrays["digit_parts"].sum(), abs=0.03
    )


def test_drawing_in_the_browser(open_room):
    page = open_room("network")
    page.locator(".class.best").wait_for()
    box = page.locator(".pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"])
              for x, y in ((0.25, 0.15), (0.75, 0.15), (0.45, 0.88))]  # fmt: skip
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    look = ask("look", USUAL, ink=ink_of(page))
    assert look.arrays["probabilities"].argmax() == 7
    page.get_by_role("button", name=f"7: {100 * look.arrays['probabilities'][7]:.1f} %").wait_for()
    page.reload()
    page.get_by_role("button", name=f"7: {100 * look.arrays['probabilities'][7]:.1f} %").wait_for()
    page.locator(".pad").focus()
    before = ink_of(page).sum()
    page.keyboard.press("ArrowDown")
    assert ink_of(page).sum() > before


def test_training_in_the_browser(open_room):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = open_room("network", "?filters=4&steps=0&pace=45", width=375)
    page.get_by_text("step 0 ·").wait_for()
    page.get_by_role("button", name="Train").click()
    expect(page.locator(".status")).to_have_text(re.compile(r"step [3-9]\d\d "), timeout=20_000)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Train").wait_for()
    step = int(state(page)["steps"])
    accuracy = ask("network", USUAL | {"filters": 4, "steps": step}).arrays["accuracies"][-1]
    assert f"step {step} ·" in page.locator(".status").inner_text()
    assert f"{100 * accuracy:.1f} %" in page.locator(".status").inner_text()
    assert accuracy > 0.8
    page.get_by_role("button", name="One step").click()
    page.get_by_text(f"step {step + 1} ·").wait_for()


def test_torch_trains_in_the_browser(open_room):
    pytest.importorskip("torch")
    expect = pytest.importorskip("playwright.sync_api").expect
    page = open_room("network", "?filters=2&steps=8")
    page.get_by_text("step 8 ·").wait_for()
    page.locator("label").get_by_text("torch", exact=True).click()
    torch_time = page.locator(".trainers li").last.locator(".number")
    expect(torch_time).to_have_text(re.compile(r"\d ms"), timeout=20_000)
    for step in (9, 10):
        page.get_by_role("button", name="One step").click()
        page.get_by_text(f"step {step} ·").wait_for()
    own = ask("network", USUAL | {"filters": 2, "steps": 10}).arrays["losses"][-1]
    assert numbers(page.locator(".status").inner_text())[1] == pytest.approx(own, abs=2e-3)
    assert state(page)["trainer"] == "torch"
    assert page.locator(".class.best").count() == 1


def test_bad_addresses_are_told(open_room):
    page = open_room("network", "?unit=[2,99,0,0]")
    page.get_by_role("alert").get_by_text("unit: the network has none at [2, 99, 0, 0]").wait_for()
    open_room.complaints.clear()  # the browser itself notes refused questions
