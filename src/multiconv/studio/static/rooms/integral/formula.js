// The formula of what is on the screen, in the colours of what it speaks of.

import { h } from "../../core/element.js";
import { fixed } from "./numbers.js";

const f = (argument) => h("span", { class: "in" }, h("i", {}, "f"), ` (${argument})`);
const g = (argument) => h("span", { class: "kernel" }, h("i", {}, "g"), ` (${argument})`);

export function formula(t) {
  const rule = h("span", { class: "rule" });
  const value = h("output", { class: "number out", "aria-label": t("value"), "aria-live": "off" });
  const element = h("p", { class: "formula" }, rule, h("span", { class: "equal" }, "= ", value));
  let shown = "";

  function show(now, swapped) {
    value.textContent = fixed(now.value, 4);
    const kind = `${Boolean(now.bars)} ${swapped}`;
    if (kind === shown) return;
    shown = kind;
    const [still, moving, names] = swapped ? [g, f, ["g", "f"]] : [f, g, ["f", "g"]];
    const result = h("span", { class: "out" }, "(", h("i", {}, names[0]), " ∗ ", h("i", {}, names[1]), ")(t)");
    const right = now.bars
      ? [" ≈ ", h("i", {}, "h"), " ", h("span", { class: "big" }, "∑"), h("sub", {}, "m"), " ", still("τₘ"), " ", moving("t − τₘ")]
      : [" = ", h("span", { class: "big" }, "∫"), " ", still("τ"), " ", moving("t − τ"), " dτ"];
    rule.replaceChildren(result, ...right);
  }
  return { element, show };
}
