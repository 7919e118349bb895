// A plan and the plans within it.

import { h } from "../../core/element.js";
import { duration } from "./units.js";

export function tree(plan) {
  const node = ({ algorithm, problem, seconds, children }) => h("li", {},
    h("div", {}, h("strong", {}, algorithm), h("span", { class: "number" }, duration(seconds)), h("code", {}, problem)),
    children.length ? h("ul", {}, children.map(node)) : null);
  return h("ul", { class: "plan-tree" }, node(plan));
}
