// A small kernel: one field a tap, coloured by its sign and size.

import { short } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { signedColour } from "../../core/picture.js";

const PALE = 0.55; // of the full colour, so that numbers stay legible

export class NumberCells {
  // onedit(index, value)
  constructor({ label, onedit }) {
    this.element = h("div", { class: "number-cells", role: "group", "aria-label": label });
    this.onedit = onedit;
    this.inputs = [];
  }

  show({ data, shape: [rows, columns] }, place) {
    if (this.inputs.length !== data.length || this.columns !== columns) this.build(rows, columns, place);
    this.data = data;
    const largest = Math.max(...data.map(Math.abs));
    this.inputs.forEach((input, i) => {
      const [r, g, b] = signedColour(data[i] * PALE, largest);
      input.style.backgroundColor = `rgb(${r} ${g} ${b})`;
      if (!input.matches(":focus")) input.value = short(data[i], 2);
    });
  }

  build(rows, columns, place) {
    this.columns = columns;
    const { style } = this.element;
    style.setProperty("--columns", columns);
    style.aspectRatio = `${columns} / ${rows}`;
    style.width = `${100 * Math.min(1, columns / rows)}%`;
    this.inputs = Array.from({ length: rows * columns }, (_, i) => h("input", {
      type: "text", inputmode: "decimal", autocomplete: "off", size: 1,
      "aria-label": place(Math.floor(i / columns), i % columns),
      oninput: (event) => this.read(event.target, i),
      onfocus: (event) => {
        event.target.value = exact(this.data[i]);
        event.target.select();
      },
      onblur: (event) => { event.target.value = short(this.data[i], 2); },
      onkeydown: (event) => this.move(event, i),
    }));
    this.element.replaceChildren(...this.inputs);
  }

  read(input, i) {
    const value = number(input.value);
    if (value !== null) this.onedit(i, value);
  }

  move(event, i) {
    const to = { ArrowUp: i - this.columns, ArrowDown: i + this.columns, ArrowLeft: i - 1, ArrowRight: i + 1 }[event.key];
    if (!this.inputs[to]) return;
    event.preventDefault();
    this.inputs[to].focus();
  }
}

// What was typed, or null where it is not yet a number.
export function number(text) {
  const value = Number(text.replace(",", ".").replace("−", "-"));
  return text.trim() === "" || !Number.isFinite(value) ? null : value;
}

export const exact = (value) => String(Number(value.toPrecision(9)));
