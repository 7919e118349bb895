// The page: its bar, its rooms, its language and its colours.

import { format, parse } from "./core/address.js";
import * as address from "./core/bar.js";
import { button } from "./core/controls.js";
import { h } from "./core/element.js";
import { mount } from "./core/mounting.js";
import * as engine from "./core/server.js";
import { LANGUAGES, preferred, vocabulary } from "./core/text.js";

const ROOMS = ["integral", "sum", "image", "channels", "network", "sound", "machine"];
const root = h("main", { class: "room", id: "room", tabindex: -1 });
let language = preferred();
let leave = () => {};
let current = null;
let written = null;

async function enter() {
  if (location.hash === written) return;
  address.forget();
  const asked = parse(location.hash).room;
  const name = ROOMS.includes(asked) ? asked : ROOMS[0];
  current = name;
  const module = await import(`./rooms/${name}.js`);
  if (current !== name) return;
  const { state } = parse(location.hash, module.defaults);
  leave();
  const leaving = new AbortController();
  leave = () => leaving.abort();
  await showBar();
  await mount({
    root, name, module, state, language, engine, leaving,
    remember(next) {
      written = format(name, next, module.defaults);
      address.write(written);
    },
  });
  address.flush();
  written = location.hash;
}

function setTheme() {
  const page = document.documentElement;
  page.dataset.theme = page.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", page.dataset.theme);
  dispatchEvent(new Event("themechange"));
}

function setLanguage() {
  const names = Object.keys(LANGUAGES);
  language = names[(names.indexOf(language) + 1) % names.length];
  localStorage.setItem("language", language);
  address.flush();
  written = null;
  enter();
}

const bar = h("nav", { class: "bar" });

async function showBar() {
  const t = await vocabulary(language, current);
  const names = Object.keys(LANGUAGES);
  const other = names[(names.indexOf(language) + 1) % names.length];
  document.documentElement.lang = language;
  document.title = `${t("title")} · multiconv studio`;
  bar.setAttribute("aria-label", t("rooms"));
  bar.replaceChildren(
    h("a", { class: "skip", href: "#room", onclick: (event) => {
      event.preventDefault();
      root.focus();
    } }, t("skip")),
    h("a", { class: "wordmark", href: `#${ROOMS[0]}` }, h("img", { src: "icon.svg", alt: "" }), h("span", {}, "multiconv studio")),
    h("div", { class: "rooms" }, ROOMS.map((name) => (
      h("a", { href: `#${name}`, "aria-current": name === current ? "page" : null }, t(`room ${name}`))))),
    h("div", { class: "row", style: "flex-wrap:nowrap;gap:0" },
      button(LANGUAGES[other], setLanguage, { kind: "quiet", label: t("language", { name: LANGUAGES[other] }) }),
      button("◐", setTheme, { kind: "quiet", label: t("theme") })));
  bar.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

document.body.append(bar, root);
addEventListener("hashchange", enter);
addEventListener("pagehide", address.flush);
enter();
