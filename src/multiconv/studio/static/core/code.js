// "Copy as code": the state of a room as a program for each library.

import { button, choice } from "./controls.js";
import { h } from "./element.js";

// ask(): resolves to {library: program}
export function codeButton(t, ask) {
  return button(t("copy as code"), async (event) => {
    const dialog = h("dialog", { "aria-label": t("copy as code"), onclose: () => dialog.remove() });
    event.currentTarget.after(dialog);
    let programs;
    try {
      programs = await ask();
    } catch (error) {
      programs = { multiconv: `# ${error.message}` };
    }
    let library = Object.keys(programs)[0];
    const shown = h("pre", { tabindex: 0 });
    const show = (next) => {
      library = next;
      shown.textContent = programs[library];
    };
    const tabs = choice({ label: t("library"), options: Object.keys(programs).map((n) => [n, n]), value: library, oninput: show });
    const copy = button(t("copy"), async () => {
      await navigator.clipboard.writeText(programs[library]);
      copy.textContent = t("copied");
    }, { kind: "primary" });
    const close = button(t("close"), () => dialog.close());
    dialog.append(h("div", {}, tabs.element, shown, h("div", { class: "row" }, copy, close)));
    show(library);
    dialog.showModal();
  });
}
