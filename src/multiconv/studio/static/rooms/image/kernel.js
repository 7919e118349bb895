// The kernel: a preset with its sliders, or numbers of one's own.

import { button, choice, select, short, slider } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { ColourCells } from "./colour-cells.js";
import { NumberCells } from "./number-cells.js";

const MOST_NUMBERS = 7; // a side; larger kernels are colours
const OWN_SIZE = [3, 31, 2];

export class KernelEditor {
  // onchange(): another kernel is asked for. `show` is told the kernel that an answer used.
  constructor({ context, presets, onchange }) {
    Object.assign(this, { context, presets, onchange });
    const { t, state } = context;
    this.names = select({
      label: t("kernel"), value: state.preset,
      options: [...Object.keys(presets), "own"].map((name) => [name, t(`preset ${name}`)]),
      oninput: (name) => this.choose(name),
    });
    const cells = { label: t("taps"), onedit: (i, value) => this.edit(i, value) };
    this.numbers = new NumberCells(cells);
    this.colours = new ColourCells({ ...cells, t });
    this.grid = h("div", { class: "grid" });
    this.sliders = h("div", { class: "sliders" });
    this.operation = choice({
      label: t("operation"), value: state.operation,
      options: ["convolve", "correlate"].map((name) => [name, t(name)]),
      oninput: (operation) => this.change({ operation }),
    });
    this.sum = h("span", { class: "number" });
    this.level = button(t("normalise"), () => this.scale(), { label: t("normalise words") });
    this.element = h("div", { class: "editor" }, this.grid, this.sliders,
      h("div", { class: "row sum" }, h("span", { class: "soft" }, t("sum"), " ", this.sum), this.level),
      this.operation.element);
    this.arrange();
  }

  // Arrays of a question: a preset needs none.
  get arrays() {
    const { preset, taps, columns } = this.context.state;
    if (preset !== "own") return {};
    const numbers = taps.split("_").map(Number);
    const shape = [Math.ceil(numbers.length / (columns || 1)), columns];
    const data = new Float64Array(shape[0] * shape[1]);
    data.set(numbers);
    return { kernel: { data, shape } };
  }

  change(patch) {
    this.context.set(patch);
    this.onchange();
  }

  choose(name) {
    if (name === "own") {
      this.own(this.kernel.data, this.kernel.shape);
      return;
    }
    const patch = { preset: name };
    for (const [key, [low, high]] of Object.entries(this.presets[name].sliders)) {
      patch[key] = Math.min(high, Math.max(low, this.context.state[key]));
    }
    if (this.context.state.view !== "grey") patch.view = "auto";
    this.change(patch);
    this.arrange();
  }

  // How the result is shown: where its values have both signs, as such, unless the user chose.
  get view() {
    const { view, preset } = this.context.state;
    if (view !== "auto") return view;
    return this.presets[preset]?.signed ? "signed" : "photo";
  }

  // Numbers of the user's, six digits each: they go into the address.
  own(data, shape) {
    const taps = Array.from(data, (value) => Number(value.toPrecision(6)));
    this.kernel = { data: Float64Array.from(taps), shape };
    this.change({ preset: "own", columns: shape[1], taps: taps.join("_"), view: this.view });
    this.names.set("own");
    this.arrange();
  }

  edit(i, value) {
    const data = Float64Array.from(this.kernel.data);
    data[i] = value;
    this.own(data, this.kernel.shape);
  }

  scale() {
    const total = this.kernel.data.reduce((a, b) => a + b, 0);
    this.own(this.kernel.data.map((value) => value / total), this.kernel.shape);
  }

  resize(size) {
    const [rows, columns] = this.kernel.shape;
    const down = (size - rows) / 2;
    const across = (size - columns) / 2;
    const data = new Float64Array(size * size);
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        const inside = y >= down && x >= across && y - down < rows && x - across < columns;
        if (inside) data[y * size + x] = this.kernel.data[(y - down) * columns + x - across];
      }
    }
    this.own(data, [size, size]);
  }

  // The sliders that the kernel has, once for each: one that is dragged must stay.
  arrange() {
    const { state } = this.context;
    if (this.arranged === state.preset) return;
    this.arranged = state.preset;
    const own = { size: OWN_SIZE };
    const ranges = Object.entries(this.presets[state.preset]?.sliders ?? own);
    this.sliders.replaceChildren(...ranges.map(([name, range]) => this.slider(name, range)));
  }

  slider(name, [min, max, step]) {
    const { t, state } = this.context;
    const own = state.preset === "own";
    return slider({
      label: t(name), min, max, step, value: own ? state.columns : state[name],
      format: (value) => (name === "angle" ? `${value}°` : String(value)),
      oninput: (value) => (own ? this.resize(value) : this.change({ [name]: value })),
    }).element;
  }

  show(kernel) {
    const { t } = this.context;
    const kept = this.kernel && this.grid.matches(":focus-within");
    kernel = this.arrays.kernel ?? kernel; // a stroke runs ahead of the answers
    this.kernel = kernel;
    const small = Math.max(...kernel.shape) <= MOST_NUMBERS;
    const cells = small ? this.numbers : this.colours;
    cells.show(kernel, (row, column) => t("tap", { row: row + 1, column: column + 1 }));
    if (!kept || !this.grid.contains(cells.element)) {
      this.grid.replaceChildren(h("div", { class: "square" }, cells.element), ...(small ? [] : [this.colours.controls]));
    }
    const total = kernel.data.reduce((a, b) => a + b, 0);
    const sums = kernel.data.reduce((a, b) => a + Math.abs(b), 0);
    const zero = Math.abs(total) < 1e-9 * sums || sums === 0;
    this.sum.textContent = zero ? "0" : short(total, 4);
    this.level.disabled = zero || Math.abs(total - 1) < 1e-9;
  }
}
