// How the sum nears the integral: the errors over the steps, both on logarithmic scales.

import { h, svg } from "../../core/element.js";
import { fixed, small } from "./numbers.js";

const [WIDE, TALL, EDGE] = [288, 104, 10];
const FLOOR = 1e-16;

export class Convergence {
  constructor(label, t) {
    this.t = t;
    this.values = null;
    this.marks = svg("g");
    this.error = h("output", { class: "number", "aria-label": t("error") });
    this.order = h("output", { class: "number", "aria-label": t("order") });
    const row = (words, value) => h("div", { class: "reading" }, h("span", { class: "soft" }, words), value);
    this.element = h("div", { class: "convergence" },
      row(t("error"), this.error), row(t("order"), this.order),
      svg("svg", { class: "plot", viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", "aria-label": label }, this.marks),
      h("div", { class: "ends soft" }, h("span", {}, "h = 1/32"), h("span", {}, t("steps and errors")), h("span", {}, "h = 1/2")));
  }

  show(values) {
    this.values = values;
    this.order.textContent = values.order === null ? this.t("exact") : fixed(values.order, 2);
  }

  draw({ step, error }) {
    this.error.textContent = `${step ? "" : "< "}${small(error)}`;
    if (!this.values) return;
    const { steps, errors } = this.values;
    const points = steps.map((h, i) => [Math.log10(h), Math.log10(Math.max(FLOOR, errors[i]))]);
    const [x, y] = [scale(points.map(([a]) => a), EDGE, WIDE - EDGE), scale(heights(points), TALL - EDGE, EDGE)];
    const path = points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
    const dots = points.map(([a, b], i) => svg("circle", {
      class: `dot out ${step && Math.abs(steps[i] - step) < 1e-9 ? "" : "faint"}`, cx: x(a), cy: y(b),
      r: step && Math.abs(steps[i] - step) < 1e-9 ? 5 : 3,
    }));
    this.marks.replaceChildren(svg("path", { class: "curve out faint", d: path }), ...dots);
  }
}

// Three decades at least: errors that are rounding only should not look like a slope.
function heights(points) {
  const ys = points.map(([, y]) => y);
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const spare = Math.max(0, 3 - (high - low)) / 2;
  return [low - spare, high + spare];
}

function scale(values, from, to) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (v) => from + ((v - low) / (high - low || 1)) * (to - from);
}
