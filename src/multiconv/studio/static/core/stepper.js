// A whole number with a button on either side, in one line with its label.

import { h } from "./element.js";

export function stepper({ label, min, max, value, oninput }) {
  const input = h("input", {
    type: "number", inputmode: "numeric", min, max, step: 1, "aria-label": label,
    oninput: () => { if (fits(input.valueAsNumber)) take(input.valueAsNumber); },
    onblur: () => set(current),
    onfocus: () => input.select(),
  });
  const buttons = [[-1, "−"], [1, "+"]].map(([by, sign]) => h("button", {
    type: "button", tabindex: -1, "aria-label": `${label} ${sign}1`, onclick: () => take(current + by),
  }, sign));
  let current = value;
  const fits = (next) => Number.isInteger(next) && next >= min && next <= max;

  function take(next) {
    if (!fits(next) || next === current) return;
    set(next);
    oninput(next);
  }

  function set(next) {
    current = next;
    input.value = next;
    buttons[0].disabled = next <= min;
    buttons[1].disabled = next >= max;
  }

  set(value);
  const box = h("span", { class: "stepper-box" }, buttons[0], input, buttons[1]);
  return { element: h("div", { class: "stepper" }, h("span", {}, label), box), input, set };
}
