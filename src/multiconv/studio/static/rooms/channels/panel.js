// What can be set of a layer.

import { button, choice, select } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { stepper } from "../../core/stepper.js";
import { AXES } from "./geometry.js";
import { PRESETS } from "./presets.js";

const MOST = { 1: [16, 7], 2: [8, 5], 3: [6, 4] };

export class Panel {
  // onpreset(name), onrank(rank), onchange(patch), onshuffle()
  constructor({ t, onpreset, onrank, onchange, onshuffle }) {
    this.t = t;
    this.onchange = onchange;
    const names = ["", ...Object.keys(PRESETS)];
    this.preset = select({
      label: t("begin with"), options: names.map((name) => [name, t(`preset ${name}`)]), value: "",
      oninput: (name) => name && onpreset(name),
    });
    this.rank = choice({
      label: t("axes"), options: ["1", "2", "3"].map((r) => [r, t(`rank ${r}`)]), value: "2",
      oninput: (r) => onrank(Number(r)),
    });
    this.sizes = h("div", { class: "steppers" });
    this.steps = ["stride", "padding", "dilation", "groups"].map((name) => [name, stepper({
      label: t(name), min: name === "padding" ? 0 : 1, max: 4, value: 1, oninput: (value) => onchange({ [name]: value }),
    })]);
    this.activation = select({
      label: t("activation"), options: ["none", "relu", "leaky_relu", "sigmoid", "tanh"].map((a) => [a, t(a)]), value: "none",
      oninput: (activation) => onchange({ activation }),
    });
    this.element = h("aside", { class: "panel card channels-panel" },
      h("div", {}, this.preset.element, this.rank.element), this.sizes,
      h("div", { class: "steppers" }, this.steps.map(([, control]) => control.element)),
      this.activation.element, button(t("shuffle"), onshuffle));
  }

  show(state) {
    this.preset.set(state.preset);
    this.rank.set(String(state.size.length));
    this.steps.forEach(([name, control]) => control.set(state[name]));
    this.activation.set(state.activation);
    this.showSizes(state);
  }

  // The sizes change with the number of axes; the controls are made anew only then.
  showSizes(state) {
    const rank = state.size.length;
    if (rank !== this.shownRank) {
      this.shownRank = rank;
      this.sizeSteps = this.makeSizes(rank);
      this.sizes.replaceChildren(...this.sizeSteps.map((one) => one.control.element));
    }
    this.state = state;
    this.sizeSteps.forEach(({ read, control }) => control.set(read(state)));
  }

  makeSizes(rank) {
    const { t } = this;
    const one = (label, max, read, patch) => ({
      read, control: stepper({ label, min: 1, max, value: 1, oninput: (value) => this.onchange(patch(value)) }),
    });
    const along = (name, axis, max) => one(t(`${name} ${AXES[rank][axis]}`), max, (state) => state[name][axis],
      (value) => ({ [name]: this.state[name].map((old, i) => (i === axis ? value : old)) }));
    const each = (name, max) => AXES[rank].map((_, axis) => along(name, axis, max));
    return [
      one(t("channels"), 4, (state) => state.channels, (channels) => ({ channels })),
      one(t("filters"), 6, (state) => state.filters, (filters) => ({ filters })),
      ...each("size", MOST[rank][0]), ...each("taps", MOST[rank][1]),
    ];
  }
}
