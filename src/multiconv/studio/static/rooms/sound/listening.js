// Play and stop, before or after.

import { button, choice, toggle } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { Player } from "./player.js";

export class Listening {
  // place(seconds) is told where it is, as it goes; changed(patch) of what the user sets.
  constructor({ t, state, place, changed }) {
    Object.assign(this, { t, state, place });
    this.player = new Player(() => this.moved());
    this.play = button(t("play"), () => this.player.toggle(), { kind: "primary" });
    this.play.disabled = true;
    const set = (patch) => {
      changed(patch);
      this.player.hear(this.state.ear, this.state.match);
    };
    const ears = choice({
      label: t("ear"), options: [["before", t("before")], ["after", t("after")]], value: state.ear,
      oninput: (ear) => set({ ear }),
    });
    const match = toggle({ label: t("match"), value: state.match, oninput: (on) => set({ match: on }) });
    this.element = h("div", { class: "listening" }, this.play, ears.element, match.element);
  }

  load({ values, arrays }) {
    this.play.disabled = false;
    this.player.hear(this.state.ear, this.state.match);
    this.player.load({ before: arrays.sound, after: arrays.result, rate: values.rate, gain: values.gain });
  }

  seek(seconds) {
    this.player.seek(seconds);
    this.place(seconds);
  }

  moved() {
    const playing = Boolean(this.player.playing);
    this.play.textContent = this.t(playing ? "pause" : "play");
    if (playing && !this.moving) this.follow();
  }

  follow() {
    this.moving = requestAnimationFrame(() => {
      this.moving = null;
      this.place(this.player.time());
      if (this.player.playing) this.follow();
    });
  }
}
