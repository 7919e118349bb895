// What computes the gradients, and how long each takes; shown where there is a choice.

import { choice, short } from "../../core/controls.js";
import { h } from "../../core/element.js";

const NAMES = ["engine", "multiconv.torch", "torch"];

export class Trainers {
  constructor({ t, value, choose }) {
    this.t = t;
    this.rows = new Map(NAMES.map((name) => {
      const fill = h("span", { class: "fill" });
      const time = h("span", { class: "number" });
      const words = h("span", {}, t(name));
      return [name, { fill, time, element: h("li", {}, words, h("span", { class: "track" }, fill), time) }];
    }));
    const options = NAMES.map((name) => [name, t(name)]);
    this.element = h("section", { class: "card trainers", hidden: value === "engine" },
      choice({ label: t("trainer"), options, value, oninput: choose }).element,
      h("p", { class: "label" }, t("milliseconds")),
      h("ul", {}, [...this.rows.values()].map(({ element }) => element)));
    this.show({});
  }

  // milliseconds: by the name of each trainer that there is; null where none was measured.
  show(milliseconds) {
    if (Object.keys(milliseconds).length > 1) this.element.hidden = false;
    const slowest = Math.max(...Object.values(milliseconds), 1e-9);
    for (const [name, { fill, time }] of this.rows) {
      const taken = milliseconds[name] ?? 0;
      fill.style.transform = `scaleX(${taken / slowest})`;
      time.textContent = taken ? this.t("ms", { time: short(taken, 2) }) : "–";
    }
  }
}
