// Every filter's result as a small picture; the chosen one is the one worked out below.

import { h } from "../../core/element.js";
import { drawSigned } from "../../core/picture.js";

export class Filters {
  constructor({ t, onchoose }) {
    Object.assign(this, { t, onchoose });
    this.element = h("div", { class: "filters", role: "group", "aria-label": t("filters shown") });
  }

  show(state, answer, g) {
    if (this.element.children.length !== state.filters) this.build(state.filters);
    const { data } = answer.arrays.result;
    const largest = Math.max(...Array.from(data, Math.abs));
    const plane = g.out[1] * g.out[2];
    [...this.element.children].forEach((one, filter) => {
      one.setAttribute("aria-pressed", filter === state.filter);
      const start = filter * g.outCount + state.plane * plane;
      drawSigned(one.querySelector("canvas"), { data: data.subarray(start, start + plane), shape: [g.out[1], g.out[2]] }, largest);
    });
  }

  build(filters) {
    const { t } = this;
    this.element.replaceChildren(...Array.from({ length: filters }, (_, filter) => h("button", {
      type: "button", "aria-label": t("filter", { number: filter + 1 }), onclick: () => this.onchoose(filter),
    }, h("canvas", { class: "picture" }), h("span", {}, String(filter + 1)))));
  }
}
