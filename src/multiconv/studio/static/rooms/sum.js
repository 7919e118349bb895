import { numberGrid, slider } from "../core/controls.js";
import { h } from "../core/element.js";
import { Plot } from "../core/plot.js";

export const defaults = { f: [1, 2, 3, 4], g: [1, 0.5, 0.25], mode: "full", correlate: false };

export async function mount(root, { t, state, set, call, say }) {
  const plot = new Plot({ x: [-0.5, 6.5], y: [0, 8], label: t("result") });
  async function show() {
    const { arrays } = await call("convolve", state);
    plot.clear();
    plot.stems([...arrays.result.data.keys()], [...arrays.result.data], "out");
  }
  const f = numberGrid({ label: "f", rows: 1, columns: 4, values: state.f, tone: "in", oninput: (v) => { set({ f: v }); show().catch(say); } });
  root.append(h("div", { class: "desk" }, h("div", { class: "stage" }, h("section", { class: "card" }, f.element, plot.element)), h("aside", { class: "panel card" },
    slider({ label: "a", min: 0, max: 1, step: 0.1, value: 0.5, oninput: () => {} }).element)));
  await show();
  return { code: () => [state] };
}
