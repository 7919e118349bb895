// One pixel: the products that it is the sum of, or what a sample adds to the results around it.

import { choice, short } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { Matrix } from "./matrix.js";

export class PixelTab {
  constructor(context) {
    const { t, state } = context;
    this.context = context;
    const onpoint = (i) => this.point(i);
    this.window = new Matrix({ label: t("window"), tone: "in", onpoint });
    this.value = h("span", { class: "single in number" });
    this.single = h("figure", { class: "matrix in" }, h("figcaption", {}, t("sample")), h("div", { class: "square" }, this.value));
    this.weights = new Matrix({ label: t("weights"), tone: "kernel", signed: true, onpoint });
    this.products = new Matrix({ label: t("products"), tone: "out", signed: true, onpoint });
    this.total = h("p", { class: "total number", "aria-live": "polite" });
    this.words = h("p", { class: "soft" });
    this.channels = choice({
      label: t("channel"), value: String(state.channel),
      options: ["red", "green", "blue"].map((name, i) => [String(i), t(name)]),
      oninput: (channel) => {
        context.set({ channel: Number(channel) });
        this.onchannel();
      },
    });
    this.first = h("div", { class: "first" });
    this.element = h("div", { class: "pixel" },
      this.first, sign("×"), this.weights.element, sign("="), this.products.element,
      h("div", { class: "answer" }, this.total, this.words, this.channels.element));
    this.onchannel = () => {};
  }

  // view: how the result is shown; coloured: whether of three channels.
  show({ values, arrays }, { view, coloured }) {
    const { window, weights, products, inside } = arrays;
    const out = this.context.state.side === "out";
    Object.assign(this, { values, arrays, view });
    this.first.replaceChildren(out ? this.window.element : this.single);
    this.window.show(window, inside.data, 255);
    this.value.textContent = values.value;
    this.weights.show(weights, null, largest(weights.data));
    this.products.show(products, out ? null : inside.data, largest(products.data));
    this.weights.caption.textContent = this.context.t(out ? "weights" : "kernel");
    this.products.caption.textContent = this.context.t(out ? "products" : "added");
    this.channels.element.hidden = !coloured;
    this.point(null);
  }

  // With nothing pointed at: the sum.
  point(i) {
    const { t, state } = this.context;
    const out = state.side === "out";
    [this.window, this.weights, this.products].forEach((matrix) => matrix.point(i));
    const { window, weights, products } = this.arrays;
    if (i !== null) {
      this.total.replaceChildren(h("span", { class: "in" }, short(window.data[i], 6)), " × ",
        h("span", { class: "kernel" }, short(weights.data[i], 6)), " = ", h("span", { class: "out" }, short(products.data[i], 6)));
      this.words.textContent = t(out ? "one product" : "one addition");
      return;
    }
    this.total.replaceChildren(out ? "Σ = " : `${t("sample")} `,
      h("span", { class: out ? "out" : "in" }, short(out ? this.values.total : this.values.value, 7)));
    this.words.textContent = out ? this.shown() : this.reached();
  }

  // What becomes of the sum on screen.
  shown() {
    const { t } = this.context;
    const { total } = this.values;
    const count = this.arrays.products.data.length;
    if (this.view === "signed") return t("sum of", { count });
    const value = Math.min(255, Math.max(0, Math.round(total)));
    return t(total < -0.5 || total > 255.5 ? "sum clipped" : "sum shown", { count, value });
  }

  // Near the border a sample may also stand for some that lie beyond it.
  reached() {
    const { t } = this.context;
    const { inside, weights, products } = this.arrays;
    const count = inside.data.reduce((a, b) => a + b, 0);
    const again = products.data.some((product, i) => (
      inside.data[i] && Math.abs(product - this.values.value * weights.data[i]) > 1e-6 * (1 + Math.abs(product))));
    return t("goes to", { count }) + (again ? ` ${t("used again")}` : "");
  }
}

const sign = (text) => h("span", { class: "sign", "aria-hidden": "true" }, text);

const largest = (data) => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
