// Arrays as pictures on a canvas, and the bar that says what the colours mean.

import { h } from "./element.js";
import { short } from "./controls.js";

const NEGATIVE = [98, 64, 168];
const POSITIVE = [196, 48, 43];

// A widget's paper is the notebook's.
export const page = { isDark: () => document.documentElement.dataset.theme === "dark" };

function paper() {
  return page.isDark() ? [28, 32, 39] : [255, 255, 255];
}

// From violet through the paper's colour to red; 0 is the paper, whatever the range.
export function signedColour(value, largest) {
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const part = Math.min(1, Math.abs(value) / (largest || 1));
  return paper().map((c, i) => Math.round(c + (end[i] - c) * part));
}

// `colour` fills one word a pixel.
function fill(canvas, height, width, colour) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  colour(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}

const word = (r, g, b) => (255 << 24) | (b << 16) | (g << 8) | r;

// Grey or RGB samples (height x width [x 3]), from `low` (black) to `high` (white).
export function drawGrey(canvas, { data, shape: [height, width, channels = 1] }, low, high) {
  const level = levels(data, low, high);
  fill(canvas, height, width, (out) => {
    for (let i = 0, o = 0; o < out.length; i += channels, o += 1) {
      const red = level(data[i]);
      out[o] = channels > 1 ? word(red, level(data[i + 1]), level(data[i + 2])) : word(red, red, red);
    }
  });
}

// Bytes are levels already; anything else is scaled, rounded and clipped.
function levels(data, low, high) {
  if (data.BYTES_PER_ELEMENT === 1 && low === 0 && high === 255) return (value) => value;
  const scale = 255 / (high - low || 1);
  return (value) => Math.max(0, Math.min(255, Math.round((value - low) * scale)));
}

const STEPS = 255; // colours on either side of zero

export function drawSigned(canvas, { data, shape: [height, width] }, largest) {
  const colours = Int32Array.from({ length: 2 * STEPS + 1 }, (_, i) => word(...signedColour(i - STEPS, STEPS)));
  const scale = STEPS / (largest || 1);
  fill(canvas, height, width, (out) => {
    for (let i = 0; i < out.length; i += 1) {
      const step = Math.round(data[i] * scale);
      out[i] = colours[STEPS + Math.max(-STEPS, Math.min(STEPS, step))];
    }
  });
}

const css = (colour) => `rgb(${colour.join(" ")})`;

export function scaleBar({ low, high, signed }) {
  const bar = h("span");
  const stops = signed
    ? [-1, 0, 1].map((v) => css(signedColour(v, 1)))
    : ["#000", "#fff"];
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  return h("div", { class: "scale" }, h("span", {}, short(low)), bar, h("span", {}, short(high)));
}
