// The sequences as weights of two dice: the sums are how often each total falls.

import { h } from "../../core/element.js";
import { exact, whole } from "./numbers.js";

// Letters that fit side by side above the bars, on a phone, too.
const ROOM = 34;

export function dice(t) {
  const body = h("div", { class: "dice-body" });
  const element = h("section", { class: "card dice" }, h("h2", {}, t("dice")), body);

  function show({ f, g, full, correlate }) {
    const total = sum(f) * sum(g);
    if ([...f, ...g].some((value) => value < 0) || !total) {
      body.replaceChildren(h("p", { class: "soft" }, t("no dice")));
      return;
    }
    const face = (k) => (correlate ? k - g.length + 1 : k + 2);
    const shares = whole([...f, ...g], 0);
    const caption = (weights) => (shares ? t("of", { total: exact(sum(weights)) }) : t("weights"));
    body.replaceChildren(
      h("div", { class: "pair" },
        bars(t("die", { name: "f" }), f, (k) => k + 1, "in", caption(f)),
        bars(t("die", { name: "g" }), g, (k) => k + 1, "kernel", caption(g))),
      bars(t(correlate ? "difference of faces" : "total of faces"), full, face, "out", caption(full), true));
  }
  return { element, show };
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

function bars(words, weights, face, tone, caption, link = false) {
  const largest = Math.max(...weights);
  const bar = (weight, k) => h("div", {
    class: "bar-slot", "data-k": link ? k : null, title: `${exact(face(k))}: ${exact(weight)} ${caption}`,
  }, h("span", { class: "weight" }, exact(weight)),
  h("span", { class: `bar-fill ${tone}`, style: `height:${(100 * weight) / largest}%` }),
  h("span", { class: "face" }, exact(face(k))));
  const letters = weights.reduce((count, weight) => count + exact(weight).length + 0.5, 0);
  const crowded = letters > (link ? ROOM : ROOM / 2);
  return h("figure", { class: `bars ${link ? "large" : ""} ${crowded ? "crowded" : ""} ${weights.length > 12 ? "many" : ""}`, "aria-label": words },
    h("figcaption", { class: "soft" }, h("span", {}, words), h("span", {}, caption)),
    h("div", { class: "bar-row" }, weights.map(bar)));
}
