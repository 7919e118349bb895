// The picture: channels, slices, partial images, their sum, the activation, from left to right; on
// narrow pages the sum stands under the partial images, as in a column of numbers to be added.

import { h, svg } from "../../core/element.js";
import { InputCells, OutputCells } from "./cells.js";
import { under } from "./geometry.js";

const LARGEST_CELL = 34;
const SMALLEST_CELL = 16;
const LEAST_WIDE = 21;
const SIGN = 28;
const NARROW_SIGN = 20;
const JOIN = 96;
const PLUS = 58;
const LABEL = 20;
const GAP = 16;

function measure(g, width, activated) {
  const padded = [1, 2].map((axis) => g.size[axis] + 2 * g.padding[axis]);
  const line = padded[1] + g.taps[2] + g.out[2];
  const wide = Math.floor((width - 2 * SIGN - JOIN - (activated ? 2 * SIGN : 0)) / (line + g.out[2] * (activated ? 2 : 1)));
  const isWide = wide >= LEAST_WIDE;
  const cell = isWide ? wide : Math.floor((width - 2 * NARROW_SIGN) / line);
  return {
    padded, isWide,
    cell: Math.max(SMALLEST_CELL, Math.min(LARGEST_CELL, cell)),
    tall: Math.max(padded[0], g.taps[1], g.out[1]),
  };
}

export class Flow {
  // onedit(kind, index, value): kind is "x", "w" or "bias"; onlight(row, column); onchoose(row, column)
  constructor({ t, onedit, onlight, onchoose }) {
    Object.assign(this, { t, onedit, onlight, onchoose });
    this.element = h("div", { class: "flow" });
  }

  // Draw anew where the shapes have changed, else only the numbers.
  draw(state, answer, g, width) {
    Object.assign(this, { state, answer, g });
    const { stride, padding, dilation, groups, activation, filter, plane, tap, size, taps, channels } = state;
    const key = JSON.stringify([stride, padding, dilation, groups, activation, filter, plane, tap, size, taps, channels, width]);
    if (key !== this.key) {
      this.key = key;
      this.build(measure(g, width, activation !== "none"));
    }
    this.fill();
  }

  build(m) {
    const { state, g, t } = this;
    this.m = m;
    this.first = this.answer.values.first;
    this.inputs = Array.from({ length: state.channels }, (_, c) => this.inputCells(c));
    this.slices = Array.from({ length: g.seen }, (_, i) => this.sliceCells(i));
    this.partials = Array.from({ length: g.seen }, (_, i) => this.outputs(t("partial of", { channel: this.first + i + 1 }), "partial"));
    this.sum = this.outputs(t("sum"), "out", (i) => this.place(i));
    this.active = state.activation === "none" ? null : this.outputs(t(state.activation), "out");
    this.bias = new InputCells({
      label: t("bias"), rows: 1, columns: 1, tone: "kernel", cell: Math.max(m.cell, 32),
      names: () => t("bias"), onedit: (_, value) => this.onedit("bias", state.filter, value),
    });
    this.element.classList.toggle("wide", m.isWide);
    this.element.style.setProperty("--row", `${m.tall * m.cell + LABEL}px`);
    this.element.style.setProperty("--label", `${LABEL}px`);
    this.element.replaceChildren(...this.heads(), ...this.inputs.flatMap((_, c) => this.line(c)), ...this.total());
  }

  place(i) {
    const { t, g } = this;
    return t("place", { row: Math.floor(i / g.out[2]) + 1, column: (i % g.out[2]) + 1 });
  }

  // Where the samples of an input cell lie in its channel, or -1 in the padding.
  sample(i) {
    const { g, m, state } = this;
    const depth = under(g, 0, state.plane, state.tap);
    const row = Math.floor(i / m.padded[1]) - g.padding[1];
    const column = (i % m.padded[1]) - g.padding[2];
    const inside = [depth, row, column].every((at, axis) => at >= 0 && at < g.size[axis]);
    return inside ? (depth * g.size[1] + row) * g.size[2] + column : -1;
  }

  inputCells(c) {
    const { t, g, m } = this;
    return new InputCells({
      label: t("channel", { number: c + 1 }), rows: m.padded[0], columns: m.padded[1], tone: "in", cell: m.cell,
      open: (i) => this.sample(i) >= 0,
      names: (i) => `${t("channel", { number: c + 1 })}, ${t("place", {
        row: Math.floor(i / m.padded[1]) - g.padding[1] + 1, column: (i % m.padded[1]) - g.padding[2] + 1 })}`,
      onedit: (i, value) => this.onedit("x", c * g.channelSize + this.sample(i), value),
    });
  }

  sliceCells(i) {
    const { t, g, m } = this;
    return new InputCells({
      label: t("slice of", { channel: this.first + i + 1 }), rows: g.taps[1], columns: g.taps[2], tone: "kernel", cell: m.cell,
      names: (k) => `${t("slice of", { channel: this.first + i + 1 })}, ${t("place", {
        row: Math.floor(k / g.taps[2]) + 1, column: (k % g.taps[2]) + 1 })}`,
      onedit: (k, value) => this.onedit("w", this.slice(i) + k, value),
    });
  }

  // Where a slice's shown plane begins in the whole kernel.
  slice(i) {
    const { g, state } = this;
    return (state.filter * g.seen + i) * g.sliceSize + state.tap * g.taps[1] * g.taps[2];
  }

  outputs(label, tone, names) {
    const { g, m } = this;
    const at = (i) => (i === null ? [null] : [Math.floor(i / g.out[2]), i % g.out[2]]);
    return new OutputCells({
      label, names, rows: g.out[1], columns: g.out[2], tone, cell: m.cell,
      onlight: (i) => this.onlight(...at(i)),
      onchoose: (i) => this.onchoose(...at(i)),
    });
  }

  heads() {
    const { t, state, m } = this;
    const head = (words, tone, column) => h("h3", { class: tone, style: `grid-column:${column}` }, h("span", {}, words));
    const heads = [
      head(t("input"), "in", 1), head(t("kernel of", { number: state.filter + 1 }), "kernel", 3),
      head(t("partials"), "out", 5),
    ];
    if (!m.isWide) return heads;
    heads.push(head(t("sum"), "out", 7));
    if (this.active) heads.push(head(t(state.activation), "out", 9));
    return heads;
  }

  line(c) {
    const { t } = this;
    const i = c - this.first;
    const seen = i >= 0 && i < this.g.seen;
    const box = (column, ...children) => h("div", { class: "place", style: `grid-row:${c + 2};grid-column:${column}` }, children);
    const name = h("span", { class: "name" }, t("channel", { number: c + 1 }));
    if (!seen) {
      const first = box("1", name, this.inputs[c].element);
      first.classList.add("unseen");
      return [first, h("p", { class: "place soft unseen-words", style: `grid-row:${c + 2};grid-column:3 / span 3` }, t("unseen"))];
    }
    return [
      box(1, name, this.inputs[c].element), box(2, h("span", { class: "sign" }, "∗")),
      box(3, this.slices[i].element), box(4, h("span", { class: "sign" }, "=")), box(5, this.partials[i].element),
    ];
  }

  total() {
    const { t, state, m } = this;
    const bias = h("div", { class: "bias" }, h("span", { class: "kernel" }, t("bias")), this.bias.element);
    if (m.isWide) {
      const rows = `grid-row:2 / span ${state.channels}`;
      return [
        h("div", { class: "join", style: `${rows};grid-column:6` }, this.curves(), bias),
        h("div", { class: "place", style: `${rows};grid-column:7` }, this.sum.element),
        this.active && h("div", { class: "place", style: `${rows};grid-column:8` }, h("span", { class: "sign" }, "→")),
        this.active && h("div", { class: "place", style: `${rows};grid-column:9` }, this.active.element),
      ].filter(Boolean);
    }
    const label = (...words) => h("div", { class: "total", style: "grid-column:1 / span 4" }, words);
    const cells = (grid) => h("div", { style: "grid-column:5" }, grid.element);
    return [
      h("hr", { style: "grid-column:5" }), label("+ ", bias, " ="), cells(this.sum),
      ...(this.active ? [label(`${t(state.activation)} →`), cells(this.active)] : []),
    ];
  }

  // Lines from each partial image into the sum.
  curves() {
    const { state, m, g } = this;
    const row = m.tall * m.cell + LABEL;
    const height = state.channels * row + (state.channels - 1) * GAP;
    const middle = (height + LABEL) / 2;
    const paths = Array.from({ length: g.seen }, (_, i) => {
      const y = (this.first + i) * (row + GAP) + (row + LABEL) / 2;
      return svg("path", { d: `M6 ${y}C48 ${y} 16 ${middle} ${PLUS} ${middle}` });
    });
    return svg("svg", { width: JOIN, height, "aria-hidden": "true" }, ...paths,
      svg("path", { d: `M${PLUS} ${middle}H${JOIN - 6}` }), svg("circle", { cx: PLUS, cy: middle, r: 13 }),
      svg("text", { x: PLUS, y: middle + 6 }, "+"));
  }

  fill() {
    const { state, answer, g } = this;
    const largest = (values) => Math.max(...Array.from(values, Math.abs), 1e-300);
    const [topX, topW] = [largest(state.x), largest(state.w)];
    this.inputs.forEach((cells, c) => cells.set(cells.places.map((_, i) => (
      this.sample(i) < 0 ? 0 : state.x[c * g.channelSize + this.sample(i)])), topX));
    this.slices.forEach((cells, i) => cells.set(state.w.slice(this.slice(i), this.slice(i) + g.taps[1] * g.taps[2]), topW));
    const { partial, sums, result } = answer.arrays;
    const shown = ({ data }, i) => {
      const start = i * g.outCount + state.plane * g.out[1] * g.out[2];
      return [...data.subarray(start, start + g.out[1] * g.out[2])];
    };
    const top = largest([...partial.data, ...sums.data]);
    this.partials.forEach((cells, i) => cells.set(shown(partial, i), top));
    this.sum.set(shown(sums, state.filter), top);
    this.active?.set(shown(result, state.filter), largest(result.data));
    this.bias.set([state.bias[state.filter]], 4);
  }

  // Show which numbers make up one output.
  light(row, column) {
    const { g, m } = this;
    const window = [];
    for (let y = 0; y < g.taps[1]; y += 1) {
      for (let x = 0; x < g.taps[2]; x += 1) {
        window.push((row * g.stride[1] + y * g.dilation[1]) * m.padded[1] + column * g.stride[2] + x * g.dilation[2]);
      }
    }
    this.inputs.forEach((cells, c) => cells.light(c >= this.first && c < this.first + g.seen ? window : []));
    this.slices.forEach((cells) => cells.light(cells.places.map((_, i) => i)));
    [...this.partials, this.sum, this.active].forEach((cells) => cells?.light([row * g.out[2] + column]));
  }
}
