// The sum at one position in full: y[2] = 3·1 + 1·2 = 5.

import { h } from "../../core/element.js";
import { exact, guarded, indexOf } from "./numbers.js";

// [place in f, place in g] of every product at position k.
export function pairs(k, { f, g, correlate }) {
  const found = [];
  for (let i = Math.max(0, k - g.length + 1); i <= Math.min(f.length - 1, k); i += 1) {
    found.push([i, correlate ? i - k + g.length - 1 : k - i]);
  }
  return found;
}

export function equation(shown) {
  const { f, g, at, full } = shown;
  const products = pairs(at, shown).flatMap(([i, j], n) => [
    n ? " + " : "", h("span", { class: "in" }, guarded(f[i])), "·", h("span", { class: "kernel" }, guarded(g[j])),
  ]);
  return [
    h("span", { class: "out" }, h("i", {}, "y"), `[${exact(indexOf(at, shown))}]`), " = ", ...products, " = ",
    h("strong", { class: "out" }, exact(full[at])),
  ];
}

export function definition({ correlate }) {
  const term = (name, index, tone) => h("span", { class: tone }, h("i", {}, name), `[${index}]`);
  const [first, second] = correlate ? ["i + k", "i"] : ["i", "k − i"];
  return [term("y", "k", "out"), " = ∑", h("sub", {}, "i"), " ", term("f", first, "in"), " ", term("g", second, "kernel")];
}
