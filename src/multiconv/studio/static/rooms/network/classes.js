// How likely each class is; each can be chosen.

import { h } from "../../core/element.js";

export function percent(part) {
  return `${(100 * part).toFixed(1)} %`;
}

export class Classes {
  constructor({ label, choose }) {
    this.rows = Array.from({ length: 10 }, (_, i) => {
      const fill = h("span", { class: "fill" });
      const share = h("span", { class: "number" });
      const button = h("button", { type: "button", class: "class", onclick: () => choose(i) },
        h("b", {}, String(i)), h("span", { class: "track" }, fill), share);
      return { button, fill, share };
    });
    this.element = h("div", { class: "classes", role: "group", "aria-label": label }, this.rows.map((r) => r.button));
  }

  draw(shares, chosen) {
    const best = shares.indexOf(Math.max(...shares));
    this.rows.forEach(({ button, fill, share }, i) => {
      fill.style.transform = `scaleX(${shares[i]})`;
      share.textContent = percent(shares[i]);
      button.setAttribute("aria-pressed", i === chosen);
      button.setAttribute("aria-label", `${i}: ${percent(shares[i])}`);
      button.classList.toggle("best", i === best);
    });
  }
}
