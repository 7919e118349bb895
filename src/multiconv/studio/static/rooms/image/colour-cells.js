// A large kernel: a picture to paint on, and a field for the chosen tap.

import { button } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { drawSigned } from "../../core/picture.js";
import { exact, number } from "./number-cells.js";
import { Pane } from "./pane.js";

export class ColourCells {
  // onedit(index, value)
  constructor({ t, label, onedit }) {
    Object.assign(this, { t, onedit, brush: 1, painting: false });
    this.pane = new Pane({ label, drags: true, onpick: (y, x, event) => this.pick(y, x, event) });
    this.pane.fit.addEventListener("keydown", (event) => this.key(event));
    this.entry = h("input", { type: "text", inputmode: "decimal", "aria-label": t("chosen tap"), autocomplete: "off", oninput: () => {
      const value = number(this.entry.value);
      if (value !== null) this.write(value);
      if (value !== null && this.painting) this.brush = value;
    } });
    this.place = h("span", { class: "soft number" });
    this.toggle = button(t("brush"), () => this.hold(!this.painting), { label: t("brush words") });
    this.toggle.setAttribute("aria-pressed", "false");
    this.controls = h("div", { class: "row tap" }, this.place, this.entry, this.toggle);
    this.element = this.pane.element;
  }

  show({ data, shape: [rows, columns] }) {
    this.data = data;
    this.pane.resize(rows, columns);
    drawSigned(this.pane.canvas, { data, shape: [rows, columns] }, Math.max(...data.map(Math.abs)));
    const [y, x] = this.pane.at.map((at, i) => Math.min(at, [rows, columns][i] - 1));
    this.choose(this.chosen ? y : rows >> 1, this.chosen ? x : columns >> 1);
  }

  choose(y, x) {
    const value = this.data[y * this.pane.width + x];
    this.pane.place(y, x, `${y + 1}, ${x + 1}: ${exact(value)}`);
    this.pane.frame(["kernel", y, x, 1, 1]);
    this.place.textContent = `${y + 1}, ${x + 1}`;
    if (!this.entry.matches(":focus")) this.entry.value = exact(this.painting ? this.brush : value);
  }

  pick(y, x, event) {
    this.chosen = true;
    this.choose(y, x);
    if (this.painting && event.type.startsWith("pointer")) this.write(this.brush);
  }

  write(value) {
    const [y, x] = this.pane.at;
    this.onedit(y * this.pane.width + x, value);
  }

  key(event) {
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (this.painting) this.write(this.brush);
    }
    if (/^[\d.,-]$/.test(event.key)) { // the field takes what is typed
      this.entry.focus();
      this.entry.select();
    }
  }

  hold(on) {
    this.painting = on;
    this.brush = Math.max(...this.data) || 1;
    this.toggle.setAttribute("aria-pressed", String(on));
    this.choose(...this.pane.at);
  }
}
