// One number of the network and what it is the sum of, in words and digits.

import { short } from "../../core/controls.js";
import { h } from "../../core/element.js";

const LARGEST = 3; // rows of a kernel whose numbers there is room for
const SHOWN = 6;

export class Why {
  constructor(t) {
    this.t = t;
    this.words = h("p", { "aria-live": "polite" });
    this.parts = h("div", { class: "parts" });
    this.element = h("div", { class: "why" }, this.words, this.parts);
  }

  // kernels: the first layer's, of shape (channels, rows, columns).
  draw({ values, arrays }, kernels) {
    this.say(values, arrays);
    const [layer] = values.unit;
    if (layer > 1) this.parts.replaceChildren(...this.largest(layer === 3 ? arrays.second_parts : arrays.first_parts));
    else if (kernels.shape[1] <= LARGEST) this.parts.replaceChildren(...products(values.unit, arrays.digit, kernels));
    else this.parts.replaceChildren();
  }

  // The maps that most of it comes through.
  largest({ data, shape: [maps, rows, columns] }) {
    const totals = Array.from({ length: maps }, (_, i) => (
      [i, data.subarray(i * rows * columns, (i + 1) * rows * columns).reduce((sum, part) => sum + part, 0)]));
    totals.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    return totals.slice(0, SHOWN).map(([i, part]) => h("span", { class: "chip" },
      this.t("through", { map: i + 1 }), h("b", { class: "number" }, ` ${part > 0 ? "+" : ""}${short(part)}`)));
  }

  say({ unit: [layer, channel, row, column], value, biases }, arrays) {
    const { t } = this;
    const place = layer === 3
      ? t("score", { name: channel })
      : t("cell", { layer, map: channel + 1, row: row + 1, column: column + 1 });
    const ink = arrays.digit_parts.data.reduce((sum, part) => sum + part, 0);
    this.words.replaceChildren(
      h("b", {}, place), " ",
      h("span", { class: "number out" }, short(value, 4)), " = ",
      h("span", { class: "number in" }, short(ink, 4)), ` ${t("from ink")} `,
      biases < 0 ? "− " : "+ ",
      h("span", { class: "number kernel" }, short(Math.abs(biases), 4)), ` ${t("from biases")}`,
      layer < 3 && value <= 0 ? ` ${t("silent")}` : "");
  }
}

// The window, the kernel and their products, number by number.
function products([, channel, row, column], digit, { data, shape: [, rows, columns] }) {
  const [high, wide] = digit.shape;
  const places = Array.from({ length: rows * columns }, (_, i) => [
    row + Math.floor(i / columns) - Math.floor(rows / 2), column + (i % columns) - Math.floor(columns / 2)]);
  const inside = ([r, c]) => r >= 0 && r < high && c >= 0 && c < wide;
  const window = places.map((place) => (inside(place) ? digit.data[place[0] * wide + place[1]] : 0));
  const kernel = data.subarray(channel * rows * columns, (channel + 1) * rows * columns);
  const grid = (values, tone) => {
    const element = h("div", { class: `cells ${tone}` }, Array.from(values, (v) => h("span", {}, short(v, 2))));
    element.style.gridTemplateColumns = `repeat(${columns}, 48px)`;
    return element;
  };
  return [grid(window, "in"), "×", grid(kernel, "kernel"), "→", grid(window.map((v, i) => v * kernel[i]), "out")];
}
