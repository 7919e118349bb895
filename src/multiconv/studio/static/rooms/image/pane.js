// A picture with one place of it chosen, by pointer or by arrow keys, and frames drawn over it.

import { h, svg } from "../../core/element.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const FAR = 10; // pixels that an arrow goes with Shift
const SEEN = 12; // pixels of the screen
const TYPICAL = 400; // of them a picture is wide before the page is laid out

export class Pane {
  // onpick(y, x, event); drags: whether touch draws here instead of scrolling the page.
  constructor({ label, onpick, drags = false }) {
    Object.assign(this, { onpick, drags });
    this.height = this.width = 1;
    this.at = [0, 0];
    this.canvas = h("canvas", { class: "picture" });
    this.over = svg("svg", { class: "over", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.fit = h("div", {
      class: drags ? "fit drags" : "fit", tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": 0,
      onpointerdown: (event) => this.press(event),
      onpointermove: (event) => this.follow(event),
      onkeydown: (event) => this.key(event),
    }, this.canvas, this.over);
    this.element = h("div", { class: "pane" }, this.fit);
    this.seen = TYPICAL;
    new ResizeObserver(([entry]) => { this.seen = entry.contentRect.width || TYPICAL; }).observe(this.fit);
  }

  resize(height, width) {
    if (height === this.height && width === this.width) return;
    Object.assign(this, { height, width });
    this.fit.style.aspectRatio = `${width} / ${height}`;
    this.fit.style.width = `${100 * Math.min(1, width / height)}%`;
    this.canvas.style.imageRendering = Math.max(height, width) > 256 ? "auto" : "pixelated";
    this.over.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.fit.setAttribute("aria-valuemax", height * width - 1);
  }

  // words: the place and its value, for those who listen.
  place(y, x, words) {
    this.at = [y, x];
    this.fit.setAttribute("aria-valuenow", y * this.width + x);
    this.fit.setAttribute("aria-valuetext", words);
  }

  // A frame of so many rows and columns around a place; one too small to be seen is drawn larger.
  frame([tone, y, x, rows, columns]) {
    const drawn = [tone, y, x, rows, columns, this.height, this.width].join();
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const least = (SEEN * this.width) / this.seen;
    const [height, width] = [Math.max(rows, least), Math.max(columns, least)];
    const box = { x: x + 0.5 - width / 2, y: y + 0.5 - height / 2, width, height };
    this.over.replaceChildren(svg("rect", { class: "halo", ...box }), svg("rect", { class: tone, ...box }));
  }

  press(event) {
    if (event.button !== 0) return;
    this.fit.setPointerCapture(event.pointerId);
    this.pick(event);
  }

  // Every place on the way, for a stroke must have no gaps.
  follow(event) {
    if (!this.fit.hasPointerCapture(event.pointerId)) return;
    const way = this.drags ? event.getCoalescedEvents() : [];
    (way.length ? way : [event]).forEach((one) => this.pick(one));
  }

  pick(event) {
    const box = this.canvas.getBoundingClientRect();
    const place = (part, size) => Math.max(0, Math.min(size - 1, Math.floor(part * size)));
    this.onpick(
      place((event.clientY - box.top) / box.height, this.height),
      place((event.clientX - box.left) / box.width, this.width), event);
  }

  key(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const far = event.shiftKey ? FAR : 1;
    const [y, x] = this.at.map((n, i) => n + far * step[i]);
    if (y >= 0 && x >= 0 && y < this.height && x < this.width) this.onpick(y, x, event);
  }
}
