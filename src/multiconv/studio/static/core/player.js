// A button that plays and pauses, and the clock behind it.

import { h } from "./element.js";

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// frame(seconds since the last one) says whether it goes on. words: {play, pause}.
export function player({ words, frame, signal }) {
  let running = 0;
  let last = 0;
  const icon = h("span", { "aria-hidden": "true", class: "icon" });
  const text = h("span", {});
  const element = h("button", { type: "button", class: "primary play", onclick: () => (running ? stop() : start()) }, icon, text);

  function label() {
    element.classList.toggle("playing", running !== 0);
    text.textContent = running ? words.pause : words.play;
  }
  function tick(now) {
    const passed = Math.min(0.1, (now - last) / 1000);
    last = now;
    if (frame(passed)) running = requestAnimationFrame(tick);
    else stop();
  }
  function start() {
    last = performance.now();
    running = requestAnimationFrame(tick);
    label();
  }
  function stop() {
    cancelAnimationFrame(running);
    running = 0;
    label();
  }
  signal.addEventListener("abort", stop);
  label();
  return { element, stop };
}

// Call frame(0 .. 1) until the time is over; resolves then.
export function animate(seconds, frame) {
  if (calm()) {
    frame(1);
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const began = performance.now();
    const tick = (now) => {
      const part = Math.min(1, Math.max(0, (now - began) / (1000 * seconds)));
      frame(part);
      if (part < 1) requestAnimationFrame(tick);
      else resolve();
    };
    requestAnimationFrame(tick);
  });
}
