// The sizes of the result and the number of parameters, with the numbers of the layer filled in.

import { short } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { AXES, count, outputLength } from "./geometry.js";

const span = (tone) => (value) => h("span", { class: tone }, String(value));
const [blue, amber, green] = ["in", "kernel", "out"].map(span);

export class Formula {
  constructor({ t }) {
    this.t = t;
    this.element = h("div", { class: "formula" });
    this.link = h("a", { title: t("to the machine") });
  }

  line(axis, n, k, state) {
    const { stride: s, padding: p, dilation: d } = state;
    const length = outputLength(n, k, state);
    const value = length < 1 ? h("strong", { class: "bad" }, short(length), " ✗") : green(length);
    return h("div", {}, h("dt", {}, this.t(axis)),
      h("dd", {}, "⌊(", blue(n), ` + 2·${p} − ${d}·(`, amber(k), ` − 1) − 1) / ${s}⌋ + 1 = `, value));
  }

  show(state) {
    const { t } = this;
    const { size, taps, filters, channels, groups } = state;
    const seen = channels / groups;
    const lengths = size.map((n, axis) => outputLength(n, taps[axis], state));
    const lines = AXES[size.length].map((axis, i) => this.line(axis, size[i], taps[i], state));
    const possible = Number.isInteger(seen) && filters % groups === 0;
    const weights = possible ? String(filters * (count(taps) * seen + 1)) : "—";
    const parameters = h("div", {}, h("dt", {}, t("parameters")), h("dd", {},
      green(filters), " × (", amber(`${taps.join("·")}·${possible ? seen : `${channels}/${groups}`}`), ` + 1) = ${weights}`));
    const tuple = (...sizes) => `(${sizes.join(", ")})`;
    const result = possible && Math.min(...lengths) > 0 ? green(tuple(filters, ...lengths)) : "—";
    const shape = h("div", {}, h("dt", {}, t("shape")), h("dd", {}, blue(tuple(channels, ...size)), " → ", result));
    this.element.replaceChildren(
      h("p", { class: "general" }, "⌊(", blue("n"), " + 2p − d(", amber("k"), " − 1) − 1) / s⌋ + 1"),
      h("dl", {}, lines, shape, parameters, h("div", {}, h("dt", {}, t("problem")), h("dd", {}, this.link))));
  }

  // The layer as the engine writes it, and the way to the room that looks at it.
  name(problem) {
    this.link.textContent = problem;
    this.link.href = `#machine?${new URLSearchParams({ problem })}`;
  }
}
