// What the kernel is like: its frequencies, how it comes apart, what it costs.

import { short } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { drawGrey, scaleBar } from "../../core/picture.js";
import { Plot } from "../../core/plot.js";

export class FactsTab {
  constructor({ t }) {
    this.t = t;
    this.canvas = h("canvas", { class: "picture", role: "img", "aria-label": t("response") });
    this.scale = h("div", {});
    this.plot = new Plot({ x: [0, 0.5], y: [0, 1], height: 232, label: t("profile") });
    this.plot.redraw = () => this.draw();
    this.singular = h("div", { class: "bars" });
    this.rank = h("p", { class: "soft" });
    this.costs = h("div", { class: "bars" });
    this.plan = h("p", { class: "soft" });
    this.element = h("div", { class: "facts" },
      section(t("response"), h("div", { class: "response" }, this.canvas), this.scale, h("p", { class: "soft" }, t("response words"))),
      section(t("profile"), this.plot.element,
        h("p", { class: "soft" }, h("span", { class: "kernel" }, t("across")), " · ", h("span", { class: "in" }, t("down")))),
      section(t("separable"), this.singular, this.rank),
      section(t("cost"), this.costs, this.plan));
  }

  show({ values, arrays: { response, singular } }) {
    const { t } = this;
    const most = response.data.reduce((a, b) => Math.max(a, b), 0);
    drawGrey(this.canvas, response, 0, most);
    this.scale.replaceChildren(scaleBar({ low: 0, high: most }));
    this.response = response;
    this.plot.range([0, 0.5], [0, most || 1]);
    this.draw();
    const [first] = singular.data;
    this.singular.replaceChildren(...[...singular.data].slice(0, 6).flatMap((value, i) => (
      bar(`σ${i + 1}`, value / (first || 1), i < values.rank ? short(value) : "0", "kernel"))));
    this.rank.textContent = t(values.rank <= 1 ? "rank one" : "rank", { rank: values.rank });
    const dearest = Math.max(...Object.values(values.products));
    this.costs.replaceChildren(...Object.entries(values.products).flatMap(([way, count]) => (
      bar(t(`${way} way`), count / dearest, short(Math.round(count)), "out"))));
    this.plan.textContent = t("plan", { algorithms: values.algorithms.join(" › "), time: milliseconds(values.seconds) });
  }

  // From frequency 0 to the highest, along both axes.
  draw() {
    if (!this.response) return;
    const { data, shape: [size] } = this.response;
    const half = size / 2;
    const steps = Array.from({ length: half + 1 }, (_, i) => i);
    const place = (i) => (half + i) % size;
    const xs = steps.map((i) => i / size);
    this.plot.clear();
    this.plot.curve(xs, steps.map((i) => data[place(i) * size + half]), "in");
    this.plot.curve(xs, steps.map((i) => data[half * size + place(i)]), "kernel", { "stroke-dasharray": "7 5" });
  }
}

export const milliseconds = (seconds) => `${short(seconds * 1e3, 2)} ms`;

const section = (title, ...children) => h("section", {}, h("h3", {}, title), ...children);

function bar(label, part, words, tone) {
  return [h("span", {}, label), h("span", { class: `bar-track ${tone}` }, h("span", { style: `width:${100 * part}%` })), h("span", { class: "number" }, words)];
}
