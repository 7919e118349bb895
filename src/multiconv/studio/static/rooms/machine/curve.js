// Predicted time against the kernel's size, both on logarithmic axes: the winner's way from one
// algorithm to the next, the others in grey, the kernel of the moment as a dot.

import { h, svg } from "../../core/element.js";
import { duration } from "./units.js";

const HEIGHT = 300;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 128, 16, 40];
const TICKS = [1, 3, 9, 31, 129, 5, 15, 65]; // the first ones where there is little room
const LONG_TICKS = [1, 10, 100, 1000, 10000];
const LINE = 15;

export class Curve {
  constructor({ t, signal }) {
    this.t = t;
    this.width = 760;
    this.drawing = svg("svg", { class: "plot curve-plot", role: "img", height: HEIGHT });
    this.words = h("p", { class: "soft" });
    this.element = h("div", {}, this.drawing, this.words);
    const observer = new ResizeObserver(([entry]) => {
      this.width = Math.round(entry.contentRect.width) || this.width;
      if (this.data) this.draw();
    });
    observer.observe(this.drawing);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  show(data) {
    this.data = data;
    this.draw();
  }

  scales() {
    const { series, winners, here } = this.data;
    const sizes = [...winners.map(([k]) => k), here[0]];
    const times = [...Object.values(series).flat().map(([, s]) => s), here[2]];
    const scale = (low, high, from, to) => (v) => (
      from + ((Math.log(v) - Math.log(low)) / (Math.log(high) - Math.log(low) || 1)) * (to - from));
    const bottom = 10 ** Math.floor(Math.log10(Math.min(...times)));
    const top = 10 ** Math.ceil(Math.log10(Math.max(...times)));
    this.range = [bottom, top, Math.max(...sizes)];
    this.x = scale(1, Math.max(...sizes), LEFT, this.width - RIGHT);
    this.y = scale(bottom, top, HEIGHT - BOTTOM, TOP);
  }

  draw() {
    const { drawing, data, t } = this;
    drawing.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    drawing.setAttribute("aria-label", t("curve"));
    this.scales();
    drawing.replaceChildren(...this.axes(), ...this.others(), ...this.winner(), ...this.labels(), ...this.here());
    const turns = this.turns().map(([k, , , name]) => t("turn", { size: k, name }));
    this.words.textContent = [t("at small", { name: data.winners[0]?.[1] ?? data.here[1] }), ...turns].join(t("then"));
  }

  axes() {
    const [bottom, top, last] = this.range;
    const count = Math.round(Math.log10(top / bottom));
    const step = Math.ceil(count / 5);
    const marks = Array.from({ length: Math.floor(count / step) + 1 }, (_, i) => bottom * 10 ** (i * step));
    return [
      ...marks.flatMap((time) => [
        svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: this.y(time), y2: this.y(time) }),
        svg("text", { x: LEFT - 8, y: this.y(time) + 4, "text-anchor": "end" }, duration(time).replace(/\.0+(?= )/, "")),
      ]),
      ...this.ticks().filter((k) => k <= last).map((k) => (
        svg("text", { x: this.x(k), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, String(k)))),
      svg("text", { x: (LEFT + this.width - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, this.t("kernel size")),
    ];
  }

  ticks() {
    if (this.range[2] > Math.max(...TICKS)) return LONG_TICKS;
    return TICKS.slice(0, this.width < 480 ? 5 : TICKS.length);
  }

  path(points) {
    return points.map(([k, s], i) => `${i ? "L" : "M"}${this.x(k).toFixed(1)} ${this.y(s).toFixed(1)}`).join("");
  }

  others() {
    return Object.values(this.data.series).map((points) => svg("path", { class: "other", d: this.path(points) }));
  }

  winner() {
    const points = this.data.winners.map(([k, , s]) => [k, s]);
    return [svg("path", { class: "curve out", d: this.path(points) }),
      ...this.turns().map(([k, s]) => svg("circle", { class: "turn", cx: this.x(k), cy: this.y(s), r: 4 }))];
  }

  // Where another algorithm takes over: [size, seconds, before, after]
  turns() {
    const { winners } = this.data;
    return winners.slice(1).map(([k, name, s], i) => [k, s, winners[i][1], name]).filter(([, , before, after]) => before !== after);
  }

  // A name at the right end of each line, pushed apart where they would meet; lines that end early
  // have theirs beside their end.
  labels() {
    const winners = new Set(this.data.winners.map(([, name]) => name));
    const last = this.range[2];
    const lines = Object.entries(this.data.series).filter(([, points]) => points.length > 1);
    const ends = lines.map(([name, points]) => {
      const [k, s] = points[points.length - 1];
      const early = k < last;
      return { name, early, x: early ? this.x(k) + 8 : this.width - RIGHT + 12, y: this.y(s) + (early ? 12 : 0) };
    });
    spread(ends.filter((one) => !one.early), HEIGHT - BOTTOM);
    return ends.map(({ name, x, y }) => svg("text", { x, y: y + 4, class: winners.has(name) ? "end out" : "end" }, name));
  }

  here() {
    const [k, name, s] = this.data.here;
    const x = this.x(Math.max(1, k));
    return [
      svg("line", { class: "stem kernel here-line", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }),
      svg("circle", { class: "dot kernel", cx: x, cy: this.y(s), r: 5 }, svg("title", {}, `${name}, ${duration(s)}`)),
    ];
  }
}

// Labels below each other, none lower than the floor.
function spread(labels, floor) {
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((one, i) => { if (i) one.y = Math.max(one.y, labels[i - 1].y + LINE); });
  const excess = Math.max(0, (labels.at(-1)?.y ?? 0) - floor);
  labels.forEach((one) => { one.y -= excess; });
}
