// The machine: what the planner knows of a problem, and what the clock says.

import { button } from "../core/controls.js";
import { h } from "../core/element.js";
import { latest } from "../core/latest.js";
import { useStyle } from "../core/style.js";
import { Contest } from "./machine/contest.js";
import { Curve } from "./machine/curve.js";
import { engineWords } from "./machine/engine.js";
import { Form, KINDS } from "./machine/form.js";
import { Numbers, SCENES } from "./machine/numbers.js";
import { tree } from "./machine/tree.js";

export const defaults = { problem: KINDS.image, kernel: "random", refused: false, scene: "bright", ...SCENES.bright };

export async function mount(root, context) {
  await Promise.all(["machine", "dtypes", "stepper"].map(useStyle));
  const [problem, numbers] = [new ProblemView(context), numbersView(context)];
  const { t } = context;
  const card = (title, ...children) => h("section", { class: "card" }, h("h2", {}, t(title)), children);
  root.append(h("div", { class: "desk" },
    h("div", { class: "stage" },
      h("section", { class: "card" }, problem.head, problem.contest.element),
      card("the plan", problem.plan),
      card("against size", problem.curve.element),
      card("what dtypes do", numbers.element)),
    problem.form.element));
  await Promise.all([problem.start(), numbers.start()]);
  return { code: () => [{ problem: context.state.problem, kernel: context.state.kernel }] };
}

class ProblemView {
  constructor(context) {
    const { t, state, set, signal } = context;
    Object.assign(this, { context, pending: {}, measured: {}, rows: [] });
    this.contest = new Contest({ t, said: engineWords(t), open: state.refused, onopen: (refused) => set({ refused }) });
    this.curve = new Curve({ t, signal });
    this.form = new Form({
      t, onkind: (kind) => this.turnTo({ problem: KINDS[kind], kernel: "random" }),
      onkernel: (kernel) => this.turnTo({ kernel }), onchange: (change) => this.change(change),
    });
    this.text = h("input", {
      type: "text", class: "number", spellcheck: "false", onchange: () => this.turnTo({ problem: this.text.value }),
    });
    this.go = button(t("measure"), () => (this.running ? this.running.abort() : this.measure()), { kind: "primary" });
    const field = h("label", { class: "field" }, h("span", { class: "label" }, t("problem")), this.text);
    this.head = h("div", { class: "problem-head" }, field, this.go);
    this.plan = h("div");
    this.ask = latest(() => this.question(), (answer) => this.show(answer), (error) => this.fail(error));
    this.askCurve = latest(() => this.context.call("curve", this.asked()), ({ values }) => this.curve.show(values), context.say);
  }

  asked() {
    const { problem, kernel } = this.context.state;
    return { problem, kernel };
  }

  // Changes made while an answer is on its way go with the next question.
  question() {
    const change = this.pending;
    this.pending = {};
    return this.context.call("plan", { ...this.asked(), ...this.wanted, change });
  }

  change(change) {
    Object.assign(this.pending, change);
    this.ask({});
  }

  turnTo(patch) {
    this.wanted = { ...this.wanted, ...patch };
    this.ask({});
  }

  show({ values }) {
    const { set, say } = this.context;
    this.running?.abort();
    say(null);
    set({ problem: values.problem, kernel: this.wanted?.kernel ?? this.context.state.kernel });
    this.wanted = {};
    this.measured = {};
    this.last = values;
    this.draw();
    this.askCurve({});
  }

  fail(error) {
    this.wanted = {};
    this.context.say(error);
    if (this.last) this.form.show(this.last.form, this.context.state.kernel);
  }

  draw() {
    const { problem, form, rows, tree: plan } = this.last;
    if (document.activeElement !== this.text) this.text.value = problem;
    this.form.show(form, this.context.state.kernel);
    this.contest.show(rows, this.measured);
    this.plan.replaceChildren(tree(plan));
  }

  async measure() {
    const { t, stream, signal, say } = this.context;
    const running = new AbortController();
    this.running = running;
    this.go.textContent = t("stop");
    this.measured = {};
    const stop = () => running.abort();
    signal.addEventListener("abort", stop);
    try {
      await stream("measure", this.asked(), {}, ({ values }) => {
        if (running.signal.aborted) return;
        this.measured[values.algorithm] = values;
        this.contest.show(this.last.rows, this.measured);
      }, running.signal);
    } catch (error) {
      if (error.name !== "AbortError") say(error);
    }
    signal.removeEventListener("abort", stop);
    if (this.running === running) this.running = null;
    this.go.textContent = t("measure");
  }

  // An address that names no problem says why, and shows the first one.
  async start() {
    try {
      this.show(await this.context.call("plan", this.asked()));
    } catch (error) {
      this.context.set({ problem: defaults.problem, kernel: defaults.kernel });
      this.show(await this.context.call("plan", this.asked()));
      this.context.say(error);
    }
  }
}

function numbersView({ t, state, set, call, say }) {
  const view = new Numbers({
    t, onscene: (scene) => change({ scene, ...structuredClone(SCENES[scene]) }),
    onchange: (patch) => change({ scene: "", ...patch }),
  });
  const ask = () => call("numbers", { x: state.x, h: state.h });
  const askLatest = latest(ask, ({ values }) => {
    say(null);
    view.show(values);
  }, say);

  function change(patch) {
    set(patch);
    view.showInputs(state);
    askLatest({});
  }

  async function start() {
    let complaint = null;
    const { values } = await ask().catch((error) => {
      complaint = error;
      set({ scene: defaults.scene, ...SCENES[defaults.scene] });
      return ask();
    });
    view.showInputs(state);
    view.show(values);
    if (complaint) say(complaint);
  }

  return { element: view.element, start };
}
