// Pairs of sequences that show something.

export const PRESETS = {
  "ones": { f: [1, 2, 3], g: [1, 1] },
  "average": { f: [4, 8, 6, 2, 10, 6, 8, 4], g: [0.25, 0.25, 0.25, 0.25], mode: "valid" },
  "difference": { f: [0, 1, 4, 9, 16, 25, 36], g: [1, -1], mode: "valid" },
  "binomials": { f: [1, 3, 3, 1], g: [1, 1] },
  "dice": { f: [1, 1, 1, 1, 1, 1], g: [1, 1, 1, 1, 1, 1] },
  "digits": { f: [1, 2], g: [1, 3] },
  "carry": { f: [2, 7], g: [4, 5] },
};
