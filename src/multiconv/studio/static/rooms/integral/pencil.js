// A small plot to draw on, with a pointer or with the arrow keys.

import { svg } from "../../core/element.js";

const REACH = 2;
const NODES = 41;
const TALL = 1.2;
const rounded = (y) => Math.round(Math.min(1, Math.max(-1, y)) * 100) / 100;
const place = (i) => -REACH + (i * 2 * REACH) / (NODES - 1);
const line = (xs, ys) => xs.map((x, i) => `${i ? "L" : "M"}${x.toFixed(3)} ${(-ys[i]).toFixed(4)}`).join("");

export class Pencil {
  // ondraw is told all values; say(x, y) puts one into words.
  constructor({ tone, label, say, ondraw }) {
    this.say = say;
    this.ondraw = ondraw;
    this.nodes = new Array(NODES).fill(0);
    this.at = (NODES - 1) / 2;
    this.last = null;
    this.own = false;
    this.curve = svg("path", { class: `curve ${tone}` });
    this.point = svg("path", { class: `point ${tone}` });
    this.element = svg("svg", {
      class: "pencil", viewBox: `${-REACH} ${-TALL} ${2 * REACH} ${2 * TALL}`, preserveAspectRatio: "none", tabindex: 0,
      role: "slider", "aria-label": label, "aria-orientation": "vertical", "aria-valuemin": -1, "aria-valuemax": 1,
      onkeydown: (event) => this.key(event),
      onpointerdown: (event) => this.begin(event),
      onpointermove: (event) => this.go(event),
      onpointerup: () => { this.last = null; },
    }, svg("path", { class: "axis", d: `M${-REACH} 0H${REACH}M0 ${-TALL}V${TALL}` }), this.curve, this.point);
  }

  // A curve of the engine's; the nodes follow it, so that drawing goes on from what is seen. What was
  // drawn here is known already, and may be newer.
  show({ low, high, data }, drawn) {
    if (this.last !== null || (drawn && this.own)) return;
    this.own = false;
    const fine = (data.length - 1) / (high - low);
    const value = (x) => (x < low - 1e-9 || x > high + 1e-9 ? 0 : data[Math.round((x - low) * fine)]);
    this.nodes = this.nodes.map((_, i) => rounded(value(place(i))));
    const xs = Array.from(data, (_, i) => low + i / fine);
    if (drawn) this.trace();
    else this.curve.setAttribute("d", line([-REACH, low, ...xs, high, REACH], [0, 0, ...data, 0, 0]));
    this.mark();
  }

  values() {
    return [...this.nodes];
  }

  trace() {
    this.curve.setAttribute("d", line(this.nodes.map((_, i) => place(i)), this.nodes));
  }

  mark() {
    const [x, y] = [place(this.at), this.nodes[this.at]];
    this.point.setAttribute("d", `M${x} ${-y}h0`);
    this.element.setAttribute("aria-valuenow", y);
    this.element.setAttribute("aria-valuetext", this.say(x.toFixed(1), y.toFixed(2)));
  }

  under(event) {
    const box = this.element.getBoundingClientRect();
    const i = Math.round(((event.clientX - box.left) / box.width) * (NODES - 1));
    const y = TALL - ((event.clientY - box.top) / box.height) * 2 * TALL;
    return [Math.min(NODES - 1, Math.max(0, i)), rounded(y)];
  }

  begin(event) {
    if (event.button) return;
    this.element.setPointerCapture(event.pointerId);
    this.last = this.under(event);
    this.go(event);
  }

  // A fast pointer skips nodes: those between are put on the line between.
  go(event) {
    if (this.last === null) return;
    const [from, before] = this.last;
    const [to, y] = this.under(event);
    const steps = Math.abs(to - from);
    for (let s = 0; s <= steps; s += 1) {
      const i = from + Math.sign(to - from) * s;
      this.nodes[i] = rounded(steps ? before + ((y - before) * s) / steps : y);
    }
    this.last = [to, y];
    this.at = to;
    this.drawn();
  }

  drawn() {
    this.own = true;
    this.trace();
    this.mark();
    this.ondraw(this.values());
  }

  key(event) {
    const across = { ArrowLeft: -1, ArrowRight: 1, Home: -NODES, End: NODES }[event.key];
    const up = { ArrowUp: 0.05, ArrowDown: -0.05, PageUp: 0.25, PageDown: -0.25 }[event.key];
    if (across) {
      this.at = Math.min(NODES - 1, Math.max(0, this.at + across));
      this.mark();
    } else if (up) {
      this.nodes[this.at] = rounded(this.nodes[this.at] + up);
      this.drawn();
    } else return;
    event.preventDefault();
  }
}
