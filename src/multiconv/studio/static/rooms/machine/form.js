// The problem as a form. Each field changes the canonical string; the engine does the arithmetic.

import { choice, select } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { stepper } from "../../core/stepper.js";

export const KINDS = {
  signal: "mb1 ic1 oc1 in48000 k1001 p500:500 flip float32",
  image: "mb1 ic1 oc1 in512x512 k15x15 p7:7 flip float32",
  volume: "mb1 ic1 oc1 in64x64x64 k5x5x5 p2:2 flip float32",
  layer: "mb1 ic64 oc64 in56x56 k3x3 p1:1 float32",
};
const DTYPES = ["float32", "float64", "float16", "bfloat16", "int32", "int16", "int8", "uint8", "complex64", "complex128"];
const COUNTS = { stride: 64, dilation: 64, batch: 4096, channels: 4096, filters: 4096, groups: 4096 };

function text({ label, value, oninput }) {
  const input = h("input", { type: "text", class: "number", value, onchange: () => oninput(input.value) });
  const set = (next) => { input.value = next; };
  return { element: h("label", { class: "field" }, h("span", { class: "label" }, label), input), set };
}

export class Form {
  // onkind(name), onkernel(kind), onchange({field: value})
  constructor({ t, onkind, onkernel, onchange }) {
    const options = (names, prefix) => names.map((name) => [name, t(`${prefix} ${name}`)]);
    const field = (name) => (value) => onchange({ [name]: value });
    this.kind = choice({ label: t("kind"), options: options(Object.keys(KINDS), "kind"), value: "image", oninput: onkind });
    this.fields = {
      size: text({ label: t("size"), value: "", oninput: field("size") }),
      taps: text({ label: t("taps"), value: "", oninput: field("taps") }),
      mode: select({
        label: t("mode"), options: options(["valid", "same", "full", "other"], "mode"), value: "same",
        oninput: (mode) => mode !== "other" && onchange({ mode }),
      }),
      dtype: select({
        label: "dtype", options: [...DTYPES.map((d) => [d, d]), ["mixed", t("mixed")]], value: "float32",
        oninput: (dtype) => dtype !== "mixed" && onchange({ dtype }),
      }),
      precision: select({
        label: "precision", options: ["highest", "default", "fast"].map((p) => [p, p]), value: "default",
        oninput: field("precision"),
      }),
    };
    for (const [name, max] of Object.entries(COUNTS)) {
      this.fields[name] = stepper({ label: t(name), min: 1, max, value: 1, oninput: field(name) });
    }
    this.kernel = select({
      label: t("values"), options: options(["random", "gaussian", "box"], "values"), value: "random", oninput: onkernel,
    });
    const { fields } = this;
    const steppers = (...names) => h("div", { class: "steppers" }, names.map((name) => fields[name].element));
    this.layer = steppers("batch", "channels", "filters", "groups");
    this.element = h("aside", { class: "panel card machine-panel" }, this.kind.element,
      h("div", { class: "pair" }, fields.size.element, fields.taps.element), this.kernel.element, this.layer,
      steppers("stride", "dilation"), fields.mode.element, h("div", { class: "pair" }, fields.dtype.element, fields.precision.element));
  }

  show(form, kernel) {
    this.kind.set(form.kind);
    this.kernel.set(kernel);
    for (const [name, control] of Object.entries(this.fields)) control.set(form[name]);
    this.layer.hidden = form.kind !== "layer";
    this.kernel.element.hidden = form.kind === "layer";
  }
}
