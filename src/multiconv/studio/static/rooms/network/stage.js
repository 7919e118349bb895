// The network from left to right: paper, first maps, second maps, classes, and what flows between.

import { h } from "../../core/element.js";
import { short } from "../../core/controls.js";
import { Classes } from "./classes.js";
import { Links } from "./links.js";
import { largestOf, Maps } from "./maps.js";
import { drawCells, drawParts, outline, shade, tile, token } from "./tile.js";

const SEEN = 176;
const SIDE = 8;

export class Stage {
  // pad: the paper's element; choose(unit) is told what the user wants traced.
  constructor({ t, pad, clear, choose }) {
    this.answer = null;
    const named = (layer) => (i, part) => t("map", { layer, map: i + 1, part: short(part) });
    const pick = (layer) => (...place) => choose([layer, ...place]);
    this.first = new Maps({ layer: 1, name: named(1), choose: pick(1), kernels: true });
    this.second = new Maps({ layer: 2, name: named(2), choose: pick(2) });
    this.classes = new Classes({ label: t("classes"), choose: (i) => choose([3, i, 0, 0]) });
    this.seen = tile(SEEN, { role: "img", "aria-label": t("seen") });
    this.sizes = { 1: h("span"), 2: h("span") };
    const column = (name, ...parts) => h("div", { class: `column ${name}` }, ...parts);
    const head = (words, more) => h("p", { class: "head soft" }, h("b", {}, words), more);
    this.element = h("div", { class: "network" });
    this.links = new Links(this.element);
    this.element.append(
      this.links.element,
      column("paper", h("div", {}, head(t("draw"), clear), pad), h("div", {}, head(t("seen")), this.seen)),
      column("layer", head(t("layer", { layer: 1 }), this.sizes[1]), this.first.element),
      column("layer", head(t("layer", { layer: 2 }), this.sizes[2]), this.second.element),
      column("result", head(t("classes")), this.classes.element));
    new ResizeObserver(() => this.link()).observe(this.element);
    this.head = (layer, channels, size) => {
      this.sizes[layer].textContent = t("maps", { channels, size });
    };
  }

  drawKernels({ first, second }) {
    this.head(1, first.shape[0], first.shape[1]);
    this.head(2, second.shape[0], second.shape[2]);
    this.first.drawKernels(first, SIDE);
  }

  draw(answer) {
    this.answer = answer;
    const { values: { unit, digit_field: digitBox, first_field: firstBox }, arrays } = answer;
    const parts = { first: arrays.first_parts, second: arrays.second_parts, digit: arrays.digit_parts };
    this.drawSeen(arrays.digit, parts.digit, unit[0] < 3 && digitBox);
    for (const [name, box] of [["first", unit[0] === 2 && firstBox], ["second", null]]) {
      this[name].draw({
        maps: arrays[name], parts: parts[name], unit, box,
        largest: largestOf(arrays[name].data), largestPart: largestOf(parts[name].data),
      });
    }
    this.classes.draw([...arrays.probabilities.data], unit[0] === 3 ? unit[1] : -1);
    this.link();
  }

  drawSeen(digit, parts, box) {
    const cells = { rows: SIDE, columns: SIDE };
    drawCells(this.seen, { data: digit.data, ...cells }, shade("in"), 1);
    if (box) outline(this.seen, box, SIDE, SIDE, token("--strong-line"));
    drawParts(this.seen, { data: parts.data, ...cells }, largestOf(parts.data));
  }

  link() {
    if (!this.answer) return;
    const { values: { unit: [layer, channel] }, arrays } = this.answer;
    const { flows, first_parts: firstParts, second_parts: secondParts } = arrays;
    const links = [];
    const [seconds, firsts] = flows.shape;
    for (let j = 0; j < firsts; j += 1) {
      const whole = layer === 1 ? Number(j === channel) : total(firstParts, j);
      links.push([this.seen, this.first.tiles[j].parentElement, whole]);
      for (let i = 0; i < seconds; i += 1) {
        links.push([this.first.tiles[j], this.second.tiles[i], flows.data[i * firsts + j]]);
      }
    }
    for (let i = 0; i < seconds && layer === 3; i += 1) {
      links.push([this.second.tiles[i], this.classes.rows[channel].button, total(secondParts, i)]);
    }
    this.links.draw(links, Math.max(...links.map(([, , part]) => Math.abs(part)), 1e-30));
  }
}

function total({ data, shape: [, rows, columns] }, channel) {
  const start = channel * rows * columns;
  return data.subarray(start, start + rows * columns).reduce((sum, value) => sum + value, 0);
}
