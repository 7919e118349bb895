// Channels: a small layer in numbers.

import { h } from "../core/element.js";
import { latest } from "../core/latest.js";
import { useStyle } from "../core/style.js";
import { Equation } from "./channels/equation.js";
import { Filters } from "./channels/filters.js";
import { Flow } from "./channels/flow.js";
import { Formula } from "./channels/formula.js";
import { geometry } from "./channels/geometry.js";
import { Panel } from "./channels/panel.js";
import { Planes } from "./channels/planes.js";
import { FIRST, PRESETS, refit } from "./channels/presets.js";

const START = "layer";
export const defaults = { preset: START, ...PRESETS[START], filter: 0, at: [1, 1], plane: 0, tap: 0 };
const clamp = (value, length) => Math.min(Math.max(0, value), length - 1);

// A preset named in the address gives what the address leaves out.
function withPreset(state) {
  const preset = PRESETS[state.preset] ?? {};
  for (const [name, value] of Object.entries(preset)) {
    if (JSON.stringify(state[name]) === JSON.stringify(defaults[name])) state[name] = structuredClone(value);
  }
}

export async function mount(root, { t, state, set, call, say, signal, onTheme }) {
  await Promise.all([useStyle("channels"), useStyle("stepper")]);
  withPreset(state);
  let good = null; // {state, answer, g} of the last layer that was possible
  let width = 800;

  const panel = new Panel({
    t, onchange: change,
    onpreset: (name) => begin(name), onrank: (rank) => begin(FIRST[rank]),
    onshuffle: () => change({ x: state.x.map(() => random(-2, 3)), w: state.w.map(() => random(-2, 2)) }),
  });
  const random = (low, high) => low + Math.floor(Math.random() * (high - low + 1));
  const filters = new Filters({ t, onchoose: (filter) => change({ filter }, false) });
  const planes = new Planes({ t, onchange: scrub });
  const equation = new Equation({ t });
  const formula = new Formula({ t });
  const flow = new Flow({
    t,
    onedit(kind, index, value) {
      change({ [kind]: state[kind].map((old, i) => (i === index ? value : old)) });
    },
    onlight: light,
    onchoose(row, column) {
      if (row === null) light(...state.at);
      else {
        set({ at: [row, column] });
        light(row, column);
      }
    },
  });

  const ask = latest((asked) => call("layer", asked), receive, say);

  function receive(answer, asked) {
    say(null);
    good = { state: asked, answer, g: geometry(asked, answer.arrays.result.shape.slice(1)) };
    draw();
  }

  function begin(name) {
    change({ ...structuredClone(PRESETS[name]), preset: name, filter: 0, plane: 0, tap: 0, at: [1, 1] }, false);
  }

  // `own`: no longer what the preset says
  function change(patch, own = true) {
    const before = good?.state ?? state;
    set(own ? { ...patch, preset: "" } : patch);
    const dims = {
      x: [(one) => [one.channels, ...one.size]],
      w: [(one) => [one.filters, one.channels / one.groups, ...one.taps]],
      bias: [(one) => [one.filters]],
    };
    for (const [kind, [shape]] of Object.entries(dims)) {
      const [old, next] = [shape(before), shape(state)];
      if (!(kind in patch) && next.every(Number.isInteger) && String(old) !== String(next)) {
        set({ [kind]: refit(before[kind], old, next, kind) });
      }
    }
    set({ filter: clamp(state.filter, state.filters) });
    panel.show(state);
    formula.show(state);
    ask(structuredClone(state));
  }

  // All planes are there already.
  function scrub(patch) {
    set(patch);
    if (good) draw();
  }

  function draw() {
    const { answer, g } = good;
    set({ plane: clamp(state.plane, g.out[0]), tap: clamp(state.tap, g.taps[0]), at: state.at.map((v, i) => clamp(v, g.out[i + 1])) });
    Object.assign(good.state, { plane: state.plane, tap: state.tap });
    formula.name(answer.values.problem);
    filters.show(good.state, answer, g);
    planes.show(good.state, g);
    flow.draw(good.state, answer, g, width);
    light(...state.at);
  }

  function light(row, column) {
    flow.light(row, column);
    equation.show(good.state, good.answer, good.g, [good.state.plane, row, column]);
  }

  const picture = h("section", { class: "card" }, filters.element, equation.total, planes.element,
    h("div", { class: "flow-frame" }, flow.element));
  root.append(h("div", { class: "desk" },
    h("div", { class: "stage" }, picture,
      h("section", { class: "card" }, h("h2", {}, t("written out")), equation.element),
      h("section", { class: "card" }, h("h2", {}, t("size of the result")), formula.element)),
    panel.element));
  watch(flow.element.parentElement, signal, (next) => {
    width = next;
    if (good) draw();
  });
  onTheme(() => good && draw());
  await start();

  // An address that makes no layer says why, and shows the first preset.
  async function start() {
    let complaint = null;
    const answer = await call("layer", state).catch((error) => {
      complaint = error;
      set(structuredClone(defaults));
      return call("layer", state);
    });
    panel.show(state);
    formula.show(state);
    receive(answer, structuredClone(state));
    say(complaint);
  }

  return { code: () => [good.state] };
}

function watch(element, signal, onwidth) {
  const observer = new ResizeObserver(([entry]) => onwidth(Math.floor(entry.contentRect.width)));
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}
