// Plots in SVG, so that they take the page's colours and stay sharp.

import { svg } from "./element.js";
import { short } from "./controls.js";

const LEFT = 44;
const BOTTOM = 22;
const TOP = 10;
const RIGHT = 8;

// Round steps, about as many as asked for.
export function ticks(low, high, about = 5) {
  const raw = (high - low) / about || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

export class Plot {
  // x, y: [low, high]; label: what a screen reader says of it. The width follows the page.
  constructor({ x, y, height = 220, label, grid = true }) {
    this.x = x;
    this.y = y;
    this.height = height;
    this.grid = grid;
    this.width = 640;
    this.marks = svg("g");
    this.frame = svg("g", { "aria-hidden": "true" });
    this.element = svg("svg", { class: "plot", role: "img", "aria-label": label, height }, this.frame, this.marks);
    this.redraw = () => {};
    this.observer = new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width && width !== this.width) {
        this.width = width;
        this.axes();
        this.redraw();
      }
    });
    this.observer.observe(this.element);
    this.axes();
  }

  px(x) {
    return LEFT + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (this.width - LEFT - RIGHT);
  }

  py(y) {
    return TOP + (1 - (y - this.y[0]) / (this.y[1] - this.y[0])) * (this.height - TOP - BOTTOM);
  }

  // The plot's x under a pointer.
  at(event) {
    const box = this.element.getBoundingClientRect();
    const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    return this.x[0] + part * (this.x[1] - this.x[0]);
  }

  // The plot's y under a pointer.
  over(event) {
    const box = this.element.getBoundingClientRect();
    const part = 1 - (event.clientY - box.top - TOP) / (this.height - TOP - BOTTOM);
    return this.y[0] + part * (this.y[1] - this.y[0]);
  }

  range(x, y) {
    this.x = x;
    this.y = y;
    this.axes();
  }

  axes() {
    const { width, height } = this;
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const base = this.py(Math.min(Math.max(0, this.y[0]), this.y[1]));
    this.frame.replaceChildren(
      ...ticks(...this.y, 4).flatMap((y) => [
        this.grid && svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: this.py(y), y2: this.py(y) }),
        svg("text", { x: LEFT - 8, y: this.py(y) + 4, "text-anchor": "end" }, short(y)),
      ]).filter(Boolean),
      svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: base, y2: base }),
      ...ticks(...this.x, Math.max(4, Math.floor(width / 90))).map((x) => (
        svg("text", { x: this.px(x), y: height - 4, "text-anchor": "middle" }, short(x)))),
    );
  }

  clear() {
    this.marks.replaceChildren();
  }

  add(tag, attributes, ...children) {
    const element = svg(tag, attributes, ...children);
    this.marks.append(element);
    return element;
  }

  path(xs, ys) {
    let text = "";
    for (let i = 0; i < xs.length; i += 1) {
      if (Number.isFinite(ys[i])) text += `${text ? "L" : "M"}${this.px(xs[i]).toFixed(2)} ${this.py(ys[i]).toFixed(2)}`;
    }
    return text;
  }

  // tone: "in", "kernel" or "out".
  curve(xs, ys, tone, attributes = {}) {
    return this.add("path", { class: `curve ${tone}`, d: this.path(xs, ys), ...attributes });
  }

  area(xs, ys, tone) {
    if (!xs.length) return null;
    const zero = this.py(0);
    const d = `${this.path(xs, ys)}L${this.px(xs[xs.length - 1])} ${zero}L${this.px(xs[0])} ${zero}Z`;
    return this.add("path", { class: `area ${tone}`, d });
  }

  stems(xs, ys, tone) {
    xs.forEach((x, i) => {
      this.add("line", { class: `stem ${tone}`, x1: this.px(x), x2: this.px(x), y1: this.py(0), y2: this.py(ys[i]) });
      this.add("circle", { class: `dot ${tone}`, cx: this.px(x), cy: this.py(ys[i]), r: 4 });
    });
  }

  dot(x, y, tone) {
    return this.add("circle", { class: `dot ${tone}`, cx: this.px(x), cy: this.py(y), r: 5 });
  }

  vertical(x, tone, attributes = {}) {
    return this.add("line", { class: `stem ${tone}`, x1: this.px(x), x2: this.px(x), y1: TOP, y2: this.height - BOTTOM, ...attributes });
  }
}
