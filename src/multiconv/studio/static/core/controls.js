// What people set: sliders, choices, toggles, grids of numbers.

import { h } from "./element.js";

let ids = 0;
const fresh = () => `c${(ids += 1)}`;

// Every control is {element, set(value)}; `oninput` is told what the user sets, never what `set` does.
export function slider({ label, min, max, step = 1, value, format = String, oninput }) {
  const id = fresh();
  const shown = h("output", { for: id }, format(value));
  const input = h("input", { type: "range", id, min, max, step, oninput: () => {
    shown.textContent = format(input.valueAsNumber);
    oninput(input.valueAsNumber);
  } });
  const set = (next) => {
    input.value = next;
    shown.textContent = format(Number(next));
  };
  set(value);
  return { element: h("div", { class: "field" }, h("label", { class: "label", for: id }, label, shown), input), input, set };
}

// options: [[value, words], ..]
export function choice({ label, options, value, oninput }) {
  const name = fresh();
  const inputs = options.map(([key]) => h("input", {
    type: "radio", name, value: key, checked: key === value, onchange: () => oninput(key),
  }));
  const labels = options.map(([, words], i) => h("label", {}, inputs[i], words));
  const set = (next) => inputs.forEach((input, i) => { input.checked = options[i][0] === next; });
  return { element: h("fieldset", { class: "field" }, h("legend", {}, label), h("div", { class: "choices" }, labels)), set };
}

export function select({ label, options, value, oninput }) {
  const id = fresh();
  const input = h("select", { id, onchange: () => oninput(input.value) },
    options.map(([key, words]) => h("option", { value: key }, words)));
  input.value = value;
  const set = (next) => { input.value = next; };
  return { element: h("div", { class: "field" }, h("label", { class: "label", for: id }, label), input), set };
}

export function toggle({ label, value, oninput }) {
  const input = h("input", { type: "checkbox", checked: value, onchange: () => oninput(input.checked) });
  const set = (next) => { input.checked = next; };
  return { element: h("label", { class: "toggle" }, input, label), set };
}

export function button(words, onclick, { kind = "", label } = {}) {
  return h("button", { type: "button", class: kind, onclick, "aria-label": label, title: label }, words);
}

// A grid of numbers to type into; arrow keys go from cell to cell. tone: "in" or "kernel".
export function numberGrid({ label, rows, columns, values, tone, cell = 44, format = short, oninput }) {
  const element = h("div", { class: `numbers ${tone}`, role: "group", "aria-label": label });
  element.style.gridTemplateColumns = `repeat(${columns}, minmax(0, ${cell}px))`;
  const numbers = [...values];
  const inputs = numbers.map((value, i) => h("input", {
    type: "text", inputmode: "decimal", value: format(value),
    "aria-label": `${Math.floor(i / columns) + 1}, ${(i % columns) + 1}`,
    oninput: (event) => {
      const read = Number(event.target.value.replace(",", ".").replace("−", "-"));
      if (event.target.value.trim() === "" || !Number.isFinite(read)) return;
      numbers[i] = read;
      oninput([...numbers]);
    },
    onblur: (event) => { event.target.value = format(numbers[i]); },
    onfocus: (event) => event.target.select(),
    onkeydown: (event) => move(event, i),
  }));
  function move(event, i) {
    const step = { ArrowUp: -columns, ArrowDown: columns, ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || !inputs[i + step]) return;
    event.preventDefault();
    inputs[i + step].focus();
  }
  element.append(...inputs);
  const set = (next) => next.forEach((value, i) => {
    numbers[i] = value;
    if (!inputs[i].matches(":focus")) inputs[i].value = format(value);
  });
  return { element, inputs, set };
}

// Few digits, no trailing zeros, a true minus.
export function short(value, digits = 3) {
  if (!Number.isFinite(value)) return String(value);
  const text = Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(Math.max(digits, Math.trunc(Math.abs(value)).toString().length))));
  return text.replace("-", "−").replace("e+", "e");
}
