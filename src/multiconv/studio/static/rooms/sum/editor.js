// A sequence in boxes: 1 to 10 numbers, to type into, to add to, to take from.

import { button, numberGrid } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { exact } from "./numbers.js";

const LONGEST = 10;
const COLUMNS = 6;

export function editor({ name, tone, values, t, oninput }) {
  let numbers = [...values];
  const place = h("div", {});
  const fewer = button("−", () => resize(numbers.slice(0, -1)), { label: t("fewer", { name }) });
  const more = button("+", () => resize([...numbers, 0]), { label: t("more", { name }) });
  const element = h("div", { class: "field editor" },
    h("div", { class: "row" }, h("i", { class: tone }, name), h("span", { class: "row" }, fewer, more)), place);

  function build() {
    const grid = numberGrid({
      label: name, rows: Math.ceil(numbers.length / COLUMNS), columns: COLUMNS, values: numbers, tone, cell: 44, format: exact,
      oninput: (next) => {
        numbers = next;
        fit();
        oninput(next);
      },
    });
    place.replaceChildren(grid.element);
    fit();
    fewer.disabled = numbers.length <= 1;
    more.disabled = numbers.length >= LONGEST;
  }
  function fit() {
    place.classList.toggle("long", numbers.some((value) => exact(value).length > 4));
  }
  function resize(next) {
    numbers = next;
    build();
    oninput([...numbers]);
  }
  function set(next) {
    numbers = [...next];
    build();
  }
  build();
  return { element, set };
}
