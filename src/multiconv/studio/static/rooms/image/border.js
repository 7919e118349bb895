// Beyond the border: the picture continued in every way, one of which is chosen.

import { h } from "../../core/element.js";
import { drawGrey } from "../../core/picture.js";

// How a b c d goes on, and every library's word; "" where it has none.
const WORDS = {
  constant: ["0 0|a b c d|0 0", { SciPy: "constant", PyTorch: "zeros", Keras: "constant", OpenCV: "CONSTANT" }],
  edge: ["a a|a b c d|d d", { SciPy: "nearest", PyTorch: "replicate", Keras: "", OpenCV: "REPLICATE" }],
  symmetric: ["b a|a b c d|d c", { SciPy: "reflect", PyTorch: "", Keras: "symmetric", OpenCV: "REFLECT" }],
  reflect: ["c b|a b c d|c b", { SciPy: "mirror", PyTorch: "reflect", Keras: "reflect", OpenCV: "REFLECT_101" }],
  wrap: ["c d|a b c d|a b", { SciPy: "wrap", PyTorch: "circular", Keras: "", OpenCV: "WRAP" }],
};

export class BorderTab {
  constructor(context, onchange) {
    const { t, state, set } = context;
    this.cards = Object.entries(WORDS).map(([mode, [letters, words]]) => {
      const canvas = h("canvas", { class: "picture" });
      const [reach, edge] = [h("span", { class: "reach" }), h("span", { class: "edge" })];
      const input = h("input", { type: "radio", name: "boundary", value: mode, checked: state.boundary === mode, onchange: () => {
        set({ boundary: mode });
        onchange();
      } });
      const [before, inside, after] = letters.split("|");
      const element = h("label", { class: "mode" }, input,
        h("span", { class: "painted" }, canvas, reach, edge),
        h("strong", { class: "number" }, mode),
        h("span", { class: "letters number" }, h("span", { class: "kernel" }, before), h("span", { class: "in" }, inside), h("span", { class: "kernel" }, after)),
        h("span", { class: "words" }, ["NumPy", "SciPy", "PyTorch", "Keras", "OpenCV"].flatMap((library) => [
          h("span", { class: "soft" }, library), h("span", { class: "number" }, library === "NumPy" ? mode : words[library] || "–")])));
      return { mode, canvas, reach, edge, element };
    });
    this.element = h("div", {}, h("p", { class: "soft", id: "border-words" }, t("border words")),
      h("div", { class: "modes", role: "radiogroup", "aria-label": t("boundary") }, this.cards.map((card) => card.element)));
  }

  show({ values: { margin, size, reach }, arrays }) {
    for (const card of this.cards) {
      const { data, shape } = arrays[card.mode];
      drawGrey(card.canvas, { data, shape }, 0, 255);
      box(card.edge, shape, margin, margin, size);
      box(card.reach, shape, margin - reach[0], margin - reach[1], size.map((n, i) => n + 2 * reach[i]));
    }
  }
}

function box(element, [rows, columns], top, left, [height, width]) {
  const percent = (part, whole) => `${(100 * part) / whole}%`;
  Object.assign(element.style, {
    top: percent(top, rows), left: percent(left, columns), height: percent(height, rows), width: percent(width, columns),
  });
}
