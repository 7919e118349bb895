// Paper of 32 x 32 pixels to draw a digit on.

import { h } from "../../core/element.js";
import { token } from "./tile.js";

export const SIDE = 32;
const PEN = 1.7; // the pen's radius, in pixels: about as wide as those the digits were written with

export function toText(ink) {
  let text = "";
  for (let i = 0; i < ink.length; i += 4) {
    text += (ink[i] * 8 + ink[i + 1] * 4 + ink[i + 2] * 2 + ink[i + 3]).toString(16);
  }
  return text;
}

export function fromText(text) {
  const ink = new Uint8Array(SIDE * SIDE);
  if (!/^[0-9a-f]{256}$/.test(text)) return ink;
  [...text].forEach((digit, i) => {
    for (let bit = 0; bit < 4; bit += 1) ink[4 * i + bit] = (parseInt(digit, 16) >> (3 - bit)) & 1;
  });
  return ink;
}

// begin() gives the ink to go on with; changed(ink) is told of every stroke.
export class Pad {
  constructor({ label, begin, changed }) {
    this.begin = begin;
    this.changed = changed;
    this.ink = new Uint8Array(SIDE * SIDE);
    this.pen = null;
    this.element = h("canvas", {
      class: "pad", width: SIDE, height: SIDE, tabindex: 0, role: "application", "aria-label": label,
      onpointerdown: (event) => this.down(event),
      onpointermove: (event) => this.move(event),
      onpointerup: () => { this.pen = null; },
      onpointercancel: () => { this.pen = null; },
      onkeydown: (event) => this.key(event),
    });
    this.cursor = [SIDE / 2, SIDE / 2];
  }

  // shadow: a digit of cells that lies faintly under what is drawn.
  show(ink, shadow = null) {
    this.ink = ink;
    const context = this.element.getContext("2d");
    context.fillStyle = token("--sunken");
    context.fillRect(0, 0, SIDE, SIDE);
    context.fillStyle = token("--in");
    shadow?.data.forEach((value, i) => {
      const cell = SIDE / shadow.shape[0];
      context.globalAlpha = 0.2 * value;
      context.fillRect((i % shadow.shape[1]) * cell, Math.floor(i / shadow.shape[1]) * cell, cell, cell);
    });
    context.globalAlpha = 1;
    ink.forEach((on, i) => { if (on) context.fillRect(i % SIDE, Math.floor(i / SIDE), 1, 1); });
  }

  place(event) {
    const box = this.element.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  down(event) {
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    this.ink = this.begin();
    this.pen = this.place(event);
    this.stroke(this.pen, this.pen);
  }

  move(event) {
    if (!this.pen) return;
    const next = this.place(event);
    this.stroke(this.pen, next);
    this.pen = next;
  }

  // Arrow keys draw; with Shift they only move the pen.
  key(event) {
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = this.cursor.map((at, i) => Math.min(SIDE - 2, Math.max(2, at + 2 * step[i])));
    if (!event.shiftKey) {
      this.ink = this.begin();
      this.stroke(this.cursor, next);
    }
    this.cursor = next;
  }

  stroke([x0, y0], [x1, y1]) {
    const steps = Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)) + 1;
    for (let s = 0; s <= steps; s += 1) {
      this.press(x0 + ((x1 - x0) * s) / steps, y0 + ((y1 - y0) * s) / steps);
    }
    this.show(this.ink);
    this.changed(this.ink);
  }

  press(x, y) {
    for (let r = Math.floor(y - PEN); r <= y + PEN; r += 1) {
      for (let c = Math.floor(x - PEN); c <= x + PEN; c += 1) {
        const inside = r >= 0 && r < SIDE && c >= 0 && c < SIDE;
        if (inside && Math.hypot(c + 0.5 - x, r + 0.5 - y) <= PEN) this.ink[r * SIDE + c] = 1;
      }
    }
  }
}
