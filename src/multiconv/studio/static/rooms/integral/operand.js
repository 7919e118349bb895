// One of the two functions: picked from a list, or drawn on its own small plot.

import { select } from "../../core/controls.js";
import { h } from "../../core/element.js";
import { Pencil } from "./pencil.js";

const NAMES = ["box", "triangle", "ramp", "gaussian", "exponential", "burst", "drawn"];
const TONES = { f: "in", g: "kernel" };

// onchange({f: name} or {f: "drawn", fDrawn: values})
export function operand({ name, t, state, onchange }) {
  const drawn = `${name}Drawn`;
  const pencil = new Pencil({
    tone: TONES[name], label: t("draw", { name }), say: (x, y) => t("drawn value", { name, x, y }),
    ondraw: (values) => {
      menu.set("drawn");
      onchange({ [name]: "drawn", [drawn]: values });
    },
  });
  const menu = select({
    label: t(`function ${name}`), options: NAMES.map((key) => [key, t(key)]), value: state[name],
    oninput: (key) => onchange({ [name]: key, ...(key === "drawn" && { [drawn]: pencil.values() }) }),
  });
  menu.element.querySelector("label").classList.add(TONES[name]);
  const element = h("div", { class: "operand" }, menu.element, pencil.element);
  const show = (curve, picked) => pencil.show(curve, picked === "drawn");
  return { name, element, show, set: menu.set };
}
