// What flows between the tiles: a curve for each part, as wide as it is large.

import { svg } from "../../core/element.js";
import { signed } from "./tile.js";

const WIDEST = 7;
const LEAST = 0.03; // thinner ones only make fog

export class Links {
  constructor(stage) {
    this.stage = stage;
    this.element = svg("svg", { class: "links", "aria-hidden": "true" });
  }

  // links: [[from, to, part], ..], largest: the part that is drawn widest.
  draw(links, largest) {
    const frame = this.stage.getBoundingClientRect();
    this.element.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    this.element.replaceChildren(...links
      .filter(([, , part]) => Math.abs(part) > LEAST * largest)
      .sort((a, b) => Math.abs(a[2]) - Math.abs(b[2]))
      .map(([from, to, part]) => svg("path", {
        d: curve(from.getBoundingClientRect(), to.getBoundingClientRect(), frame),
        stroke: signed(Math.sign(part), 1),
        "stroke-width": Math.max(0.75, (WIDEST * Math.abs(part)) / largest).toFixed(2),
      })));
  }
}

function curve(from, to, frame) {
  const [x0, y0] = [from.right - frame.left, (from.top + from.bottom) / 2 - frame.top];
  const [x1, y1] = [to.left - frame.left, (to.top + to.bottom) / 2 - frame.top];
  const middle = (x0 + x1) / 2;
  return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
}
