// The sum: two short sequences slid along each other, and the same numbers seen in other ways.

import { choice, select } from "../core/controls.js";
import { h } from "../core/element.js";
import { latest } from "../core/latest.js";
import { useStyle } from "../core/style.js";
import { dice } from "./sum/dice.js";
import { digits } from "./sum/digits.js";
import { editor } from "./sum/editor.js";
import { linked } from "./sum/linked.js";
import { polynomials } from "./sum/polynomials.js";
import { PRESETS } from "./sum/presets.js";
import { sliding } from "./sum/sliding.js";

export const defaults = { f: [2, 1, 3, 4], g: [1, 2, 3], mode: "full", correlate: false, at: 3 };

export async function mount(root, context) {
  const { t, state, set, call, say } = context;
  await Promise.all(["stage", "sum", "sum-views"].map(useStyle));
  const shown = { ...state };
  const views = [sliding(context, go), polynomials(t), dice(t), digits(t)];
  const desk = h("div", { class: "sum-desk" });
  const light = linked(desk, go);

  const refresh = latest((question) => call("convolve", question), show, say);

  function show({ values }, question) {
    say(null);
    Object.assign(shown, question, values, { at: within(state.at, values) });
    views.forEach((view) => view.show(shown));
    light(shown.at);
  }
  function change(patch) {
    set(patch);
    refresh({ ...state });
  }
  // To another position; nothing need be asked for that.
  function go(k) {
    const at = within(k, shown);
    set({ at });
    shown.at = at;
    views[0].go(shown);
    light(at);
  }

  const f = editor({ name: "f", tone: "in", values: state.f, t, oninput: (values) => edit({ f: values }) });
  const g = editor({ name: "g", tone: "kernel", values: state.g, t, oninput: (values) => edit({ g: values }) });
  const preset = select({
    label: t("preset"), value: named(state), oninput: (name) => begin(PRESETS[name]),
    options: [["", t("own")], ...Object.keys(PRESETS).map((name) => [name, t(`preset ${name}`)])],
  });
  const kind = choice({
    label: t("kind"), value: String(state.correlate), oninput: (value) => change({ correlate: value === "true" }),
    options: [["false", t("convolution")], ["true", t("correlation")]],
  });
  const mode = choice({
    label: t("mode"), value: state.mode, options: ["full", "same", "valid"].map((word) => [word, word]),
    oninput: (value) => change({ mode: value }),
  });

  function edit(patch) {
    change(patch);
    preset.set(named(state));
  }
  function begin(chosen) {
    if (chosen) change({ mode: "full", correlate: false, at: chosen.f.length - 1, ...chosen });
    reset();
  }
  function reset() {
    f.set(state.f);
    g.set(state.g);
    kind.set(String(state.correlate));
    mode.set(state.mode);
  }

  const [slide, ...others] = views.map((view) => view.element);
  desk.append(slide,
    h("aside", { class: "card controls" }, preset.element, f.element, g.element, kind.element, mode.element), ...others);
  root.append(desk);
  await first();
  return { code: () => [{ ...shown, full: null, result: null }] };

  // A mistyped address says what is wrong, and the room opens as it would without one.
  async function first() {
    try {
      show(await call("convolve", state), state);
    } catch (error) {
      Object.assign(state, structuredClone(defaults));
      reset();
      show(await call("convolve", state), state);
      say(error);
    }
  }
}

// The preset that has these numbers.
function named({ f, g }) {
  const text = JSON.stringify([f, g]);
  return Object.keys(PRESETS).find((name) => JSON.stringify([PRESETS[name].f, PRESETS[name].g]) === text) ?? "";
}

function within(k, { start, result }) {
  return Math.min(start + result.length - 1, Math.max(start, Math.round(k)));
}
