// The training: begin, stop, step, start over, and what it goes by.

import { button, choice, slider } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { percent } from "./classes.js";
import { Trainers } from "./trainers.js";

const RATES = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05];
const FILTERS = ["1", "2", "4", "8"];
const SIZES = ["1", "3", "5", "7"];
const PACES = ["1", "5", "45"];

const nearest = (rate) => RATES.reduce((best, r, i) => (
  Math.abs(Math.log(r / rate)) < Math.abs(Math.log(RATES[best] / rate)) ? i : best), 0);

export class Training {
  // train(signal) resolves when the training ends; change(patch) takes another recipe.
  constructor({ t, state, train, step, restart, change }) {
    Object.assign(this, { t, train });
    this.running = null;
    this.toggle = button(t("train"), () => (this.running ? this.stop() : this.start()), { kind: "primary" });
    this.status = h("p", { class: "number status" }, "…");
    const asWords = (values, name) => values.map((v) => [v, t(name, { n: v })]);
    this.element = h("div", { class: "training" },
      h("div", { class: "row" }, this.toggle,
        button(t("step"), () => this.stop().then(step)), button(t("restart"), () => this.stop().then(restart))),
      this.status);
    this.trainers = new Trainers({ t, value: state.trainer, choose: (trainer) => this.stop().then(() => change({ trainer })) });
    this.recipe = h("div", {},
      choice({ label: t("pace"), options: PACES.map((v, i) => [v, t(`pace ${i}`)]), value: String(state.pace), oninput: (v) => this.retime({ pace: Number(v) }, change) }).element,
      choice({ label: t("filters"), options: asWords(FILTERS, "plain"), value: String(state.filters), oninput: (v) => this.stop().then(() => change({ filters: Number(v) })) }).element,
      choice({ label: t("size"), options: asWords(SIZES, "square"), value: String(state.size), oninput: (v) => this.stop().then(() => change({ size: Number(v) })) }).element,
      slider({ label: t("rate"), min: 0, max: RATES.length - 1, value: nearest(state.rate), format: (i) => String(RATES[i]), oninput: (i) => this.stop().then(() => change({ rate: RATES[i] })) }).element);
  }

  start() {
    const ending = new AbortController();
    this.toggle.textContent = this.t("pause");
    const ended = this.train(ending.signal).finally(() => {
      this.running = null;
      this.toggle.textContent = this.t("train");
    });
    this.running = { ending, ended };
  }

  async stop() {
    const { running } = this;
    running?.ending.abort();
    await running?.ended;
  }

  async retime(patch, change) {
    const going = Boolean(this.running);
    await this.stop();
    change(patch);
    if (going) this.start();
  }

  show({ values: { step, milliseconds }, arrays: { losses, accuracies } }) {
    const loss = losses.data.length ? losses.data.at(-1).toFixed(3) : "–";
    this.trainers.show(milliseconds);
    this.status.textContent = this.t("status", { step, loss, accuracy: percent(accuracies.data.at(-1)) });
  }
}
