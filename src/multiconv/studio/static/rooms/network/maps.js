// The maps of a layer: one tile a channel, each cell of which can be chosen.

import { h } from "../../core/element.js";
import { cellUnder, drawCells, drawParts, outline, shade, signed, tile, token } from "./tile.js";

const TILE = 56;
const KERNEL = 32;

export class Maps {
  // choose(channel, row, column) is told what the user picks; name(channel): what it is called.
  // With `kernels`, each tile has its kernel beside it.
  constructor({ layer, name, choose, kernels = false }) {
    this.layer = layer;
    this.kernels = kernels ? [] : null;
    this.name = name;
    this.choose = choose;
    this.tiles = [];
    this.side = 1;
    this.element = h("div", { class: `maps layer${layer}` });
  }

  resize(channels, side) {
    if (channels === this.tiles.length && side === this.side) return;
    this.side = side;
    this.cells = Array.from({ length: channels }, () => [0, 0]);
    this.tiles = this.cells.map((_, i) => tile(TILE, {
      tabindex: 0, role: "button",
      onclick: (event) => this.pick(i, cellUnder(this.tiles[i], event, side, side)),
      onkeydown: (event) => this.key(event, i),
    }));
    if (this.kernels) this.kernels = this.tiles.map(() => tile(KERNEL));
    this.element.replaceChildren(...this.tiles.map((one, i) => (
      h("div", { class: "unit" }, this.kernels?.[i], one))));
  }

  // kernels: an array of shape (channels, rows, columns).
  drawKernels({ data, shape: [channels, rows, columns] }, side) {
    this.resize(channels, side);
    this.kernels.forEach((canvas, i) => {
      drawCells(canvas, { data, offset: i * rows * columns, rows, columns }, signed, largestOf(data));
    });
  }

  pick(channel, cell) {
    this.cells[channel] = cell;
    this.choose(channel, ...cell);
  }

  key(event, channel) {
    const [row, column] = this.cells[channel];
    const next = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], Enter: [row, column], " ": [row, column],
    }[event.key];
    if (!next || next.some((n) => n < 0 || n >= this.side)) return;
    event.preventDefault();
    this.pick(channel, next);
  }

  // maps, parts: arrays of shape (channels, side, side); box: the part of each map that counts.
  draw({ maps, parts, largest, largestPart, unit, box }) {
    const [channels, side] = maps.shape;
    this.resize(channels, side);
    const colour = shade("out");
    this.tiles.forEach((canvas, i) => {
      const cells = { offset: i * side * side, rows: side, columns: side };
      drawCells(canvas, { data: maps.data, ...cells }, colour, largest);
      const chosen = unit[0] === this.layer && unit[1] === i;
      const total = sum(parts.data, i * side * side, side * side);
      const takesPart = chosen || parts.data.subarray(i * side * side, (i + 1) * side * side).some(Boolean);
      if (box && takesPart) outline(canvas, box, side, side, token("--strong-line"));
      drawParts(canvas, { data: parts.data, ...cells }, largestPart);
      if (chosen) outline(canvas, [unit[2], unit[2], unit[3], unit[3]], side, side, token("--ink"));
      canvas.classList.toggle("dim", !takesPart);
      canvas.setAttribute("aria-pressed", chosen);
      canvas.setAttribute("aria-label", this.name(i, total));
    });
  }
}

export function largestOf(data) {
  return data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

function sum(data, from, count) {
  let total = 0;
  for (let i = from; i < from + count; i += 1) total += data[i];
  return total;
}
