// g under f, position by position: the products of what stands above one another, and their sum.

import { button } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { player } from "../../core/player.js";
import { definition, equation, pairs } from "./equation.js";
import { exact, indexOf } from "./numbers.js";

const SECONDS = 0.9;

export function sliding({ t, signal }, go) {
  const rule = h("p", { class: "formula" });
  const line = h("output", { class: "equation number", "aria-label": t("equation"), tabindex: 0 });
  const [fs, products, results, indices] = Array.from({ length: 4 }, () => h("div", { class: "lane" }));
  const strip = h("div", {
    class: "strip", role: "slider", tabindex: 0, "aria-label": t("position"), "aria-orientation": "horizontal",
    onkeydown: key, onpointerdown: grab, onpointermove: drag,
  });
  const pane = h("div", { class: "window" });
  const lanes = h("div", { class: "lanes" }, pane, fs, h("div", { class: "lane" }, label("g", "kernel"), strip), products, results, indices);
  const track = h("div", { class: "track" }, lanes);
  let shown = null;
  let built = "";
  let passed = 0;

  const play = player({ signal, words: { play: t("play"), pause: t("pause") }, frame: (seconds) => {
    passed += seconds;
    if (passed < SECONDS) return true;
    passed = 0;
    const [low, high] = counted(shown);
    go(shown.at < high - 1 ? shown.at + 1 : low);
    return shown.at < high - 1;
  } });
  const step = (by) => {
    play.stop();
    go(shown.at + by);
  };
  const element = h("section", { class: "card slide" },
    h("div", { class: "stage-head" }, rule, h("div", { class: "row" },
      button("‹", () => step(-1), { label: t("back") }), play.element, button("›", () => step(1), { label: t("forth") }))),
    track, line);

  function show(next) {
    shown = next;
    const { f, g, correlate } = shown;
    const key = JSON.stringify([f, g]);
    if (key !== built) build();
    built = key;
    lanes.style.setProperty("--columns", f.length + 2 * g.length - 2);
    lanes.style.setProperty("--size", g.length);
    lanes.style.setProperty("--least", `${least(shown)}px`);
    [...strip.children].forEach((cell, j) => cell.style.setProperty("--c", correlate ? j : g.length - 1 - j));
    rule.replaceChildren(...definition(shown));
    fs.replaceChildren(label("f", "in"), ...ghosts(shown), ...f.map((value, i) => cell(value, i, "in")));
    indices.replaceChildren(label("k", "soft"), ...shown.full.map((_, k) => at(h("span", { class: "index" }, exact(indexOf(k, shown))), k)));
    results.replaceChildren(label("y", "out"), ...shown.full.map(box));
    here();
  }
  function build() {
    strip.replaceChildren(...shown.g.map((value) => cell(value, 0, "kernel")));
  }
  function box(value, k) {
    const [low, high] = counted(shown);
    if (k < low || k >= high) return at(h("span", { class: "cell ghost" }), k);
    const name = `y[${exact(indexOf(k, shown))}] = ${exact(value)}`;
    return at(h("button", { type: "button", class: "cell out", "data-k": k, "aria-label": name }, exact(value)), k);
  }

  // What depends on the position alone.
  function here() {
    lanes.style.setProperty("--at", shown.at);
    const found = pairs(shown.at, shown);
    products.replaceChildren(label("f·g", "soft"), ...found.map(([i, j]) => cell(shown.f[i] * shown.g[j], i, "product")));
    line.replaceChildren(...equation(shown));
    for (const one of results.querySelectorAll("[data-k]")) {
      one.classList.toggle("later", Number(one.dataset.k) > shown.at);
      one.classList.toggle("dropped", Number(one.dataset.k) === shown.at);
    }
    const [low, high] = counted(shown);
    strip.setAttribute("aria-valuemin", low);
    strip.setAttribute("aria-valuemax", high - 1);
    strip.setAttribute("aria-valuenow", shown.at);
    strip.setAttribute("aria-valuetext", line.textContent);
    follow();
  }
  // Where not all fits, g stays in the middle, or at least its end, under which the sum is.
  function follow() {
    const pitch = pane.offsetWidth / shown.g.length;
    track.scrollTo({ left: pane.offsetLeft + (shown.at + Math.max(shown.g.length / 2, shown.g.length - 2)) * pitch - track.clientWidth / 2 });
  }
  new ResizeObserver(() => shown && follow()).observe(track);

  function key(event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -99, End: 99 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  }
  let held = null;
  function grab(event) {
    if (event.button) return;
    strip.setPointerCapture(event.pointerId);
    held = { x: event.clientX, at: shown.at };
  }
  function drag(event) {
    if (!strip.hasPointerCapture(event.pointerId)) return;
    const pitch = pane.offsetWidth / shown.g.length;
    const next = held.at + Math.round((event.clientX - held.x) / pitch);
    if (next !== shown.at) step(next - shown.at);
  }
  return { element, show, go: here };
}

const at = (element, column) => {
  element.style.setProperty("--c", column);
  element.style.setProperty("--n", element.textContent.length || 1);
  return element;
};
const cell = (value, column, tone) => at(h("span", { class: `cell ${tone}` }, exact(value)), column);
const label = (words, tone) => h("span", { class: `lane-label ${tone}` }, h("i", {}, words));
const counted = ({ start, result }) => [start, start + result.length];

// How wide a place must be for its number to be read.
function least({ f, g, full }) {
  const longest = Math.max(...[...f, ...g, ...full].map((value) => exact(value).length));
  return Math.max(34, 8 + 7.5 * longest);
}

// The zeros beyond the ends of f that the counted positions touch.
function ghosts(shown) {
  const [low, high] = counted(shown);
  const columns = [];
  for (let i = low - shown.g.length + 1; i < 0; i += 1) columns.push(i);
  for (let i = shown.f.length; i < high; i += 1) columns.push(i);
  return columns.map((column) => cell(0, column, "ghost"));
}
