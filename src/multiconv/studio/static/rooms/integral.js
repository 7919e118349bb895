// The integral: f and g, the product's area, and the result that grows below it.

import { button, choice, slider } from "../core/controls.js";
import { h } from "../core/element.js";
import { later } from "../core/later.js";
import { latest } from "../core/latest.js";
import { animate, calm, player } from "../core/player.js";
import { useStyle } from "../core/style.js";
import { Convergence } from "./integral/convergence.js";
import { formula } from "./integral/formula.js";
import { operand } from "./integral/operand.js";
import { ResultPlot } from "./integral/result.js";
import { ScenePlot } from "./integral/scene.js";
import { shift } from "./integral/shift.js";
import { moment } from "./integral/moment.js";

export const defaults = {
  f: "box", g: "exponential", fDrawn: [], gDrawn: [], t: 0.6, swapped: false, n: 0, rule: "midpoint",
};

const COUNTS = [0, 32, 24, 16, 12, 8, 6, 4, 3, 2];
const UNITS_A_SECOND = 0.9;

export async function mount(root, context) {
  const { t, state, set, call, say, signal } = context;
  await Promise.all(["stage", "integral"].map(useStyle));
  const scene = new ScenePlot(t("plot of the product"));
  const result = new ResultPlot(t("plot of the result"));
  const convergence = new Convergence(t("plot of the errors"), t);
  const line = formula(t);
  let mirror = state.swapped ? -1 : 1;
  let picture = null;

  function draw() {
    if (!picture) return;
    const now = moment(picture, state.t);
    scene.draw(picture, now, mirror);
    result.draw(picture, now);
    convergence.draw(now);
    line.show(now, state.swapped);
    handle.show(now);
  }
  function move(next) {
    set({ t: Math.round(1e4 * Math.min(4, Math.max(-4, next))) / 1e4 });
    draw();
  }
  const handle = shift({ plots: [scene, result], t, onmove: (next) => {
    play.stop();
    move(next);
  } });

  const play = player({ signal, words: { play: t("play"), pause: t("pause") }, frame: sweep });
  let waited = 0;
  function sweep(seconds) {
    const [low, high] = picture.support;
    if (state.t >= high || state.t < low) state.t = low;
    waited += seconds;
    // Those who want little motion see stills.
    if (calm() && waited < 0.7) return true;
    move(state.t + waited * UNITS_A_SECOND);
    waited = 0;
    return state.t < high;
  }

  async function ask(question) {
    const [curves, sums] = await Promise.all([call("curves", question), question.n ? call("sums", question) : null]);
    return { curves, sums };
  }
  const refresh = latest(ask, show, say);
  const compare = latest((question) => call("convergence", question), (answer) => {
    convergence.show(answer.values);
    draw();
  }, say);

  function show({ curves, sums }, question) {
    say(null);
    picture = { ...read(curves), sums: sums && readSums(sums, question.rule) };
    operands.forEach((one) => one.show(picture[one.name], question[one.name]));
    scene.fit(picture);
    result.fit(picture);
    draw();
  }
  function change(patch) {
    set(patch);
    refresh({ ...state });
    if (!("n" in patch)) compareLater();
  }
  const compareLater = later(() => compare({ ...state }), signal, 120);

  const operands = ["f", "g"].map((name) => operand({ name, t, state, onchange: change }));

  async function swap() {
    set({ swapped: !state.swapped });
    const [from, to] = [mirror, state.swapped ? -1 : 1];
    await animate(0.9, (part) => {
      mirror = from + (to - from) * (1 - Math.cos(Math.PI * part)) / 2;
      draw();
    });
  }

  const step = slider({
    label: t("step"), min: 0, max: COUNTS.length - 1, value: Math.max(0, COUNTS.indexOf(state.n)),
    format: (i) => (i ? `h = 1/${COUNTS[i]}` : t("no step")), oninput: (i) => change({ n: COUNTS[i] }),
  });
  const rule = choice({
    label: t("rule"), value: state.rule, options: ["midpoint", "left"].map((name) => [name, t(`rule ${name}`)]),
    oninput: (name) => change({ rule: name }),
  });
  const mirrored = button(t("swap"), swap, { kind: "whole", label: t("swap hint") });

  root.append(h("div", { class: "desk integral" },
    h("section", { class: "card stage-card" },
      h("div", { class: "stage-head" }, line.element, play.element),
      scene.element, handle.element, result.element),
    h("aside", { class: "panel" },
      h("section", { class: "card operands" }, operands.map((one) => one.element),
        h("p", { class: "soft whole" }, t("draw hint")), mirrored),
      h("section", { class: "card" }, step.element, rule.element, convergence.element))));

  scene.redraw = draw;
  result.redraw = draw;
  await first();
  compare({ ...state });
  return { code: () => [{ ...state, t: moment(picture, state.t).t }] };

  // A mistyped address says what is wrong, and the room opens as it would without one.
  async function first() {
    const question = { ...state };
    try {
      show(await ask(question), question);
    } catch (error) {
      Object.assign(state, structuredClone(defaults));
      show(await ask(state), state);
      operands.forEach((one) => one.set(state[one.name]));
      step.set(0);
      rule.set(state.rule);
      mirror = 1;
      draw();
      say(error);
    }
  }
}

function read({ values, arrays }) {
  const curve = (name) => ({ low: values[name][0], high: values[name][1], data: arrays[name].data });
  const [f, g] = [curve("f"), curve("g")];
  return {
    f, g, fine: values.fine, error: values.error, support: [f.low + g.low, f.high + g.high],
    t: arrays.t.data, result: arrays.result.data,
  };
}

function readSums({ values, arrays }, rule) {
  const data = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.data]));
  return { ...data, step: values.step, rule };
}
