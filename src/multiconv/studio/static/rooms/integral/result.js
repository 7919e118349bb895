// The lower plot: the result, drawn strongly as far as t has come.

import { Plot } from "../../core/plot.js";
import { fixed } from "./numbers.js";

export class ResultPlot extends Plot {
  constructor(label) {
    super({ x: [-4, 4], y: [0, 1], height: 240, label });
    this.element.classList.add("draggable");
  }

  fit({ result, sums }) {
    const values = [...result, ...(sums?.result ?? [])];
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const room = (high - low || 1) * 0.18;
    this.range(this.x, [low < -1e-9 ? low - room : -0.25 * room, high + room]);
  }

  draw({ t, result, sums, support }, now) {
    this.clear();
    this.vertical(now.t, "soft", { class: "guide" });
    this.add("text", { class: "variable", x: this.px(this.x[1]) + 2, y: this.py(0) - 8, "text-anchor": "end" }, "t");
    const inside = Array.from(t.keys()).filter((i) => t[i] >= support[0] - 1e-9 && t[i] <= support[1] + 1e-9);
    const part = (indices) => [indices.map((i) => t[i]), indices.map((i) => result[i])];
    this.curve(...part(inside), "out", { class: "curve out faint" });
    if (sums) this.sums(sums, now);
    else this.curve(...part(inside.filter((i) => i <= now.k)), "out");
    this.dot(now.t, now.value, "out");
    this.label(now);
  }

  sums({ t, result }, now) {
    const radius = Math.max(1.5, Math.min(3.5, (this.px(t[1] ?? t[0] + 1) - this.px(t[0])) / 3));
    t.forEach((x, k) => {
      this.add("circle", { class: `dot out ${k > now.k ? "faint" : ""}`, cx: this.px(x), cy: this.py(result[k]), r: radius });
    });
  }

  label({ t, value }) {
    const right = this.px(t) > this.width - 90;
    this.add("text", {
      class: "value out", x: this.px(t) + (right ? -10 : 10), y: this.py(value) - 9, "text-anchor": right ? "end" : "start",
    }, fixed(value, 4));
  }
}
