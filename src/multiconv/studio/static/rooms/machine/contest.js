// Every algorithm in a row: predicted and measured time on one logarithmic axis, memory, errors.

import { h, svg } from "../../core/element.js";
import { bytes, duration, error } from "./units.js";

const decade = (value, round) => 10 ** round(Math.log10(value));

export class Contest {
  // said: the engine's sentences in the page's language; onopen(open): the refused are shown or not
  constructor({ t, said, open, onopen }) {
    Object.assign(this, { t, said });
    this.body = h("tbody");
    this.axis = h("th", { class: "axis" });
    const head = (name) => h("th", { scope: "col" }, t(name));
    const table = h("table", { class: "contest" },
      h("thead", {}, h("tr", {}, head("algorithm"), this.axis,
        ["predicted", "measured", "scratch", "error"].map(head))), this.body);
    this.count = h("summary");
    this.list = h("dl", { class: "refusals" });
    this.refused = h("details", { open, ontoggle: () => onopen(this.refused.open) }, this.count, this.list);
    this.element = h("div", { class: "contest-frame" }, table, this.refused);
  }

  // rows: the planner's; measured: {algorithm: {seconds, scratch, error} or {dear}}
  show(rows, measured) {
    const timed = rows.filter((row) => row.seconds !== null);
    const times = timed.flatMap((row) => [row.seconds, measured[row.algorithm]?.seconds].filter(Boolean));
    this.low = decade(Math.min(...times) / 1.5, Math.floor);
    this.high = decade(Math.max(...times), Math.ceil);
    this.showAxis();
    const runs = Object.entries(measured).filter(([, one]) => one.seconds);
    const fastest = runs.length > 1 ? runs.reduce((a, b) => (a[1].seconds <= b[1].seconds ? a : b))[0] : null;
    this.body.replaceChildren(...timed.map((row) => this.row(row, measured[row.algorithm], row.algorithm === fastest)));
    this.showRefused(rows.filter((row) => row.seconds === null));
  }

  part(seconds) {
    const part = (Math.log(seconds) - Math.log(this.low)) / (Math.log(this.high) - Math.log(this.low));
    return `${(Math.max(0.004, part) * 100).toFixed(2)}%`;
  }

  decades() {
    const count = Math.round(Math.log10(this.high / this.low));
    const step = Math.ceil(count / 3);
    return Array.from({ length: Math.floor(count / step) + 1 }, (_, i) => this.low * 10 ** (i * step));
  }

  showAxis() {
    const marks = this.decades();
    this.axis.replaceChildren(svg("svg", { width: "100%", height: 16, role: "img", "aria-label": this.t("time axis") },
      marks.map((time, i) => svg("text", {
        x: this.part(time), y: 12, "text-anchor": i === 0 ? "start" : this.part(time) === "100.00%" ? "end" : "middle",
      }, duration(time).replace(/\.0+(?= )/, "")))));
  }

  row(row, measured, fastest) {
    const { t, said } = this;
    const number = (name, ...words) => h("td", { class: "number", "data-name": t(name) }, words);
    const bars = svg("svg", { width: "100%", height: 28, "aria-hidden": "true" },
      this.decades().map((time) => svg("line", { x1: this.part(time), x2: this.part(time), y1: 0, y2: 28 })),
      svg("rect", { class: "predicted", y: 4, height: 9, rx: 2, width: this.part(row.seconds) }),
      ...(measured?.seconds ? [svg("rect", { class: "measured", y: 15, height: 9, rx: 2, width: this.part(measured.seconds) })] : []));
    const tag = (words, kind) => h("span", { class: `tag ${kind}` }, words);
    return h("tr", { class: `${row.chosen ? "chosen" : ""} ${row.accepted ? "" : "not-admitted"}` },
      h("th", { scope: "row" }, h("span", { class: "algorithm" }, row.algorithm,
        row.chosen ? tag(t("chosen"), "out") : null, fastest ? tag(t("fastest"), "in") : null),
      h("span", { class: "soft" }, said(row.reason ?? row.summary))),
      h("td", { class: "bars" }, bars),
      number("predicted", duration(row.seconds)),
      number("measured", this.clock(measured)),
      number("scratch", bytes(measured?.scratch ?? row.scratch_bytes)),
      number("error", `≤ ${error(row.error)}`,
        Number.isFinite(measured?.error) ? h("span", { class: "out" }, error(measured.error)) : null));
  }

  clock(measured) {
    if (measured?.seconds) return duration(measured.seconds);
    return measured?.dear ? this.t("dear", { limit: duration(measured.dear) }) : "–";
  }

  showRefused(rows) {
    this.refused.hidden = !rows.length;
    this.count.textContent = this.t("refused", { count: rows.length });
    this.list.replaceChildren(...rows.map((row) => (
      h("div", {}, h("dt", {}, row.algorithm), h("dd", { class: "soft" }, this.said(row.reason))))));
  }
}
