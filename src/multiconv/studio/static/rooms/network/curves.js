// How the loss falls and how many held-out digits are told right, by passes over the digits.

import { h } from "../../core/element.js";
import { Plot } from "../../core/plot.js";

const STEPS_A_PASS = 44;
const TESTED = 15; // steps from one test to the next
const POINTS = 150;

export class Curves {
  constructor(t) {
    this.shown = null;
    const options = { x: [0, 20], height: 128 };
    this.loss = new Plot({ ...options, y: [0, 2.5], label: t("loss") });
    this.accuracy = new Plot({ ...options, y: [0, 100], label: t("accuracy") });
    for (const plot of [this.loss, this.accuracy]) plot.redraw = () => this.shown && this.draw(this.shown);
    this.element = h("div", { class: "curves" },
      h("p", { class: "soft" }, t("loss")), this.loss.element,
      h("p", { class: "soft" }, t("accuracy")), this.accuracy.element);
  }

  draw({ losses: { data: losses }, accuracies: { data: accuracies } }) {
    this.shown = { losses: { data: losses }, accuracies: { data: accuracies } };
    const passes = Math.max(20, Math.ceil(losses.length / STEPS_A_PASS));
    const [xs, ys] = averaged(losses);
    this.loss.range([0, passes], [0, Math.max(2.5, ...ys)]);
    this.loss.clear();
    if (xs.length) this.loss.curve(xs, ys, "kernel");
    this.accuracy.range([0, passes], [0, 100]);
    this.accuracy.clear();
    const times = Array.from(accuracies, (_, i) => (i * TESTED) / STEPS_A_PASS);
    this.accuracy.curve(times, Array.from(accuracies, (a) => 100 * a), "out");
    this.accuracy.dot(times.at(-1), 100 * accuracies.at(-1), "out");
  }
}

// The loss of single batches jumps about: means of a few.
function averaged(losses) {
  const count = Math.max(1, Math.ceil(losses.length / POINTS));
  const xs = [];
  const ys = [];
  for (let i = 0; i < losses.length; i += count) {
    const part = losses.subarray(i, i + count);
    xs.push((i + part.length / 2) / STEPS_A_PASS);
    ys.push(part.reduce((sum, loss) => sum + loss, 0) / part.length);
  }
  return [xs, ys];
}
