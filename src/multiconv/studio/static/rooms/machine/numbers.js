// What dtypes do to numbers: one small convolution in each, beside the exact one.

import { select } from "../../core/controls.js";
import { h } from "../../core/element.js";

export const SCENES = {
  bright: { x: [180, 200, 220, 240, 250], h: [1, 1, 1] },
  steps: { x: [100, -100, 100, -100, 90], h: [1, -1] },
  addends: { x: [2048, 1, 0, 0, 3000, 3], h: [1, 1] },
  large: { x: [40000, 30000, 20000, 10000], h: [1, 1] },
  long: { x: [2000000000, 1500000000, 7], h: [1, 1] },
};

const minus = (text) => text.replace("-", "−");

// A list of whole numbers, typed with commas or spaces between them.
function list({ label, tone, oninput }) {
  const input = h("input", { type: "text", class: `${tone} number`, "aria-label": label, oninput: () => {
    const words = input.value.replaceAll("−", "-").split(/[\s,;]+/).filter(Boolean);
    oninput(words.map(Number));
  } });
  const set = (values) => { if (document.activeElement !== input) input.value = values.join(", "); };
  return { element: h("label", { class: "list-field" }, h("span", { class: tone }, label), input), set };
}

export class Numbers {
  constructor({ t, onscene, onchange }) {
    this.t = t;
    this.scene = select({
      label: t("scene"), options: ["", ...Object.keys(SCENES)].map((name) => [name, t(`scene ${name}`)]), value: "",
      oninput: (name) => name && onscene(name),
    });
    this.x = list({ label: "x", tone: "in", oninput: (x) => onchange({ x }) });
    this.h = list({ label: "h", tone: "kernel", oninput: (values) => onchange({ h: values }) });
    this.table = h("table", { class: "dtypes" });
    this.element = h("div", {},
      h("div", { class: "dtype-inputs" }, this.scene.element, this.x.element, this.h.element),
      h("div", { class: "contest-frame" }, this.table), h("p", { class: "soft remark" }, t("precision remark")));
  }

  showInputs({ scene, x, h: taps }) {
    this.scene.set(scene);
    this.x.set(x);
    this.h.set(taps);
  }

  show({ exact, rows }) {
    const { t } = this;
    const cells = (values) => values.map(({ text, wrong }) => h("td", { class: wrong ? "wrong" : "right" }, minus(text),
      wrong ? h("span", { class: "sr" }, t("wrong")) : null));
    const head = (name, note) => h("th", { scope: "row" }, h("code", {}, name), note ? h("span", { class: "soft" }, note) : null);
    const body = rows.flatMap(({ dtype, wide, misfit, plain, asked }) => {
      const note = t(`holds ${dtype}`);
      if (misfit) {
        const words = t("misfit", { number: minus(misfit), dtype });
        return [h("tr", { class: "first" }, head(dtype, note), h("td", { class: "soft misfit", colspan: exact.length }, words))];
      }
      const first = h("tr", { class: "first" }, head(dtype, note), cells(plain));
      if (!plain.some((cell) => cell.wrong)) return [first];
      return [first, h("tr", {}, head(`dtype="${wide}"`), cells(asked))];
    });
    this.table.replaceChildren(h("tbody", {},
      h("tr", { class: "exact" }, h("th", { scope: "row" }, t("exact")), exact.map((text) => h("td", {}, minus(text)))), body));
  }
}
