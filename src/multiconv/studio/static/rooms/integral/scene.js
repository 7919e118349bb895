// The upper plot: f, the flipped and shifted g, and the area under their product.

import { Plot } from "../../core/plot.js";
import { fixed } from "./numbers.js";

const HALO = { class: "value out", "text-anchor": "middle" };

export class ScenePlot extends Plot {
  constructor(label) {
    super({ x: [-4, 4], y: [-0.05, 1.15], height: 296, label });
    this.element.classList.add("draggable");
  }

  fit({ f, g }) {
    const lowest = Math.min(...f.data, ...g.data);
    this.range(this.x, lowest < -1e-9 ? [-1.15, 1.15] : [-0.05, 1.15]);
  }

  // mirror: 1 as it is, -1 with the roles of f and g exchanged, which mirrors the picture at t / 2.
  draw({ f, g, fine }, now, mirror) {
    const warp = (x) => now.t / 2 + mirror * (x - now.t / 2);
    this.clear();
    this.vertical(now.t, "soft", { class: "guide" });
    this.add("text", { class: "variable", x: this.px(this.x[1]) + 2, y: this.py(0) - 8, "text-anchor": "end" }, "τ");
    if (now.bars) this.bars(now.bars, warp);
    else this.product(now.xs.map(warp), now.products);
    const along = (curve, place) => Array.from(curve.data, (_, i) => warp(place(curve.low + i / fine)));
    this.outline(along(f, (x) => x), f.data, "in");
    this.outline(along(g, (x) => now.t - x), g.data, "kernel");
    this.label(now, warp);
  }

  product(xs, ys) {
    this.area(xs, ys, "out");
    this.outline(xs, ys, "out");
  }

  // A curve with the jumps at the ends of its support.
  outline(xs, ys, tone) {
    if (!xs.length) return;
    this.curve([xs[0], ...xs, xs[xs.length - 1]], [0, ...ys, 0], tone);
  }

  bars(bars, warp) {
    for (const { low, high, value } of bars) {
      const [left, right] = [this.px(warp(low)), this.px(warp(high))].sort((a, b) => a - b);
      const [top, bottom] = [this.py(Math.max(0, value)), this.py(Math.min(0, value))];
      const gap = Math.min(1, (right - left) / 8);
      this.add("rect", { class: "bar-out out", x: left + gap, y: top, width: Math.max(0.5, right - left - 2 * gap), height: bottom - top });
    }
  }

  // The area's number, on the axis under its middle.
  label(now, warp) {
    const parts = now.bars
      ? now.bars.map(({ low, high, value }) => [(low + high) / 2, value])
      : now.xs.map((x, i) => [x, now.products[i]]);
    const weight = parts.reduce((sum, [, y]) => sum + Math.abs(y), 0);
    if (!weight) return;
    const centre = parts.reduce((sum, [x, y]) => sum + x * Math.abs(y), 0) / weight;
    this.add("text", { ...HALO, x: this.px(warp(centre)), y: this.py(0) - 10 }, fixed(now.value, 4));
  }
}
