// The sequences as the digits of two numbers: the sums are their product before the carries.

import { h } from "../../core/element.js";
import { whole } from "./numbers.js";

export function digits(t) {
  const body = h("div", {});
  const element = h("section", { class: "card digits" }, h("h2", {}, t("digits")), body);

  function show({ f, g, full, correlate }) {
    if (correlate || !whole([...f, ...g], 0, 9)) {
      body.replaceChildren(h("p", { class: "soft" }, t("no digits")));
      return;
    }
    const { carried, written } = carry(full);
    const lead = written.length - full.length;
    const blanks = (cells) => [...Array.from({ length: lead }, () => h("td", {})), ...cells];
    body.replaceChildren(
      h("p", { class: "number" }, h("span", { class: "in" }, f.join("")), " × ", h("span", { class: "kernel" }, g.join("")),
        " = ", h("strong", { class: "out" }, written.join(""))),
      h("div", { class: "scroll" }, h("table", { class: "carry number" },
        row(t("sums"), blanks(full.map((value, k) => h("td", { class: "out", "data-k": k }, String(value))))),
        row(t("carries"), carried.map((value) => h("td", { class: "soft" }, value ? `+${value}` : ""))),
        row(t("written"), written.map((digit) => h("td", { class: "digit" }, String(digit)))))));
  }
  return { element, show };
}

const row = (words, cells) => h("tr", {}, h("th", { scope: "row", class: "soft" }, words), cells);

// From the right: of each sum and what was carried to it the last digit stays, the rest goes on.
function carry(sums) {
  const written = [];
  const carried = [];
  let over = 0;
  for (let k = sums.length - 1; k >= 0 || over; k -= 1) {
    const value = (sums[k] ?? 0) + over;
    carried.unshift(over);
    written.unshift(value % 10);
    over = Math.floor(value / 10);
  }
  return { carried, written };
}
