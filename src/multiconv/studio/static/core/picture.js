// Arrays as pictures on a canvas, and the bar that says what the colours mean.

import { h } from "./element.js";
import { short } from "./controls.js";

const NEGATIVE = [98, 64, 168];
const POSITIVE = [196, 48, 43];

function paper() {
  return document.documentElement.dataset.theme === "dark" ? [28, 32, 39] : [255, 255, 255];
}

// From violet through the paper's colour to red; 0 is the paper, whatever the range.
export function signedColour(value, largest) {
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const part = Math.min(1, Math.abs(value) / (largest || 1));
  return paper().map((c, i) => Math.round(c + (end[i] - c) * part));
}

function fill(canvas, height, width, colour) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  colour(image.data);
  context.putImageData(image, 0, 0);
}

// Grey or RGB samples (height x width [x 3]), from `low` (black) to `high` (white).
export function drawGrey(canvas, { data, shape: [height, width, channels = 1] }, low, high) {
  const scale = 255 / (high - low || 1);
  fill(canvas, height, width, (out) => {
    for (let i = 0, o = 0; o < out.length; i += channels, o += 4) {
      for (let c = 0; c < 3; c += 1) out[o + c] = (data[channels > 1 ? i + c : i] - low) * scale;
      out[o + 3] = 255;
    }
  });
}

export function drawSigned(canvas, { data, shape: [height, width] }, largest) {
  const zero = paper();
  const scale = 1 / (largest || 1);
  fill(canvas, height, width, (out) => {
    for (let i = 0, o = 0; o < out.length; i += 1, o += 4) {
      const end = data[i] < 0 ? NEGATIVE : POSITIVE;
      const part = Math.min(1, Math.abs(data[i]) * scale);
      for (let c = 0; c < 3; c += 1) out[o + c] = zero[c] + (end[c] - zero[c]) * part;
      out[o + 3] = 255;
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
