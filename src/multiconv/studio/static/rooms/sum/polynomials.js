// The sequences as polynomials: the table of all products, whose diagonals are the sums.

import { h } from "../../core/element.js";
import { exact } from "./numbers.js";

export function polynomials(t) {
  const product = h("p", { class: "formula small polynomial" });
  const table = h("table", { class: "products", "aria-label": t("table") });
  const result = h("p", { class: "formula small polynomial" });
  const element = h("section", { class: "card polynomials" }, h("h2", {}, t("polynomials")), product,
    h("div", { class: "scroll" }, table), result);

  function show({ f, g, full, correlate }) {
    const second = correlate ? [...g].reverse() : g;
    product.replaceChildren(h("span", { class: "in" }, "(", ...written(f), ")"), " ", h("span", { class: "kernel" }, "(", ...written(second), ")"));
    table.replaceChildren(
      h("tr", {}, h("td", {}), second.map((value, j) => h("th", { class: "kernel", scope: "col" }, ...term(value, j)))),
      ...f.map((value, i) => h("tr", {}, h("th", { class: "in", scope: "row" }, ...term(value, i)),
        second.map((other, j) => h("td", { class: (i + j) % 2 ? "odd" : "even", "data-k": i + j }, exact(value * other))))));
    result.replaceChildren("= ", ...written(full, true));
  }
  return { element, show };
}

const x = (power) => (power ? [h("i", {}, "x"), power > 1 ? h("sup", {}, String(power)) : ""] : []);

function term(value, power) {
  return [power && Math.abs(value) === 1 ? exact(value).replace("1", "") : exact(value), ...x(power)];
}

// 1 + 2x − x²; without the terms that are zero, unless all are.
function written(values, link = false) {
  const powers = [...values.keys()].filter((k) => values[k] !== 0);
  if (!powers.length) return ["0"];
  return powers.flatMap((k, n) => {
    const sign = n ? [values[k] < 0 ? " − " : " + "] : [];
    const parts = term(n ? Math.abs(values[k]) : values[k], k);
    return [...sign, link ? h("span", { class: "term out", "data-k": k }, ...parts) : h("span", {}, ...parts)];
  });
}
