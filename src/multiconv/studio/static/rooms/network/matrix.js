// The second layer's kernels: a column for each of its maps, a row for each of the first layer's.

import { h } from "../../core/element.js";
import { signed, token } from "./tile.js";

const HEIGHT = 224; // pixels of the page, however many kernels there are
const GAP = 6;

export class Matrix {
  constructor(label) {
    this.label = label;
    this.element = h("canvas", { class: "matrix", role: "img", "aria-label": label });
  }

  // chosen: the map whose column is framed, or -1.
  draw({ data, shape: [outs, ins, rows, columns] }, chosen = -1) {
    const cell = HEIGHT / ins;
    const scale = Math.max(2, Math.ceil(devicePixelRatio));
    Object.assign(this.element, { width: (outs * cell - GAP) * scale, height: (ins * cell - GAP) * scale });
    this.element.style.width = `${outs * cell - GAP}px`;
    const context = this.element.getContext("2d");
    const largest = data.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const side = ((cell - GAP) * scale) / rows;
    data.forEach((value, i) => {
      const [c, r] = [i % columns, Math.floor(i / columns) % rows];
      const [from, to] = [Math.floor(i / (rows * columns)) % ins, Math.floor(i / (rows * columns * ins))];
      context.fillStyle = signed(value, largest);
      context.fillRect(
        Math.round(to * cell * scale + c * side), Math.round(from * cell * scale + r * side),
        Math.ceil(side), Math.ceil(side));
    });
    if (chosen < 0) return;
    context.lineWidth = 2 * scale;
    context.strokeStyle = token("--accent");
    context.strokeRect((chosen * cell - GAP / 2) * scale, scale, cell * scale, this.element.height - 2 * scale);
  }
}
