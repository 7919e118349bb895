// The shift t: a handle between the two plots, which can be dragged on both, too.

import { h } from "../../core/element.js";
import { fixed } from "./numbers.js";

const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

export function shift({ plots, t, onmove }) {
  const handle = h("button", {
    type: "button", class: "grip", role: "slider", "aria-label": t("shift"), "aria-valuemin": -4, "aria-valuemax": 4,
    "aria-orientation": "horizontal", onkeydown: key,
  });
  const element = h("div", { class: "shift" }, handle);
  const [first] = plots;
  let stride = 0.02;
  let now = 0;

  function key(event) {
    const ends = { Home: -4, End: 4 };
    if (event.key in KEYS) onmove(now + KEYS[event.key] * (event.shiftKey ? 5 : 1) * stride);
    else if (event.key in ends) onmove(ends[event.key]);
    else return;
    event.preventDefault();
  }
  for (const target of [...plots.map((plot) => plot.element), element]) drag(target, first, onmove);

  function show({ t: value, value: result, digits, step }) {
    now = value;
    stride = step ?? 0.02;
    handle.textContent = `t = ${fixed(value, digits)}`;
    handle.setAttribute("aria-valuenow", value);
    handle.setAttribute("aria-valuetext", `t = ${fixed(value, digits)}, ${fixed(result, 4)}`);
    const half = (handle.offsetWidth || 88) / 2;
    const place = Math.min(first.width - half, Math.max(half, first.px(value)));
    handle.style.transform = `translateX(${place - half}px)`;
  }
  return { element, show };
}

function drag(target, plot, onmove) {
  target.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    target.setPointerCapture(event.pointerId);
    onmove(plot.at(event));
  });
  target.addEventListener("pointermove", (event) => {
    if (target.hasPointerCapture(event.pointerId)) onmove(plot.at(event));
  });
}
