// What is heard, and through what.

import { button, select, slider } from "../../core/controls.js";
import { h } from "../../core/element.js";

const SOURCES = ["string", "clap", "drums", "voice", "own"];

// What a response begins with, and which sliders mean something to it.
const RESPONSES = {
  small: { decay: 0.4, size: 4, mix: 0.4 },
  hall: { decay: 1.8, size: 24, mix: 0.4 },
  cathedral: { decay: 6, size: 60, mix: 0.5 },
  spring: { decay: 2.4, size: 20, mix: 0.4 },
  telephone: { mix: 1 },
  echo: { decay: 3, size: 60, mix: 0.4 },
  reverse: { decay: 1.2, mix: 0.5 },
  spikes: { decay: 1.5, crowd: 0 },
};
const MOST_CROWD = 4000;
const AGE = 60; // how steep the slider of the crowd is: each step adds a share of what is there

const toCrowd = (place) => Math.round(AGE * ((1 + MOST_CROWD / AGE) ** (place / 100) - 1));
const fromCrowd = (crowd) => 100 * (Math.log(1 + crowd / AGE) / Math.log(1 + MOST_CROWD / AGE));

export class Settings {
  // changed(patch); open(), record(): the user wants a sound of their own; add(), clear(): spikes.
  constructor({ t, state, changed, open, record, add, clear }) {
    this.state = state;
    const named = (names) => names.map((name) => [name, t(name)]);
    this.source = select({
      label: t("source"), options: named(SOURCES), value: state.source,
      oninput: (source) => (source === "own" ? open() : changed({ source })),
    });
    this.recording = button(t("record"), record);
    this.response = select({
      label: t("through"), options: named(Object.keys(RESPONSES)), value: state.response,
      oninput: (response) => {
        changed({ response, ...RESPONSES[response] });
        this.show();
      },
    });
    const control = (name, options) => slider({ label: t(name), oninput: (value) => changed({ [name]: value }), ...options });
    this.sliders = {
      decay: control("decay", { min: 0.1, max: 8, step: 0.1, value: state.decay, format: (v) => `${v.toFixed(1)} s` }),
      size: control("size", { min: 2, max: 80, value: state.size, format: (v) => `${v} m` }),
      mix: control("mix", { min: 0, max: 1, step: 0.05, value: state.mix, format: (v) => `${Math.round(100 * v)} %` }),
      crowd: slider({
        label: t("crowd"), min: 0, max: 100, value: fromCrowd(state.crowd), format: (v) => String(toCrowd(v)),
        oninput: (place) => changed({ crowd: toCrowd(place) }),
      }),
    };
    this.drawing = h("div", { class: "drawing" }, h("p", { class: "soft" }, t("how to draw")),
      h("div", { class: "row" }, button(t("add"), add), button(t("clear"), clear)));
    this.element = h("div", {}, this.source.element,
      h("div", { class: "row own" }, button(t("open"), open), this.recording), this.response.element,
      Object.values(this.sliders).map((one) => one.element), this.drawing);
    this.show();
  }

  show() {
    const { state } = this;
    const means = RESPONSES[state.response] ?? {};
    for (const [name, { element, set }] of Object.entries(this.sliders)) {
      element.hidden = !(name in means);
      set(name === "crowd" ? fromCrowd(state.crowd) : state[name]);
    }
    this.drawing.hidden = state.response !== "spikes";
  }
}
