// One map or kernel as a small picture of cells, drawn sharp at any size.

import { h } from "../../core/element.js";
import { signedColour } from "../../core/picture.js";

const css = (colour) => `rgb(${colour.join(" ")})`;

export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

// From the page's sunken colour (0) to a tone (the largest).
export function shade(tone) {
  const low = rgb(token("--sunken"));
  const high = rgb(token(`--${tone}`));
  return (value, largest) => {
    const part = Math.min(1, Math.max(0, value / (largest || 1)));
    return css(low.map((c, i) => Math.round(c + (high[i] - c) * part)));
  };
}

export const signed = (value, largest) => css(signedColour(value, largest));

// size: pixels of the page along a side.
export function tile(size, attributes = {}) {
  const canvas = h("canvas", { class: "tile", ...attributes });
  const scale = Math.max(2, Math.ceil(devicePixelRatio));
  Object.assign(canvas, { width: size * scale, height: size * scale });
  canvas.style.width = `${size}px`;
  canvas.style.height = `${size}px`;
  return canvas;
}

// cells: {data, offset, rows, columns}
export function drawCells(canvas, { data, offset = 0, rows, columns }, colour, largest) {
  const context = canvas.getContext("2d");
  const [wide, high] = [canvas.width / columns, canvas.height / rows];
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) {
      const [x, y] = [Math.round(c * wide), Math.round(r * high)];
      context.fillStyle = colour(data[offset + r * columns + c], largest);
      context.fillRect(x, y, Math.round((c + 1) * wide) - x, Math.round((r + 1) * high) - y);
    }
  }
}

// A dot in each cell that takes part: its area is the part's size, its colour the sign.
export function drawParts(canvas, { data, offset = 0, rows, columns }, largest) {
  const context = canvas.getContext("2d");
  const [wide, high] = [canvas.width / columns, canvas.height / rows];
  context.lineWidth = Math.max(1, canvas.width / 120);
  context.strokeStyle = token("--card");
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) {
      const part = data[offset + r * columns + c] / (largest || 1);
      if (Math.abs(part) < 0.004) continue;
      context.beginPath();
      context.arc((c + 0.5) * wide, (r + 0.5) * high, 0.42 * wide * Math.sqrt(Math.abs(part)), 0, 7);
      context.fillStyle = signed(Math.sign(part), 1);
      context.fill();
      context.stroke();
    }
  }
}

// box: first and last row, first and last column.
export function outline(canvas, [top, bottom, left, right], rows, columns, colour) {
  const context = canvas.getContext("2d");
  const [wide, high] = [canvas.width / columns, canvas.height / rows];
  const line = Math.max(3, canvas.width / 56);
  context.lineWidth = line;
  context.strokeStyle = colour;
  context.strokeRect(
    left * wide + line / 2, top * high + line / 2,
    (right - left + 1) * wide - line, (bottom - top + 1) * high - line);
}

export function cellUnder(canvas, event, rows, columns) {
  const box = canvas.getBoundingClientRect();
  const place = (at, size, count) => Math.min(count - 1, Math.max(0, Math.floor((at / size) * count)));
  return [place(event.clientY - box.top, box.height, rows), place(event.clientX - box.left, box.width, columns)];
}
