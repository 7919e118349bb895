// One output number, written out: the products of each channel, their sums, the sum of those.

import { short } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { under } from "./geometry.js";

const MOST_TERMS = 12;
const signed = (value) => (value < 0 ? `(${short(value)})` : short(value));

// The pairs of sample and tap that one channel gives to an output; padding gives zeros.
function pairs(state, g, channel, i, at) {
  const found = [];
  for (let tap = 0; tap < g.sliceSize; tap += 1) {
    const taps = [Math.floor(tap / (g.taps[1] * g.taps[2])), Math.floor(tap / g.taps[2]) % g.taps[1], tap % g.taps[2]];
    const place = taps.map((k, axis) => under(g, axis, at[axis], k));
    const inside = place.every((p, axis) => p >= 0 && p < g.size[axis]);
    const index = (place[0] * g.size[1] + place[1]) * g.size[2] + place[2];
    found.push([
      inside ? state.x[channel * g.channelSize + index] : 0,
      state.w[(state.filter * g.seen + i) * g.sliceSize + tap],
    ]);
  }
  return found;
}

function products(found) {
  const shown = found.length > MOST_TERMS ? found.filter(([x, w]) => x && w) : found;
  if (!shown.length) return ["0"];
  return shown.flatMap(([x, w], i) => [
    i ? " + " : "",
    h("span", { class: x && w ? "term" : "term nothing" },
      h("span", { class: "in" }, signed(x)), "·", h("span", { class: "kernel" }, signed(w))),
  ]);
}

export class Equation {
  constructor({ t }) {
    this.t = t;
    this.total = h("p", { class: "total-line", "aria-live": "polite" });
    this.element = h("dl", { class: "equation" });
  }

  // at: [plane, row, column]
  show(state, answer, g, at) {
    const { t } = this;
    const index = (at[0] * g.out[1] + at[1]) * g.out[2] + at[2];
    const { partial, sums, result } = answer.arrays;
    const parts = Array.from({ length: g.seen }, (_, i) => partial.data[i * g.outCount + index]);
    const offset = state.filter * g.outCount + index;
    const bias = state.bias[state.filter];
    const out = (value) => h("span", { class: "out" }, short(value));
    this.total.replaceChildren(
      ...parts.flatMap((value, i) => [i ? " + " : "", h("span", { class: "out" }, i ? signed(value) : short(value))]),
      " + ", h("span", { class: "kernel" }, t("bias"), " ", signed(bias)), " = ", out(sums.data[offset]),
      ...(state.activation === "none" ? [] : [" → ", t(state.activation), " → ", out(result.data[offset])]));
    const lines = parts.map((value, i) => h("div", {},
      h("dt", {}, t("channel", { number: answer.values.first + i + 1 })),
      h("dd", {}, products(pairs(state, g, answer.values.first + i, i, at)), " = ", out(value))));
    this.element.replaceChildren(...lines);
  }
}
