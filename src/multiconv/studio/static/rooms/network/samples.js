// Held-out digits to try: one of each class, or those that the network tells wrong.

import { button } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { drawCells, shade, tile } from "./tile.js";

const SIZE = 40;
const SIDE = 8;

export class Samples {
  // ask({mistaken, page}) resolves to an answer; choose(number) is told which digit to look at.
  constructor({ t, ask, choose, say }) {
    Object.assign(this, { t, ask, choose, say });
    this.page = -1;
    this.tiles = h("div", { class: "samples" });
    this.remark = h("span", { class: "soft" });
    this.element = h("div", { class: "row" }, this.tiles,
      button(t("others"), () => this.next()),
      button(t("mistaken"), () => this.show({ mistaken: true })), this.remark);
    this.answer = null;
  }

  next() {
    this.page += 1;
    return this.show({ mistaken: false });
  }

  async show({ mistaken }) {
    try {
      this.answer = await this.ask({ mistaken, page: this.page });
    } catch (error) {
      if (error.name !== "AbortError") this.say(error);
      return;
    }
    const { values } = this.answer;
    this.remark.textContent = mistaken ? this.t("wrong", values) : "";
    this.draw();
  }

  draw() {
    if (!this.answer) return;
    const { digits, numbers, classes, guesses } = this.answer.arrays;
    this.tiles.replaceChildren(...Array.from(numbers.data, (number, i) => {
      const words = this.t("sample", { name: classes.data[i], guess: guesses.data[i] });
      const canvas = tile(SIZE, {
        tabindex: 0, role: "button", "aria-label": words, title: words,
        onclick: () => this.choose(number),
        onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); this.choose(number); } },
      });
      const cells = { data: digits.data, offset: i * SIDE * SIDE, rows: SIDE, columns: SIDE };
      drawCells(canvas, cells, shade("in"), 1);
      return canvas;
    }));
  }
}
