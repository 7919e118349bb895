// The image: picture, kernel and result as one equation, live; below, every number of it.

import { choice, short } from "../core/controls.js";
import { h } from "../core/element.js";
import { latest } from "../core/latest.js";
import { drawGrey, drawSigned, scaleBar } from "../core/picture.js";
import { useStyle } from "../core/style.js";
import { BorderTab } from "./image/border.js";
import { FactsTab, milliseconds } from "./image/facts.js";
import { KernelEditor } from "./image/kernel.js";
import { Pane } from "./image/pane.js";
import { PixelTab } from "./image/pixel.js";
import { Source } from "./image/source.js";

export const defaults = {
  picture: "camera", view: "auto", boundary: "symmetric", operation: "convolve",
  preset: "sobel x", sigma: 2, angle: 45, wavelength: 6, size: 5, radius: 5, length: 15, amount: 1,
  taps: "", columns: 3, tab: "pixel", side: "out", y: 112, x: 236, channel: 0,
};

const ASKED = [
  "picture", "boundary", "operation", "preset", "sigma", "angle", "wavelength", "size", "radius", "length",
  "amount", "side", "y", "x", "channel",
];
const TABS = { pixel: "pixel", border: "borders", facts: "facts" };

class ImageRoom {
  constructor(context, { pictures, presets }) {
    Object.assign(this, { context, shown: () => {} });
    const { t, state, say } = context;
    this.source = new Source({
      context, pictures, onchange: () => this.enter().catch(say), onframe: () => this.frame(),
    });
    this.kernel = new KernelEditor({ context, presets, onchange: () => this.change() });
    this.input = new Pane({ label: t("input pixel"), onpick: (y, x) => this.pick("in", y, x) });
    this.output = new Pane({ label: t("output pixel"), onpick: (y, x) => this.pick("out", y, x) });
    this.view = choice({
      label: t("view"), value: this.kernel.view, options: ["photo", "grey", "signed"].map((name) => [name, t(name)]),
      oninput: (view) => {
        context.set({ view });
        this.drawInput();
        this.refresh();
      },
    });
    this.legend = h("div", { class: "legend" });
    this.speed = h("output", { "data-testid": "speed" });
    this.view.element.querySelector("legend").append(this.speed);
    this.tabs = { pixel: new PixelTab(context), border: new BorderTab(context, () => this.refresh()), facts: new FactsTab(context) };
    this.tabs.pixel.onchannel = () => this.study();
    this.refresh = this.asking("result", (answer) => this.show(answer));
    this.study = this.studying();
    context.onTheme(() => this.refresh());
  }

  // Asks the latest question only; this one's pixels go along if the server lacks them.
  asking(action, show) {
    const { call, say } = this.context;
    return latest(() => call(action, ...this.question()), (answer) => {
      this.source.sent = true;
      show(answer);
      say(null);
    }, (error) => {
      this.shown();
      say(error);
    });
  }

  studying() {
    const ask = Object.fromEntries(Object.entries(TABS).map(([name, action]) => (
      [name, this.asking(action, (answer) => {
        this.tabs[name].show(answer, { view: this.kernel.view, coloured: this.coloured });
        if (name === "pixel") this.speak(answer.values);
      })])));
    return () => ask[this.context.state.tab]();
  }

  // The chosen pixel for those who listen.
  speak({ total, value }) {
    const { t, state: { side, y, x } } = this.context;
    const place = t("place", { row: y + 1, column: x + 1 });
    this.input.place(y, x, `${place}: ${value}`);
    this.output.place(y, x, side === "out" ? `${place}: ${short(total, 7)}` : place);
  }

  question() {
    const { state } = this.context;
    const arrays = { ...this.kernel.arrays };
    if (this.source.pixels && !this.source.sent) arrays.pixels = this.source.pixels;
    const values = Object.fromEntries(ASKED.map((name) => [name, state[name]]));
    return [{ ...values, view: this.kernel.view }, arrays];
  }

  // Another picture.
  async enter() {
    const { call, state } = this.context;
    this.pixels = this.source.pixels ?? (await call("picture", { picture: state.picture })).arrays.pixels;
    this.drawInput();
    this.refresh();
  }

  // Another kernel, which may be looked at in another way.
  change() {
    this.view.set(this.kernel.view);
    this.drawInput();
    this.refresh();
  }

  // A frame of the camera; resolves when its result is on screen.
  frame() {
    const { source } = this;
    if (this.kernel.view !== "photo") source.pixels = luma(source.pixels); // a third to send
    this.pixels = source.pixels;
    this.drawInput();
    return new Promise((resolve) => {
      this.shown = resolve;
      this.refresh();
    });
  }

  get coloured() {
    return this.pixels.shape.length === 3 && this.kernel.view === "photo";
  }

  drawInput() {
    const { state, set } = this.context;
    const [height, width] = this.pixels.shape;
    this.input.resize(height, width);
    this.output.resize(height, width);
    if (state.y >= height || state.x >= width || state.y < 0 || state.x < 0) set({ y: height >> 1, x: width >> 1 });
    drawGrey(this.input.canvas, this.kernel.view === "photo" ? this.pixels : luma(this.pixels), 0, 255);
  }

  show({ values, arrays: { result, kernel } }) {
    const { t, state } = this.context;
    if (values.full === undefined) drawGrey(this.output.canvas, result, 0, 255);
    else drawSigned(this.output.canvas, result, values.full);
    this.legend.replaceChildren(...this.explain(values, result.data.length));
    this.speed.textContent = t("speed", { time: milliseconds(values.seconds) });
    this.kernel.show(kernel);
    this.sign.textContent = state.operation === "convolve" ? "∗" : "⋆";
    this.mark();
    this.study();
    this.shown();
  }

  // What the colours mean, or how many values are none.
  explain({ low, high, full, clipped }, count) {
    const { t } = this.context;
    const range = { low: short(low), high: short(high) };
    const words = (key, more) => h("p", { class: "soft" }, t(key, { ...range, ...more }));
    if (full !== undefined) {
      return [scaleBar({ low: -full, high: full, signed: true }), words("signed words", { full: short(full) })];
    }
    if (!clipped) return [words("none clipped")];
    return [words("clipped", { count: clipped.toLocaleString("en"), percent: short((100 * clipped) / count, 2) })];
  }

  pick(side, y, x) {
    this.context.set({ side, y, x });
    this.mark();
    if (this.context.state.tab !== "pixel") this.select("pixel");
    else this.study();
  }

  // The window on the picture, or the results that a sample reaches.
  mark() {
    const { side, y, x } = this.context.state;
    const [rows, columns] = this.kernel.kernel.shape;
    const out = side === "out";
    const [one, reached] = [[y, x, 1, 1], [y, x, rows, columns]];
    this.input.frame(out ? ["kernel", ...reached] : ["in", ...one]);
    this.output.frame(out ? ["out", ...one] : ["kernel", ...reached]);
    this.input.at = this.output.at = [y, x];
  }

  select(tab) {
    this.context.set({ tab });
    this.tabChoice.set(tab);
    this.body.replaceChildren(this.tabs[tab].element);
    this.study();
  }

  layout() {
    const { t, state } = this.context;
    this.sign = h("span", { class: "sign", "aria-hidden": "true" });
    this.source.accept(this.input.element);
    this.body = h("div", { class: "tab" });
    this.tabChoice = choice({
      label: t("look at"), value: state.tab, oninput: (tab) => this.select(tab),
      options: Object.keys(TABS).map((name) => [name, t(`tab ${name}`)]),
    });
    return h("div", { class: "image-room" },
      h("section", { class: "card equation" },
        h("div", { class: "term source-term" }, this.source.element, this.input.element, h("p", { class: "soft hint" }, t("click in"))),
        this.sign,
        h("div", { class: "term kernel-term" }, this.kernel.names.element, this.kernel.element),
        h("span", { class: "sign", "aria-hidden": "true" }, "="),
        h("div", { class: "term result-term" }, this.view.element, this.output.element,
          h("p", { class: "soft hint" }, t("click out")), this.legend)),
      h("section", { class: "card study" }, this.tabChoice.element, this.body));
  }
}

// The engine's grey, for the picture that is only looked at.
function luma(pixels) {
  const { data, shape: [height, width, channels] } = pixels;
  if (!channels) return pixels;
  const grey = new Uint8Array(height * width);
  for (let i = 0, o = 0; o < grey.length; i += 3, o += 1) {
    grey[o] = Math.round(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]);
  }
  return { data: grey, shape: [height, width] };
}

export async function mount(root, context) {
  const { state, say, set } = context;
  const [{ values }] = await Promise.all([context.call("offers"), useStyle("image"), useStyle("image-study")]);
  if (!(state.tab in TABS)) state.tab = defaults.tab;
  const room = new ImageRoom(context, values);
  root.append(room.layout());
  room.body.append(room.tabs[state.tab].element);
  try {
    await room.enter();
  } catch (error) { // an address may name a picture that is no longer kept
    say(error);
    room.source.choose(defaults.picture);
  }
  return { code: () => room.question() };
}
