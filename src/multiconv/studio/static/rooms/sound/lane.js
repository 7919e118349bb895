// One sound on the common time axis: its wave, and below it which notes it holds.

import { h, svg } from "../../core/element.js";
import { paint, ramp } from "./shades.js";

const WAVE = 80;
const NOTES = [100, 1000, 10000]; // Hz that are written beside the lowest and the highest row
const [LOWEST, HIGHEST] = [60, 18000];

export class Lane {
  constructor({ tone, name, waveLabel, notesLabel }) {
    this.tone = tone;
    this.remark = h("span", { class: "number" });
    this.wave = svg("svg", { class: `wave ${tone}`, role: "img", "aria-label": waveLabel, preserveAspectRatio: "none" });
    this.notes = h("canvas", { class: "notes", role: "img", "aria-label": notesLabel });
    this.cover = h("div", { class: "cover" });
    const marks = NOTES.map((f) => {
      const mark = h("span", {}, f < 1000 ? `${f}` : `${f / 1000}k`);
      mark.style.top = `${100 * (Math.log(HIGHEST / f) / Math.log(HIGHEST / LOWEST))}%`;
      return mark;
    });
    this.element = h("section", { class: "lane" },
      h("p", { class: "lane-head" }, h("b", { class: tone }, name), this.remark),
      h("div", { class: "strip" }, this.wave, this.cover),
      h("div", { class: "strip tall" }, h("span", { class: "marks", "aria-hidden": "true" }, marks), this.notes));
  }

  // low, high: the wave's ends by columns; what is above `largest` is cut; shades: of the notes.
  draw({ low, high, shades, largest, ghosts = [] }) {
    this.shades = shades;
    this.wave.setAttribute("viewBox", `0 ${-WAVE / 2} ${low.length} ${WAVE}`);
    const scale = WAVE / 2 / (largest || 1);
    this.wave.replaceChildren(
      svg("line", { class: "axis", x1: 0, x2: low.length, y1: 0, y2: 0 }),
      svg("path", { class: "body", d: outline(low, high, scale) }),
      ...ghosts.map((ghost) => svg("path", { class: "ghost", d: ridge(ghost, scale) })));
    this.paint();
  }

  paint() {
    if (this.shades) paint(this.notes, this.shades, ramp(this.tone));
  }
}

// Along the highest samples of what is no silence.
function ridge(high, scale) {
  let path = "";
  high.forEach((value, i) => {
    if (value * scale > 0.5) path += `${high[i - 1] * scale > 0.5 ? "L" : "M"}${i + 0.5} ${(-value * scale).toFixed(1)}`;
  });
  return path;
}

// There along the highest samples, back along the lowest; at least a hair wide.
function outline(low, high, scale) {
  let there = "";
  let back = "";
  for (let i = 0; i < low.length; i += 1) {
    const x = i + 0.5;
    there += `${i ? "L" : "M"}${x} ${Math.max(-WAVE / 2, -high[i] * scale - 0.4).toFixed(1)}`;
    back = `L${x} ${Math.min(WAVE / 2, -low[i] * scale + 0.4).toFixed(1)}${back}`;
  }
  return `${there}${back}Z`;
}
