// Volumes are seen plane by plane: which plane of the result, and which plane of the kernel.

import { slider } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { under } from "./geometry.js";

export class Planes {
  constructor({ t, onchange }) {
    Object.assign(this, { t, onchange });
    this.element = h("div", { class: "planes", hidden: true });
  }

  show(state, g) {
    this.element.hidden = state.size.length < 3;
    if (this.element.hidden) return;
    const key = `${g.out[0]} ${g.taps[0]}`;
    if (key !== this.key) this.build(key, g);
    this.plane.set(state.plane);
    this.tap.set(state.tap);
    const depth = under(g, 0, state.plane, state.tap);
    this.words.textContent = depth >= 0 && depth < g.size[0]
      ? this.t("input plane", { number: depth + 1, all: g.size[0] }) : this.t("input padding");
  }

  build(key, g) {
    const { t } = this;
    this.key = key;
    const scrub = (name, length) => slider({
      label: t(name), min: 0, max: length - 1, value: 0, format: (v) => t("of", { number: v + 1, all: length }),
      oninput: (value) => this.onchange({ [name]: value }),
    });
    this.plane = scrub("plane", g.out[0]);
    this.tap = scrub("tap", g.taps[0]);
    this.words = h("p", { class: "in" });
    this.element.replaceChildren(this.plane.element, this.tap.element, this.words);
  }
}
