// Spikes to set, drag and remove: an impulse response drawn by hand.

import { h } from "../../core/element.js";

export const HIGHEST = 1.25; // what the lane's height stands for, with room for the handles
const SECONDS = 2; // in which they may lie
const MOST = 64;
const STEPS = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] };
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Spikes {
  // changed(spikes) is told of [[milliseconds, height], ..];
  constructor({ t, changed }) {
    this.t = t;
    this.changed = changed;
    this.spikes = [];
    this.dragged = -1;
    this.element = h("div", {
      class: "spikes", "aria-label": t("spikes"), role: "group",
      onpointerdown: (event) => this.down(event),
      onpointermove: (event) => this.move(event),
      onpointerup: () => { this.dragged = -1; },
      onpointercancel: () => { this.dragged = -1; },
    });
  }

  // total: seconds along the whole axis.
  show(spikes, total) {
    this.spikes = spikes.map((spike) => [...spike]);
    this.total = total;
    while (this.element.children.length > spikes.length) this.element.lastChild.remove();
    while (this.element.children.length < spikes.length) this.element.append(this.handle(this.element.children.length));
    [...this.element.children].forEach((handle, i) => this.place(handle, this.spikes[i]));
  }

  handle(i) {
    return h("span", { class: "spike", role: "slider", tabindex: 0, "aria-valuemin": -1, "aria-valuemax": 1, onkeydown: (event) => this.key(event, i) });
  }

  place(handle, [milliseconds, height]) {
    const up = (0.5 * height) / HIGHEST;
    handle.style.left = `${(100 * milliseconds) / (1000 * this.total)}%`;
    handle.style.top = `${100 * (0.5 - up)}%`;
    const words = this.t("spike", { milliseconds: Math.round(milliseconds), height: height.toFixed(2) });
    handle.setAttribute("aria-label", words);
    handle.setAttribute("aria-valuenow", height);
    handle.setAttribute("aria-valuetext", words);
    handle.title = words;
  }

  at(event) {
    const box = this.element.getBoundingClientRect();
    const milliseconds = ((event.clientX - box.left) / box.width) * 1000 * this.total;
    const height = (0.5 - (event.clientY - box.top) / box.height) * 2 * HIGHEST;
    return [
      Math.round(clamp(milliseconds, 0, 1000 * SECONDS - 1)),
      Math.round(clamp(height, -1, 1) * 100) / 100];
  }

  down(event) {
    event.preventDefault();
    const i = [...this.element.children].indexOf(event.target);
    if (i < 0 && this.spikes.length >= MOST) return;
    const place = this.at(event);
    if (i < 0 && place[0] >= 1000 * SECONDS - 1) return;
    this.element.setPointerCapture(event.pointerId);
    this.dragged = i < 0 ? this.spikes.length : i;
    if (i < 0) this.change([...this.spikes, place]);
    this.element.children[this.dragged].focus();
  }

  move(event) {
    if (this.dragged >= 0) this.change(this.spikes.with(this.dragged, this.at(event)));
  }

  key(event, i) {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.change(this.spikes.toSpliced(i, 1));
      this.element.children[Math.min(i, this.spikes.length - 1)]?.focus();
      return;
    }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const [milliseconds, height] = this.spikes[i];
    this.change(this.spikes.with(i, [
      clamp(milliseconds + step[0], 0, 1000 * SECONDS - 1),
      Math.round(clamp(height + step[1], -1, 1) * 100) / 100]));
  }

  change(spikes) {
    this.show(spikes, this.total);
    this.changed(spikes);
  }
}
