// Hear it: a sound, an impulse response, and the convolution of both.

import { button } from "../core/controls.js";
import { h } from "../core/element.js";
import { latest } from "../core/latest.js";
import { useStyle } from "../core/style.js";
import { Lanes } from "./sound/lanes.js";
import { Listening } from "./sound/listening.js";
import { decode, record } from "./sound/own.js";
import { Settings } from "./sound/settings.js";
import { Spikes } from "./sound/spikes.js";
import { save, wav } from "./sound/wav.js";

export const defaults = {
  source: "string", response: "hall", decay: 1.8, size: 24, mix: 0.4,
  spikes: [[0, 1], [600, 0.6]], crowd: 0, ear: "after", match: true,
};

export async function mount(root, { t, language, state, set, call, say, signal, onTheme }) {
  await useStyle("sound");
  let own = null; // a sound that was opened or recorded
  let recording = null;
  let answer = null;
  const question = () => [{ ...state }, own ? { sound: own } : {}];
  const hear = latest(() => call("hear", ...question()), show, say);
  const change = (patch) => {
    if ("source" in patch) own = null;
    set(patch);
    hear();
  };

  const listening = new Listening({ t, state, place: (seconds) => lanes.show(seconds), changed: set });
  const lanes = new Lanes({ t, seek: (seconds) => listening.seek(seconds), toggle: () => listening.player.toggle() });
  const spikes = new Spikes({ t, changed: (drawn) => change({ spikes: drawn }) });
  lanes.lanes.response.cover.append(spikes.element);
  const settings = new Settings({
    t, state, changed: change, open: () => file.click(), record: toggleRecording,
    add: () => change({ spikes: [...state.spikes, [1000, 0.5]] }), clear: () => change({ spikes: [] }),
  });
  const file = h("input", { type: "file", accept: "audio/*", hidden: true, onchange: async () => {
    const [chosen] = file.files;
    settings.source.set(own ? "own" : state.source);
    if (chosen) take(decode(await chosen.arrayBuffer()));
    file.value = "";
  } });
  file.addEventListener("cancel", () => settings.source.set(own ? "own" : state.source));
  const count = h("p", { class: "count" });
  const saves = h("div", { class: "row" }, ["sound", "response", "result"].map((name) => (
    button(t("save", { name: `${name}.wav` }), () => save(wav(answer.arrays[name], answer.values.rate), `${name}.wav`)))));

  async function take(sound) {
    try {
      own = await sound;
      settings.source.set("own");
      hear();
    } catch {
      say(new Error(t("no sound")));
    }
  }

  async function toggleRecording() {
    if (recording) return recording.stop();
    try {
      recording = await record();
    } catch {
      return say(new Error(t("no microphone")));
    }
    settings.recording.textContent = t("stop");
    await take(recording.sound);
    settings.recording.textContent = t("record");
    recording = null;
    return null;
  }

  function show(next) {
    say(null);
    answer = next;
    const drawn = state.response === "spikes";
    lanes.draw(answer, { spikes: state.spikes, crowd: state.crowd, drawn });
    spikes.element.hidden = !drawn;
    if (drawn && spikes.dragged < 0) spikes.show(state.spikes, lanes.seconds);
    listening.load(answer);
    const number = new Intl.NumberFormat(language);
    const { samples, taps, products, seconds, algorithm } = answer.values;
    count.textContent = t("count", {
      samples: number.format(samples), taps: number.format(taps), products: number.format(products),
      milliseconds: (1000 * seconds).toFixed(1), algorithm,
    });
  }

  root.append(file, h("div", { class: "desk" },
    h("div", { class: "stage" },
      h("section", { class: "card" }, listening.element, lanes.element),
      h("section", { class: "card" }, count, saves)),
    h("aside", { class: "panel" }, h("section", { class: "card" }, settings.element))));
  new ResizeObserver(() => lanes.axis()).observe(lanes.element);
  onTheme(() => lanes.repaint());
  signal.addEventListener("abort", () => {
    recording?.stop();
    listening.player.close();
  });
  hear();
  return { code: question };
}
