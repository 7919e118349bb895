// A room on a page: its words, its state, its questions. Pages and widgets mount rooms alike.

import { codeButton } from "./code.js";
import { h } from "./element.js";
import { vocabulary } from "./text.js";

// engine: {call, stream}; remember(state) is told of every change. Resolves, when all is shown, to a
// function that ends it; `leaving` ends it before.
export async function mount({
  root, name, module, state, language, engine, remember, leaving = new AbortController(),
}) {
  const t = await vocabulary(language, name);
  const leave = () => leaving.abort();
  if (leaving.signal.aborted) return leave;
  const notice = h("p", { class: "notice", role: "alert", hidden: true });
  const context = {
    t,
    language,
    state,
    signal: leaving.signal,
    call: (action, values = {}, arrays = {}, signal = leaving.signal) => (
      engine.call(name, action, { values, arrays }, signal)),
    stream: (action, values, arrays, onmessage, signal = leaving.signal) => (
      engine.stream(name, action, { values, arrays }, onmessage, signal)),
    // Change the state and remember it in the address.
    set(patch) {
      Object.assign(state, patch);
      remember(state);
    },
    say(error) {
      notice.hidden = !error;
      notice.textContent = error ? error.message : "";
    },
    onTheme: (redraw) => addEventListener("themechange", redraw, { signal: leaving.signal }),
  };
  const body = h("div", {});
  const header = h("header", {}, h("div", {}, h("h1", {}, t("title")), h("p", {}, t("lead"))));
  root.setAttribute("aria-busy", "true");
  root.replaceChildren(header, notice, body);
  try {
    const { code } = await module.mount(body, context) ?? {};
    if (code) header.append(codeButton(t, async () => (await context.call("code", ...code())).values));
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  }
  if (!leaving.signal.aborted) root.setAttribute("aria-busy", "false");
  return leave;
}
