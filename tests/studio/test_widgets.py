"""The rooms as widgets: their answers by messages, and their page with a model that stands in."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import multiconv as mc

pytest.importorskip("anywidget")

import multiconv.widgets
from multiconv.studio import Message, _envelope
from multiconv.widgets import _bundle, _image, _sum

PICTURE = np.arange(77, dtype=np.uint8).reshape(7, 11) * 3
KERNEL = [[1, -2, 0.5, 0, 3], [0, 4, -1, 2, 1], [-3, 1, 1, 7, 2]]


class Kernel:
    """The notebook's side of a widget's messages."""

    def __init__(self, widget):
        self.widget, self.sent = widget, []
        widget.send = lambda content, buffers=(): self.sent.append((content, buffers))

    def ask(self, action, values=None, arrays=None, data=None):
        data = data or _envelope.encode(Message(values or {}, arrays or {}))
        self.widget._handle_custom_msg({"id": "7", "action": action}, [memoryview(data)])
        content, buffers = self.sent.pop()
        assert content["id"] == "7"
        return _envelope.decode(buffers[0]) if "error" not in content else content["error"]


@pytest.fixture
def widget():
    return multiconv.widgets.image(PICTURE, KERNEL, boundary="wrap", view="signed")


def test_questions_are_answered_by_messages(widget):
    want = mc.convolve(PICTURE.astype(float), np.array(KERNEL), "same", boundary="wrap")
    np.testing.assert_allclose(widget.result, want, rtol=1e-6)
    np.testing.assert_array_equal(widget.kernel, KERNEL)
    values = {**_image.DEFAULTS, **widget.state, "preset": "own"}
    answer = Kernel(widget).ask("result", values, {"kernel": np.array(KERNEL)})
    np.testing.assert_array_equal(answer.arrays["result"], widget.result)


def test_what_is_wrong_comes_back_as_a_sentence(widget):
    kernel = Kernel(widget)
    assert kernel.ask("paint") == "action: 'paint' is none of the room's questions"
    assert kernel.ask("result") == "operation: missing"
    assert kernel.ask("result", data=b"1234") == "message: it is cut short"
    assert "'blue' is not allowed" in kernel.ask("result", _image.DEFAULTS | {"view": "blue"})


def test_the_state_is_what_the_properties_tell(widget):
    widget.state = widget.state | {"preset": "box", "size": 3, "view": "photo"}
    np.testing.assert_allclose(widget.kernel, np.full((3, 3), 1 / 9))
    assert widget.result.dtype == np.uint8
    widget.state = widget.state | {"preset": "sobel x", "view": "auto"}
    assert widget.result.dtype == np.float32
    room = multiconv.widgets.sum([1, 2, 3], [1, -1], correlate=True)
    np.testing.assert_array_equal(room.result, np.correlate([1, 2, 3], [1, -1], "full"))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: multiconv.widgets.image("lena"), "picture: 'lena' is not allowed"),
        (lambda: multiconv.widgets.image(PICTURE / 2), "pixels: float64"),
        (lambda: multiconv.widgets.image(PICTURE, "blob"), "preset: 'blob' is not allowed"),
        (lambda: multiconv.widgets.image(PICTURE, [1, 2]), r"kernel: shape \(2,\)"),
        (lambda: multiconv.widgets.image(PICTURE, np.ones((2, 3))), r"kernel: shape \(2, 3\)"),
        (lambda: multiconv.widgets.image(PICTURE, colour=1), "colour: is not allowed"),
        (lambda: multiconv.widgets.image(PICTURE, language="fr"), "language: 'fr'"),
        (lambda: multiconv.widgets.sum([1, 2], [1, 2, 3], "valid"), "g: 3 numbers do not fit"),
        (lambda: multiconv.widgets.sum([[1]]), "f: "),
    ],
)
def test_bad_arguments_get_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_without_anywidget_it_says_what_to_install():
    program = (
        "import sys; sys.modules['anywidget'] = None\n"
        "from multiconv._errors import MissingExtraError\n"
        "try:\n    import multiconv.widgets\nexcept MissingExtraError as e:\n    print(e)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'multiconv[widgets]'" in done.stdout, done.stderr


@pytest.mark.parametrize(("room", "made"), [("image", _image.ImageWidget), ("sum", _sum.SumWidget)])
def test_scripts_and_styles_are_whole(room, made):
    sources = json.loads(re.search(r"^const SOURCES = (.*);$", made._esm, re.MULTILINE)[1])
    for path, text in sources.items():
        for specifier in re.findall(r'(?:from|import) "(\.[^"]+)"', text):
            found = (Path("/") / path).parent.joinpath(specifier).resolve()
            assert str(found)[1:] in sources, (path, specifier)
    text = (_bundle.STATIC / f"rooms/{room}.js").read_text()
    for name in re.findall(r'"([\w-]+)"', " ".join(re.findall(r".*useStyle.*", text))):
        sheet = _bundle.STATIC / "style" / f"{name}.css"
        if sheet.exists():
            first = re.search(r"^\.[\w-]+", sheet.read_text(), re.MULTILINE)[0]
            assert first in made._css, name
    nothing_else = re.sub(r"^@keyframes.*?^}", "", made._css, flags=re.MULTILINE | re.DOTALL)
    assert nothing_else.startswith(".multiconv {")
    assert nothing_else.count("{") == nothing_else.count("}")
    assert not re.search(r"^(html|body|:root)", nothing_else, re.MULTILINE)


PAGE = """<!doctype html><html><head><style>{style}</style></head>
<body style="background: {paper}; margin: 0; padding: 16px"><div id="output"></div>
<script type="module">
import widget from "/widget.js";
const heard = [];
const values = {values};
window.model = {{
  get: (name) => values[name],
  set: (name, value) => {{ values[name] = value; }},
  save_changes: () => window.save(values.state),
  on: (name, callback) => name === "msg:custom" && heard.push(callback),
  off() {{}},
  async send(content, callbacks, [buffer]) {{
    const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
    const [answer, data] = await window.ask(content, text);
    const bytes = Uint8Array.from(atob(data ?? ""), (c) => c.charCodeAt(0));
    heard.forEach((callback) => callback(answer, data ? [new DataView(bytes.buffer)] : []));
  }},
}};
window.end = await widget.render({{ model, el: document.getElementById("output") }});
</script></body></html>"""


@pytest.fixture
def notebook(browser):
    """Show a widget in a page with a model that hands messages to Python."""
    contexts, complaints = [], []

    def show(widget, paper="white", width=1000):
        kernel = Kernel(widget)
        context = browser.new_context(viewport={"width": width, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)

        def ask(content, data):
            widget._handle_custom_msg(content, [base64.b64decode(data)])
            answer, buffers = kernel.sent.pop()
            return [answer, *(base64.b64encode(b).decode() for b in buffers)]

        page.expose_function("ask", ask)
        page.expose_function("save", lambda state: setattr(widget, "state", state))
        values = json.dumps({"state": widget.state, "language": widget.language})
        html = PAGE.format(style=widget._css, paper=paper, values=values)
        kinds = {
            "/": ("text/html", html),
            "/widget.js": ("text/javascript", widget._esm),
            "/favicon.ico": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        }

        def fulfill(route):
            kind, body = kinds[route.request.url.removeprefix("http://notebook.test")]
            route.fulfill(content_type=kind, body=body)

        page.route("**/*", fulfill)
        page.goto("http://notebook.test/")
        page.locator("h1").wait_for()
        return page

    yield show
    for context in contexts:
        context.close()
    assert not complaints


def test_the_image_lives_in_a_notebook(notebook, widget):
    page = notebook(widget)
    page.get_by_test_id("speed").filter(has_text="ms").wait_for()
    page.get_by_label("Weight in row 1, column 3").fill("-9")
    page.get_by_role("slider", name="Pixel of the result").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("model.get('state').taps.startsWith('1_-2_-9_')")
    page.wait_for_timeout(300)  # the state is saved once it rests
    assert widget.kernel[0, 2] == -9
    x = widget.state["x"]
    text = f"{widget.result[widget.state['y'], x]:.7g}".replace("-", "\u2212")
    page.locator(".total", has_text=text).wait_for()


def test_python_knows_what_the_rooms_begin_with(notebook, widget):
    page = notebook(widget)
    for room, known in (("image", _image.DEFAULTS), ("sum", _sum.DEFAULTS)):
        text = (_bundle.STATIC / f"rooms/{room}.js").read_text()
        literal = re.search(r"^export const defaults = (\{.*?\});$", text, re.MULTILINE | re.DOTALL)
        defaults = page.evaluate(f"({literal[1]})")
        assert {name: defaults[name] for name in known} == known


def test_a_dark_notebook_has_a_dark_widget_and_other_words(notebook):
    page = notebook(multiconv.widgets.sum(language="zh"), paper="#111", width=420)
    assert page.locator(".multiconv").get_attribute("data-theme") == "dark"
    assert re.search("[一-龥]", page.locator("h1").inner_text())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("document.body.style.background = 'oklch(1 0 0)'")
    page.locator('.multiconv[data-theme="light"]').wait_for()
