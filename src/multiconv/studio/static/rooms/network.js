// A small network that learns digits, and each of whose numbers can be traced back.

import { button } from "../core/controls.js";
import { h } from "../core/element.js";
import { latest } from "../core/latest.js";
import { useStyle } from "../core/style.js";
import { Curves } from "./network/curves.js";
import { Matrix } from "./network/matrix.js";
import { fromText, Pad, SIDE, toText } from "./network/pad.js";
import { Samples } from "./network/samples.js";
import { Stage } from "./network/stage.js";
import { Training } from "./network/training.js";
import { Why } from "./network/why.js";

export const defaults = {
  filters: 8, size: 3, rate: 0.005, trainer: "engine", steps: 870, pace: 5, digit: 5, ink: "", unit: [],
};

export async function mount(root, { t, state, set, call, stream, say, signal, onTheme }) {
  await Promise.all([useStyle("network"), useStyle("network-notes")]);
  const recipe = () => ({ filters: state.filters, size: state.size, rate: state.rate, trainer: state.trainer, steps: state.steps });
  const ink = () => (state.ink ? { ink: { data: fromText(state.ink), shape: [SIDE, SIDE] } } : {});
  const question = () => [{ ...recipe(), digit: state.digit, unit: state.unit }, ink()];
  let network = null;

  const pad = new Pad({
    label: t("pad"),
    begin: () => fromText(state.ink),
    changed: (drawn) => take({ ink: toText(drawn) }),
  });
  const clear = button(t("clear"), () => take({ ink: "0".repeat(256) }), { kind: "quiet" });
  const stage = new Stage({ t, pad: pad.element, clear, choose: (unit) => take({ unit }) });
  const why = new Why(t);
  const curves = new Curves(t);
  const matrix = new Matrix(t("second kernels"));
  const samples = new Samples({
    t, say, ask: (what) => call("samples", { ...recipe(), ...what }), choose: (digit) => take({ digit, ink: "" }),
  });
  const training = new Training({ t, state, train, step: oneStep, restart, change });

  const look = latest(() => call("look", ...question()), (answer) => {
    say(null);
    if (answer.arrays.first.shape[0] !== network?.arrays.first.shape[0]) return; // a former recipe's
    stage.draw(answer);
    why.draw(answer, network.arrays.first);
    matrix.draw(network.arrays.second, answer.values.unit[0] === 2 ? answer.values.unit[1] : -1);
    if (!state.ink) pad.show(fromText(""), answer.arrays.digit);
  }, say);
  const learn = latest(() => call("network", recipe()), shown, say);

  function take(patch) {
    set(patch);
    if (patch.ink) pad.show(fromText(state.ink));
    look();
  }

  // A network, as an answer or as a picture of the training, has come.
  function shown(answer) {
    network = answer;
    stage.drawKernels(answer.arrays);
    curves.draw(answer.arrays);
    training.show(answer);
    look();
  }

  function change(patch) {
    if ("filters" in patch) patch.unit = [];
    set(patch);
    if (!("pace" in patch)) learn();
  }

  async function train(ended) {
    const either = AbortSignal.any([signal, ended]);
    try {
      await stream("train", { ...recipe(), pace: state.pace }, {}, (answer) => {
        set({ steps: answer.values.step });
        shown(answer);
      }, either);
    } catch (error) {
      if (error.name !== "AbortError") say(error);
    }
  }

  function oneStep() {
    change({ steps: state.steps + 1 });
  }

  function restart() {
    change({ steps: 0 });
  }

  root.append(h("div", { class: "desk" },
    h("div", { class: "stage" },
      h("section", { class: "card wide" }, stage.element, why.element),
      h("section", { class: "card" }, h("h2", {}, t("try")), samples.element),
      h("section", { class: "card" }, h("h2", {}, t("second kernels")),
        h("div", { class: "kernels2" }, h("div", { class: "scroll" }, matrix.element), legend(t)))),
    h("aside", { class: "panel" },
      h("section", { class: "card" }, training.element, curves.element),
      h("section", { class: "card" }, training.recipe),
      training.trainers.element)));
  pad.show(fromText(state.ink));
  learn();
  samples.next();
  onTheme(() => {
    if (state.ink) pad.show(fromText(state.ink));
    samples.draw();
    if (network) shown(network);
  });
  return { code: question };
}

// What the marks mean.
function legend(t) {
  return h("ul", { class: "legend soft" }, ["adds", "takes", "passed", "frame"].map((mark) => (
    h("li", {}, h("span", { class: `mark ${mark}` }), t(mark)))));
}
