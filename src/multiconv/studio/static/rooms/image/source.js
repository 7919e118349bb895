// Where the picture comes from: a bundled one, a file, what was pasted or dropped, the camera.

import { button, select } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { decodeFile } from "./decode.js";
import { watch } from "./webcam.js";

const own = () => `own-${[...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("")}`;

export class Source {
  // onchange(): another picture; onframe(): resolves when the camera's frame was shown.
  constructor({ context, pictures, onchange, onframe }) {
    const { t, state, say, signal } = context;
    Object.assign(this, { context, onchange, onframe, pixels: null, sent: true, end: null });
    const names = pictures.map((name) => [name, t(`picture ${name}`)]);
    this.names = select({
      label: t("picture"), options: [...names, ["own", t("picture own")]], value: state.picture,
      oninput: (name) => (name === "own" ? this.file.click() : this.choose(name)),
    });
    this.file = h("input", { type: "file", accept: "image/*", hidden: true, "aria-label": t("open"), onchange: () => {
      if (this.file.files[0]) this.open(this.file.files[0]);
      this.file.value = "";
    }, oncancel: () => this.show() });
    this.camera = button(t("camera"), () => this.toggle());
    this.camera.setAttribute("aria-pressed", "false");
    this.element = h("div", { class: "row source" },
      this.names.element, button(t("open"), () => this.file.click()), this.camera, this.file);
    addEventListener("paste", (event) => this.receive(event, event.clipboardData), { signal });
    signal.addEventListener("abort", () => this.end?.());
    this.say = say;
    this.show();
  }

  // Lets pictures be dropped on an element.
  accept(element) {
    const over = (on) => element.classList.toggle("dropping", on);
    element.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    element.addEventListener("dragleave", () => over(false));
    element.addEventListener("drop", (event) => {
      over(false);
      this.receive(event, event.dataTransfer);
    });
  }

  receive(event, transfer) {
    const [file] = transfer.files;
    if (!file) return;
    event.preventDefault();
    this.open(file);
  }

  async open(file) {
    try {
      this.bring(await decodeFile(file, this.context.t));
      this.onchange();
    } catch (error) {
      this.say(error);
      this.show();
    }
  }

  choose(name) {
    this.stop();
    this.pixels = null;
    this.context.set({ picture: name });
    this.show();
    this.onchange();
  }

  // Pixels in place of a bundled picture, under a name that nobody else has.
  bring(pixels, name = own()) {
    this.stop();
    this.hold(pixels, name);
  }

  hold(pixels, name) {
    this.pixels = pixels;
    this.sent = false;
    if (this.context.state.picture !== name) this.context.set({ picture: name });
    this.show();
  }

  async toggle() {
    if (this.end) {
      this.stop();
      return;
    }
    const name = own();
    try {
      this.end = await watch((pixels) => {
        this.hold(pixels, name);
        return this.onframe();
      }, (error) => {
        this.stop();
        this.say(error);
      });
      if (this.context.signal.aborted) this.end();
    } catch (error) {
      this.say(new Error(this.context.t("no camera", { reason: error.message })));
    }
    this.camera.setAttribute("aria-pressed", String(Boolean(this.end)));
  }

  stop() {
    this.end?.();
    this.end = null;
    this.camera.setAttribute("aria-pressed", "false");
  }

  show() {
    const { picture } = this.context.state;
    this.names.set(picture.startsWith("own-") ? "own" : picture);
  }
}
