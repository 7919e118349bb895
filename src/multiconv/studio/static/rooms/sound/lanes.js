// The three lanes on one time axis, the axis itself, and the place that is being heard.

import { short } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { ticks } from "../../core/plot.js";
import { Lane } from "./lane.js";
import { HIGHEST } from "./spikes.js";

const TONES = { sound: "in", response: "kernel", result: "out" };
const FEW = 6; // copies that can still be told apart
const STEP = 0.1; // seconds that an arrow key goes
const decibels = (part) => (part > 0 ? `${short(20 * Math.log10(part), 3)} dB` : "−∞ dB");

export class Lanes {
  // seek(seconds), toggle(): told what the user wants to hear.
  constructor({ t, seek, toggle }) {
    Object.assign(this, { t, seek, toggle, seconds: 1, now: 0 });
    this.lanes = Object.fromEntries(Object.entries(TONES).map(([name, tone]) => [name, new Lane({
      tone, name: t(name), waveLabel: t("wave of", { name: t(name) }), notesLabel: t("notes of", { name: t(name) }),
    })]));
    this.ticks = h("div", { class: "ticks", "aria-hidden": "true" });
    this.head = h("div", { class: "playhead" });
    this.track = h("div", {
      class: "track-over", role: "slider", tabindex: 0, "aria-label": t("place"), "aria-valuemin": 0,
      onkeydown: (event) => this.key(event),
    }, this.head);
    this.element = h("div", { class: "lanes", onpointerdown: (event) => this.down(event) },
      Object.values(this.lanes).map((lane) => lane.element), this.ticks, this.track);
  }

  draw({ values, arrays }, { spikes, crowd, drawn }) {
    this.seconds = arrays.result.shape[1] / values.rate;
    const sounds = Math.max(values["sound peak"], values["result peak"]);
    const peaks = { sound: sounds, result: sounds, response: drawn ? HIGHEST : values["response behind"] };
    const ghosts = drawn && !crowd && spikes.length <= FEW ? spikes.map((s) => this.ghost(arrays, s)) : [];
    for (const [name, lane] of Object.entries(this.lanes)) {
      lane.draw({
        low: arrays[`${name} low`].data, high: arrays[`${name} high`].data, shades: arrays[`${name} shades`],
        largest: peaks[name], ghosts: name === "result" ? ghosts : [],
      });
      const words = this.t("length", { seconds: (arrays[name].shape[1] / values.rate).toFixed(2), peak: decibels(values[`${name} peak`]) });
      lane.remark.textContent = words;
    }
    if (values.clipped) this.lanes.result.remark.append(" ", h("b", { class: "clipped" }, this.t("clipped", { count: values.clipped })));
    this.axis();
  }

  // The copy of the sound that one spike makes.
  ghost(arrays, [milliseconds, height]) {
    const { data: low } = arrays["sound low"];
    const { data: high } = arrays["sound high"];
    const shift = Math.round((milliseconds / 1000 / this.seconds) * low.length);
    const ends = height < 0 ? low : high;
    return Float32Array.from(low, (_, i) => (i < shift ? 0 : height * ends[i - shift]));
  }

  axis() {
    const about = Math.max(3, Math.floor(this.ticks.clientWidth / 100));
    this.ticks.replaceChildren(...ticks(0, this.seconds, about).map((second) => {
      const mark = h("span", {}, `${short(second)} s`);
      mark.style.left = `${(100 * second) / this.seconds}%`;
      return mark;
    }));
    this.track.setAttribute("aria-valuemax", this.seconds);
    this.show(this.now);
  }

  show(seconds) {
    this.now = seconds;
    this.head.style.left = `${Math.min(100, (100 * seconds) / this.seconds)}%`;
    this.track.setAttribute("aria-valuenow", seconds.toFixed(1));
    this.track.setAttribute("aria-valuetext", `${seconds.toFixed(1)} s`);
  }

  repaint() {
    for (const lane of Object.values(this.lanes)) lane.paint();
  }

  down(event) {
    if (event.target.closest(".spikes") || !event.target.closest(".strip")) return;
    const box = this.track.getBoundingClientRect();
    this.seek(this.seconds * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  }

  key(event) {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -Infinity }[event.key];
    if (event.key === " ") this.toggle();
    else if (by !== undefined) this.seek(Math.min(this.seconds, Math.max(0, this.now + by)));
    else return;
    event.preventDefault();
  }
}
