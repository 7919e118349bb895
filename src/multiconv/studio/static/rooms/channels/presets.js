// Layers to begin with. Numbers that mean nothing come from a fixed sequence, so that a preset is
// the same for everyone.

import { count } from "./geometry.js";

// Whole numbers from low to high, the same at every call.
export function pattern(length, low, high, seed) {
  let state = seed * 7919 + 17;
  return Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return low + (Math.floor(state / 65536) % (high - low + 1));
  });
}

const INPUT = [0, 3];
const KERNEL = [-1, 1];

function layer(given) {
  const one = {
    channels: 3, filters: 1, stride: 1, padding: 0, dilation: 1, groups: 1, activation: "none", ...given,
  };
  const taps = one.filters * (one.channels / one.groups) * count(one.taps);
  return {
    x: pattern(one.channels * count(one.size), ...INPUT, 3),
    w: pattern(taps, ...KERNEL, 5),
    bias: pattern(one.filters, -1, 1, 11),
    ...one,
  };
}

const EDGES = [
  [1, 0, -1, 1, 0, -1, 1, 0, -1], [0, 1, 0, 0, 1, 0, 0, 1, 0], [-1, 0, 1, 0, 0, 0, 1, 0, -1],
  [1, 1, 1, 0, 0, 0, -1, -1, -1], [0, 0, 0, 0, 1, 0, 0, 0, 0], [0, 1, 0, 1, -1, 1, 0, 1, 0],
];

// Six filters, every slice another of six small patterns.
const slices = (filters, channels) => Array.from({ length: filters * channels }, (_, i) => (
  EDGES[(Math.floor(i / channels) + (i % channels) * 2) % EDGES.length])).flat();

const PATCH = [
  9, 9, 9, 2, 2, 2, 9, 9, 8, 2, 1, 2, 9, 8, 2, 2, 1, 1, 8, 2, 2, 1, 7, 7, 2, 2, 1, 7, 8, 8,
  7, 7, 6, 4, 5, 6, 7, 6, 5, 5, 6, 6, 6, 5, 4, 6, 6, 5, 5, 4, 6, 5, 3, 2, 4, 6, 6, 3, 2, 2,
  1, 1, 2, 8, 9, 9, 1, 2, 2, 9, 9, 8, 2, 2, 8, 9, 8, 9, 2, 8, 9, 8, 3, 2, 8, 9, 9, 3, 2, 1,
];

export const PRESETS = {
  layer: layer({
    filters: 6, size: [5, 5], taps: [3, 3], padding: 1, activation: "relu", w: slices(6, 3), bias: [1, 0, -1, 2, 0, 1],
  }),
  grey: layer({
    filters: 2, size: [5, 6], taps: [1, 1], x: PATCH, w: [0.3, 0.6, 0.1, 1, -1, 0], bias: [0, 0],
  }),
  depthwise: layer({ filters: 3, groups: 3, size: [5, 6], taps: [3, 3], padding: 1, bias: [0, 0, 0], w: EDGES.slice(0, 3).flat() }),
  dilated: layer({ channels: 2, size: [7, 8], taps: [3, 3], dilation: 2, filters: 2, w: slices(2, 2) }),
  strided: layer({ channels: 2, size: [7, 6], taps: [3, 3], stride: 2, padding: 1, filters: 2, w: slices(2, 2) }),
  signal: layer({
    channels: 2, size: [12], taps: [3], filters: 2, padding: 1, w: [1, 0, -1, 1, 2, 1, 1, 1, 1, -1, 2, -1], bias: [0, 1],
  }),
  volume: layer({
    channels: 2, size: [4, 5, 6], taps: [3, 3, 3], filters: 4, activation: "relu", w: pattern(216, ...KERNEL, 8), bias: [1, 0, 4, 1],
  }),
};

// What each rank begins with.
export const FIRST = { 1: "signal", 2: "layer", 3: "volume" };

// Numbers kept where the old and the new array overlap, new ones from the sequence elsewhere.
export function refit(values, before, after, kind) {
  const fresh = pattern(count(after), ...(kind === "w" ? KERNEL : INPUT), kind === "w" ? 5 : 3);
  if (before.length !== after.length) return fresh;
  return fresh.map((value, index) => {
    const place = [];
    let rest = index;
    for (let axis = after.length - 1; axis >= 0; axis -= 1) {
      place.unshift(rest % after[axis]);
      rest = Math.floor(rest / after[axis]);
    }
    const inside = place.every((p, axis) => p < before[axis]);
    return inside ? values[place.reduce((sum, p, axis) => sum * before[axis] + p, 0)] : value;
  });
}
