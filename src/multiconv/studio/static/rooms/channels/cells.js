// Small grids of numbers: shaded by size, lit where the layer looks.

import { short } from "../../core/controls.js";
import { h } from "../../core/element.js";

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const LONGEST = 4;

function shade(element, value, largest) {
  element.style.setProperty("--share", `${Math.round(8 + (40 * Math.abs(value)) / (largest || 1))}%`);
}

// As many digits as there is room for.
function words(value) {
  const tries = [3, 2, 1].map((digits) => short(value, digits));
  return tries.find((text) => text.length <= LONGEST) ?? tries[2];
}

class Cells {
  constructor({ label, rows, columns, tone, cell, role }) {
    Object.assign(this, { rows, columns, cell });
    this.element = h("div", { class: `cells ${tone}`, role, "aria-label": label });
    this.element.style.gridTemplateColumns = `repeat(${columns}, ${cell}px)`;
    this.element.style.setProperty("--cell", `${cell}px`);
    this.places = [];
  }

  // Digits as large as the longest number allows.
  fit(texts) {
    const longest = Math.max(1, ...texts.map((text) => text.length));
    this.element.style.fontSize = `${Math.max(8, Math.min(14, (this.cell - 3) / (0.61 * longest)))}px`;
  }

  light(indices) {
    const lit = new Set(indices);
    this.places.forEach((place, i) => place.classList.toggle("lit", lit.has(i)));
  }

  step(event, index) {
    const move = ARROWS[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return null;
    const row = Math.floor(index / this.columns) + move[0];
    const column = (index % this.columns) + move[1];
    if (row < 0 || row >= this.rows || column < 0 || column >= this.columns) return null;
    event.preventDefault();
    return row * this.columns + column;
  }
}

// Numbers to type. `open(i)` tells which places are data; the others are padding and stay zero.
export class InputCells extends Cells {
  constructor({ open = () => true, onedit, ...given }) {
    super({ ...given, role: "group" });
    this.open = open;
    this.numbers = [];
    for (let i = 0; i < this.rows * this.columns; i += 1) {
      this.places.push(open(i) ? this.field(i, given.names(i), onedit) : h("span", { class: "outside", "aria-hidden": "true" }, "0"));
    }
    this.element.append(...this.places);
  }

  field(i, name, onedit) {
    return h("input", {
      type: "text", inputmode: "text", "aria-label": name,
      oninput: (event) => {
        const text = event.target.value.replace(",", ".").replace("−", "-").trim();
        const value = Number(text);
        if (text === "" || !Number.isFinite(value)) return;
        this.numbers[i] = value;
        onedit(i, value);
      },
      onblur: (event) => { event.target.value = words(this.numbers[i]); },
      onfocus: (event) => event.target.select(),
      onkeydown: (event) => {
        const next = this.step(event, i);
        if (next !== null && this.open(next)) this.places[next].focus();
      },
    });
  }

  set(numbers, largest) {
    this.numbers = [...numbers];
    this.fit(numbers.map(words));
    this.places.forEach((place, i) => {
      shade(place, numbers[i], largest);
      if (this.open(i) && place !== document.activeElement) place.value = words(numbers[i]);
    });
  }
}

// Numbers to read and to point at. Where places have names, they are reached with the arrow keys too.
export class OutputCells extends Cells {
  constructor({ names, onlight, onchoose, ...given }) {
    super({ ...given, role: names ? "grid" : "img" });
    this.names = names;
    const rows = Array.from({ length: this.rows }, (_, r) => h("div", { role: names && "row" },
      Array.from({ length: this.columns }, (__, c) => h("span", { role: names && "gridcell", "data-at": r * this.columns + c }))));
    this.element.append(...rows);
    this.places = rows.flatMap((row) => [...row.children]);
    this.listen(onlight, onchoose);
  }

  listen(onlight, onchoose) {
    const at = (event) => Number(event.target.dataset.at ?? NaN);
    const then = (act) => (event) => { if (!Number.isNaN(at(event))) act(at(event)); };
    this.element.addEventListener("pointerover", then(onlight));
    this.element.addEventListener("pointerdown", then(onchoose));
    this.element.addEventListener("pointerleave", () => onchoose(null));
    this.element.addEventListener("focusin", then(onchoose));
    this.element.addEventListener("keydown", (event) => {
      const next = this.step(event, at(event));
      if (next !== null) this.places[next].focus();
    });
  }

  set(numbers, largest) {
    const texts = numbers.map(words);
    this.fit(texts);
    this.places.forEach((place, i) => {
      shade(place, numbers[i], largest);
      place.textContent = texts[i];
      place.title = texts[i] === short(numbers[i]) ? "" : String(numbers[i]);
      if (this.names) place.setAttribute("aria-label", `${this.names(i)}: ${texts[i]}`);
    });
  }

  light(indices) {
    super.light(indices);
    if (this.names) this.places.forEach((place, i) => { place.tabIndex = indices.includes(i) ? 0 : -1; });
  }
}
