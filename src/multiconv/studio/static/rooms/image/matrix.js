// A small array to look at: colours for every element, numbers where they fit.

import { h } from "../../core/element.js";
import { short } from "../../core/controls.js";
import { drawGrey, drawSigned, signedColour } from "../../core/picture.js";

const MOST_NUMBERS = 7; // a side
const LEGIBLE = 30; // pixels of the screen

export class Matrix {
  // onpoint(i or null): the element under the pointer.
  constructor({ label, tone, signed, onpoint }) {
    Object.assign(this, { signed });
    this.canvas = h("canvas", { class: "picture" });
    this.cells = h("div", { class: "cells", "aria-hidden": "true" });
    this.mark = h("span", { class: `mark ${tone}`, hidden: true });
    this.board = h("div", {
      class: "board", role: "img", "aria-label": label,
      onpointermove: (event) => onpoint(this.at(event)), onpointerleave: () => onpoint(null),
    }, this.canvas, this.cells, this.mark);
    this.caption = h("figcaption", {}, label);
    this.element = h("figure", { class: `matrix ${tone}` }, this.caption, h("div", { class: "square" }, this.board));
  }

  // inside: which elements lie in the picture; largest: the value of the full colour.
  show({ data, shape }, inside, largest) {
    const [rows, columns] = shape;
    Object.assign(this, { rows, columns });
    if (this.signed) drawSigned(this.canvas, { data, shape }, largest);
    else drawGrey(this.canvas, { data, shape }, 0, 255);
    this.board.style.aspectRatio = `${columns} / ${rows}`;
    this.board.style.width = `${100 * Math.min(1, columns / rows)}%`;
    this.board.style.setProperty("--columns", columns);
    const fits = Math.max(rows, columns) <= MOST_NUMBERS && this.board.clientWidth >= LEGIBLE * columns;
    const list = fits || inside?.includes(0) ? [...data] : [];
    this.cells.replaceChildren(...list.map((value, i) => h("span", {
      class: inside && !inside[i] ? "outside" : null, style: `color:${this.ink(value, largest)}`,
    }, fits ? short(value) : "")));
  }

  // Black or white, whichever is read on the element's colour.
  ink(value, largest) {
    const [r, g, b] = this.signed ? signedColour(value, largest) : [value, value, value];
    return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
  }

  at(event) {
    const box = this.board.getBoundingClientRect();
    const place = (part, size) => Math.max(0, Math.min(size - 1, Math.floor(part * size)));
    const y = place((event.clientY - box.top) / box.height, this.rows);
    return y * this.columns + place((event.clientX - box.left) / box.width, this.columns);
  }

  point(i) {
    this.mark.hidden = i === null;
    if (i === null) return;
    const [width, height] = [100 / this.columns, 100 / this.rows];
    const [y, x] = [Math.floor(i / this.columns), i % this.columns];
    this.mark.style.cssText = `left:${x * width}%;top:${y * height}%;width:${width}%;height:${height}%`;
  }
}
